"""A server is killed in the middle of a job, and another one goes on with it: the result is the same to the bit."""

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_progress import FINAL, JOB_SECONDS, figures_of, follow, long_job, wait_for_checkpoint, wait_until

DATES = 4000
"""Of a job that is still running when its server is killed after its first checkpoint, a quarter of a second in."""

SERIES = ("NAV", "WEIGHTS", "TRADES")

LEAST_RISK = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 100}}
MOMENTUM = {"momentum": {"lookbackPeriods": 60, "skipPeriods": 5, "topN": 5}}
INSURED = {"cppi": {"base": MOMENTUM, "floor": 0.6, "multiplier": 3}}
PARTS = [
    {"strategy": MOMENTUM, "weight": 0.4},
    {"strategy": LEAST_RISK, "weight": 0.3},
    {"strategy": INSURED, "weight": 0.3},
]
CANDIDATES = [{"label": label, **one} for label, one in zip("ab", (MOMENTUM, INSURED), strict=True)]
DAILY, WEEKLY = {"everyPeriods": {"n": 1}}, {"everyPeriods": {"n": 5}}
OWN_DATES = [{**part, "rebalancing": rule} for part, rule in zip(PARTS, (WEEKLY, DAILY, WEEKLY), strict=True)]

CASES: dict[str, dict[str, Any]] = {
    "tranches": {"rebalancing": {"everyPeriods": {"n": 3}, "tranches": 3}},
    "blend with momentum": {"strategy": {"blend": {"parts": PARTS}}},
    "blend with its own rebalancing": {
        "strategy": {"blend": {"parts": OWN_DATES, "rebalancing": {"everyPeriods": {"n": 60}}}},
        "rebalancing": {},
    },
    "decisions that are solved together": {
        "strategy": None,
        "strategies": [{"label": f"s{i}", **LEAST_RISK} for i in range(8)],
    },
    "selection": {"strategy": {"select": {"candidates": CANDIDATES, "lookbackPeriods": 60}}},
}
STAGES = {"selection": len(CANDIDATES) + 1, "decisions that are solved together": 8}


@pytest.mark.alone  # its time is that of a job, run twice
@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
def test_a_job_of_a_server_that_is_killed_ends_with_the_same_bits(
    start_server: Callable[..., RunningServer], wire: Wire, case: str
) -> None:
    request = long_job(DATES, **CASES[case])
    undisturbed = wire.call("BacktestService/Backtest", request)["name"]
    first = start_server()
    with first.channel() as channel:
        before = Wire(channel)
        name = before.call("BacktestService/Backtest", request)["name"]
        wait_for_checkpoint(before, name)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(20)
    with start_server(data_dir=first.data_dir).channel() as channel:
        after = Wire(channel)
        milestones = [one["milestone"]["kind"] for one in follow(after, name) if "milestone" in one]
        assert milestones[0] == "KIND_STAGE"
        assert sorted(milestones) == ["KIND_RESUMED", *["KIND_STAGE"] * STAGES.get(case, 1)]
        wait_until(
            lambda: wire.call("BacktestService/GetBacktest", {"name": undisturbed})["state"] in FINAL, JOB_SECONDS
        )
        assert figures_of(after, name) == figures_of(wire, undisturbed)
        labels = [one["label"] for one in request.get("strategies", ())] or [""]
        for kind, label in itertools.product(SERIES, labels):
            assert series(after, name, kind, label) == series(wire, undisturbed, kind, label), kind


def series(wire: Wire, name: str, kind: str, label: str = "") -> list[dict[str, Any]]:
    """All of its chunks."""
    request = {"name": name, "series": f"BACKTEST_SERIES_{kind}", "label": label}
    return list(wire.stream("BacktestService/GetBacktestSeries", request))
