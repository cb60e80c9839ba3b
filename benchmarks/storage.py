"""What the stores take for market data and for small calls: SQLite, and Supabase on this machine. Wall time.

Run it through scripts/bench storage. A PostgreSQL with PostgREST is started for it, and ended with it.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from local_supabase import local_supabase
from output import as_json, result_lines
from storage_calls import SMALL_CALLS
from storage_rows import Rows, fill

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for `scripts`, which is no package of the workspace

from domain.market_data.panel import PricePanel  # noqa: E402
from scripts.supabase_processes import Stack  # noqa: E402
from server.bootstrap import STORAGE_BACKENDS  # noqa: E402
from server.ports.job_queue import QueuePolicy  # noqa: E402
from server.ports.market_data import PriceField, PriceImport, PriceQuery  # noqa: E402
from server.ports.storage import Storage  # noqa: E402
from server.settings import Settings  # noqa: E402
from server.storage.supabase.access import Access  # noqa: E402


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    assets: int = 500
    dates: int = 8_000
    window: int = 2_520
    rounds: int = 5
    calls: int = 200


QUICK = Sizes(assets=20, dates=800, window=252, rounds=2, calls=5)


def main() -> None:
    """Prints one line for each job and store."""
    parser = argparse.ArgumentParser(prog="scripts/bench storage", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="little data and few calls, to see that it runs")
    arguments = parser.parse_args()
    lines = result_lines()

    def show(line: dict[str, object]) -> None:
        print(as_json(line) if arguments.json else _text(line), file=lines)

    with local_supabase() as stack:
        asyncio.run(_measure(stack, QUICK if arguments.quick else Sizes(), show))


async def _measure(stack: Stack, sizes: Sizes, show: Callable[[dict[str, object]], None]) -> None:
    symbols = [f"S{i:04d}" for i in range(sizes.assets)]
    values = np.random.default_rng(0).uniform(1.0, 2.0, (sizes.dates, sizes.assets))
    panel = PricePanel.of(symbols, np.arange(sizes.dates), values)
    reads: dict[str, float] = {}
    for store, environment in (("embedded", {}), ("supabase", stack.environment)):
        with tempfile.TemporaryDirectory() as folder:
            async with _opened(folder, environment) as storage:
                show(await _imports(storage, panel, store))
                line = await _window(storage, panel, sizes, Path(folder), store)
                reads[store] = float(str(line["ours_ms"]))
                show(line)
                for name, call in SMALL_CALLS.items():
                    show({"store": store, **await _small(storage, name, call, sizes)})
    await fill(stack.database_url, symbols, values)
    async for line in _peers(stack, panel, sizes, reads["supabase"]):
        show(line)


async def _imports(storage: Storage, panel: PricePanel, store: str) -> dict[str, object]:
    start = time.perf_counter()
    receipt = await storage.market_data.import_prices(PriceImport("bench", PriceField.CLOSE, "", (panel,)))
    milliseconds = (time.perf_counter() - start) * 1e3
    if receipt.inserted != panel.values.size:
        raise RuntimeError(f"{store}: {receipt}")
    dates, assets = panel.values.shape
    return {
        "job": f"storage/import/{assets}x{dates}",
        "store": store,
        "ours_ms": milliseconds,
        "values_per_second": 1e3 * receipt.inserted / milliseconds,
    }


async def _window(storage: Storage, panel: PricePanel, sizes: Sizes, folder: Path, store: str) -> dict[str, object]:
    """The last dates, with no panel on this disk, and again with it."""
    query = PriceQuery(panel.symbols, sizes.dates - sizes.window)
    first, again = [], []
    for _ in range(sizes.rounds):
        for path in (folder / "panels").iterdir():
            path.unlink()
        for times in (first, again):
            start = time.perf_counter()
            found = await storage.market_data.prices(query)
            times.append((time.perf_counter() - start) * 1e3)
    if not (found.panel.values == panel.values[-sizes.window :]).all():
        raise RuntimeError(f"{store} has other prices")
    return {
        "job": f"storage/read/{sizes.assets}x{sizes.window}",
        "store": store,
        "ours_ms": statistics.median(first),
        "again_ms": statistics.median(again),
    }


async def _small(
    storage: Storage, name: str, call: Callable[[Storage, int], Awaitable[object]], sizes: Sizes
) -> dict[str, object]:
    """One after the other; the first tenth warms up."""
    warm = sizes.calls // 10 + 1
    times: list[float] = []
    for i in range(sizes.calls + warm):
        start = time.perf_counter()
        await call(storage, i)
        times.append((time.perf_counter() - start) * 1e3)
    times = sorted(times[warm:])
    return {"job": f"storage/call/{name}", "p50_ms": statistics.median(times), "p99_ms": times[int(0.99 * len(times))]}


async def _peers(stack: Stack, panel: PricePanel, sizes: Sizes, ours: float) -> AsyncIterator[dict[str, object]]:
    rows = Rows(Access(stack.url, stack.service_key))
    try:
        for peer, read in (("rows in pages of 1000", rows.by_pages), ("rows as JSON of a function", rows.by_function)):
            times = []
            for _ in range(2):  # the first one warms up
                start = time.perf_counter()
                found = await read(panel.symbols, sizes.dates - sizes.window, sizes.dates - 1)
                times.append((time.perf_counter() - start) * 1e3)
            if not (found == panel.values[-sizes.window :]).all():
                raise RuntimeError(f"{peer}: other prices")
            yield {
                "job": f"storage/read/{sizes.assets}x{sizes.window}/rows",
                "store": "supabase",
                "ours_ms": ours,
                "peer": peer,
                "peer_ms": times[-1],
                "ratio": times[-1] / ours,
            }
    finally:
        await rows.close()


@asynccontextmanager
async def _opened(folder: str, environment: dict[str, str]) -> AsyncIterator[Storage]:
    settings = Settings.read(("--data-dir", folder), environment)
    storage = STORAGE_BACKENDS[settings.storage](settings, QueuePolicy())
    try:
        yield storage
    finally:
        await storage.disconnect()
        storage.release_worker()
        storage.close()


def _text(line: dict[str, Any]) -> str:
    figures = ", ".join(f"{name} {value:.2f}" for name, value in line.items() if isinstance(value, float | int))
    return f"{line['job']:<40} {line.get('peer') or line['store']:<28} {figures}"


if __name__ == "__main__":
    main()
