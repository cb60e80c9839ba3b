"""A server is killed and started again and again, as by a supervisor of a machine that is ill: no job is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LIGHT, READY, ROOT, RunningServer, Wire
from tests.e2e.test_progress import figures_of, follow, kind_of, start
from tests.processes import first_line

KILLS = 10
JOBS = 3
DATES = 600


def killed_after(folder: Path, seconds: float, *, ready: bool) -> None:
    """Starts a server on a folder and kills it, so long after it began, or after it was ready."""
    command = [sys.executable, "-m", *LIGHT, "--listen", "127.0.0.1:0", "--data-dir", str(folder), "--workers", "1"]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT)
    with process:
        try:
            if ready:
                assert first_line(process).startswith(READY)
            time.sleep(seconds)
        finally:
            os.kill(process.pid, signal.SIGKILL)


@pytest.mark.timeout(240)
def test_every_job_ends_once(start_server: Callable[..., RunningServer]) -> None:
    """Four in five kills come while the server starts; in between, jobs go on for a moment."""
    first = start_server("--workers", "1")
    with first.channel() as channel:
        names = [start(Wire(channel), dates=DATES, requestId=f"job {i}") for i in range(JOBS)]
    first.process.kill()
    first.process.wait(20)
    chance = random.Random(3)
    for number in range(KILLS):
        killed_after(first.data_dir, chance.uniform(0.1, 1.0), ready=number % 5 == 4)
    with start_server("--workers", "2", data_dir=first.data_dir).channel() as channel:
        after = Wire(channel)
        for i, name in enumerate(names):
            notices: list[dict[str, Any]] = list(follow(after, name))
            assert [kind_of(notice) for notice in notices].count("finished") == 1
            assert notices[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"
            assert start(after, dates=DATES, requestId=f"job {i}") == name, "the request is known"
        undisturbed = start(after, dates=DATES)
        list(follow(after, undisturbed))
        for name in names:
            assert figures_of(after, name) == figures_of(after, undisturbed)
        listed = after.call("BacktestService/ListBacktests", {"pageSize": 50})["backtests"]
        assert sorted(one["name"] for one in listed) == sorted([*names, undisturbed])
