"""Rows of a project for a copy of the store."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.ports.errors import StorageUnavailable
from server.ports.transfer import (
    INPUTS,
    PAGE_BYTES,
    SERIES,
    Kind,
    Place,
    TransferRow,
    TransferTable,
    UsedByResult,
    Value,
)
from server.storage.supabase.access import bytes_of, text_of
from server.storage.supabase.api_keys import kept_pepper
from server.storage.supabase.job_inputs import PIECE_BYTES
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.sent_frames import sent_frame
from server.storage.texts import kept_text, text_of_kept


class SupabaseTransfer:
    """The rows of one project."""

    def __init__(self, rpc: Rpc, piece_bytes: int = PIECE_BYTES) -> None:
        self._rpc = rpc
        self._piece_bytes = piece_bytes

    async def rows(self, table: TransferTable, after: Place, limit: int) -> Sequence[TransferRow]:
        """Rows after a place; large content is read piece by piece."""
        place = [_sent(kind, value) for (_, kind), value in zip(table.place, after, strict=True)]
        found = await self._rpc.call(f"read_transfer_{table.name}", p_after=place, p_limit=limit, p_bytes=PAGE_BYTES)
        return [_row(table, await self._with_pieces(table, fields)) for fields in found]

    async def put(self, table: TransferTable, rows: Sequence[TransferRow]) -> None:
        """Stores rows."""
        if table == INPUTS:
            for row in rows:
                symbols, data = row.values
                await self._send("add_backtest_input_piece", {"name": row.place[0], "symbols": symbols}, _bytes(data))
        elif table == SERIES:
            for row in rows:
                (owner, name, position), (label, data) = row.place, row.values
                where = {"owner": owner, "id": name, "position": position, "label": kept_text(str(label))}
                await self._send("put_transfer_backtest_series", where, _bytes(data))
        else:
            await self._rpc.call(f"put_transfer_{table.name}", p_rows=[_fields(table, row) for row in rows])

    async def used(self, table: TransferTable, after: Place, limit: int) -> Sequence[UsedByResult]:
        """What results have used."""
        found = await self._rpc.call("read_transfer_used", p_kind=table.name, p_after=list(after), p_limit=limit)
        return [_used(one) for one in found]

    async def put_used(self, table: TransferTable, results: Sequence[UsedByResult]) -> None:
        """Keeps what results have used."""
        rows = [
            {
                "owner": one.place[0],
                "id": one.place[1],
                "stale": one.stale,
                "ranges": [[*days, kept_text(symbol)] for *days, symbol in one.ranges],
            }
            for one in results
        ]
        await self._rpc.call("put_transfer_used", p_kind=table.name, p_rows=rows)

    async def keep_secret(self, secret: bytes) -> bytes:
        """The secret of API keys, this one where there was none."""
        return await kept_pepper(self._rpc, secret)

    async def _with_pieces(self, table: TransferTable, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if table not in (INPUTS, SERIES):
            return fields
        pieces = []
        for number in range(fields["pieces"]):
            if table == INPUTS:
                name, where = "read_backtest_input_piece", {"p_name": fields["fingerprint"]}
            else:
                name, where = "read_backtest_series_piece", {"p_key": fields["key"], "p_position": fields["position"]}
            pieces.append(await self._rpc.read_bytes(name, **where, p_number=number))
        data = b"".join(pieces)
        if len(data) != fields["size"]:
            raise StorageUnavailable(f"a part of {table.name} was deleted while it was read; try again")
        return {**fields, "data": data}

    async def _send(self, function: str, header: Mapping[str, object], data: bytes) -> None:
        starts = range(0, max(len(data), 1), self._piece_bytes)
        for number, start in enumerate(starts):
            piece = data[start : start + self._piece_bytes]
            of_piece = {**header, "pieces": len(starts), "number": number, "size": len(piece)}
            await self._rpc.send_bytes(function, sent_frame(of_piece, piece))


def _used(one: Mapping[str, Any]) -> UsedByResult:
    ranges = [(field, first, last, text_of_kept(symbol)) for field, first, last, symbol in one["ranges"]]
    return UsedByResult((one["owner"], one["id"]), tuple(sorted(ranges)), one["stale"])


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _row(table: TransferTable, fields: Mapping[str, Any]) -> TransferRow:
    place = tuple(_received(kind, fields[name]) for name, kind in table.place)
    return TransferRow(place, tuple(_received(kind, fields[name]) for name, kind in table.columns))


def _fields(table: TransferTable, row: TransferRow) -> dict[str, object]:
    columns = zip((*table.place, *table.columns), (*row.place, *row.values), strict=True)
    return {name: _sent(kind, value) for (name, kind), value in columns}


def _received(kind: Kind, value: Any) -> Any:
    """A value of the JSON of an answer."""
    if value is None or isinstance(value, bytes):
        return value
    if kind is Kind.TEXT:
        return text_of_kept(value)
    if kind is Kind.TEXTS:
        return tuple(sorted(text_of_kept(one) for one in value))
    if kind is Kind.BYTES:
        return bytes_of(value)
    return float(value) if kind is Kind.NUMBER else value


def _sent(kind: Kind, value: Any) -> Any:
    """A value as JSON has it in an argument."""
    if value is None:
        return None
    if kind is Kind.TEXT:
        return kept_text(value)
    if kind is Kind.TEXTS:
        return [kept_text(one) for one in value]
    if kind is Kind.BYTES:
        return text_of(value)
    return repr(float(value)) if kind is Kind.NUMBER else value
