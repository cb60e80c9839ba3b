"""Plans whose sales settle later: what is bought is paid with settled cash, and no lots come nearer to the target."""

import itertools
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.programs.solver_control import UNLIMITED
from domain.portfolio import Portfolio
from domain.reallocation.drift import Drift
from domain.reallocation.flow import reallocate
from domain.reallocation.lots import Budgets, LotOrder
from domain.reallocation.priced_lots import priced_lots
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Reallocation
from tests.domain.reallocation.execution import carry_out, cost_rate, fraction
from tests.domain.reallocation.test_plans import requests
from tests.families import generated


def settled_after_each(request: ReallocationRequest, found: Reallocation) -> list[tuple[bool, Fraction]]:
    """Whether each trade buys, and the settled cash after it: an account book of its own."""
    settled, due, book = fraction(request.portfolio.cash), dict[int, Fraction](), []
    for trade in found.plan.trades:
        for day in [day for day in due if day <= trade.day]:
            settled += due.pop(day)
        value = fraction(trade.quantity) * fraction(trade.price)
        paid = value + abs(value) * cost_rate(request, trade.symbol)
        if value < 0 and paid < 0 and request.settlement_days:
            day = trade.day + request.settlement_days
            due[day] = due.get(day, Fraction(0)) - paid
        else:
            settled -= paid
        book.append((value > 0, settled))
    return book


@given(requests(), st.integers(0, 4))
@generated(300)
def test_settled_cash_is_never_below_the_floor(request: ReallocationRequest, days: int) -> None:
    request = replace(request, settlement_days=days)
    found = reallocate(request)
    carry_out(request, found)
    floor = fraction(request.limits.cash_floor)
    for buys, cash in settled_after_each(request, found):
        assert not buys or cash >= floor


@st.composite
def small_accounts(draw: st.DrawFn) -> ReallocationRequest:
    """Sales within a day's volume, purchases without a limit: the last day has all that settles."""
    prices = [draw(st.integers(20, 400)) for _ in range(3)]
    held = [draw(st.integers(1, 12)), draw(st.integers(0, 4)), draw(st.integers(0, 2))]
    volumes = [draw(st.sampled_from([1.0, 2.0, 3.0, None])), None, None]
    quotes = {f"S{i}": Quote(float(prices[i]), volumes[i]) for i in range(3)}
    parts = [draw(st.integers(0, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 5))]
    whole = sum(parts) + draw(st.integers(0, 1))
    return ReallocationRequest(
        Portfolio({f"S{i}": float(held[i]) for i in range(3)}, float(draw(st.integers(0, 500)))),
        Snapshot(quotes),
        {f"S{i}": parts[i] / whole for i in range(3)},
        limits=Limits(max_participation=1.0, cash_floor=draw(st.sampled_from([0.0, 100.0]))),
        costs=LinearCost(draw(st.sampled_from([0.0, 40.0]))),
        horizon_days=draw(st.integers(1, 4)),
        settlement_days=draw(st.integers(1, 3)),
    )


def _usable(request: ReallocationRequest, symbol: str, units: int) -> int:
    """Units of a sale whose proceeds can be used on the last day."""
    days, volume = request.horizon_days - request.settlement_days, request.market.quotes[symbol].average_daily_volume
    if days <= 0:
        return 0
    return units if volume is None else min(units, int(volume) * days)


