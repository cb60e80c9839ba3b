"""The clock of the machine is set forwards and backwards by a day while two servers share a store."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_bad_input import optimize
from tests.e2e.test_progress import figures_of, follow, kind_of, sequence_of, start, wait_for_checkpoint, wait_until

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
QUOTAS = "AdminService/GetQuotas"
BURST = 1000
DATES = 3000

pytestmark = [
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed: apt-get install libfaketime"),
    pytest.mark.alone,  # its time is that of a job, run twice
    pytest.mark.timeout(240),
]


class Clock:
    """The clock of a process that is started with `environment`; monotonic time and that of files stay as they are."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset: str) -> None:
        """Lets time be so far from that of the machine, such as "+1d"; no process reads a file that is half written."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        os.replace(new, self._file)


def day_of_now(wire: Wire) -> int:
    """The day of the server's clock, since 1970: of an optimization that it has just stored."""
    name = wire.call("OptimizationService/Optimize", optimize())["name"]
    created: str = wire.call("OptimizationService/GetOptimization", {"name": name})["createTime"]
    return int(np.datetime64(created.removesuffix("Z"), "D").astype(int))


def used_calls(wire: Wire) -> int:
    quotas: list[dict[str, Any]] = wire.call(QUOTAS, {})["quotas"]
    return next(int(one.get("used", 0)) for one in quotas if one["name"] == "call_burst")


def test_a_job_ends_once_and_calls_are_answered(
    start_server: Callable[..., RunningServer], wire: Wire, tmp_path: Path
) -> None:
    """A lease that has run out by the clock may be taken over; two servers never both write."""
    undisturbed = start(wire, dates=DATES)
    clock = Clock(tmp_path)
    flags = ("--workers", "1", "--max-calls-per-second", "0.001", "--max-call-burst", str(BURST))
    first = start_server(*flags, environment=clock.environment)
    second = start_server(*flags, environment=clock.environment, data_dir=first.data_dir)
    with first.channel() as one, second.channel() as two:
        here, there = Wire(one), Wire(two)
        today = day_of_now(here)
        name = start(here, dates=DATES)
        wait_for_checkpoint(here, name)
        for offset, days in (("+1d", 1), ("-1d", -1), ("+0", 0)):
            clock.set(offset)
            before = used_calls(there)
            assert day_of_now(there) == today + days
            assert used_calls(there) >= before + 3, "a bucket fills by time that passes, not by the clock"
            time.sleep(0.7)  # leases are renewed, and jobs are looked for
        notices = list(follow(there, name))
        assert [kind_of(notice) for notice in notices].count("finished") == 1
        assert notices[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"
        sequences = [sequence_of(notice) for notice in notices]
        assert sequences == sorted(sequences)
        wait_until(lambda: "result" in wire.call("BacktestService/GetBacktest", {"name": undisturbed}), 60)
        assert figures_of(here, name) == figures_of(wire, undisturbed)
        # Jobs that begin after it run too, on whichever server takes them.
        later = [start(here, dates=150), start(there, dates=150)]
        for job in later:
            assert list(follow(here, job))[-1]["finished"]["state"] == "BACKTEST_STATE_SUCCEEDED"
