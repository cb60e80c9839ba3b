"""Market data on PostgreSQL, beyond what every store promises: what calls carry, what is left behind, who sees it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest

from domain.market_data.corporate_actions import CorporateAction, Delisting, Split
from domain.market_data.panel import PricePanel
from server.ports.corporate_actions import ActionFilter
from server.ports.errors import StorageUnavailable
from server.ports.market_data import ImportReceipt, Instrument, PriceField, PriceImport, PriceQuery
from server.storage.panels import PanelFiles
from server.storage.supabase import imports, market_data
from server.storage.supabase.access import Access
from server.storage.supabase.corporate_actions import SupabaseCorporateActions
from server.storage.supabase.imports import BATCH_ROWS
from server.storage.supabase.market_data import CALL_BYTES, SupabaseMarketData
from server.storage.supabase.rpc import Rpc
from tests.supabase_stack import RunningStack

SYMBOLS = [f"S{i:02d}" for i in range(40)]


class Noted(Rpc):
    """Notes what is sent and what comes, in bytes and seconds; makes every call as often as it is told."""

    def __init__(self, access: Access, times: int = 1) -> None:
        super().__init__(access)
        self.times = times
        self.sent: list[int] = []
        self.read: list[int] = []
        self.names: list[str] = []
        self.seconds: list[float] = []

    async def call(self, name: str, /, **arguments: object) -> Any:
        for _ in range(self.times):
            found = await self._noted(name, super().call(name, **arguments))
        return found

    async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
        found: bytes = await self._noted(name, super().read_bytes(name, **arguments))
        self.read.append(len(found))
        return found

    async def send_bytes(self, name: str, body: bytes, /) -> Any:
        self.sent.append(len(body))
        for _ in range(self.times):
            found = await self._noted(name, super().send_bytes(name, body))
        return found

    async def _noted(self, name: str, work: Any) -> Any:
        start = time.monotonic()
        found = await work
        self.names.append(name)
        self.seconds.append(time.monotonic() - start)
        return found


@pytest.fixture
async def stack(system_stack: RunningStack) -> RunningStack:
    await system_stack.empty()
    return system_stack


@pytest.fixture
async def rpc(stack: RunningStack) -> AsyncIterator[Noted]:
    opened = Noted(Access(stack.stack.url, stack.stack.service_key))
    yield opened
    await opened.close()


@pytest.fixture
def market(rpc: Noted, tmp_path: Path) -> SupabaseMarketData:
    return market_of(rpc, tmp_path)


def market_of(rpc: Rpc, folder: Path) -> SupabaseMarketData:
    return SupabaseMarketData(rpc, PanelFiles(folder / "panels"), folder / "staging")


def panel(days: range, seed: int = 0, symbols: list[str] = SYMBOLS) -> PricePanel:
    return PricePanel.of(symbols, days, np.random.default_rng(seed).uniform(1, 2, (len(days), len(symbols))))


def whole(sent: PricePanel, import_id: str = "i") -> PriceImport:
    return PriceImport(import_id, PriceField.CLOSE, "the exchange", (sent,))


async def rows(stack: RunningStack, query: str) -> list[Any]:
    connection = await asyncpg.connect(stack.stack.database_url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def counts(stack: RunningStack) -> list[int]:
    """Of chunks and revisions."""
    query = "select (select count(*) from absfin.price_chunks), (select count(*) from absfin.price_revisions)"
    return list((await rows(stack, query))[0])


async def test_calls_are_of_a_few_megabytes(market: SupabaseMarketData, rpc: Noted) -> None:
    symbols = [f"S{i:03d}" for i in range(200)]
    sent = panel(range(8_000), symbols=symbols)
    assert (await market.import_prices(whole(sent))).inserted == 1_600_000
    assert sum(rpc.sent) > 1_600_000 * 12
    assert max(rpc.sent) < 6 << 20
    found = await market.prices(PriceQuery(tuple(symbols)))
    assert (found.panel.values == sent.values).all()
    assert sum(rpc.read) > 1_600_000 * 12
    assert max(rpc.read) < 1.2 * CALL_BYTES
    assert max(rpc.seconds) < 8.0


async def test_a_panel_that_is_known_is_not_read_again(market: SupabaseMarketData, rpc: Noted) -> None:
    await market.import_prices(whole(panel(range(1000))))
    await market.prices(PriceQuery(tuple(SYMBOLS)))
    rpc.names.clear()
    await market.prices(PriceQuery(tuple(SYMBOLS)))
    assert rpc.names == ["describe_prices"]


async def test_only_chunks_that_differ_are_read_and_written(market: SupabaseMarketData, rpc: Noted) -> None:
    """Twenty years, sent again with one day more: only the last year of each symbol is."""
    sent = panel(range(20 * 366))
    await market.import_prices(whole(PricePanel.of(SYMBOLS, sent.dates[:-1], sent.values[:-1]), "old"))
    rpc.sent.clear()
    rpc.read.clear()
    receipt = await market.import_prices(whole(sent, "new"))
    assert receipt == ImportReceipt("new", 40, 0, sent.values.size - 40, 40)
    year = 366 * 12 + 200
    assert sum(rpc.sent) < 40 * year
    assert sum(rpc.read) < 40 * (year + 21 * 40)
    assert (await market.prices(PriceQuery(tuple(SYMBOLS)))).panel.values.shape == sent.values.shape


async def test_replaced_chunks_go(market: SupabaseMarketData, stack: RunningStack) -> None:
    await market.import_prices(whole(panel(range(1000)), "first"))
    before = await counts(stack)
    assert before[0] == 40 * 3
    for i in range(3):
        await market.import_prices(whole(panel(range(1000), seed=1 + i), f"c{i}"))
        assert (await counts(stack))[0] == before[0]
    assert await rows(stack, "select distinct source from absfin.imports") == [("the exchange",)]
    assert await rows(stack, "select count(*) from absfin.price_revisions where not cleaned") == [(0,)]


async def test_every_call_may_be_made_twice(stack: RunningStack, tmp_path: Path) -> None:
    """As it is where an answer is lost: a call is made again, and what it did before must be there once."""
    rpc = Noted(Access(stack.stack.url, stack.stack.service_key), times=2)
    market = market_of(rpc, tmp_path)
    assert await market.import_prices(whole(panel(range(1000)))) == ImportReceipt("i", 40_000, 0, 0, 40)
    assert await market.import_prices(whole(panel(range(1000), 1), "j")) == ImportReceipt("j", 0, 40_000, 0, 40)
    assert await market.import_prices(whole(panel(range(1000)))) == ImportReceipt("i", 40_000, 0, 0, 40)
    session = await market.begin_import("k", PriceField.CLOSE, "")
    await session.abandon()
    assert await market.upsert_instruments([Instrument("A", groups={"k": "v"})]) == 1
    actions = SupabaseCorporateActions(rpc)
    sent = (CorporateAction("A", 1, Split(2.0)), CorporateAction("A", 5, Delisting()))
    assert await actions.upsert(sent) == 2
    assert await actions.all(ActionFilter()) == sent
    assert await counts(stack) == [40 * 3, 2]
    assert (await market.prices(PriceQuery(tuple(SYMBOLS)))).panel.values.tolist() == panel(
        range(1000), 1
    ).values.tolist()
    await rpc.close()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
async def test_an_import_that_is_cancelled_leaves_all_or_nothing(
    market: SupabaseMarketData, stack: RunningStack, delay: float
) -> None:
    await market.import_prices(whole(panel(range(100)), "before"))
    session = await market.begin_import("i", PriceField.CLOSE, "")
    adding = asyncio.create_task(session.add(panel(range(8000))))
    if not delay:
        await asyncio.sleep(0.01)
        adding.cancel()
    await asyncio.wait([adding])
    finishing = asyncio.create_task(session.finish(40 * 8000))
    await asyncio.sleep(delay)
    finishing.cancel()
    await asyncio.wait([finishing])
    await session.abandon()
    done = bool(await rows(stack, "select from absfin.imports where import_id = 'i'"))
    await market.sweep()
    assert await counts(stack) == ([40 * 22, 2] if done else [40, 1])


class Overtaken(Noted):
    """Lets something else happen just before the first call of some function."""

    def __init__(self, access: Access, name: str, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(access)
        self._name = name
        self._meanwhile: Callable[[], Awaitable[object]] | None = meanwhile

    async def _before(self, name: str) -> None:
        if name == self._name and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()

    async def call(self, name: str, /, **arguments: object) -> Any:
        await self._before(name)
        return await super().call(name, **arguments)

    async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
        await self._before(name)
        return await super().read_bytes(name, **arguments)


@pytest.mark.parametrize("moment", ["find_import", "read_price_hashes", "read_price_chunks", "finish_import"])
async def test_an_import_that_is_overtaken_is_merged_again(
    market: SupabaseMarketData, stack: RunningStack, tmp_path: Path, moment: str
) -> None:
    """The other one changes A, writes the very same to B with days more, and does not touch C; D is its own."""
    await market.import_prices(whole(_constant("ABC", range(5, 15), 1.0), "before"))
    other = (_constant("A", range(20), 3.0), _constant("B", range(10), 2.0), _constant("B", range(10, 20), 4.0))

    async def meanwhile() -> None:
        await market.import_prices(PriceImport("other", PriceField.CLOSE, "", (*other, _constant("D", range(3), 9.0))))

    rpc = Overtaken(Access(stack.stack.url, stack.stack.service_key), moment, meanwhile)
    receipt = await market_of(rpc, tmp_path / "late").import_prices(whole(_constant("ABC", range(10), 2.0), "late"))
    await rpc.close()
    assert receipt == ImportReceipt("late", 5, 10 + 5, 10, 3), "A is changed, B is known, C is half new"
    found = (await market.prices(PriceQuery(("A", "B", "C", "D")))).panel
    nothing = [np.nan] * 5
    np.testing.assert_array_equal(found.values[:, 0], [2.0] * 10 + [3.0] * 10)
    np.testing.assert_array_equal(found.values[:, 1], [2.0] * 10 + [4.0] * 10)
    np.testing.assert_array_equal(found.values[:, 2], [2.0] * 10 + [1.0] * 5 + nothing)
    np.testing.assert_array_equal(found.values[:, 3], [9.0] * 3 + [np.nan] * 17)
    assert await counts(stack) == [4, 3]


def _constant(symbols: str, days: range, value: float) -> PricePanel:
    return PricePanel.of(symbols, days, np.full((len(days), len(symbols)), value))


async def test_a_panel_read_in_many_calls_is_of_one_moment(
    market: SupabaseMarketData, stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market_data, "CALL_BYTES", 10_000)
    monkeypatch.setattr(market_data, "CALLS_AT_ONCE", 1)
    await market.import_prices(whole(_constant("ABCDEFGH", range(1000), 1.0), "first"))

    async def meanwhile() -> None:
        await market.import_prices(whole(_constant("ABCDEFGH", range(1000), 2.0), "second"))

    class Third(Overtaken):
        """Only before its third call."""

        async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
            if len(self.read) < 2:
                return await Noted.read_bytes(self, name, **arguments)
            return await super().read_bytes(name, **arguments)

    rpc = Third(Access(stack.stack.url, stack.stack.service_key), "read_prices", meanwhile)
    found = await market_of(rpc, tmp_path / "reader").prices(PriceQuery(tuple("ABCDEFGH")))
    await rpc.close()
    assert np.unique(found.panel.values).tolist() == [2.0]
    assert found.panel.values.shape == (1000, 8)


async def test_of_one_import_sent_twice_at_once_nothing_is_left(
    market: SupabaseMarketData, stack: RunningStack, tmp_path: Path
) -> None:
    await asyncio.gather(*(market.import_prices(whole(panel(range(1000)))) for _ in range(4)))
    assert await counts(stack) == [40 * 3, 1]


async def test_a_silent_import_that_is_heard_of_again_is_kept(rpc: Noted, stack: RunningStack, tmp_path: Path) -> None:
    """Between the look for silent imports and the drop of one its server may have gone on."""
    session = await market_of(rpc, tmp_path).begin_import("i", PriceField.CLOSE, "")
    (name,) = (await rows(stack, "select session from absfin.price_revisions"))[0]
    assert not await rpc.call("drop_import", p_session=name, p_limit=10, p_seconds=60.0)
    await session.add(panel(range(3)))
    assert (await session.finish(120)).inserted == 120


async def test_an_answer_that_does_not_come_is_one_error(
    market: SupabaseMarketData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several calls at once fail: the caller gets what one of them raised, not a group of errors."""
    monkeypatch.setattr(market_data, "CALL_BYTES", 10_000)
    await market.import_prices(whole(panel(range(1000))))

    async def unavailable(self: Rpc, name: str, /, **arguments: object) -> bytes:
        raise StorageUnavailable(name)

    monkeypatch.setattr(Rpc, "read_bytes", unavailable)
    with pytest.raises(StorageUnavailable, match="read_prices"):
        await market.prices(PriceQuery(tuple(SYMBOLS)))
    with pytest.raises(StorageUnavailable, match="read_price_hashes"):
        await market.import_prices(whole(panel(range(1000), 1), "j"))


