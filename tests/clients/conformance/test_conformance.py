"""The conformance cases, by the client of each language that has a runner: clients/LANGUAGE/conformance/run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.free_port import free_port
from tests.clients.conformance.cutting_proxy import cutting_proxy
from tests.clients.java.conftest import kept_client
from tests.clients.typescript.package_build import kept_package
from tests.conftest import COMPLETE, ROOT, RunningServer, Wire

CASES = ROOT / "clients/conformance/cases.json"
FILE: Mapping[str, Any] = json.loads(CASES.read_text("utf-8"))
UNARY = FILE["unary"]
STREAMS = [case for case in FILE["streams"] if "place" not in case]
PLACES = [case for case in FILE["streams"] if "place" in case]

TOOLS: Mapping[str, Sequence[str]] = {
    "python": (),
    "typescript": ("node", "npm"),
    "go": ("go",),
    "java": ("javac", "mvn"),
}
"""What the runner of a language is built and run with."""

LANGUAGES = [one for one in TOOLS if (ROOT / "clients" / one / "conformance/run").exists()]

BUILD_SECONDS = 600.0
"""With the first build of a client, which may fetch its libraries."""

RUN_SECONDS = 300.0

pytestmark = pytest.mark.timeout(BUILD_SECONDS + 3.0 * RUN_SECONDS)

CUTS = 8
PROGRESS = "BacktestService/BacktestProgress"
TIMES = range(int(os.environ.get("ABSFIN_CONFORMANCE_TURNS", "1")))
"""Of each language, with a seed of its own; 20 take an hour."""


@dataclass(frozen=True)
class Runner:
    """The runner of a language, and where its build is kept."""

    language: str
    build: Path

    def start(self, address: str, cases: Path, *more: str) -> subprocess.Popen[str]:
        """A process that runs the cases of a file."""
        command = [
            str(ROOT / "clients" / self.language / "conformance/run"),
            "--address",
            address,
            "--cases",
            str(cases),
        ]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # `python` is the one that runs this
        variables = {**os.environ, "ABSFIN_BUILD_DIR": str(self.build), "PATH": path}
        return subprocess.Popen(
            [*command, *more], env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def outcomes(self, process: subprocess.Popen[str], seconds: float = RUN_SECONDS) -> dict[str, dict[str, Any]]:
        """What it printed of each case, by id; its exit code must agree."""
        try:
            printed, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, errors = process.communicate()
            pytest.fail(f"the runner of {self.language} did not end: {printed}{errors}")
        found = {one["id"]: one for one in map(json.loads, printed.splitlines())}
        assert found, errors
        assert process.returncode == (0 if all(one["ok"] for one in found.values()) else 1), printed + errors
        return found


@pytest.fixture(scope="module")
def answering(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server of these tests alone, whose simulation has been compiled."""
    running = start_server(program=COMPLETE)
    warm(running)
    return running


class Restarted:
    """A server that is killed, and started again on its address with its data."""

    def __init__(self, start: Callable[..., RunningServer]) -> None:
        self._start = start
        self.running = start("--listen", f"127.0.0.1:{free_port()}")

    def kill_and_start(self) -> None:
        """As after a crash: nothing is closed or written before the end."""
        ended = self.running
        os.kill(ended.process.pid, signal.SIGKILL)
        ended.process.wait(20)
        self.running = self._start("--listen", ended.address, data_dir=ended.data_dir)


@pytest.fixture(scope="module")
def restarted(start_server: Callable[..., RunningServer]) -> Restarted:
    return Restarted(start_server)


