"""The embedded store with real SQLite: whole imports, several processes, files that can be lost."""

import asyncio
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.panel import PricePanel
from server.ports.market_data import Instrument, PriceField, PriceImport, PriceQuery
from server.storage.chunks import DailyValues, joined, merge
from server.storage.embedded.database import Database, UnknownSchema
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks

ROOT = Path(__file__).parents[3]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def market(database: Database, tmp_path: Path) -> EmbeddedMarketData:
    return EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"))


def prices(symbols: str, days: int = 900, seed: int = 0) -> PricePanel:
    values = np.random.default_rng(seed).uniform(1, 2, (days, len(symbols)))
    return PricePanel.of(symbols, np.arange(10_000, 10_000 + days), values)


def whole(panel: PricePanel, import_id: str = "i") -> PriceImport:
    return PriceImport(import_id, PriceField.CLOSE, "", (panel,))


def test_chunks_survive_their_bytes() -> None:
    series = DailyValues(np.array([-5, 0, 7], np.int32), np.array([1.0, 2.5, 1e300]))
    back = DailyValues.decode(series.encode())
    assert (back.days.tolist(), back.values.tolist()) == ([-5, 0, 7], [1.0, 2.5, 1e300])


def test_years_are_civil_years() -> None:
    days = np.array([-1, 0, 364, 365, 10_956, 10_957], np.int32)  # the ends of 1969, 1970 and 1999
    years = {year: part.days.tolist() for year, part in DailyValues(days, np.ones(6)).by_year()}
    assert years == {1969: [-1], 1970: [0, 364], 1971: [365], 1999: [10_956], 2000: [10_957]}


def test_merging_counts_what_is_new_changed_and_known() -> None:
    old = DailyValues(np.array([1, 3], np.int32), np.array([1.0, 3.0]))
    outcome = merge(old, DailyValues(np.array([1, 2, 3], np.int32), np.array([1.0, 2.0, 9.0])))
    assert (outcome.inserted, outcome.changed, outcome.unchanged) == (1, 1, 1)
    assert outcome.merged.values.tolist() == [1.0, 2.0, 9.0]


def test_two_values_on_one_day_of_an_import_are_refused() -> None:
    one, other = (
        DailyValues(np.array([1], np.int32), np.array([1.0])),
        DailyValues(np.array([1], np.int32), np.array([2.0])),
    )
    assert joined("A", [one, one]).values.tolist() == [1.0]
    with pytest.raises(InvalidInput, match="two values on 1970-01-02"):
        joined("A", [one, other])


