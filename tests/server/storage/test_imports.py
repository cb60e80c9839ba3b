"""Imports in parts: invisible before the end, whole after it, the same as in one piece, and never in anybody's way."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from server.ports.errors import StorageUnavailable
from server.ports.market_data import ImportReceipt, PriceField, PriceImport, PriceQuery
from server.ports.results import ResultDraft
from server.storage.embedded import imports
from server.storage.embedded.database import Database
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.embedded.results import EmbeddedResults
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import OWNER

TABLES = ("import_parts", "import_sessions")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def market(database: Database, tmp_path: Path) -> EmbeddedMarketData:
    return EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"))


def panel(symbols: str, days: range, seed: int = 0) -> PricePanel:
    return PricePanel.of(symbols, days, np.random.default_rng(seed).uniform(1, 2, (len(days), len(symbols))))


async def rows(database: Database, *tables: str) -> list[int]:
    return [
        await database.read(lambda c, table=table: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
        for table in tables
    ]


async def test_where_the_data_comes_from_is_kept(market: EmbeddedMarketData, database: Database) -> None:
    for import_id, source in (("a", "the exchange's own file"), ("b", "")):
        await market.import_prices(PriceImport(import_id, PriceField.CLOSE, source, (panel("A", range(3)),)))
    kept = await database.read(lambda c: c.execute("SELECT import_id, source FROM imports ORDER BY 1").fetchall())
    assert kept == [("a", "the exchange's own file"), ("b", "")]


async def test_nothing_is_seen_before_the_end_and_nothing_is_left_behind(
    market: EmbeddedMarketData, database: Database
) -> None:
    session = await market.begin_import("i", PriceField.CLOSE, "")
    for start in range(0, 3000, 300):
        await session.add(panel("AB", range(start, start + 300)))
        assert await market.having(PriceField.CLOSE, "AB") == ()
        assert (await market.list_instruments("", 10, None)).instruments == ()
    assert await session.finish(6000) == ImportReceipt("i", 6000, 0, 0, 2)
    assert (await market.prices(PriceQuery(("A", "B")))).panel.values.shape == (3000, 2)
    assert await rows(database, *TABLES) == [0, 0]


async def test_an_abandoned_import_leaves_nothing(market: EmbeddedMarketData, database: Database) -> None:
    session = await market.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel("AB", range(1000)))
    with pytest.raises(InvalidInput, match="says 7 values, but 2000 have come"):
        await session.finish(7)
    await session.abandon()
    assert await rows(database, *TABLES, "price_chunks", "imports") == [0, 0, 0, 0]


async def test_corrections_replace_chunks_and_old_ones_go(market: EmbeddedMarketData, database: Database) -> None:
    sent = panel("A", range(1000))
    await market.import_prices(PriceImport("first", PriceField.CLOSE, "", (sent,)))
    (before,) = await rows(database, "price_chunks")
    for i in range(3):
        part = PricePanel.of("A", [500], [10.0 + i])
        receipt = await market.import_prices(PriceImport(f"c{i}", PriceField.CLOSE, "", (part,)))
        assert (receipt.inserted, receipt.changed) == (0, 1)
    assert await rows(database, "price_chunks") == [before]
    values = (await market.prices(PriceQuery(("A",)))).panel.values[:, 0]
    assert values[500] == 12.0
    assert (np.delete(values, 500) == np.delete(sent.values[:, 0], 500)).all()


async def test_what_a_dead_process_left_is_swept_away(database: Database, tmp_path: Path) -> None:
    dead, living = WorkerLocks(tmp_path / "workers"), WorkerLocks(tmp_path / "workers")
    stores = [EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"), locks) for locks in (dead, living)]
    sessions = [await store.begin_import("i", PriceField.CLOSE, "") for store in stores]
    for session in sessions:
        await session.add(panel("A", range(100)))
    dead.close()
    assert await stores[1].sweep() == 1
    assert await rows(database, *TABLES) == [1, 1]
    with pytest.raises(StorageUnavailable, match="silent"):
        await sessions[0].add(panel("A", range(100, 200)))
    assert (await sessions[1].finish(100)).inserted == 100
    living.close()


async def test_an_import_that_is_silent_is_dropped(
    market: EmbeddedMarketData, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await market.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel("A", range(100)))
    assert await market.sweep() == 0
    monkeypatch.setattr(imports, "IDLE_SECONDS", 0.01)
    await asyncio.sleep(0.05)
    assert await market.sweep() == 1
    assert await rows(database, *TABLES) == [0, 0]
    with pytest.raises(StorageUnavailable, match="send it again"):
        await session.finish(100)


@pytest.mark.alone
async def test_small_writes_do_not_wait_for_an_import(market: EmbeddedMarketData, database: Database) -> None:
    """Four million values; on an idle machine the median is 5 ms and the longest wait 15 ms."""
    symbols = [f"S{i:04d}" for i in range(1000)]
    answers = EmbeddedResults(database, "optimization")
    waits: list[float] = []

    async def write() -> None:
        while True:
            start = time.monotonic()
            await answers.save(OWNER, ResultDraft(b"x" * 2000, "f", b"b"))
            waits.append(time.monotonic() - start)
            await asyncio.sleep(0.02)

    writing = asyncio.create_task(write())
    session = await market.begin_import("i", PriceField.CLOSE, "")
    for start in range(0, 4000, 200):
        values = np.random.default_rng(start).uniform(1, 2, (200, 1000))
        await session.add(PricePanel.of(symbols, np.arange(start, start + 200), values))
    assert (await session.finish(4_000_000)).inserted == 4_000_000
    writing.cancel()
    assert len(waits) > 10
    assert np.median(waits) < 0.05
    assert max(waits) < 0.25
