"""The Java client against a real server: its unit tests, examples and conformance runner."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.java.conftest import BUILD_SECONDS, RUN_SECONDS, JavaClient, output_of
from tests.clients.kept_builds import locked
from tests.conftest import ROOT, RunningServer

MOMENTS = {
    "symbols": ["A", "B"],
    "expectedReturns": [0.01, 0.02],
    "covariance": [0.04, 0.01, 0.01, 0.09],
    "periodsPerYear": 12,
}


pytestmark = pytest.mark.timeout(900)  # the build takes minutes on a busy machine


def test_its_own_tests(java_client: JavaClient) -> None:
    with locked(java_client.clone / "maven.lock"):
        maven = ["mvn", "--batch-mode", "--quiet", "--projects", "client", "test"]
        output_of(maven, java_client.folder, BUILD_SECONDS)
    reports = (java_client.folder / "client/target/surefire-reports").glob("TEST-*.xml")
    count = sum(int(re.findall(r' tests="(\d+)"', report.read_text())[0]) for report in reports)
    assert count >= 25


def test_the_examples(java_client: JavaClient, server: RunningServer) -> None:
    optimized = java_client.example("Optimize", server.address).splitlines()
    assert [line.split()[0] for line in optimized] == ["BONDS", "GOLD", "STOCKS", "return"]
    conflict = java_client.example("ExplainConflict", server.address).splitlines()
    assert conflict[0] == "PROBLEM_INFEASIBLE"
    assert conflict[1:3] == ["caps: relax it alone by 0.0667", "floor: relax it alone by 0.0080"]
    assert conflict[-2:] == ["A 40.0%", "B 60.0%"]
    watched = java_client.example("WatchBacktest", server.address).splitlines()
    assert watched[-2] == "BACKTEST_STATE_SUCCEEDED"
    assert watched[-1].startswith("largest drawdown ")
    assert watched[-1].endswith(" in 900 days")
    plan = java_client.example("Reallocate", server.address).splitlines()
    assert plan[0].startswith("1. sell 48 AAPL at 125.00")
    assert plan[1].startswith("2. buy ")
    assert java_client.example("WatchEvents", server.address, "1") != ""


def test_the_conformance_runner(
    java_client: JavaClient, runner_environment: dict[str, str], server: RunningServer, tmp_path: Path
) -> None:
    """What agrees is ok; what differs is not, and the line says how."""
    right = {"response": {"expectedReturnAnnual": 0.18}, "tolerance": 1e-6}
    request = {
        "moments": MOMENTS,
        "objective": {"maxRatio": {}},
        "constraints": [{"label": "caps", "weightBounds": {"upper": 0.6}}],
    }
    refused = {**request, "constraints": [{"label": "floor", "returnFloor": {"minReturnAnnual": 9}}]}
    infeasible = {"code": "FAILED_PRECONDITION", "reason": "PROBLEM_INFEASIBLE", "infeasible": True}
    method = "OptimizationService/Optimize"
    cases = tmp_path / "cases.json"
    unary = [
        {"id": "right", "method": method, "request": request, "expect": right},
        {"id": "wrong", "method": method, "request": request, "expect": {"response": {"expectedReturnAnnual": 0.1}}},
        {"id": "refused", "method": method, "request": refused, "expect": {"error": infeasible}},
        {"id": "not refused", "method": method, "request": request, "expect": {"error": infeasible}},
    ]
    cases.write_text(json.dumps({"version": 1, "unary": unary, "streams": [stream_case()]}))
    code, lines = run(cases, server.address, runner_environment)
    assert code == 1
    assert {line["id"]: line["ok"] for line in lines} == {
        "right": True,
        "wrong": False,
        "refused": True,
        "not refused": False,
        "stream": True,
    }
    assert "expectedReturnAnnual is 0.18" in lines[1]["why"]
    assert len(lines[-1]["milestones"]) == 1
    assert run(cases, server.address, runner_environment, "--only", "right")[0] == 0


def stream_case() -> dict[str, Any]:
    request = {
        "prices": {"symbols": ["A"], "dates": list(range(50)), "values": [100.0 + day for day in range(50)]},
        "strategy": {"equalWeight": {}},
        "periodsPerYear": 252,
    }
    return {"id": "stream", "kind": "backtest", "request": request, "expect": {"terminal": "BACKTEST_STATE_SUCCEEDED"}}


def run(cases: Path, address: str, environment: dict[str, str], *more: str) -> tuple[int, list[Any]]:
    command = [str(ROOT / "clients/java/conformance/run"), "--address", address, "--cases", str(cases), *more]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_SECONDS, env=environment, cwd=ROOT, check=False
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]
