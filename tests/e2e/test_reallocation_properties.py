"""What holds for every plan, over the wire."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from absfin import Client, Stored
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from tests.conftest import RunningServer, Wire
from tests.e2e.test_reallocation import REALLOCATE, portfolios
from tests.families import generated

SLOW = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def trades_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer.get("plan", {}).get("trades", []))


def units_after(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Decimal]:
    """Holdings and trades, added up in decimals."""
    units = {one["symbol"]: Decimal(repr(one["quantity"])) for one in request["portfolio"]["holdings"]}
    for trade in trades_of(answer):
        units[trade["symbol"]] = units.get(trade["symbol"], Decimal(0)) + Decimal(repr(trade["quantity"]))
    return units


@given(request=portfolios())
@generated(100, suppress_health_check=SLOW)
def test_what_holds_for_every_plan(wire: Wire, request: dict[str, Any]) -> None:
    """All of one answer: most of the time is that of the plan."""
    answer = wire.call(REALLOCATE, request)
    no_asset_is_both_bought_and_sold(answer)
    the_plan_costs_no_more_than_trading_straight_to_the_target(request, answer)
    assume("plan" in answer)
    holdings_and_trades_are_the_planned_holdings(request, answer)


def holdings_and_trades_are_the_planned_holdings(request: dict[str, Any], answer: dict[str, Any]) -> None:
    prices = {one["symbol"]: Decimal(repr(one["price"])) for one in request["snapshot"]["assets"]}
    units = units_after(request, answer)
    cash = Decimal(repr(request["portfolio"]["cash"]))
    for trade in trades_of(answer):
        cash -= Decimal(repr(trade["quantity"])) * prices[trade["symbol"]]
        cash -= Decimal(repr(trade.get("cost", 0.0)))
    worth = cash + sum(units[symbol] * prices[symbol] for symbol in units)
    summary = answer["summary"]
    assert math.isclose(float(worth), summary["navAfter"], rel_tol=1e-14)
    planned = {one["symbol"]: one.get("weight", 0.0) for one in summary["weightsAfter"]}
    for symbol, count in units.items():
        assert math.isclose(float(count * prices[symbol] / worth), planned.get(symbol, 0.0), rel_tol=1e-13), symbol
    assert math.isclose(float(cash), summary.get("cashAfter", 0.0), rel_tol=1e-12, abs_tol=1e-9)


def no_asset_is_both_bought_and_sold(answer: dict[str, Any]) -> None:
    signs: dict[str, set[bool]] = {}
    for trade in trades_of(answer):
        signs.setdefault(trade["symbol"], set()).add(trade["quantity"] > 0.0)
    assert all(len(found) == 1 for found in signs.values())


def the_plan_costs_no_more_than_trading_straight_to_the_target(request: dict[str, Any], answer: dict[str, Any]) -> None:
    """In whole lots an order may be rounded up: by half a lot at most where it alone decides, a lot of each in all."""
    quotes = {one["symbol"]: one for one in request["snapshot"]["assets"]}
    straight, slack = cost_straight_to_the_target(request), 0.0
    if not request["limits"]["fractional"]:
        slack = sum(rate_of(request, quote) * quote["lotSize"] * quote["price"] for quote in quotes.values())
    assert answer["summary"].get("cost", 0.0) <= straight * (1.0 + 1e-9) + slack + 1e-9


def cost_straight_to_the_target(request: dict[str, Any]) -> float:
    """What is lost by trading to the target at once, in fractions of units and without limits: by bisection of
    worth before = worth after + cost.
    """
    quotes = {one["symbol"]: one for one in request["snapshot"]["assets"]}
    held = {one["symbol"]: one["quantity"] * quotes[one["symbol"]]["price"] for one in request["portfolio"]["holdings"]}
    target = {one["symbol"]: one["weight"] for one in request["targetWeights"]["weights"]}
    nav = request["portfolio"]["cash"] + sum(held.values())

    def cost(after: float) -> float:
        return sum(
            rate_of(request, quotes[s]) * abs(target.get(s, 0.0) * after - held.get(s, 0.0)) for s in {*target, *held}
        )

    low, high = 0.0, nav
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle + cost(middle) <= nav else (low, middle)
    return cost(low)


def rate_of(request: dict[str, Any], quote: dict[str, Any]) -> float:
    return float(1e-4 * request["costs"]["commissionBps"] + 0.5e-4 * quote.get("spreadBps", 0.0))


@given(request=portfolios(), times=st.sampled_from([1.5, 10.0, 1e6]))
@generated(100, suppress_health_check=SLOW)
def test_more_volume_is_never_worse(wire: Wire, request: dict[str, Any], times: float) -> None:
    before = wire.call(REALLOCATE, request)
    for quote in request["snapshot"]["assets"]:
        quote["averageDailyVolume"] *= times
    after = wire.call(REALLOCATE, request)
    # What is proven of a plan: nothing is nearer to the target than 1 - gap times its drift.
    left, now = (answer["summary"].get("residualDrift", 0.0) for answer in (before, after))
    assert now * (1.0 - after.get("plan", {}).get("gap", 0.0)) <= left + 1e-9


@pytest.mark.parametrize(
    ("costs", "trades"),
    [
        ({"fixedFee": 20.0}, True),
        ({"fixedFee": 4_000.0}, False),
        ({"fixedFee": 20.0, "impact": {"squareRoot": {"coefficient": 2.0}}}, True),
        ({"impact": {"squareRoot": {"coefficient": 2.0}}}, True),
    ],
)
def test_a_target_chosen_with_its_costs_is_the_best_of_all(
    sample_server: RunningServer, costs: dict[str, Any], trades: bool
) -> None:
    """Fees of each trade, and impact by the power 3/2 of the traded value, against a search over all weights."""
    with Client(sample_server.address) as client:
        levels = np.asarray(client.prices(Stored(symbols=["AAPL", "XOM"])).values)
    returns = levels[1:] / levels[:-1] - 1.0
    mean, covariance = 252 * returns.mean(axis=0), 252 * np.cov(returns.T)
    nav, volumes, volatility = 200_000.0, np.array([5e5, 2e5]), 0.3

    def utility(weight: float) -> float:
        weights = np.array([weight, 1.0 - weight])
        moved = np.abs(weights - 0.5) * nav
        paid = costs.get("fixedFee", 0.0) * np.count_nonzero(moved > 1e-9)
        if "impact" in costs:
            paid += float(np.sum(2 / 3 * 2.0 * volatility / 252**0.5 * moved**1.5 / np.sqrt(volumes)))
        return float(mean @ weights - 2.0 * weights @ covariance @ weights - paid / nav)

    best = max(np.linspace(0.0, 1.0, 20_001), key=utility)
    quotes = [
        {"symbol": s, "price": 100.0, "averageDailyVolume": volume / 100.0, "volatilityAnnual": volatility}
        for s, volume in zip(("AAPL", "XOM"), volumes.tolist(), strict=True)
    ]
    request = {
        "portfolio": {"holdings": [{"symbol": s, "quantity": 1000} for s in ("AAPL", "XOM")]},
        "snapshot": {"assets": quotes},
        "targetOptimize": {"objective": {"maxUtility": {"riskAversion": 4.0}}, "costs": costs},
        "validateOnly": True,
    }
    with sample_server.channel() as channel:
        answer = Wire(channel).call(REALLOCATE, request)
    wanted = {one["symbol"]: one["targetWeight"] for one in answer["utilization"]["assets"]}
    assert (best != 0.5) == trades
    assert abs(wanted["AAPL"] - best) <= 1e-4
    assert utility(wanted["AAPL"]) >= utility(best) - 1e-9
    planned = {trade["symbol"]: trade["quantity"] for trade in trades_of(answer)}
    assert bool(planned) == trades
    assert abs(planned.get("AAPL", 0.0) - (wanted["AAPL"] - 0.5) * 2000) <= 0.5 + 1e-6