async def test_a_panel_is_mapped_and_derived_once(market: EmbeddedMarketData, tmp_path: Path) -> None:
    sent = prices("ABC")
    await market.import_prices(whole(sent))
    query = PriceQuery(("C", "A"), start=10_100, end=10_199)
    first, second = await market.prices(query), await market.prices(query)
    assert first.panel.values.tolist() == sent.values[100:200][:, [2, 0]].tolist()
    assert first.path == second.path
    assert isinstance(first.panel.values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        first.panel.values[0, 0] = 1.0
    assert len(list((tmp_path / "panels").iterdir())) == 3


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\x93NUMPY broken")])
async def test_a_lost_or_damaged_file_is_derived_again(market: EmbeddedMarketData, damage: object) -> None:
    sent = prices("AB")
    await market.import_prices(whole(sent))
    stored = await market.prices(PriceQuery(("A", "B")))
    path = stored.path
    del stored
    damage(path)  # type: ignore[operator]  # one of the two above
    assert (await market.prices(PriceQuery(("A", "B")))).panel.values.tolist() == sent.values.tolist()


async def test_new_prices_are_a_new_file(market: EmbeddedMarketData) -> None:
    await market.import_prices(whole(prices("A")))
    before = await market.prices(PriceQuery(("A",)))
    await market.import_prices(whole(PricePanel.of("A", [10_000], [7.0]), "correction"))
    after = await market.prices(PriceQuery(("A",)))
    assert after.fingerprint != before.fingerprint
    assert after.panel.values[0, 0] == 7.0


async def test_panel_files_are_bounded(database: Database, tmp_path: Path) -> None:
    files = PanelFiles(tmp_path / "panels", max_bytes=20_000)
    market = EmbeddedMarketData(database, files)
    await market.import_prices(whole(prices("ABCDEFGH")))
    for symbol in "ABCDEFGH":
        assert (await market.prices(PriceQuery((symbol,)))).panel.values.shape == (900, 1)
    kept = [path for path in (tmp_path / "panels").glob("*.npy") if not path.name.endswith(".days.npy")]
    assert sum(path.stat().st_size for path in kept) <= 20_000


async def test_unknown_symbols_are_all_named(market: EmbeddedMarketData) -> None:
    await market.import_prices(whole(prices("A")))
    with pytest.raises(MissingMarketData, match="X, Y"):
        await market.prices(PriceQuery(("A", "X", "Y")))
    with pytest.raises(MissingMarketData, match="no volume prices"):
        await market.prices(PriceQuery(("A",), field=PriceField.VOLUME))


async def test_half_a_million_values_in_seconds(market: EmbeddedMarketData) -> None:
    """Not a benchmark: 20 times what it takes here would still pass."""
    symbols = [f"S{i}" for i in range(100)]
    panel = PricePanel.of(symbols, np.arange(5000), np.random.default_rng(0).uniform(1, 2, (5000, 100)))
    start = time.monotonic()
    receipt = await market.import_prices(PriceImport("big", PriceField.CLOSE, "", (panel,)))
    assert receipt.inserted == 500_000
    assert time.monotonic() - start < 20


async def test_instruments_replace_their_labels(market: EmbeddedMarketData) -> None:
    await market.upsert_instruments([Instrument("A", groups={"sector": "Tech"}), Instrument("B")])
    await market.upsert_instruments([Instrument("A", groups={"sector": "Oil"})])
    assert (await market.list_instruments("", 10, "sector=Tech")).instruments == ()
    (found,) = (await market.list_instruments("", 10, "sector=Oil")).instruments
    assert (found.symbol, found.has_prices) == ("A", False)


async def test_a_failed_write_leaves_nothing(database: Database, market: EmbeddedMarketData) -> None:
    with pytest.raises(InvalidInput):
        await market.import_prices(
            PriceImport("x", PriceField.CLOSE, "", (prices("AB"), PricePanel.of("A", [10_000], [99.0])))
        )
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM price_chunks").fetchone()) == (0,)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM imports").fetchone()) == (0,)


def test_a_store_of_another_version_is_left_alone(tmp_path: Path) -> None:
    first = Database(tmp_path / "x.sqlite3")
    first.close()
    import sqlite3

    connection = sqlite3.connect(tmp_path / "x.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(UnknownSchema, match="schema 99"):
        Database(tmp_path / "x.sqlite3")


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.2, 0.5])
async def test_a_kill_during_an_import_leaves_all_or_nothing(tmp_path: Path, delay: float) -> None:
    script = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        import numpy as np
        from domain.market_data.panel import PricePanel
        from server.ports.market_data import PriceField, PriceImport
        from server.storage.embedded.database import Database
        from server.storage.embedded.market_data import EmbeddedMarketData
        from server.storage.panels import PanelFiles
        from server.storage.workers import WorkerLocks

        async def main():
            folder = Path(sys.argv[1])
            locks = WorkerLocks(folder / "workers")
            market = EmbeddedMarketData(Database(folder / "x.sqlite3"), PanelFiles(folder / "panels"), locks)
            panel = PricePanel.of([f"S{i}" for i in range(100)], np.arange(4000), np.ones((4000, 100)))
            print("begin", flush=True)
            await market.import_prices(PriceImport("big", PriceField.CLOSE, "", (panel,)))
            print("end", flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60.0) == b"begin\n"
    await asyncio.sleep(delay)
    process.kill()
    await asyncio.wait_for(process.communicate(), 20.0)
    database = Database(tmp_path / "x.sqlite3")
    locks = WorkerLocks(tmp_path / "workers")
    market = EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"), locks)
    symbols = [f"S{i}" for i in range(100)]
    seen = len(await market.having(PriceField.CLOSE, symbols))
    done = await database.read(lambda c: c.execute("SELECT count(*) FROM imports").fetchone()[0])
    assert (seen, done) in [(0, 0), (100, 1)]
    if done:
        assert (await market.prices(PriceQuery(tuple(symbols)))).panel.values.shape == (4000, 100)
    await market.sweep()
    left = [
        await database.read(lambda c, table=table: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
        for table in ("price_chunks", "import_parts", "import_sessions")
    ]
    assert left == [1100 if done else 0, 0, 0]
    locks.close()
    database.close()
