"""Results on stored prices say since when those have been corrected, in their answers and in lists."""

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel

from tests.conftest import RunningServer, Wire
from tests.e2e.ledger import recomputations, signals, until
from tests.e2e.test_listening import PLAN, TODAY, create, imported, is_watched, prices
from tests.e2e.test_simulation import civil

DATES = [day for day in (date(2024, 1, 1) + timedelta(i) for i in range(90)) if day.weekday() < 5]
SYMBOLS = ("A", "B")
CLOSES = 50.0 * np.exp(np.cumsum(np.random.default_rng(7).normal(0.0, 0.02, (len(DATES), 2)), axis=0))

SELECTED = {"marketData": {"symbols": list(SYMBOLS), "startDate": civil(DATES[5])}}
# A backtest is stale from its start on, so that none has to be waited for.
REQUESTS: Mapping[str, dict[str, Any]] = {
    "OptimizationService/Optimize": {**SELECTED, "objective": {"minRisk": {}}},
    "BacktestService/Backtest": {**SELECTED, "strategy": {"equalWeight": {}}},
    "ReallocationService/Reallocate": {
        **SELECTED,
        "portfolio": {"holdings": [{"symbol": "A", "quantity": 10}], "cash": 100.0},
        "targetWeights": {"weights": [{"symbol": "B", "weight": 1.0}]},
    },
}
NEW_PRICES = count(100)
Results = dict[str, str]