def _best_drift(request: ReallocationRequest) -> float:
    """Of all whole numbers of units that can be carried out."""
    symbols, rate = list(request.target), request.costs.commission_bps / 1e4
    price = {s: request.market.quotes[s].price for s in symbols}
    held = {s: int(request.portfolio.quantities[s]) for s in symbols}
    nav = request.portfolio.cash + sum(price[s] * held[s] for s in symbols)
    ranges = []
    for s in symbols:
        volume = request.market.quotes[s].average_daily_volume
        sold = held[s] if volume is None else min(held[s], int(volume) * request.horizon_days)
        bought = (
            int(nav // price[s]) if volume is None else min(int(nav // price[s]), int(volume) * request.horizon_days)
        )
        ranges.append(range(-sold, bought + 1))
    best = 2.0
    for trades in itertools.product(*ranges):
        spare = request.portfolio.cash - request.limits.cash_floor
        cost = rate * sum(abs(n) * price[s] for s, n in zip(symbols, trades, strict=True))
        for s, n in zip(symbols, trades, strict=True):
            spare += _usable(request, s, -n) * price[s] * (1 - rate) if n < 0 else -n * price[s] * (1 + rate)
        if spare < -1e-9 and any(n > 0 for n in trades):
            continue
        after = nav - cost
        left = sum(
            abs((held[s] + n) * price[s] / after - request.target[s]) for s, n in zip(symbols, trades, strict=True)
        )
        best = min(best, left / 2)
    return best


@given(small_accounts())
@generated(40)
def test_no_combination_of_lots_that_settles_is_nearer(request: ReallocationRequest) -> None:
    held = {s: request.portfolio.quantities[s] * quote.price for s, quote in request.market.quotes.items()}
    # What has a limited volume is only sold: purchases of one day need not be within it.
    assume(held["S0"] >= request.target["S0"] * (request.portfolio.cash + sum(held.values())))
    found = reallocate(request)
    carry_out(request, found)
    best = _best_drift(request)
    assert found.plan.least_drift <= best + 1e-9
    assert found.objective <= best + 1e-9
    assert found.optimal


def test_sales_that_settle_late_raise_a_negative_cash() -> None:
    market = Snapshot({"A": Quote(10.0), "B": Quote(10.0), "C": Quote(10.0)})
    request = ReallocationRequest(
        Portfolio({"A": 10.0, "B": 20.0}, -35.0), market, {"A": 0.0, "B": 0.7, "C": 0.3}, settlement_days=1
    )
    found = reallocate(request)
    # A is sold for 100, which is more than is missing: of B 18.55 are wanted, and no more is sold. Nothing is bought.
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -10.0, "B": -1.0}
    assert found.summary.cash_after == 75.0


def test_the_bound_counts_only_what_settles() -> None:
    # Two of ten lots of A settle: at most 2 of B can be bought, of 10 wanted.
    orders = [
        LotOrder(10.0, 10.0, 10, 1, buys=False, value=Decimal(100), cash=Decimal(100), usable=2),
        LotOrder(10.0, 10.0, 100, 1, buys=True, value=Decimal(100), cash=Decimal(100)),
    ]
    drift = Drift(
        1000.0, np.array([1000.0, 0.0]), np.array([0.0, 1.0]), np.array([0, 1]), np.array([-100.0, 100.0]), np.zeros(2)
    )
    budgets = Budgets(Decimal(0), Decimal("-Infinity"), Decimal("Infinity"))
    assert drift([10, 2]) == 0.4
    assert priced_lots(drift, orders, budgets, [10, 2], UNLIMITED).bound == pytest.approx(0.4)


def test_a_fraction_that_costs_do_not_need_is_not_said_to_be_a_lot() -> None:
    """Half of the sale that pays all costs is enough where half of the purchase is made: the rest has cause COST."""
    quotes = {
        "S1": Quote(0.01, halted=True),
        "S2": Quote(0.01),
        "S3": Quote(0.01, spread_bps=3.0),
    }
    request = ReallocationRequest(
        portfolio=Portfolio({"S1": 1.0, "S2": 2.0}, cash=0.01),
        market=Snapshot(quotes),
        target={"S2": 0.5, "S3": 0.5},
        limits=Limits(fractional=True),
    )
    found = reallocate(request)
    carry_out(request, found)
    codes = {shortfall.symbol: shortfall.causes[0].code.value for shortfall in found.plan.shortfalls}
    assert codes["S1"] == "HALTED"
    assert codes["S3"] == "CASH"
    assert codes.get("S2", "COST") == "COST"
