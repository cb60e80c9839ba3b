"""The embedded store with real SQLite: whole imports, several processes, files that can be lost."""

import asyncio
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from server.ports.market_data import PriceField, PriceImport, PriceQuery
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


async def test_panel_files_are_bounded(database: Database, tmp_path: Path) -> None:
    files = PanelFiles(tmp_path / "panels", max_bytes=20_000)
    market = EmbeddedMarketData(database, files)
    await market.import_prices(whole(prices("ABCDEFGH")))
    for symbol in "ABCDEFGH":
        assert (await market.prices(PriceQuery((symbol,)))).panel.values.shape == (900, 1)
    kept = [path for path in (tmp_path / "panels").glob("*.npy") if not path.name.endswith(".days.npy")]
    assert sum(path.stat().st_size for path in kept) <= 20_000


async def test_half_a_million_values_in_seconds(market: EmbeddedMarketData) -> None:
    """Not a benchmark: 20 times what it takes here would still pass."""
    symbols = [f"S{i}" for i in range(100)]
    panel = PricePanel.of(symbols, np.arange(5000), np.random.default_rng(0).uniform(1, 2, (5000, 100)))
    start = time.monotonic()
    receipt = await market.import_prices(PriceImport("big", PriceField.CLOSE, "", (panel,)))
    assert receipt.inserted == 500_000
    assert time.monotonic() - start < 20


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
