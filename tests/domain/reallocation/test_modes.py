"""Limits on direction, cost and purchases where the search for lots begins, and at the edges of a plan."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder, choose_lots, keeps
from domain.reallocation.modes import Direction, Modes
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Unchanged
from tests.domain.reallocation.execution import carry_out
from tests.families import generated

UNLIMITED = Decimal("Infinity")


@st.composite
def lot_orders(draw: st.DrawFn) -> LotOrder:
    buys, wanted = draw(st.booleans()), draw(st.integers(1, 80)) / 8
    value = Decimal(draw(st.integers(50, 400)))
    cost = value * draw(st.sampled_from([0, 1, 20])) / 1000
    return LotOrder(
        wanted=wanted, scalable=wanted, most=ANY_NUMBER if buys else draw(st.integers(1, 12)),
        least=draw(st.sampled_from([1, 1, 3])), buys=buys, value=value, cash=value + cost if buys else value - cost,
    )  # fmt: skip


@given(
    st.lists(lot_orders(), min_size=1, max_size=6),
    st.sampled_from([Decimal(0), Decimal(300), Decimal(3000)]),
    st.sampled_from([Decimal(0), Decimal(7), Decimal(30), UNLIMITED]),
    st.booleans(),
)
@generated(200)
def test_the_lots_that_a_search_begins_with_keep_every_budget(
    orders: list[LotOrder], cash: Decimal, cost: Decimal, retains: bool
) -> None:
    budgets = Budgets(cash, -UNLIMITED, UNLIMITED, cost, cash if retains else UNLIMITED)
    lots = choose_lots(orders, budgets, partial(_distance, orders), _go)
    traded = list(zip(orders, lots, strict=True))
    # Counted apart from the code that keeps them.
    assert all(n == 0 or o.least <= n <= o.most for o, n in traded)
    assert sum(n * abs(o.cash - o.value) for o, n in traded) <= cost
    bought = sum(n * o.cash for o, n in traded if o.buys)
    received = sum(n * o.cash for o, n in traded if not o.buys)
    assert bought <= (cash if retains else cash + received)
    assert keeps(orders, budgets, lots)


def _go() -> None:
    """Never cancels."""


def _distance(orders: Sequence[LotOrder], lots: Sequence[int]) -> float:
    return sum(order.distance(count) for order, count in zip(orders, lots, strict=True))


@pytest.mark.parametrize(
    ("cost", "purchases", "kept"),
    [("0.6", "100.3", True), ("0.59", "100.3", False), ("0.6", "100.2", False)],
)
def test_lots_keep_budgets_to_the_last_digit(cost: str, purchases: str, kept: bool) -> None:
    bought = LotOrder(1.0, 1.0, 5, 1, True, Decimal(100), Decimal("100.3"))
    sold = LotOrder(1.0, 1.0, 5, 1, False, Decimal(100), Decimal("99.7"))
    budgets = Budgets(Decimal(500), -UNLIMITED, UNLIMITED, Decimal(cost), Decimal(purchases))
    assert keeps([bought, sold], budgets, [1, 1]) is kept


def lots_of(wanted: float, *, buys: bool = True, least: int = 1, cost: int = 0) -> LotOrder:
    """Lots of 100 in money."""
    return LotOrder(wanted, wanted, 1000, least, buys, Decimal(100), Decimal(100 + (cost if buys else -cost)))


@pytest.mark.parametrize(
    ("orders", "cash", "cost", "purchases", "best"),
    [
        # The nearest to 1.6 lots is 2, whose cost of 4 is too much.
        ([lots_of(1.6, cost=2)], 10_000, "3.3", "Infinity", [1]),
        # So is the price of 2, where the proceeds of sales are not to be used.
        ([lots_of(1.6), lots_of(20.0, buys=False)], 190, "Infinity", "190", [1, 20]),
        # Nothing is bought of the second, so what was its share is added to the first, in steps of 1, 2, 4.
        ([lots_of(20.0), lots_of(9.0, least=8), lots_of(20.0, buys=False)], 800, "Infinity", "800", [8, 0, 20]),
        ([lots_of(20.0, cost=1), lots_of(9.0, least=8, cost=1)], 10_000, "10", "Infinity", [10, 0]),
    ],
)
def test_the_search_begins_with_all_that_the_budgets_allow(
    orders: list[LotOrder], cash: int, cost: str, purchases: str, best: list[int]
) -> None:
    budgets = Budgets(Decimal(cash), -UNLIMITED, UNLIMITED, Decimal(cost), Decimal(purchases))
    found = choose_lots(orders, budgets, partial(_distance, orders), _go)
    assert found == best


def exit_of(units: float, **more: object) -> ReallocationRequest:
    """A holding of some units at 10, in lots of 10, that is not wanted; a trade costs 2 %."""
    market = Snapshot({"A": Quote(10.0, lot_size=10.0)})
    return ReallocationRequest(Portfolio({"A": units}, 100.0), market, {}, costs=LinearCost(200.0), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("aversion", "sold"), [(0.0, 20.0), (20.0, 20.0), (24.0, 20.0), (26.0, 0.0), (1000.0, 0.0)])
def test_a_full_exit_is_worth_its_cost_or_not(aversion: float, sold: float) -> None:
    """Selling all of a weight w lowers drift by w / 2, and costs 0.02 w of what is left: 24.5 decides.

    Drift is 1/3 at first; then 0, and 4 of 296 are paid: 1/3 = a 4 / 296 at a = 24.67.
    """
    request = exit_of(20.0, modes=Modes(cost_aversion=aversion))
    found = reallocate(request)
    carry_out(request, found)
    assert -sum(trade.quantity for trade in found.plan.trades) == sold
    assert found.optimal
    assert isinstance(found.outcome, Unchanged) is (sold == 0.0)


def test_an_odd_lot_goes_with_the_exit_where_the_cost_allows_it() -> None:
    # All 25 units cost 5, the lots of 20 cost 4: of 350, 5 are 142.86 bps.
    for bps, sold in ((142.9, 25.0), (142.8, 20.0), (100.0, 10.0)):
        request = exit_of(25.0, limits=Limits(max_cost_bps=bps))
        found = reallocate(request)
        carry_out(request, found)
        assert -sum(trade.quantity for trade in found.plan.trades) == sold


def test_proceeds_that_stay_in_cash_bound_the_drift() -> None:
    market = Snapshot({"A": Quote(10.0), "B": Quote(30.0), "C": Quote(7.0)})
    request = ReallocationRequest(
        Portfolio({"A": 100.0}, 200.0), market, {"A": 0.2, "B": 0.4, "C": 0.4}, modes=Modes(retain_cash=True)
    )
    found = reallocate(request)
    carry_out(request, found)
    # 960 are lacking in B and C; of 200 in cash 6 x 30 and 2 x 7, or 2 x 30 and 20 x 7, buy the most: all of it.
    assert found.summary.residual_drift == pytest.approx((960.0 - 200.0) / 2 / 1200.0)
    assert found.plan.least_drift == pytest.approx(found.summary.residual_drift, rel=1e-6)
    assert found.optimal


def test_cash_below_zero_before_or_after_a_flow_needs_sales() -> None:
    held = Portfolio({"A": 20.0}, -50.0)
    with pytest.raises(InvalidInput, match="direction"):
        replace(exit_of(20.0), portfolio=held, modes=Modes(Direction.BUY_ONLY))
    paid = replace(exit_of(20.0), portfolio=held, modes=Modes(Direction.BUY_ONLY, cash_flow=50.0))
    assert not reallocate(paid).plan.trades
