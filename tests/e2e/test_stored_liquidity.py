"""Market impact by stored volumes and prices over the wire, computed again from the figures that were stored."""

import math
import statistics
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel

from tests.conftest import RunningServer, Wire
from tests.e2e.test_simulation import civil

BACKTEST = "BacktestService/Backtest"
SYMBOLS = ("LIQ.A", "LIQ.B")
DATES = [day for day in (date(2024, 1, 1) + timedelta(i) for i in range(70)) if day.weekday() < 5]
START = 25  # number of the first date of a backtest; its decision is filled on the next one
CAPITAL = 1e5
YEAR = 252.0
SQUARE_ROOT = {"squareRoot": {"coefficient": 0.8}}

RNG = np.random.default_rng(14)
CLOSES = 50.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.02, (len(DATES), 2)), axis=0))
VOLUMES = RNG.uniform(5e3, 2e4, CLOSES.shape)


@pytest.fixture(scope="module")
def store(server: RunningServer) -> Iterator[Callable[..., None]]:
    with Client(server.address) as client:

        def stored(symbols: tuple[str, ...], closes: np.ndarray, volumes: np.ndarray | None) -> None:
            client.import_prices(Panel.of(list(symbols), DATES, closes.tolist()))
            if volumes is not None:
                client.import_prices(Panel.of(list(symbols), DATES, volumes.tolist()), field="volume")

        stored(SYMBOLS, CLOSES, VOLUMES)
        yield stored


def request(costs: dict[str, Any], symbols: tuple[str, ...] = SYMBOLS, start: int | None = START, **more: Any) -> Any:
    selection: dict[str, Any] = {"symbols": list(symbols)}
    if start is not None:
        selection["startDate"] = civil(DATES[start])
    return {
        "marketData": selection,
        "strategy": {"equalWeight": {}},
        "rebalancing": {"never": {}},
        "initialCapital": CAPITAL,
        "costs": costs,
        "periodsPerYear": YEAR,
        "wait": "60s",
        **more,
    }


def result(wire: Wire, asked: dict[str, Any]) -> dict[str, Any]:
    answer = wire.call(BACKTEST, asked)
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found: dict[str, Any] = answer["result"] | {"notes": answer.get("warnings", [])}
    return found


def before(fill: int, window: int, closes: np.ndarray = CLOSES, volumes: np.ndarray = VOLUMES) -> list[Any]:
    """Mean traded value and deviation of returns of each asset over the dates before a fill."""
    dates = range(fill - window, fill)
    return [
        (
            statistics.fmean(closes[t, j] * volumes[t, j] for t in dates),
            statistics.stdev(closes[t, j] / closes[t - 1, j] - 1.0 for t in dates),
        )
        for j in range(closes.shape[1])
    ]


def paid(cost: Callable[[int, float], float]) -> float:
    """What the purchase of two equal parts costs, both self-financing: V' + cost(V' / 2) = V."""
    low, high = 0.0, CAPITAL
    for _ in range(200):
        middle = 0.5 * (low + high)
        enough = middle + cost(0, middle / 2) + cost(1, middle / 2) <= CAPITAL
        low, high = (middle, high) if enough else (low, middle)
    return CAPITAL - low


@pytest.mark.parametrize("window", [None, 5])
def test_square_root_impact_of_stored_volumes(wire: Wire, store: object, window: int | None) -> None:
    costs = {"impact": SQUARE_ROOT} | ({} if window is None else {"liquidityLookbackPeriods": window})
    known = before(START + 1, window or 21)

    def cost(j: int, traded: float) -> float:
        value, sigma = known[j]
        return 2 / 3 * 0.8 * sigma * math.sqrt(traded / value) * traded

    answer = result(wire, request(costs))
    assert answer["costs"]["impact"] == pytest.approx(paid(cost), rel=1e-9)
    assert answer["reconciliation"]["costs"] == pytest.approx(answer["costs"]["impact"], rel=1e-9)
    assert answer["notes"] == []