async def test_what_a_dead_server_left_is_swept_away(
    market: SupabaseMarketData, rpc: Noted, stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.import_prices(whole(panel(range(1000)), "before"))
    kept = await counts(stack)
    session = await market.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel(range(8000), seed=1))
    monkeypatch.setattr(Rpc, "call", _dies_before_the_end(Rpc.call))
    with pytest.raises(ConnectionError):
        await session.finish(40 * 8000)
    monkeypatch.undo()
    other = market_of(rpc, tmp_path / "other")
    assert (await counts(stack))[0] > kept[0] + 40 * 20
    assert await other.having(PriceField.CLOSE, SYMBOLS) == tuple(SYMBOLS)
    assert (await other.prices(PriceQuery(tuple(SYMBOLS)))).panel.values.shape == (1000, 40)
    assert await other.sweep() == 0, "it may live"
    monkeypatch.setattr(imports, "IDLE_SECONDS", 0.01)
    await asyncio.sleep(0.05)
    assert await other.sweep() == 1
    assert await counts(stack) == kept
    with pytest.raises(StorageUnavailable, match="send it again"):
        await session.finish(40 * 8000)
    await session.abandon()


def _dies_before_the_end(call: Any) -> Any:
    async def dying(self: Rpc, name: str, /, **arguments: object) -> Any:
        if name == "finish_import":
            raise ConnectionError(name)
        return await call(self, name, **arguments)

    return dying


