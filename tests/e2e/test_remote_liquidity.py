"""Liquidity that a second process in Node or Python assesses: its figures, or a typed failure and nothing stored."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfin import Client, Holdings, Panel, Quote, Reallocation, queries

from tests.conftest import ROOT, Refusal, RunningServer, Wire
from tests.processes import first_line

REALLOCATE = "ReallocationService/Reallocate"
NODE = ROOT / "tests/e2e/node_liquidity"
INSTALL_SECONDS = 120
NAME = "the LiquidityService of ABSFIN_LIQUIDITY_TARGET"

Process = subprocess.Popen[str]


def started(command: list[str]) -> tuple[Process, str]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return process, first_line(process).strip()


def in_node(folder: Path) -> list[str]:
    """The command of the service in Node, whose libraries are installed in a folder of the test."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed; the same tests ran with a process in Python")
    for name in ("package.json", "package-lock.json", "service.mjs"):
        shutil.copy(NODE / name, folder)
    install = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode:
        pytest.skip(f"npm cannot install the libraries of the service: {done.stderr[-300:]}")
    return ["node", str(folder / "service.mjs"), str(ROOT / "protos")]


@dataclass(frozen=True)
class Desk:
    """A server that asks another process about liquidity, and that process."""

    server: RunningServer
    wire: Wire
    process: Process
    address: str

    def calls(self) -> int:
        """How often the process was asked."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stored(self) -> int:
        """How many reallocations are stored."""
        found = self.wire.call("ReallocationService/ListReallocations", {"pageSize": 1000})
        return len(found.get("reallocations", []))

    def refused(self, symbol: str, timeout: float = 20.0) -> Refusal:
        """The failure of a reallocation, after which nothing more is stored, under its id neither."""
        before = self.stored()
        failed = self.wire.refused(REALLOCATE, ask(symbol, requestId=f"failed-{symbol}-{timeout:g}"), timeout)
        assert self.stored() == before
        assert "SECRET" not in failed.message + str(failed.metadata)
        assert self.address not in failed.message + str(failed.metadata)
        return failed


@pytest.fixture(scope="module", params=["python", "node"])
def desk(
    request: pytest.FixtureRequest, start_server: Callable[..., RunningServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    python = [sys.executable, "-m", "tests.e2e.liquidity_process"]
    process, address = started(python if request.param == "python" else in_node(tmp_path_factory.mktemp("node")))
    try:
        assert address, "the service did not start"
        running = start_server("--workers", "1", "--liquidity-target", address, "--max-remote-seconds", "3")
        with running.channel() as channel:
            yield Desk(running, Wire(channel), process, address)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


def ask(symbol: str = "B", **more: Any) -> dict[str, Any]:
    """100 A at 10 that shall become half A, half another asset at 10: 50 of each are traded."""
    assets = [{"symbol": name, "price": 10.0, "averageDailyVolume": 1e6} for name in ("A", symbol)]
    return {
        "portfolio": {"holdings": [{"symbol": "A", "quantity": 100}]},
        "snapshot": {"assets": assets},
        "targetWeights": {"weights": [{"symbol": name, "weight": 0.5} for name in ("A", symbol)]},
        **more,
    }


def test_the_figures_of_the_other_process_are_those_of_the_answer(desk: Desk) -> None:
    before = desk.stored()
    answer = desk.wire.call(REALLOCATE, ask())
    assert answer["liquidity"] == {
        "state": "LIQUIDITY_STATE_PARTIAL",
        "score": 0.8,
        "fromRemoteService": True,
        "assets": [
            {
                "symbol": name, "state": "LIQUIDITY_STATE_PARTIAL", "availableQuantity": 40.0,
                "averageDailyVolume": 400.0, "participation": 0.125, "daysToTrade": 1.25, "score": 0.8,
            }
            for name in "AB"
        ],
    }  # fmt: skip
    # Without a limit on participation a plan trades what it wants, as with volumes of the market.
    assert {t["symbol"]: t["quantity"] for t in answer["plan"]["trades"]} == {"A": -50.0, "B": 50.0}
    assert desk.stored() == before + 1


def test_a_limit_on_participation_keeps_the_plan_to_what_is_available(desk: Desk) -> None:
    """40 units are available within two days, 20 a day, whatever the volume of the market is."""
    answer = desk.wire.call(REALLOCATE, ask(limits={"maxParticipation": 0.1}, horizonDays=2))
    assert [(t["symbol"], t["quantity"], t["day"]) for t in answer["plan"]["trades"]] == [
        ("A", -20.0, 1), ("B", 20.0, 1), ("A", -20.0, 2), ("B", 20.0, 2),
    ]  # fmt: skip
    assert {(s["symbol"], s["reasons"][0]["code"]) for s in answer["shortfalls"]} == {
        ("A", "SHORTFALL_CODE_PARTICIPATION"), ("B", "SHORTFALL_CODE_PARTICIPATION"),
    }  # fmt: skip


def test_an_optimised_target_is_computed_once_and_kept(desk: Desk) -> None:
    """The trades that were assessed are those of the plan: equal weights of what is stored, all of the cash."""
    days = np.arange(18_000, 18_020)
    with Client(desk.server.address) as client:
        client.import_prices(Panel.of(["P", "Q"], days, np.column_stack([np.full(20, 10.0), np.full(20, 5.0)])))
    before = desk.calls()
    request = {
        "portfolio": {"cash": 600},
        "marketData": {"symbols": ["P", "Q"]},
        "targetOptimize": {"objective": {"equalWeight": {}}},
        "limits": {"maxParticipation": 0.5},
        "validateOnly": True,
    }
    answer = desk.wire.call(REALLOCATE, request)
    assert desk.calls() == before + 1
    assert {a["symbol"]: a["daysToTrade"] for a in answer["liquidity"]["assets"]} == {"P": 30 / 40, "Q": 60 / 40}
    assert {t["symbol"]: t["quantity"] for t in answer["plan"]["trades"]} == {"P": 30.0, "Q": 40.0}


def test_a_batch_goes_by_the_volume_of_the_market(desk: Desk) -> None:
    """Nothing is asked, also where utilization is high."""
    before = desk.calls()
    with Client(desk.server.address) as client:
        query = queries.ReallocateBatchQuery(
            [Quote("A", 10.0, 1e6), Quote("B", 10.0, 1e6)],
            [queries.PortfolioAccount("k", Holdings({"A": 100}))],
            {"A": 0.5, "B": 0.5},
        )
        ((key, plan),) = client.stream(query)
    assert key == "k"
    assert isinstance(plan, Reallocation)
    assert not plan.proto.liquidity.from_remote_service
    assert {trade.symbol: trade.quantity for trade in plan.trades} == {"A": -50.0, "B": 50.0}
    assert desk.calls() == before


def test_it_is_asked_only_where_utilization_is_high(desk: Desk) -> None:
    before = desk.calls()
    answer = desk.wire.call(REALLOCATE, ask(thresholds={"driftBand": 0.6}))
    assert "unchanged" in answer
    assert "fromRemoteService" not in answer["liquidity"]
    assert desk.calls() == before
    desk.wire.call(REALLOCATE, ask(thresholds={"driftBand": 0.4}))
    assert desk.calls() == before + 1


def test_the_same_request_again_is_not_asked_again(desk: Desk) -> None:
    first = desk.wire.call(REALLOCATE, ask(requestId="once"))
    before = desk.calls()
    assert desk.wire.call(REALLOCATE, ask(requestId="once")) == first
    assert desk.calls() == before


@pytest.mark.alone
def test_a_hang_ends_with_the_time_of_the_caller(desk: Desk) -> None:
    """Before it, so that they hear what happened."""
    failed = desk.refused("HANG", timeout=2.0)
    assert (failed.code, failed.reason) == ("DEADLINE_EXCEEDED", "REMOTE_CALL_TIMED_OUT")
    seconds = float(failed.message.removeprefix(f"{NAME} did not answer within ").removesuffix(" s"))
    assert 1.0 < seconds <= 1.82  # nine tenths of 2 s, which gRPC rounds up to a hundredth on its way


@pytest.mark.alone
def test_a_hang_ends_with_the_time_of_the_settings(desk: Desk) -> None:
    began = time.monotonic()
    failed = desk.refused("HANG")
    assert 2.5 < time.monotonic() - began < 6.0
    assert (failed.code, failed.reason) == ("DEADLINE_EXCEEDED", "REMOTE_CALL_TIMED_OUT")
    assert failed.message == f"{NAME} did not answer within 3 s"


@pytest.mark.alone
def test_others_are_served_while_the_process_hangs(desk: Desk) -> None:
    """One worker, and a call that waits for the other process does not hold it."""
    with desk.server.channel() as channel:
        wire = Wire(channel)
        waiting = threading.Thread(target=lambda: wire.refused(REALLOCATE, ask("HANG")))
        waiting.start()
        time.sleep(0.5)
        began = time.monotonic()
        desk.wire.call(REALLOCATE, ask(thresholds={"driftBand": 0.6}, validateOnly=True))
        assert time.monotonic() - began < 1.5
        assert waiting.is_alive()
        waiting.join(timeout=20)


@pytest.mark.parametrize(("symbol", "status"), [("ERROR", "INTERNAL"), ("DENIED", "PERMISSION_DENIED")])
def test_an_error_is_told_by_its_status_alone(desk: Desk, symbol: str, status: str) -> None:
    before = desk.calls()
    failed = desk.refused(symbol)
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "REMOTE_CALL_FAILED")
    assert failed.message == f"{NAME} returned the status {status}"
    assert failed.metadata == {"service": NAME, "status": status}
    assert desk.calls() == before + 1  # an error is not tried again


def test_an_unavailable_process_is_asked_three_times(desk: Desk) -> None:
    before = desk.calls()
    failed = desk.refused("DOWN")
    assert (failed.code, failed.reason) == ("UNAVAILABLE", "REMOTE_UNAVAILABLE")
    assert failed.message == f"{NAME} cannot be reached or is unavailable"
    assert desk.calls() == before + 3


def test_a_process_that_is_there_at_the_third_try(desk: Desk) -> None:
    before = desk.calls()
    answer = desk.wire.call(REALLOCATE, ask("BUSY"))
    assert answer["liquidity"]["fromRemoteService"]
    assert desk.calls() == before + 3


@pytest.mark.parametrize(
    ("symbol", "rule"),
    [
        ("NEGATIVE", "assessment.assets[0].days_to_trade: must be a finite number of 0 or more, is -1"),
        (
            "NAN",
            "assessment.assets[0].available_quantity: must be a finite number of 0 or more and at most 1e+21, is n",
        ),
        ("INFINITE", "assessment.assets[0].average_daily_volume: must be a finite number"),
        ("SCORE", "assessment.assets[0].score: must be a finite number of 0 or more and at most 1, is 1.5"),
        ("OTHER", "assessment.assets[2].symbol: 'ELSEWHERE' is none of the trades"),
        ("MISSING", "assessment.assets: A is missing"),
        ("TWICE", "assessment.assets[1].symbol: A appears twice"),
        ("STATELESS", "assessment.assets[0].state: must be a state, is 0"),
        ("CLAIMED", "assessment.assets[0].available_quantity: must be at least the 50 of the trade"),
        ("WITHOUT", "assessment.assets[0].available_quantity: must be given unless the state is"),
        ("LARGE", "it is larger than 4194304 bytes"),
    ],
)
def test_nonsense_is_refused_by_what_is_wrong_with_it(desk: Desk, symbol: str, rule: str) -> None:
    failed = desk.refused(symbol)
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "REMOTE_ANSWER_INVALID")
    assert failed.message.startswith(f"{NAME} sent an answer that cannot be used: {rule}")


def test_a_process_that_is_gone(start_server: Callable[..., RunningServer]) -> None:
    """Nothing listens at the address of the settings."""
    process, address = started([sys.executable, "-m", "tests.e2e.liquidity_process"])
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(timeout=20)
    process.stdout.close()
    running = start_server("--workers", "1", "--liquidity-target", address)
    with running.channel() as channel:
        wire = Wire(channel)
        began = time.monotonic()
        assert wire.refused(REALLOCATE, ask()).reason == "REMOTE_UNAVAILABLE"
        assert time.monotonic() - began < 9.0  # that of the settings is 10 s
        # What needs no other process is served all the same.
        assert "unchanged" in wire.call(REALLOCATE, ask(thresholds={"driftBand": 0.6}))


@pytest.mark.alone
def test_a_server_that_stops_does_not_wait_for_a_hang(start_server: Callable[..., RunningServer]) -> None:
    """The caller hears that it stops, and its process ends in time."""
    process, address = started([sys.executable, "-m", "tests.e2e.liquidity_process"])
    running = start_server("--workers", "1", "--liquidity-target", address, "--drain-seconds", "0.5")
    refused: list[Refusal] = []
    with running.channel() as channel:
        wire = Wire(channel)
        waiting = threading.Thread(target=lambda: refused.append(wire.refused(REALLOCATE, ask("HANG"))))
        waiting.start()
        time.sleep(1.0)
        running.process.terminate()
        assert running.process.wait(timeout=8.0) == 0
        waiting.join(timeout=5.0)
    assert [(one.code, one.reason) for one in refused] == [("UNAVAILABLE", "DRAINING")]
    process.communicate("", timeout=20)