def test_impact_of_almgren_by_stored_volumes(wire: Wire, store: object) -> None:
    shares = {"LIQ.A": 3e6, "LIQ.B": 8e5}
    law = {"executionDays": 0.5, "sharesOutstanding": [{"symbol": s, "quantity": q} for s, q in shares.items()]}
    known = before(START + 1, 21)

    def cost(j: int, traded: float) -> float:
        value, sigma = known[j]
        all_shares = shares[SYMBOLS[j]] * CLOSES[START + 1, j]
        permanent = 0.314 * sigma * traded / value * (all_shares / value) ** 0.25
        return traded * (permanent / 2 + 0.142 * sigma * (traded / (value * 0.5)) ** 0.6)

    answer = result(wire, request({"impact": {"almgren": law}}))
    assert answer["costs"]["impact"] == pytest.approx(paid(cost), rel=1e-9)


def test_published_figures_of_almgren_over_the_wire(wire: Wire) -> None:
    """A tenth of the volume of IBM and of DRI in half a day: 18 and 23 basis points."""
    for sigma, value, shares, expected in ((0.0157, 6.561e8, 1728e6, 18), (0.0226, 1.929e8, 168e6, 23)):
        law = {"executionDays": 0.5, "sharesOutstanding": [{"symbol": "X", "quantity": shares}]}
        liquidity = {"symbol": "X", "dailyValue": value, "volatilityAnnual": sigma * 252**0.5}
        answer = result(
            wire,
            {
                "prices": {"symbols": ["X"], "dates": [20000, 20001], "values": [100, 100]},
                "strategy": {"fixedWeights": {"weights": [{"symbol": "X", "weight": 0.1}]}},
                "rebalancing": {"never": {}},
                "execution": {"fill": "FILL_SAME_CLOSE"},
                "initialCapital": value,
                "costs": {"impact": {"almgren": law}, "liquidity": [liquidity]},
                "wait": "60s",
            },
        )
        assert round(1e4 * answer["costs"]["impact"] / (0.1 * value)) == expected


def test_given_figures_come_before_stored_ones(wire: Wire, store: object) -> None:
    """Of A both are given, of B only the value traded in a day: its volatility is that of the dates before."""
    given = [
        {"symbol": "LIQ.A", "dailyValue": 1e6, "volatilityAnnual": 0.3},
        {"symbol": "LIQ.B", "dailyValue": 2e6},
    ]
    figures = [(1e6, 0.3 / YEAR**0.5), (2e6, before(START + 1, 21)[1][1])]

    def cost(j: int, traded: float) -> float:
        value, sigma = figures[j]
        return 2 / 3 * 0.8 * sigma * math.sqrt(traded / value) * traded

    answer = result(wire, request({"impact": SQUARE_ROOT, "liquidity": given}))
    assert answer["costs"]["impact"] == pytest.approx(paid(cost), rel=1e-9)


def test_later_volumes_and_prices_change_no_earlier_fill(wire: Wire, store: Callable[..., None]) -> None:
    names = ("LIQ.C", "LIQ.D")
    closes, volumes = CLOSES.copy(), VOLUMES.copy()
    volumes[START + 1 :] *= 9.0
    closes[START + 2 :] *= 1.5
    store(names, closes, volumes)
    one, other = (
        result(wire, request({"impact": SQUARE_ROOT}, symbols))["costs"]["impact"] for symbols in (SYMBOLS, names)
    )
    assert one == other > 0.0


def test_trades_wait_until_volumes_and_returns_are_known(wire: Wire, store: object) -> None:
    """From the first stored date on: the purchase of the second date is made on the fourth, after two returns."""
    answer = result(wire, request({"impact": SQUARE_ROOT}, start=None))
    waiting, uncertain = answer["notes"]
    assert (waiting["code"], waiting["field"]) == ("LIQUIDITY_UNKNOWN", "costs.impact")
    assert f"from {DATES[1]} to {DATES[2]}" in waiting["message"]
    assert (uncertain["code"], uncertain["field"]) == ("VOLATILITY_UNCERTAIN", "costs.impact")
    assert f"from {DATES[3]} to {DATES[9]}" in uncertain["message"]
    assert answer["costs"]["impact"] > 0.0