@pytest.fixture(scope="module")
def priced(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server with closing prices of A, B and C."""
    server = start_server()
    with Client(server.address) as client:
        client.import_prices(Panel.of([*SYMBOLS, "C"], DATES, np.column_stack([CLOSES, CLOSES[:, 0]]).tolist()))
    return server


@pytest.fixture
def wire(priced: RunningServer) -> Any:
    with priced.channel() as channel:
        yield Wire(channel)


@pytest.fixture
def correct(priced: RunningServer) -> Callable[..., None]:
    """Imports one price."""

    def send(symbol: str, day: date, value: float | None = None, field: str = "close") -> None:
        with Client(priced.address) as client:
            client.import_prices(
                Panel.of([symbol], [day], [[next(NEW_PRICES) if value is None else value]]), field=field
            )

    return send


def computed(wire: Wire, **more: Any) -> Results:
    """A result of each kind, by name; none of them is stale."""
    answers = [wire.call(method, {**request, **more}) for method, request in REQUESTS.items()]
    assert [one for one in answers if "staleSince" in one] == []
    return {answer["name"]: method for answer, method in zip(answers, REQUESTS, strict=True)}


def stale(wire: Wire, results: Results) -> list[str]:
    """Since when each result is stale, as it says itself and as lists say; nothing where none is."""
    found = []
    for name, method in results.items():
        service, verb = method.split("/")
        kind = name.split("/", maxsplit=1)[0]
        since = wire.call(f"{service}/Get{kind.title()[:-1]}", {"name": name}).get("staleSince")
        (listed,) = [one for one in wire.call(f"{service}/List{kind.title()}", {})[kind] if one["name"] == name]
        assert listed.get("staleSince") == since, verb
        found.append(since)
    assert found.count(None) in (0, len(found)), dict(zip(results, found, strict=True))
    return [since for since in found if since is not None]


def test_a_corrected_price_makes_results_stale(wire: Wire, correct: Callable[..., None]) -> None:
    before = computed(wire)
    correct("A", DATES[20])
    since = stale(wire, before)
    assert len(since) == len(REQUESTS)
    again = computed(wire)
    assert stale(wire, again) == []
    correct("B", DATES[-1])
    assert len(stale(wire, again)) == len(REQUESTS)
    assert stale(wire, before) == since, "since the first correction"


def test_a_request_that_is_sent_again_is_answered_as_before(wire: Wire, correct: Callable[..., None]) -> None:
    before = computed(wire, requestId="twice")
    correct("A", DATES[20])
    since = stale(wire, before)
    answers = [wire.call(method, {**request, "requestId": "twice"}) for method, request in REQUESTS.items()]
    assert [one["name"] for one in answers] == list(before)
    assert [one.get("staleSince") for one in answers] == since


def test_what_was_not_used_is_not_told(wire: Wire, correct: Callable[..., None]) -> None:
    correct("A", DATES[20], 77.0)
    results = computed(wire)
    correct("A", DATES[20], 77.0)
    correct("C", DATES[20])
    correct("A", DATES[4])
    correct("A", DATES[20], field="open")
    for later in (1, 2):
        correct("A", DATES[-1] + timedelta(later))
        correct("B", DATES[-1] + timedelta(later))
    correct("A", DATES[-1] + timedelta(2))
    assert stale(wire, results) == []


def test_corporate_actions_make_backtests_stale(wire: Wire) -> None:
    method = "BacktestService/Backtest"
    name = wire.call(method, REQUESTS[method])["name"]

    def since() -> str | None:
        found: str | None = wire.call("BacktestService/GetBacktest", {"name": name}).get("staleSince")
        return found

    def dividend(symbol: str, day: date, amount: float) -> None:
        action = {"symbol": symbol, "exDate": civil(day), "cashDividend": {"amount": amount}}
        wire.call("MarketDataService/UpsertCorporateActions", {"corporateActions": [action]})

    dividend("C", DATES[30], 0.5)
    dividend("A", DATES[-1] + timedelta(9), 0.5)
    assert since() is None
    dividend("A", DATES[30], 0.5)
    assert since() is not None


def test_results_of_sent_data_are_never_stale(wire: Wire, correct: Callable[..., None]) -> None:
    prices = {
        "symbols": list(SYMBOLS),
        "dates": [19723 + i for i in range(len(DATES))],
        "values": CLOSES.ravel().tolist(),
    }
    request = {"prices": prices, "objective": {"minRisk": {}}}
    name = wire.call("OptimizationService/Optimize", request)["name"]
    correct("A", DATES[20])
    assert "staleSince" not in wire.call("OptimizationService/GetOptimization", {"name": name})


def told(server: RunningServer) -> list[Any]:
    """Signals that results are stale, in order."""
    return [one for portfolio in ("", "mandated") for one in signals(server.data_dir, "RESULT_STALE", portfolio)]


def test_watchers_are_told_and_a_mandate_is_recomputed_once(start_server: Callable[..., RunningServer]) -> None:
    server = start_server()
    folder = server.data_dir
    imported(server, prices(TODAY - 10, [[100, 100]] * 9), "first")
    recompute = {"event": "EVENT_KIND_RESULT_STALE", "action": "ACTION_REALLOCATE"}
    create(server, "mandated", PLAN, recompute)
    until(lambda: is_watched(server, "mandated"))
    with server.channel() as channel:
        wire = Wire(channel)

        def since(name: str) -> Any:
            return wire.call("ReallocationService/GetReallocation", {"name": name}).get("staleSince")

        request = {"portfolioName": "portfolios/mandated", "marketData": {"symbols": ["A", "B"]}}
        own = wire.call("ReallocationService/Reallocate", request)["name"]
        imported(server, prices(TODAY - 1, [[150, 100]]), "a move")
        until(lambda: len(recomputations(folder)) == 1)
        plan = recomputations(folder)[0].result
        assert (told(server), since(own), since(plan)) == ([], None, None), "new dates correct nothing"
        imported(server, prices(TODAY - 8, [[101, 100]]), "a correction")
        until(lambda: len(recomputations(folder)) == 2)
        again = recomputations(folder)[1].result
        assert since(again) is None
        assert [(one.result, one.portfolio) for one in told(server)] == [(own, ""), (plan, "portfolios/mandated")]
        assert [one.since_time.ToJsonString() for one in told(server)] == [since(own), since(plan)]
    assert list(recomputations(folder)[1].causes) == [told(server)[1].dedupe_key]
    time.sleep(2.0)
    assert len(recomputations(folder)) == 2
    imported(server, prices(TODAY - 8, [[102, 100]]), "another correction")
    until(lambda: len(recomputations(folder)) == 3)
    assert [one.result for one in told(server)] == [own, plan, again], "each result is told of once"
