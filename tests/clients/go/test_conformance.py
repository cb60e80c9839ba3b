"""The conformance runner of Go: what it accepts, what it refuses, and a server that is killed under a stream."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from absfin import Client
from absfin.errors import NotFound

from tests.clients.go.conftest import GoClient
from tests.conftest import RunningServer

MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12}


def optimize(upper: float, **expect: Any) -> dict[str, Any]:
    return {
        "id": "one",
        "method": "OptimizationService/Optimize",
        "request": {
            "moments": MOMENTS,
            "objective": {"minRisk": {}},
            "constraints": [{"label": "caps", "weightBounds": {"upper": upper}}],
        },
        "expect": expect,
    }


CONFLICT = {"code": "FAILED_PRECONDITION", "reason": "PROBLEM_INFEASIBLE", "infeasible": True}
INVALID = {"code": "INVALID_ARGUMENT", "reason": "INVALID_INPUT", "fields": ["objective"], "infeasible": False}
NO_OBJECTIVE = {
    "id": "two",
    "method": "OptimizationService/Optimize",
    "request": {"moments": MOMENTS},
    "expect": {"error": INVALID},
}
WEIGHTS = [{"symbol": "A", "weight": 0.6}, {"symbol": "B", "weight": 0.4}]


def run(client: GoClient, address: str, tmp_path: Path, unary: list[Any], *more: str) -> tuple[int, list[Any]]:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"version": 1, "unary": unary, "streams": []}))
    arguments = ("--address", address, "--cases", str(file), *more)
    done = client.outcome(
        "conformance/run", *arguments, seconds=120.0, environment={"ABSFIN_BUILD_DIR": str(client.programs)}
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_answers_and_errors_that_are_expected(server: RunningServer, go_client: GoClient, tmp_path: Path) -> None:
    cases = [optimize(0.6, response={"weights": WEIGHTS}, tolerance=1e-6), NO_OBJECTIVE]
    code, lines = run(go_client, server.address, tmp_path, cases)
    assert (code, lines) == (0, [{"id": "one", "ok": True, "why": ""}, {"id": "two", "ok": True, "why": ""}])
    conflict = optimize(0.4, error=CONFLICT)
    assert run(go_client, server.address, tmp_path, [conflict, NO_OBJECTIVE], "--only", "one")[0] == 0


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (optimize(0.6, response={"weights": [WEIGHTS[1], WEIGHTS[0]]}, tolerance=1e-6), "symbol"),
        (optimize(0.6, response={"weights": WEIGHTS[:1]}, tolerance=1e-6), "1 elements"),
        (optimize(0.6, response={"risk": 0.0337}, tolerance=1e-6), "risk"),
        (optimize(0.6, error=CONFLICT), "an answer"),
        (optimize(0.4, error={**CONFLICT, "infeasible": False}), "2 conflicts"),
        (optimize(0.4, error={**CONFLICT, "reason": "PROBLEM_UNBOUNDED"}), "reason"),
        ({**NO_OBJECTIVE, "expect": {"error": {**INVALID, "fields": ["solver"]}}}, "no violation of solver"),
    ],
)
def test_what_differs_is_said(
    server: RunningServer, go_client: GoClient, tmp_path: Path, case: dict[str, Any], why: str
) -> None:
    code, (line,) = run(go_client, server.address, tmp_path, [case])
    assert (code, line["ok"]) == (1, False)
    assert why in line["why"]


def test_a_killed_server_loses_and_repeats_no_milestone(
    start_server: Callable[..., RunningServer], go_client: GoClient, tmp_path: Path, free_target: str
) -> None:
    dates = 8000
    values = [100.0 + (i * 7919 % 101) / 10 for i in range(dates * 2)]
    request = {
        "prices": {"symbols": ["A", "B"], "dates": list(range(dates)), "values": values},
        "strategy": {"inverseVolatility": {"lookbackPeriods": 100}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "backtestId": "killed",
    }
    expect = {"events": {"milestones": True}, "terminal": "BACKTEST_STATE_SUCCEEDED"}
    file = tmp_path / "cases.json"
    stream = {"id": "killed", "kind": "backtest", "request": request, "expect": expect}
    file.write_text(json.dumps({"version": 1, "unary": [], "streams": [stream]}))
    first = start_server("--listen", free_target)
    command = [str(go_client.programs / "conformance"), "--address", first.address, "--cases", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        wait_until_running(first.address)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(20)
        start_server("--listen", first.address, data_dir=first.data_dir)
        printed, _ = runner.communicate(timeout=120)
    found = json.loads(printed)
    assert found["ok"], found
    assert found["resumptions"] >= 1
    # The stage, and the takeover by the second server.
    assert len(found["milestones"]) == len(set(found["milestones"])) == 2


def wait_until_running(address: str) -> None:
    limit = time.monotonic() + 100.0
    with Client(address) as client:
        client.wait_until_ready()
        while time.monotonic() < limit:
            with suppress(NotFound):  # the runner has not started it yet
                if client.get_backtest("backtests/killed").fraction > 0.0:
                    return
            time.sleep(0.02)
    raise AssertionError("the job never began")