async def test_a_server_that_is_heard_of_is_not_swept_away(
    market: SupabaseMarketData, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that sends a little now and then, for longer than a silent import is kept."""
    monkeypatch.setattr(imports, "IDLE_SECONDS", 15.0)
    monkeypatch.setattr(imports, "TOUCH_SECONDS", 0.0)
    session = await market.begin_import("i", PriceField.CLOSE, "")
    old = "update absfin.price_revisions set touched = touched - interval '12 seconds'"
    for day in range(3):
        await session.add(panel(range(day, day + 1)))
        await rows(stack, old)
        assert await market.sweep() == 0
    assert (await session.finish(120)).inserted == 120


async def test_many_replaced_chunks_go_in_several_calls(
    market: SupabaseMarketData, rpc: Noted, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_ROWS", 50)
    for i in range(3):
        await market.import_prices(whole(panel(range(1000), seed=i), str(i)))
        assert (await counts(stack))[0] == 120
    assert rpc.names.count("write_price_chunks") == 3 * 3
    assert BATCH_ROWS > 50


async def test_who_reads_past_the_server_sees_finished_prices_only(
    market: SupabaseMarketData, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.import_prices(whole(panel(range(10), symbols=["A"]), "finished"))
    session = await market.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel(range(10), symbols=["B"]))
    monkeypatch.setattr(Rpc, "call", _dies_before_the_end(Rpc.call))
    with pytest.raises(ConnectionError):
        await session.finish(10)
    monkeypatch.undo()
    tokens = {"known": stack.stack.token("00000000-0000-0000-0000-000000000001"), "stranger": stack.stack.anon_key}
    seen: dict[tuple[str, str], object] = {}
    async with httpx.AsyncClient(trust_env=False) as client:
        for who, token in tokens.items():
            headers = {"apikey": stack.stack.anon_key, "Authorization": f"Bearer {token}", "Accept-Profile": "absfin"}
            for table, column in (
                ("price_chunks", "symbol"), ("instruments", "symbol"), ("price_revisions", "number"),
                ("imports", "import_id"), ("price_clock", "position"),
            ):  # fmt: skip
                answer = await client.get(f"{stack.stack.url}/rest/v1/{table}?select={column}", headers=headers)
                seen[who, table] = [row[column] for row in answer.json()] if answer.is_success else answer.status_code
    await session.abandon()
    assert seen == {
        ("known", "price_chunks"): ["A"],
        ("known", "instruments"): ["A"],
        ("known", "price_revisions"): [1],
        ("known", "imports"): 403,
        ("known", "price_clock"): 403,
        **{("stranger", table): 401 for _, table in list(seen)[:5]},
    }


async def test_the_database_takes_no_chunk_that_is_not_what_its_hash_says(
    market: SupabaseMarketData, rpc: Noted, stack: RunningStack
) -> None:
    await market.import_prices(whole(panel(range(10))))
    with pytest.raises(asyncpg.CheckViolationError):
        await rows(stack, "update absfin.price_chunks set data = set_byte(data, 3, 9)")