def test_participation_by_stored_volumes(wire: Wire, store: Callable[..., None]) -> None:
    """A hundredth of the mean value of the 5 dates before each, and not of the date itself or a later one."""
    names = ("LIQ.G", "LIQ.H")
    volumes = VOLUMES.copy()
    volumes[START + 3 :] *= 9.0
    store(names, CLOSES, volumes)
    asked = {"liquidityLookbackPeriods": 5}
    limited = request(asked, names, execution={"maxParticipation": 0.01})
    limited["marketData"]["endDate"] = civil(DATES[START + 3])
    answer = result(wire, limited)
    bought = [
        sum(0.01 * before(START + k, 5)[j][0] / CLOSES[START + k, j] for k in (1, 2, 3)) for j in range(len(names))
    ]
    held = {one["symbol"]: one["quantity"] for one in answer["strategies"][0]["finalHoldings"]}
    assert held == pytest.approx(dict(zip(names, bought, strict=True)), rel=1e-9)
    assert answer["notes"] == []


def test_participation_without_stored_volumes_is_refused_by_name(wire: Wire, store: Callable[..., None]) -> None:
    store(("LIQ.I",), CLOSES[:, :1], None)
    refusal = wire.refused(BACKTEST, request({}, ("LIQ.A", "LIQ.I"), execution={"maxParticipation": 0.01}))
    assert (refusal.reason, refusal.fields) == ("INVALID_INPUT", ("costs.liquidity",))
    assert "must give the daily_value of LIQ.I, of which no volume is stored: execution.max_part" in refusal.message


def test_what_is_not_stored_or_0_is_refused_by_name(wire: Wire, store: Callable[..., None]) -> None:
    store(("LIQ.E",), CLOSES[:, :1], None)
    store(("LIQ.F",), CLOSES[:, :1], np.zeros((len(DATES), 1)))
    for symbol, words in (
        ("LIQ.E", "must give the daily_value of LIQ.E, of which no volume is stored"),
        ("LIQ.F", f"LIQ.F, whose stored volumes of the 21 dates before {DATES[START + 1]} are all 0"),
    ):
        refusal = wire.refused(BACKTEST, request({"impact": SQUARE_ROOT}, ("LIQ.A", symbol)))
        assert (refusal.reason, refusal.fields) == ("INVALID_INPUT", ("costs.liquidity",))
        assert words in refusal.message
    law = {"almgren": {"sharesOutstanding": [{"symbol": "LIQ.A", "quantity": 1e6}]}}
    refusal = wire.refused(BACKTEST, request({"impact": law}))
    assert refusal.fields == ("costs.impact.almgren.shares_outstanding",)
    assert "LIQ.B" in refusal.message


def test_a_strategy_plans_with_the_impact_of_stored_volumes(wire: Wire, store: object) -> None:
    """An account a hundred times as large, in the same market, trades less of itself."""
    problem = {"objective": {"maxUtility": {"riskAversion": 5}}, "lookbackPeriods": 10, "costs": {}}
    asked = request(
        {"impact": SQUARE_ROOT}, strategy={"optimize": problem}, rebalancing={"everyPeriods": {"n": 5}}, start=20
    )
    small, large = (
        result(wire, {**asked, "initialCapital": capital})["strategies"][0]["metrics"]["turnoverAnnual"]
        for capital in (1e3, 1e7)
    )
    assert 0.0 < large < small


def test_a_target_costs_its_assets_and_not_its_factor(wire: Wire, store: Callable[..., None]) -> None:
    """Nobody trades a factor: its stored volumes change nothing, and are no reason to refuse the target."""
    factor = 40.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.01, (len(DATES), 1)), axis=0))
    store(("LIQ.F",), factor, None)
    store(("LIQ.V",), factor, VOLUMES[:, :1])

    def target(name: str) -> dict[str, float]:
        asked = {
            "portfolio": {"cash": 1e6},
            "marketData": {"symbols": [*SYMBOLS, name]},
            "targetOptimize": {
                "objective": {"maxUtility": {"riskAversion": 20}},
                "estimation": {"covariance": {"factorModel": {"factors": [name]}}},
                "costs": {"impact": SQUARE_ROOT},
            },
            "validateOnly": True,
        }
        assets = wire.call("ReallocationService/Reallocate", asked)["utilization"]["assets"]
        return {one["symbol"]: one.get("targetWeight", 0.0) for one in assets if one["symbol"] in SYMBOLS}

    without, with_volumes = target("LIQ.F"), target("LIQ.V")
    assert list(without) == list(SYMBOLS)
    assert with_volumes == without
