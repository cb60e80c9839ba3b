"""What a caller waits for over loopback, warm. Run it through scripts/bench service."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from absfin import Client, Moments, Panel, Prices, Returns, Stored, min_risk, strategies
from absfin.cli.csv_files import read_panel
from market import STOCKS, returns
from output import as_json, result_lines

HEAVY = (900, 100)  # dates, assets
BUSY_SECONDS = 1.0
"""Until the other client's calls are under way."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    calls: int = 500
    warm_up: int = 50
    backtests: int = 5
    big: tuple[int, int] = (8_000, 500)  # dates, assets


QUICK = Sizes(calls=10, warm_up=2, backtests=1, big=(300, 40))


def main() -> None:
    """Prints one line for each job."""
    parser = argparse.ArgumentParser(prog="scripts/bench service", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="few calls on little data, to see that it runs")
    arguments = parser.parse_args()
    sizes = QUICK if arguments.quick else Sizes()
    lines = result_lines()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", folder]
        with subprocess.Popen([*command, "--log-level", "warning"], stdout=subprocess.PIPE, text=True) as process:
            try:
                ready = process.stdout.readline() if process.stdout else ""
                address = ready.split(" on ")[1].split(",")[0]
                with Client(address) as client:
                    for line in _jobs(client, address, process.pid, sizes):
                        print(as_json(line) if arguments.json else _text(line), file=lines)
            finally:
                process.terminate()


def _jobs(client: Client, address: str, pid: int, sizes: Sizes) -> Iterator[dict[str, object]]:
    values = returns(20)
    moments = Moments([f"S{i}" for i in range(20)], values.mean(axis=0), np.cov(values.T), 252)
    yield _optimize(client, sizes, moments, "optimize/N=20")
    with _all_cores_solving(address):
        yield _optimize(client, sizes, moments, "optimize/N=20/both_cores_solving")
    daily = strategies.optimize(min_risk(), 252)
    panel = Panel.of([f"S{i}" for i in range(20)], np.arange(1, 1001), 100.0 * np.cumprod(1.0 + values[-1000:], axis=0))
    long = Prices(Panel(panel.symbols, np.arange(20_000, dtype=np.int32), np.tile(panel.values, (20, 1))))
    running = [client.backtest(long, daily, rebalancing=strategies.every_periods(1)).name for _ in range(2)]
    while any(client.get_backtest(name).fraction == 0.0 for name in running):
        time.sleep(0.05)
    line = _optimize(client, sizes, moments, "optimize_while_two_backtests_run/N=20")
    still = [client.get_backtest(name).state for name in running]
    yield line | {"backtests_still_running": still.count("running")}
    for name in running:
        client.cancel_backtest(name)
    client.import_prices(read_panel(STOCKS), import_id="sample")
    stocks = Stored(read_panel(STOCKS).symbols)
    yield _backtest(client, sizes, "backtest_min_variance/33y_monthly", stocks, strategies.optimize(min_risk(), 252))
    dates, assets = sizes.big
    noise = np.random.default_rng(3).normal(0.0003, 0.01, sizes.big)
    big = Panel.of([f"B{i}" for i in range(assets)], np.arange(dates), 100.0 * np.cumprod(1.0 + noise, axis=0))
    client.import_prices(big, import_id="big", timeout=300)
    every_day = strategies.every_periods(1)
    name = f"backtest_equal_weight/N={assets}_T={dates}_daily"
    with _peak_memory(pid) as peak:
        line = _backtest(client, sizes, name, Stored(big.symbols), strategies.equal_weight(), every_day)
    yield line | {"worker_peak_mb": max(peak) / 1e6}


@contextmanager
def _all_cores_solving(address: str) -> Iterator[None]:
    """As many heavy calls as there are cores, all the time, from a client in a process of its own."""
    command = [sys.executable, "-c", "from service import solve_on_and_on; solve_on_and_on()", address]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True) as other:
        try:
            if other.stdout is None or not other.stdout.readline():
                raise RuntimeError("the other client did not start")
            time.sleep(BUSY_SECONDS)
            yield
            if other.poll() is not None:
                raise RuntimeError("the other client has ended")
        finally:
            other.terminate()


def solve_on_and_on() -> None:
    """The other client: one call after the other in each of its threads, until its process is ended."""
    values = returns(HEAVY[1])[-HEAVY[0] :]
    panel = Panel.of([f"H{i}" for i in range(HEAVY[1])], np.arange(HEAVY[0]), values)
    with Client(sys.argv[1]) as client:
        client.wait_until_ready()
        print("ready", flush=True)

        def solve() -> None:
            while True:  # ends with the process
                client.optimize(Returns(panel, 252), min_risk(), risk_measure="rlvar", timeout=600)

        threads = [threading.Thread(target=solve) for _ in range(os.cpu_count() or 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def _peak_memory(pid: int) -> Iterator[list[int]]:
    """Resident memory of the largest worker, looked at every 5 ms."""
    seen: list[int] = [0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            for worker in psutil.Process(pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    seen.append(worker.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    yield seen
    over.set()
    watcher.join()


def _optimize(client: Client, sizes: Sizes, moments: Moments, job: str) -> dict[str, object]:
    times = sorted([_timed(client, moments) for _ in range(sizes.calls + sizes.warm_up)][sizes.warm_up :])
    return {"job": job, "p50_ms": statistics.median(times), "p99_ms": times[int(0.99 * len(times))]}


def _backtest(
    client: Client, sizes: Sizes, job: str, data: Stored, strategy: strategies.Strategy, rebalancing: object = None
) -> dict[str, object]:
    """The median of some, each with its call, its storing and its result; the first one warms up."""
    times = []
    for _ in range(sizes.backtests + 1):
        start = time.perf_counter()
        done = client.backtest(data, strategy, rebalancing=rebalancing, commission_bps=10, wait_seconds=120)  # type: ignore[arg-type]
        times.append((time.perf_counter() - start) * 1e3)
        if done.state != "succeeded":
            raise RuntimeError(f"{job}: {done.error}")
    return {"job": job, "p50_ms": statistics.median(times[1:]), "p99_ms": max(times[1:]), "first_ms": times[0]}


def _timed(client: Client, moments: Moments) -> float:
    start = time.perf_counter()
    client.optimize(moments, min_risk())
    return (time.perf_counter() - start) * 1e3


def _text(line: dict[str, object]) -> str:
    figures = ", ".join(f"{name} {value:.2f}" for name, value in line.items() if isinstance(value, float | int))
    return f"{line['job']:<45} {figures}"


if __name__ == "__main__":
    main()
