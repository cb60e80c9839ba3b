"""Portfolios are watched: prices that move one out of its band give one signal and one plan, whoever dies."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from absfin import Client, Panel
from absfinance.v1 import event_service_pb2, portfolio_pb2

from tests.conftest import RunningServer, Wire
from tests.e2e.ledger import begun, causes, recomputations, rows, signals, until, waiting

RAISED = event_service_pb2.WatchEventsResponse.Signal.PHASE_RAISED
TODAY = int(time.time()) // 86_400

KILLS = pytest.mark.parametrize(
    "kills",
    [
        pytest.param(2, marks=pytest.mark.timeout(270)),
        pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
"""How often a server is killed while it recomputes."""

Starter = Callable[..., RunningServer]


def prices(first: int, values: list[list[int]], symbols: tuple[str, ...] = ("A", "B")) -> Panel:
    return Panel(symbols, np.arange(first, first + len(values), dtype=np.int32), np.array(values, dtype=np.float64))


def imported(server: RunningServer, panel: Panel, import_id: str) -> None:
    with Client(server.address) as client:
        client.import_prices(panel, import_id=import_id)


def create(
    server: RunningServer,
    portfolio_id: str,
    *triggers: dict[str, Any],
    symbols: tuple[str, ...] = ("A", "B"),
    **mandate: Any,
) -> dict[str, Any]:
    """A portfolio of equal parts of two assets at prices of 100."""
    target = {"weights": {"weights": [{"symbol": symbol, "weight": 0.5} for symbol in symbols]}}
    portfolio = {
        "holdings": [{"symbol": symbol, "quantity": 10} for symbol in symbols],
        "mandate": {**(mandate or target), "triggers": list(triggers)},
    }
    with server.channel() as channel:
        request = {"portfolio": portfolio, "portfolioId": portfolio_id}
        return Wire(channel).call("PortfolioService/CreatePortfolio", request)


def drifts(server: RunningServer, portfolio_id: str) -> list[Any]:
    return [one for one in signals(server.data_dir, "DRIFT", portfolio_id) if one.phase == RAISED]


def is_watched(server: RunningServer, portfolio_id: str) -> bool:
    """Whether the stored state has a portfolio, so that what follows is noticed as it happens."""
    (state,) = rows(server.data_dir, "SELECT state FROM listener")[0]
    end = 8 + int.from_bytes(state[:8], "little")  # of its JSON
    return f'"{portfolio_id}@'.encode() in state[8:end]


@pytest.fixture(scope="module")
def watching(start_server: Starter) -> RunningServer:
    """A server that the tests share; each has assets and portfolios of its own."""
    return start_server()


PLAN = {"event": "EVENT_KIND_DRIFT", "threshold": 0.05, "action": "ACTION_REALLOCATE"}


def test_a_move_out_of_the_band_is_a_signal_and_one_plan(watching: RunningServer) -> None:
    server, folder = watching, watching.data_dir
    imported(server, prices(TODAY - 3, [[100, 100], [100, 100]]), "band: first")
    create(server, "mine", PLAN, {"event": "EVENT_KIND_DRIFT", "threshold": 0.05})
    until(lambda: is_watched(server, "mine"))
    assert drifts(server, "mine") == []
    imported(server, prices(TODAY - 1, [[150, 100]]), "band: move")
    until(lambda: len(recomputations(folder, "mine")) == 1)
    found = drifts(server, "mine")
    assert [(one.symbol, round(one.value, 6), one.threshold) for one in found] == [("A", 0.1, 0.05), ("B", -0.1, 0.05)]
    (done,) = recomputations(folder, "mine")
    assert done.action == portfolio_pb2.Trigger.ACTION_REALLOCATE
    assert done.portfolio == "portfolios/mine"
    assert sorted(done.causes) == sorted(one.dedupe_key for one in found)
    with server.channel() as channel:
        wire = Wire(channel)
        plan = wire.call("ReallocationService/GetReallocation", {"name": done.result})
        trades = {trade["symbol"]: trade["quantity"] for trade in plan["plan"]["trades"]}
        assert trades == {"A": -2, "B": 3}  # whole units
        held = wire.call("PortfolioService/GetPortfolio", {"name": "portfolios/mine"})["holdings"]
        assert [one["quantity"] for one in held] == [10, 10]  # nothing is traded
        # It is told once: nothing happens again while the weights stay where they are.
        imported(server, prices(TODAY, [[151, 100]]), "band: more")
        time.sleep(2.0)
        of_mine = {"portfolio": "portfolios/mine"}
        assert len(wire.call("ReallocationService/ListReallocations", of_mine)["reallocations"]) == 1
    statement = "SELECT kind, signal_sequence > 0 FROM notifications WHERE portfolio = 'mine'"
    assert rows(folder, statement) == [("DRIFT", 1)] * 2


def test_a_burst_is_few_recomputations_and_a_deleted_portfolio_goes_away(watching: RunningServer) -> None:
    server, folder, symbols = watching, watching.data_dir, ("C", "D")
    imported(server, prices(TODAY - 40, [[100, 100]], symbols), "burst: first")
    plan = {"event": "EVENT_KIND_PRICES", "action": "ACTION_REALLOCATE", "cooldown": "3s"}
    create(server, "busy", plan, symbols=symbols)
    until(lambda: is_watched(server, "busy"))
    for i in range(20):
        imported(server, prices(TODAY - 39 + i, [[100 + i, 100]], symbols), f"burst: {i}")
    until(lambda: len(recomputations(folder, "busy")) >= 1)
    assert len(recomputations(folder, "busy")) < 10  # of 20 changes
    with server.channel() as channel:
        Wire(channel).call("PortfolioService/DeletePortfolio", {"name": "portfolios/busy"})
    until(lambda: not waiting(folder) and not is_watched(server, "busy"))
    before = len(recomputations(folder, "busy"))
    imported(server, prices(TODAY - 5, [[200, 100]], symbols), "burst: after")
    time.sleep(2.0)
    assert len(recomputations(folder, "busy")) == before
    assert set(causes(folder, "busy").values()) == {1}


def test_a_mandate_that_cannot_be_solved_is_told_once(watching: RunningServer) -> None:
    server, folder, symbols = watching, watching.data_dir, ("E", "F")
    imported(server, prices(TODAY - 30, [[100 + i % 3, 100 + i % 5] for i in range(25)], symbols), "conflict: first")
    create(
        server,
        "impossible",
        {"event": "EVENT_KIND_PRICES", "action": "ACTION_OPTIMIZE"},
        symbols=symbols,
        optimize={"objective": {"minRisk": {}}},
        constraints=[{"label": "too low", "weightBounds": {"upper": 0.2}}],
    )
    until(lambda: is_watched(server, "impossible"))
    imported(server, prices(TODAY - 4, [[101, 100]], symbols), "conflict: move")
    until(lambda: len(recomputations(folder, "impossible")) == 1)
    (done,) = recomputations(folder, "impossible")
    assert done.WhichOneof("outcome") == "error"
    assert "too low" in done.error.message + str(done.error.details)
    ((message,),) = rows(folder, "SELECT message FROM notifications WHERE portfolio = 'impossible'")
    assert message.startswith("OPTIMIZE of the portfolio has failed")
    time.sleep(1.5)
    assert len(recomputations(folder, "impossible")) == 1


def test_a_trigger_that_would_start_itself_is_refused(watching: RunningServer) -> None:
    loop = {"event": "EVENT_KIND_DRIFT", "action": "ACTION_OPTIMIZE"}
    portfolio = {"mandate": {"optimize": {"objective": {"minRisk": {}}}, "triggers": [loop]}}
    with watching.channel() as channel:
        wire = Wire(channel)
        refusal = wire.refused("PortfolioService/CreatePortfolio", {"portfolio": portfolio})
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "TRIGGER_LOOP")
        made = wire.call("PortfolioService/CreatePortfolio", {"portfolio": {}})
        changed = {"name": made["name"], "etag": made["etag"], **portfolio}
        assert wire.refused("PortfolioService/UpdatePortfolio", {"portfolio": changed}).reason == "TRIGGER_LOOP"


SYMBOLS = tuple(f"S{i:02}" for i in range(40))
DATES = 800


@pytest.fixture
def slow(start_server: Starter) -> RunningServer:
    """A portfolio whose optimisation takes long enough to be killed in the middle of it."""
    server = start_server()
    values = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(5).standard_normal((DATES, len(SYMBOLS))), axis=0)
    imported(server, Panel(SYMBOLS, np.arange(TODAY - DATES - 60, TODAY - 60, dtype=np.int32), values), "first")
    portfolio = {
        "holdings": [{"symbol": symbol, "quantity": 1} for symbol in SYMBOLS],
        "mandate": {
            "optimize": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CONDITIONAL_VALUE_AT_RISK"},
            "triggers": [{"event": "EVENT_KIND_PRICES", "action": "ACTION_OPTIMIZE"}],
        },
    }
    with server.channel() as channel:
        request = {"portfolio": portfolio, "portfolioId": "slow"}
        Wire(channel).call("PortfolioService/CreatePortfolio", request)
    until(lambda: is_watched(server, "slow"))
    return server


def next_day(place: int) -> Panel:
    values = np.full((1, len(SYMBOLS)), 100.0 + place)
    return Panel(SYMBOLS, np.array([TODAY - 59 + place], dtype=np.int32), values)


def has_done(server: RunningServer, count: int) -> bool:
    return len(recomputations(server.data_dir)) >= count and not waiting(server.data_dir)


def has_begun(server: RunningServer, count: int) -> bool:
    return begun(server.data_dir) > 0 or len(recomputations(server.data_dir)) > count


def killed_in_the_middle(start_server: Starter, server: RunningServer, times: int) -> None:
    """Kills the server each time while it recomputes; in the end each change was answered once."""
    folder, middle = server.data_dir, 0
    for place in range(times):
        imported(server, next_day(place), f"day-{place}")
        until(partial(has_begun, server, place), 60)
        middle += begun(folder)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(20)
        server = start_server(data_dir=folder)
        until(partial(has_done, server, place + 1), 60)
    assert middle > 0
    assert_answered_once(folder, times)


def assert_answered_once(folder: Path, times: int) -> None:
    """Each change has one recomputation, and each of them one stored result."""
    answered = causes(folder)
    assert len(answered) == times  # one import is one change
    assert set(answered.values()) == {1}
    assert all(one.result for one in recomputations(folder))
    stored = "SELECT count(*), count(DISTINCT request_id) FROM optimizations"
    assert rows(folder, stored) == [(times, times)]


@KILLS
def test_what_a_killed_server_recomputed_is_done_once(start_server: Starter, slow: RunningServer, kills: int) -> None:
    killed_in_the_middle(start_server, slow, kills)


def holder(folder: Path, servers: list[RunningServer]) -> RunningServer | None:
    """The server that recomputes now: its worker holds the lock of its name."""
    found = rows(folder, "SELECT worker FROM recomputations WHERE finished_micros IS NULL AND worker IS NOT NULL")
    locks = {str(folder / "workers" / f"{worker}.lock") for (worker,) in found}
    for server in servers:
        if locks & {file.path for file in psutil.Process(server.process.pid).open_files()}:
            return server
    return None


@KILLS
def test_what_a_killed_server_recomputed_is_done_once_by_another(
    start_server: Starter, slow: RunningServer, kills: int
) -> None:
    """Of two servers of a folder the one that recomputes is killed; the other one does it, and another one joins."""
    folder, servers, middle = slow.data_dir, [slow, start_server(data_dir=slow.data_dir)], 0
    for place in range(kills):
        imported(servers[place % 2], next_day(place), f"day-{place}")
        until(partial(has_begun, slow, place), 60)
        killed = holder(folder, servers)
        middle += killed is not None
        killed = killed or servers[0]
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait(20)
        servers = [server for server in servers if server is not killed]
        until(partial(has_done, slow, place + 1), 60)
        servers.append(start_server(data_dir=folder))
    assert middle > 0
    assert_answered_once(folder, kills)


def test_two_servers_of_a_folder_share_the_work(start_server: Starter) -> None:
    first = start_server()
    second = start_server(data_dir=first.data_dir)
    imported(first, prices(TODAY - 20, [[100, 100]]), "first")
    for i in range(6):
        create(first if i % 2 else second, f"p{i}", {"event": "EVENT_KIND_PRICES", "action": "ACTION_REALLOCATE"})
    until(lambda: len(rows(first.data_dir, "SELECT 1 FROM listener WHERE worker IS NOT NULL")) == 1)
    until(lambda: all(is_watched(first, f"p{i}") for i in range(6)))
    for i in range(5):
        imported(second if i % 2 else first, prices(TODAY - 19 + i, [[101 + i, 100]]), f"day-{i}")
    until(lambda: not waiting(first.data_dir) and len(causes(first.data_dir)) == 5, 60)
    done = recomputations(first.data_dir)
    assert {one.portfolio for one in done} == {f"portfolios/p{i}" for i in range(6)}
    assert all(one.result for one in done)
    asked = rows(first.data_dir, "SELECT count(*) FROM (SELECT DISTINCT portfolio, cause FROM recomputation_causes)")
    assert asked == [(30,)]
    assert sum(causes(first.data_dir).values()) == 30
