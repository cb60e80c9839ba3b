"""The Java client follows a backtest of a real server over a connection that breaks again and again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conformance.cutting_proxy import cutting_proxy
from tests.clients.java.conftest import JavaClient
from tests.clients.java.test_java_client import run
from tests.conftest import RunningServer

pytestmark = pytest.mark.timeout(900)  # the build takes minutes on a busy machine


def test_no_milestone_is_lost_or_repeated(
    java_client: JavaClient,
    runner_environment: dict[str, str],
    server: RunningServer,
    tmp_path: Path,
) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps({"version": 1, "streams": [failing_rebalances()]}))
    code, (whole,) = run(cases, server.address, runner_environment)
    assert (code, whole["resumptions"]) == (0, 0), whole
    with cutting_proxy(server.address, cuts=8, seed=1) as proxy:
        code, (cut,) = run(cases, proxy.address, runner_environment)
    assert code == 0, cut
    assert cut["resumptions"] >= 3
    assert len(cut["milestones"]) == len(whole["milestones"]) > 50
    assert cut["milestones"] == sorted(set(cut["milestones"]))


def failing_rebalances() -> dict[str, Any]:
    """A backtest whose rebalancing fails on each of many dates: each is a milestone."""
    floor = {"label": "more than there is", "returnFloor": {"minReturnAnnual": 50}}
    dates = list(range(100))
    request = {
        "prices": {
            "symbols": ["A", "B"],
            "dates": dates,
            "values": [100.0 + day % (5 + 2 * asset) for day in dates for asset in range(2)],
        },
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 30, "constraints": [floor]}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "periodsPerYear": 252,
    }
    return {
        "id": "failing rebalances",
        "kind": "backtest",
        "request": request,
        "expect": {"terminal": "BACKTEST_STATE_SUCCEEDED"},
    }
