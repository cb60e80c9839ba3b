"""The best whole lots beside every combination, and the bound beside the best of them."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.costs.linear import LinearCost
from domain.exact import exact, exact_arithmetic
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.programs.solver_control import UNLIMITED
from domain.portfolio import Portfolio
from domain.reallocation.drift import Drift
from domain.reallocation.flow import reallocate
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder
from domain.reallocation.modes import Direction, Modes
from domain.reallocation.priced_lots import priced_lots
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Failure
from tests.domain.reallocation.execution import carry_out, fraction
from tests.families import generated


@st.composite
def small_accounts(draw: st.DrawFn) -> ReallocationRequest:
    """Two or three assets of which a few units are held and wanted."""
    symbols = ["A", "B", "C"][: draw(st.integers(2, 3))]
    quotes = {
        s: Quote(draw(st.integers(5000, 40_000)) / 100, lot_size=draw(st.sampled_from([1.0, 1.0, 5.0])))
        for s in symbols
    }
    held = {s: float(draw(st.integers(0, 8))) for s in symbols}
    # A holding that is not wanted is sold with its odd lot; the combinations below have whole lots only.
    parts = [draw(st.integers(0 if quotes[s].lot_size == 1.0 else 1, 9)) for s in symbols]
    whole = max(sum(parts), 1) * draw(st.sampled_from([1.0, 1.0, 1.25]))
    return ReallocationRequest(
        Portfolio({s: q for s, q in held.items() if q}, float(draw(st.integers(1, 1500)))),
        Snapshot(quotes),
        {s: part / whole for s, part in zip(symbols, parts, strict=True)},
        limits=Limits(
            min_trade_value=draw(st.sampled_from([0.0, 0.0, 150.0, 700.0])),
            cash_floor=draw(st.sampled_from([0.0, 0.0, 100.0])),
            max_turnover=draw(st.sampled_from([None, None, 0.2])),
            max_cost_bps=draw(st.sampled_from([None, None, 5.0, 50.0])),
        ),
        costs=LinearCost(draw(st.sampled_from([0.0, 10.0, 200.0]))),
        modes=draw(modes()),
    )


@st.composite
def modes(draw: st.DrawFn) -> Modes:
    """Half of the accounts have none."""
    if draw(st.booleans()):
        return Modes()
    return Modes(
        direction=draw(st.sampled_from([Direction.BOTH, Direction.BUY_ONLY, Direction.SELL_ONLY])),
        no_new_names=draw(st.booleans()),
        retain_cash=draw(st.booleans()),
        cost_aversion=draw(st.sampled_from([0.0, 1.0, 20.0, 30.0, 60.0])),
    )


def _best_objective(request: ReallocationRequest) -> float:
    """The least drift and weighed cost of all combinations of whole lots that keep the limits; money in millionths."""
    limits, quotes = request.limits, request.market.quotes
    million = np.int64(1_000_000)
    price = {s: np.int64(round(100 * q.price)) * 10_000 for s, q in quotes.items()}
    held = {s: np.int64(request.portfolio.quantities.get(s, 0.0)) for s in quotes}
    cash, floor = np.int64(request.portfolio.cash) * million, np.int64(limits.cash_floor) * million
    nav = cash + sum(held[s] * price[s] for s in quotes)
    grid = np.meshgrid(*(_trades(request, s, int(nav // million)) for s in quotes), indexing="ij")
    units = dict(zip(quotes, grid, strict=True))
    traded = sum(np.abs(units[s]) * price[s] for s in quotes)
    cost = traded // 10_000 * np.int64(request.costs.commission_bps)
    values = {s: (held[s] + units[s]) * price[s] for s in quotes}
    left = nav - cost - sum(values.values())
    buys = np.any([units[s] > 0 for s in quotes], axis=0)
    allowed = (cost < nav) & ((left >= floor) | ~buys)
    if request.modes.direction is Direction.BUY_ONLY:
        allowed &= np.all([units[s] >= 0 for s in quotes], axis=0)
    if request.modes.direction is Direction.SELL_ONLY:
        allowed &= ~buys
    if request.modes.no_new_names:
        allowed &= np.all([units[s] <= 0 for s in quotes if not held[s]] or [allowed], axis=0)
    if request.modes.retain_cash:
        bought = sum(np.maximum(units[s], 0) * price[s] for s in quotes)
        paid = bought + bought // 10_000 * np.int64(request.costs.commission_bps)
        allowed &= paid <= max(cash - floor, 0)
    if limits.max_cost_bps is not None:
        allowed &= 10_000 * cost <= round(limits.max_cost_bps) * nav
    if limits.max_turnover is not None:
        allowed &= 10 * traded <= round(20 * limits.max_turnover) * nav
    drift = sum(np.abs(values[s] / (nav - cost) - request.target[s]) for s in quotes) / 2.0
    return float((drift + request.modes.cost_aversion * cost / (nav - cost))[allowed].min())


def _trades(request: ReallocationRequest, symbol: str, nav: int) -> NDArray[np.int64]:
    """Every trade of whole lots, in units, that the limits allow and the money may pay for."""
    quote = request.market.quotes[symbol]
    lot, held = int(quote.lot_size), int(request.portfolio.quantities.get(symbol, 0.0))
    counts = lot * np.arange(-(held // lot), int(nav / quote.price / lot) + 1)
    cents = round(100 * quote.price)
    return counts[(counts == 0) | (np.abs(counts) * cents >= 100 * request.limits.min_trade_value)]


@given(small_accounts())
@generated(150)
def test_no_combination_of_lots_is_nearer_to_the_target(request: ReallocationRequest) -> None:
    found = reallocate(request)
    done = carry_out(request, found)
    if isinstance(found.outcome, Failure):
        return
    best = _best_objective(request)
    weighed = fraction(request.modes.cost_aversion) * done.cost / (done.nav_before - done.cost)
    assert found.objective == pytest.approx(float(done.drift(request) + weighed), abs=1e-12)
    assert found.objective <= best + 1e-9
    assert found.plan.least_drift <= best + 1e-9
    assert found.optimal


@given(small_accounts())
@generated(60)
def test_a_higher_aversion_never_raises_cost(request: ReallocationRequest) -> None:
    costs = []
    for aversion in (0.0, 5.0, 20.0, 30.0, 60.0, 1000.0):
        found = reallocate(replace(request, modes=replace(request.modes, cost_aversion=aversion)))
        assert found.optimal
        costs.append(found.summary.cost)
    assert all(more >= less - 1e-6 for more, less in itertools.pairwise(costs))
    # At 60 and the 200 bps at most that a trade costs, or at 1000 and 10, no trade is worth it.
    assert costs[-1] == 0.0


@given(small_accounts())
@generated(60)
def test_the_multiplier_of_cash_proves_a_bound(request: ReallocationRequest) -> None:
    """Of purchases from cash; whatever plan is known, here the one of the program, half of it, and none."""
    weighed = Modes(cost_aversion=request.modes.cost_aversion)
    request = replace(request, portfolio=Portfolio({}, 2000.0), limits=Limits(), modes=weighed)
    found = reallocate(request)
    bought = {trade.symbol: round(trade.quantity) for trade in found.plan.trades}
    quotes = list(request.market.quotes.items())
    cash = [exact(q.price) * exact(q.lot_size) * (1 + exact(request.costs.commission_bps) / 10_000) for _, q in quotes]
    value = np.array([q.price * q.lot_size for _, q in quotes])
    target = np.array([request.target[s] for s, _ in quotes])
    drift = Drift(
        2000.0, 0.0 * target, target, np.arange(len(quotes)), value, 0.0 * value + request.costs.rate(quotes[0][0]),
        weighed.cost_aversion,
    )  # fmt: skip
    orders = [
        LotOrder(t * 2000.0 / v, t * 2000.0 / v, ANY_NUMBER, 1, True, exact(v), paid)
        for t, v, paid in zip(target, value, cash, strict=True)
    ]
    known = [round(bought.get(s, 0) / q.lot_size) for s, q in quotes]
    budgets = Budgets(Decimal(2000), Decimal("-Infinity"), Decimal("Infinity"))
    best = _best_objective(request)
    for plan in (known, [lots // 2 for lots in known], [0] * len(known)):
        with exact_arithmetic():
            assert 0.0 <= priced_lots(drift, orders, budgets, plan, UNLIMITED).bound <= best + 1e-12


@pytest.mark.parametrize("aversion", [0.0, 100.0])
@pytest.mark.parametrize("assets", [30, 700])
def test_the_bound_of_a_large_account_is_near(assets: int, aversion: float) -> None:
    prices = {f"S{i}": 20.0 + (37 * i) % 211 + i / 100 for i in range(assets)}
    weights = {s: (1 + (7 * i) % 13) for i, s in enumerate(prices)}
    target = {s: w / sum(weights.values()) for s, w in weights.items()}
    request = ReallocationRequest(
        Portfolio({}, 4000.0 * assets),
        Snapshot({s: Quote(p) for s, p in prices.items()}),
        target,
        costs=LinearCost(10.0),
        modes=Modes(cost_aversion=aversion),
    )
    found = reallocate(request)
    carry_out(request, found)
    assert 0.0 < found.plan.least_drift <= found.objective
    assert found.gap < 1e-3
