"""Large content of a copy, which travels in pieces: it counts once it is whole, and never with a piece missing."""

import asyncpg
import pytest

from server.ports.errors import StorageUnavailable
from server.ports.transfer import BACKTESTS, INPUTS, SERIES, TransferRow
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.sent_frames import sent_frame
from server.storage.supabase.transfer import SupabaseTransfer

OWNER = "users/a"
INPUTS_JSON = '["fp", "prices", {}, {}, [], null, [], [null, null], {}]'
JOB = TransferRow(
    (OWNER, "j"),
    (None, "", "", "SUCCEEDED", "e", "fp", 0.0, 0, 3, 0, 1.0, None, None, None, None, None, 1, 0, 10, 20, INPUTS_JSON,
     "[]", b"", b"", b"result", None),
)  # fmt: skip
ROW = TransferRow((OWNER, "j", 0), ("label", bytes(range(256)) * 4))


async def test_a_record_counts_once_it_is_whole(rpc: Rpc, database: asyncpg.Connection) -> None:
    store = SupabaseTransfer(rpc, piece_bytes=300)
    await store.put(BACKTESTS, [JOB])
    header = {"owner": OWNER, "id": "j", "position": 0, "label": "label", "pieces": 4}
    for number in (0, 1):
        piece = b"of an earlier copy"
        frame = sent_frame({**header, "number": number, "size": len(piece)}, piece)
        await rpc.send_bytes("put_transfer_backtest_series", frame)
        assert await store.rows(SERIES, SERIES.before_all, 10) == []
        assert await database.fetchval("select count(*) from absfin.backtest_series") == 0
    for _ in range(2):
        await store.put(SERIES, [ROW])
        assert await store.rows(SERIES, SERIES.before_all, 10) == [ROW]
    assert await database.fetchval("select count(*) from absfin.transfer_pieces") == 0
    assert await database.fetch("select attempt, number from absfin.backtest_series order by number") == [
        (3, number) for number in range(4)
    ]


async def test_what_is_deleted_while_it_is_read(rpc: Rpc, database: asyncpg.Connection) -> None:
    store = SupabaseTransfer(rpc, piece_bytes=300)
    row = TransferRow(("fp",), ('["A"]', bytes(1000)))
    await store.put(INPUTS, [row])
    assert await store.rows(INPUTS, INPUTS.before_all, 10) == [row]
    # As if the pieces went after the database had said how many there are.
    await database.execute("update absfin.backtest_inputs set pieces = 3")
    with pytest.raises(StorageUnavailable, match="a part of backtest_inputs was deleted while it was read"):
        await store.rows(INPUTS, INPUTS.before_all, 10)
