"""Kills a server at random moments while jobs run: none may be lost, none doubled, figures as if undisturbed."""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from absfin import Client, Finished, Milestone, Panel, Prices, min_risk, strategies
from absfin.errors import AbsFinanceError

JOBS = 3
DATES = 12_000
READY = "abs-finance is ready on "


def start(folder: Path, listen: str) -> tuple[subprocess.Popen[str], str]:
    """A server on a folder; its address."""
    command = [sys.executable, "-m", "server", "--listen", listen, "--data-dir", str(folder), "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(READY):
        raise RuntimeError(f"the server did not start: {line!r}")
    return process, line.removeprefix(READY).split(",")[0]


def prices(seed: int) -> Prices:
    """20 assets of noise, their own for each job."""
    values = 100.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0002, 0.01, (DATES, 20)), axis=0)
    return Prices(Panel.of([f"S{i}" for i in range(20)], np.arange(DATES), values))


def submit(client: Client, seed: int) -> str:
    """A daily re-optimised job."""
    strategy = strategies.optimize(min_risk(), 60)
    job = client.backtest(
        prices(seed), strategy, rebalancing=strategies.every_periods(1), commission_bps=5, request_id=f"soak-{seed}"
    )
    return job.name


def figures(client: Client, name: str) -> Any:
    """Everything a job found, but for times."""
    result = client.get_backtest(name).proto.result
    result.ClearField("compute_duration")
    return result


def follow(address: str, name: str, seen: dict[str, list[Any]]) -> None:
    """All that a user of `watch` is told."""
    with Client(address) as client:
        seen[name] = [news for news in client.watch(name) if isinstance(news, Milestone | Finished)]


def undisturbed(seeds: range) -> list[Any]:
    """The figures without any kill."""
    with tempfile.TemporaryDirectory() as folder:
        process, address = start(Path(folder), "127.0.0.1:0")
        with Client(address) as client:
            names = [submit(client, seed) for seed in seeds]
            for name in names:
                for _ in client.watch(name):
                    pass
            found = [figures(client, name) for name in names]
        process.terminate()
        process.wait()
    return found


def main(kills: int) -> int:
    """Rounds of jobs until enough kills are done; returns how many things went wrong."""
    random.seed(7)
    expected = undisturbed(range(JOBS))
    done, wrong, rounds = 0, 0, 0
    while done < kills:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            process, address = start(Path(folder), "127.0.0.1:0")
            seen: dict[str, list[Any]] = {}
            with Client(address) as client:
                names = [submit(client, seed) for seed in range(JOBS)]
            readers = [threading.Thread(target=follow, args=(address, name, seen)) for name in names]
            for reader in readers:
                reader.start()
            while done < kills and any(reader.is_alive() for reader in readers):
                time.sleep(random.uniform(0.3, 4.0))  # noqa: S311  # a moment, not a secret
                if not any(reader.is_alive() for reader in readers):
                    break
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                done += 1
                process, _ = start(Path(folder), address)
            for reader in readers:
                reader.join(300)
            with Client(address) as client:
                listed = [job.name for job in client.list_backtests().summaries]
                if sorted(listed) != sorted(names):
                    wrong += 1
                    print(f"  jobs {listed} instead of {names}")
                for name, one in zip(names, expected, strict=True):
                    try:
                        same = figures(client, name) == one
                    except AbsFinanceError as error:
                        same = False
                        print(f"  {name}: {error}")
                    told = seen.get(name, [])
                    stages = [news for news in told if isinstance(news, Milestone) and news.kind == "stage"]
                    ends = [news for news in told if isinstance(news, Finished)]
                    if not same or len(stages) != 1 or [end.state for end in ends] != ["succeeded"]:
                        wrong += 1
                        print(f"  {name}: figures equal {same}, {len(stages)} stages, ends {ends}")
            process.terminate()
            process.wait()
        print(f"{done} kills, {rounds} rounds of {JOBS} jobs, {wrong} wrong", flush=True)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=30, help="how often the server is killed (default 30)")
    sys.exit(1 if main(parser.parse_args().kills) else 0)
