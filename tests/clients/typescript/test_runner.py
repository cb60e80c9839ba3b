"""The conformance runner of the TypeScript client."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub

from tests.clients.typescript.package_build import PACKAGE
from tests.conftest import RunningServer

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
RUNNER = PACKAGE / "conformance/run"
MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.01, 0.01, 0.09],
    "periodsPerYear": 12,
}
LEAST_RISK = {"moments": MOMENTS, "objective": {"minRisk": {}}}
CAPS = [{"label": "caps", "weightBounds": {"upper": 0.4}}]
WEIGHTS = [{"symbol": "A", "weight": 0.727272727}, {"symbol": "B", "weight": 0.272727273}]


def case(id_: str, request: dict[str, Any], **expect: Any) -> dict[str, Any]:
    return {"id": id_, "title": id_, "method": "OptimizationService/Optimize", "request": request, "expect": expect}


def conflict(**more: Any) -> dict[str, Any]:
    return {"code": "FAILED_PRECONDITION", "reason": "PROBLEM_INFEASIBLE", "infeasible": True, **more}


RIGHT = [
    case("answer", LEAST_RISK, response={"weights": WEIGHTS, "periodsPerYear": 12}, tolerance=1e-6),
    case("conflict", {**LEAST_RISK, "constraints": CAPS}, error=conflict()),
    case("violation", {}, error={"code": "INVALID_ARGUMENT", "reason": "INVALID_INPUT", "fields": ["objective"]}),
    {
        "id": "stored",
        "title": "an answer of what was called before",
        "setup": [{"method": "OptimizationService/Optimize", "request": {**LEAST_RISK, "optimizationId": "ts-stored"}}],
        "method": "OptimizationService/GetOptimization",
        "request": {"name": "optimizations/ts-stored"},
        "expect": {"response": {"name": "optimizations/ts-stored", "weights": WEIGHTS}},
    },
]
WRONG = [
    case("number", LEAST_RISK, response={"periodsPerYear": 12.1}),
    case("length", LEAST_RISK, response={"weights": WEIGHTS[:1]}),
    case("member", LEAST_RISK, response={"label": "none"}),
    case("error", LEAST_RISK, error=conflict()),
    case("reason", {**LEAST_RISK, "constraints": CAPS}, error=conflict(reason="PROBLEM_UNBOUNDED")),
    case("code", {**LEAST_RISK, "constraints": CAPS}, error=conflict(code="ABORTED")),
    case("report", {**LEAST_RISK, "constraints": CAPS}, error=conflict(infeasible=False)),
    case("field", {}, error={"code": "INVALID_ARGUMENT", "fields": ["constraints[3]"]}),
    case("unknown", {"objectiv": {}}, response={}),
]


@pytest.fixture(scope="module")
def build_folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runner")
    (folder / "build").symlink_to(built.parents[1])
    return folder


def start(address: str, cases: dict[str, Any], folder: Path, *more: str) -> "subprocess.Popen[str]":
    path = folder / f"cases-{time.monotonic_ns()}.json"
    path.write_text(json.dumps({"version": 1, **cases}))
    command = [str(RUNNER), "--address", address, "--cases", str(path), *more]
    environment = {**os.environ, "ABSFIN_BUILD_DIR": str(folder / "build")}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def results(runner: "subprocess.Popen[str]", seconds: float = 240.0) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what was printed of each case."""
    try:
        printed, errors = runner.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(runner.pid, signal.SIGKILL)
        printed, errors = runner.communicate()
        raise AssertionError(f"the runner did not end: {printed}{errors}") from None
    assert not errors, errors
    return runner.returncode, [json.loads(line) for line in printed.splitlines()]


def test_cases_that_hold(server: RunningServer, build_folder: Path) -> None:
    code, found = results(start(server.address, {"unary": RIGHT, "streams": []}, build_folder))
    assert [(one["id"], one["why"]) for one in found] == [(one["id"], "") for one in RIGHT]
    assert code == 0
    assert all(one["ok"] for one in found)


def test_cases_that_do_not_hold(server: RunningServer, build_folder: Path) -> None:
    code, found = results(start(server.address, {"unary": WRONG}, build_folder))
    assert code == 1
    assert [one["id"] for one in found] == [one["id"] for one in WRONG]
    assert [one["id"] for one in found if one["ok"] or not one["why"]] == []
    code, found = results(start(server.address, {"unary": [*RIGHT, *WRONG]}, build_folder, "--only", "answer"))
    assert (code, [one["id"] for one in found]) == (0, ["answer"])


def test_a_server_that_is_killed_in_the_middle(
    start_server: Callable[..., RunningServer], build_folder: Path, free_target: str
) -> None:
    """No milestone is lost or repeated: those of the uncut log are read afterwards."""
    first = start_server("--listen", free_target)
    runner = start(first.address, {"streams": [backtest(dates=6000)]}, build_folder)
    with Client(first.address) as client:
        name = running_job(client)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(20)
    time.sleep(1.0)
    start_server("--listen", first.address, data_dir=first.data_dir)
    code, (found,) = results(runner, 120.0)
    assert (code, found["why"]) == (0, "")
    assert found["resumptions"] > 0
    assert found["milestones"] == uncut(first.address, name)
    assert len(found["milestones"]) >= 2  # the stage, another worker took over


def backtest(dates: int) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    prices = 100.0 * np.cumprod(1.0 + rng.normal(0.0002, 0.01, (dates, 10)), axis=0)
    panel = {"symbols": [f"S{i}" for i in range(10)], "dates": list(range(dates)), "values": prices.ravel().tolist()}
    request = {
        "prices": panel,
        "strategy": {"inverseVolatility": {"lookbackPeriods": 100}},
        "rebalancing": {"everyPeriods": {"n": 1}},
    }
    expect = {
        "events": {"states": ["BACKTEST_STATE_SUCCEEDED"], "milestones": True},
        "terminal": "BACKTEST_STATE_SUCCEEDED",
    }
    return {"id": "killed", "title": "killed", "kind": "backtest", "request": request, "expect": expect}


def running_job(client: Client) -> str:
    """The name of the job, once it runs."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        for summary in client.list_backtests().summaries:
            if 0.02 < summary.fraction < 0.9:
                return str(summary.name)
        time.sleep(0.02)
    raise AssertionError("the job never began")


def uncut(address: str, name: str) -> list[int]:
    """The sequences of the milestones, as the log has them."""
    with grpc.insecure_channel(address) as channel:
        events = BacktestServiceStub(channel).BacktestProgress(BacktestProgressRequest(backtest=name), timeout=30)
        return [one.sequence for one in events if one.WhichOneof("event") == "milestone"]