@pytest.fixture(scope="module", params=LANGUAGES)
def runner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, answering: RunningServer
) -> Runner:
    """The runner of each language; skips where its tools are not installed."""
    language: str = request.param
    if missing := [tool for tool in TOOLS[language] if shutil.which(tool) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    found = Runner(language, build_folder(language, tmp_path_factory))
    built = found.start(answering.address, CASES, "--only", UNARY[0]["id"])
    assert found.outcomes(built, BUILD_SECONDS)[UNARY[0]["id"]]["ok"]
    return found


def build_folder(language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runner of a language finds its build, or makes it."""
    if language == "typescript":
        return kept_package().parents[1]
    if language == "java":
        return kept_client().folder.parent
    return tmp_path_factory.mktemp(f"conformance-{language}")


def warm(running: RunningServer) -> None:
    """Runs a backtest first: compiling the simulation for the first time takes longer than cases wait."""
    request = next(case["request"] for case in UNARY if case["id"] == "backtest_of_a_total_loss")
    plain = {name: value for name, value in request.items() if name not in ("requestId", "backtestId", "label")}
    with running.channel() as channel:
        answer = Wire(channel).call("BacktestService/Backtest", {**plain, "wait": "170s"}, timeout=180.0)
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED"


def unary_file(folder: Path, *cases: Mapping[str, Any]) -> Path:
    path = folder / "unary.json"
    path.write_text(json.dumps({"version": 1, "unary": cases, "streams": []}))
    return path


def stream_file(folder: Path, run: str, case: Mapping[str, Any]) -> Path:
    """A file of one stream, whose backtest has the name of the run."""
    path = folder / "stream.json"
    request = {**case["request"], "requestId": run, "backtestId": run}
    path.write_text(json.dumps({"version": 1, "unary": [], "streams": [{**case, "request": request}]}))
    return path


def uncut(running: RunningServer, run: str) -> list[dict[str, Any]]:
    """The milestones of a finished backtest, read without an interruption."""
    with running.channel() as channel:
        notices = Wire(channel).stream(PROGRESS, {"backtest": f"backtests/{run}"})
        return [notice for notice in notices if "milestone" in notice]


def check_nothing_is_lost(found: Mapping[str, Any], notices: Sequence[Mapping[str, Any]]) -> None:
    """The milestones that a client saw are those of the log, each of which happened once."""
    assert found["ok"], found["why"]
    assert [int(one) for one in found["milestones"]] == [int(notice["sequence"]) for notice in notices]
    failed = [
        (notice["milestone"].get("stageIndex"), json.dumps(notice["milestone"]["simulatedDate"]))
        for notice in notices
        if notice["milestone"]["kind"] == "KIND_REBALANCE_FAILED"
    ]
    assert len(set(failed)) == len(failed)


def test_every_case_has_its_answer(runner: Runner, answering: RunningServer, tmp_path: Path) -> None:
    found = runner.outcomes(runner.start(answering.address, unary_file(tmp_path, *UNARY)))
    assert {name: one["why"] for name, one in found.items() if not one["ok"]} == {}
    assert list(found) == [case["id"] for case in UNARY]


def test_a_place_that_is_gone_is_an_error(runner: Runner, answering: RunningServer, tmp_path: Path) -> None:
    """Events that are lost are told of: no client begins anew in silence."""
    (case,) = PLACES
    cases = stream_file(tmp_path, f"place-{runner.language}", case)
    found = runner.outcomes(runner.start(answering.address, cases))[case["id"]]
    assert (found["why"], found["ok"]) == ("", True)
    never = {**case, "expect": {"error": {"code": "OUT_OF_RANGE"}}}
    cases = stream_file(tmp_path, f"place-{runner.language}-never", never)
    assert not runner.outcomes(runner.start(answering.address, cases))[case["id"]]["ok"]


# What an answer must not be taken for: a number off by more than the tolerance, a list that is shorter, another reason,
# a field that is not named, a member that is absent, a failure, an answer.
WRONG = {
    "optimize_least_variance": {"response": {"volatilityAnnual": 0.1665}, "tolerance": 1e-6},
    "optimize_largest_ratio": {"response": {"weights": [{"symbol": "A", "weight": 0.6}]}, "tolerance": 1e-6},
    "optimize_upper_bound_of_zero": {"response": {"requestId": ""}, "tolerance": 1e-6},
    "optimize_without_objective": {"error": {"code": "INVALID_ARGUMENT", "fields": ["prices"]}},
    "optimize_infeasible": {"error": {"code": "FAILED_PRECONDITION", "infeasible": False}},
    "optimize_unbounded": {"error": {"code": "FAILED_PRECONDITION", "reason": "PROBLEM_INFEASIBLE"}},
    "optimize_not_supported": {"response": {}, "tolerance": 1e-6},
    "optimize_empty_lists": {"error": {"code": "INVALID_ARGUMENT"}},
}


def test_a_wrong_answer_is_noticed(runner: Runner, answering: RunningServer, tmp_path: Path) -> None:
    wrong = [{**case, "expect": WRONG[case["id"]]} for case in UNARY if case["id"] in WRONG]
    found = runner.outcomes(runner.start(answering.address, unary_file(tmp_path, *wrong)))
    assert {name: one["ok"] for name, one in found.items()} == dict.fromkeys(WRONG, False)


@pytest.mark.parametrize("turn", TIMES)
def test_a_connection_that_is_cut_loses_and_repeats_no_milestone(
    runner: Runner, answering: RunningServer, tmp_path: Path, turn: int
) -> None:
    case, run = STREAMS[turn % len(STREAMS)], f"cut-{runner.language}-{turn}"
    cases = stream_file(tmp_path, run, case)
    with cutting_proxy(answering.address, CUTS, seed=turn) as proxy:
        found = runner.outcomes(runner.start(proxy.address, cases))[case["id"]]
        assert proxy.cut_count > 0
    assert found["resumptions"] > 0
    check_nothing_is_lost(found, uncut(answering, run))


@pytest.mark.parametrize("turn", TIMES)
def test_a_server_that_is_killed_and_restarted_loses_and_repeats_no_milestone(
    runner: Runner, restarted: Restarted, tmp_path: Path, turn: int
) -> None:
    case, run = STREAMS[turn % len(STREAMS)], f"restart-{runner.language}-{turn}"
    process = runner.start(restarted.running.address, stream_file(tmp_path, run, case))
    wait_until_it_runs(restarted.running, run, 0.05 * (1 + turn % 10))
    restarted.kill_and_start()
    found = runner.outcomes(process)[case["id"]]
    assert found["resumptions"] > 0
    notices = uncut(restarted.running, run)
    check_nothing_is_lost(found, notices)
    assert "KIND_RESUMED" in [notice["milestone"]["kind"] for notice in notices]


def wait_until_it_runs(running: RunningServer, run: str, fraction: float) -> None:
    """Returns once a backtest has done so much of its work. At first it may not be there yet."""
    end = time.monotonic() + RUN_SECONDS
    with running.channel() as channel:
        wire = Wire(channel)
        while time.monotonic() < end:
            jobs = wire.call("BacktestService/ListBacktests", {}).get("backtests", [])
            mine = next((one for one in jobs if one["name"] == f"backtests/{run}"), {})
            assert mine.get("state") != "BACKTEST_STATE_SUCCEEDED", "it was over before the server could be killed"
            if mine.get("fraction", 0.0) >= fraction:
                return
            time.sleep(0.02)
    pytest.fail(f"backtests/{run} never began")
