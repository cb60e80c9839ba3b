"""Cash that settles some days after a sale, alone and within a schedule."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.exact import exact, exact_arithmetic
from domain.reallocation.orders import Order
from domain.reallocation.schedule import Schedule
from domain.reallocation.settlement import CashLedger

D = Decimal


def order(symbol: str, units: float, price: int = 100, daily: int | None = None) -> Order:
    size = abs(exact(units))
    limit = None if daily is None else D(daily)
    return Order(symbol, units, D(0), D(price), D(1), wanted=size, daily=limit, quantity=size)


def scheduled(orders: list[Order], days: int, settlement_days: int, cash: int = 1000, floor: int = 500) -> Schedule:
    schedule = Schedule(D(cash), D(floor), lambda: None, settlement_days)
    with exact_arithmetic():
        schedule.run(orders, days)
    return schedule


@pytest.mark.parametrize(
    ("settlement_days", "expected"),
    [
        (0, [(1, "S", -50.0, 6000.0), (1, "B", 40.0, 2000.0)]),
        (1, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0), (2, "B", 35.0, 2000.0)]),
        (2, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0), (3, "B", 35.0, 2000.0)]),
    ],
)
def test_a_purchase_waits_for_the_proceeds(settlement_days: int, expected: list[tuple[int, str, float, float]]) -> None:
    schedule = scheduled([order("S", -50.0), order("B", 40.0)], 5, settlement_days)
    assert [(t.day, t.symbol, t.quantity, t.cash_after) for t in schedule.trades] == expected
    assert schedule.cash == 2000


def test_what_settles_after_the_horizon_buys_nothing() -> None:
    with exact_arithmetic():
        left = Schedule(D(1000), D(500), lambda: None, 2).run([order("S", -50.0), order("B", 40.0)], 2)
    assert left == {"B": 35}


def test_days_that_only_wait_do_not_end_the_schedule() -> None:
    schedule = scheduled([order("S", -30.0, daily=10), order("B", 30.0)], 10, 3, cash=0, floor=0)
    assert [(t.day, t.quantity) for t in schedule.trades] == [
        (1, -10.0), (2, -10.0), (3, -10.0), (4, 10.0), (5, 10.0), (6, 10.0),
    ]  # fmt: skip


def test_pending_proceeds_settle_on_their_day() -> None:
    ledger = CashLedger(D(100), D(30), 1, {2: D(50), 1: D(5)})
    assert (ledger.cash, ledger.usable) == (155, 75)
    ledger.begin(2)
    assert (ledger.cash, ledger.usable) == (155, 125)
    assert not ledger.awaits_settlement


def test_cash_below_the_floor_buys_nothing_and_sales_raise_it() -> None:
    ledger = CashLedger(D(-100), D(0), 1)
    assert ledger.usable == 0
    ledger.sell(D(150))
    assert (ledger.cash, ledger.usable) == (50, 0)
    ledger.begin(2)
    assert ledger.usable == 50


def test_what_a_ledger_refuses() -> None:
    for days in (-1, 31):
        with pytest.raises(InvalidInput) as caught:
            CashLedger(D(0), D(0), days)
        assert caught.value.field == "settlement_days"
    with pytest.raises(InvalidInput) as caught:
        CashLedger(D(0), D(0), 1, {3: D(-1)})
    assert caught.value.field == "pending[3]"
    ledger = CashLedger(D(10), D(5))
    with pytest.raises(ValueError, match="usable"):
        ledger.buy(D(6))
    ledger.begin(4)
    with pytest.raises(ValueError, match="before"):
        ledger.begin(3)


@given(
    st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 40), st.none() | st.integers(1, 20)), max_size=8),
    st.integers(0, 5),
    st.integers(1, 12),
    st.integers(-500, 3000),
    st.integers(-200, 500),
)
def test_settled_cash_never_goes_below_the_floor(
    wanted: list[tuple[int, int, int | None]], settlement_days: int, days: int, cash: int, floor: int
) -> None:
    orders = [order(f"S{i}", float(units), price, daily) for i, (units, price, daily) in enumerate(wanted) if units]
    schedule = scheduled(orders, days, settlement_days, cash, floor)
    prices = {o.symbol: int(o.price) for o in orders}
    for step, trade in enumerate(schedule.trades):
        if trade.quantity < 0.0:
            continue
        # What may be used: everything that was paid until now, and what was sold so many days before.
        done = schedule.trades[: step + 1]
        paid = sum(t.quantity * prices[t.symbol] for t in done if t.quantity > 0.0)
        settled = sum(
            -t.quantity * prices[t.symbol] for t in done if t.quantity < 0.0 and t.day + settlement_days <= trade.day
        )
        assert cash + settled - paid >= floor
    assert float(schedule.cash) == cash - sum(t.quantity * prices[t.symbol] for t in schedule.trades)


@given(
    st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 40)), max_size=6),
    st.integers(0, 4),
    st.integers(0, 2000),
)
def test_later_settlement_only_delays(wanted: list[tuple[int, int]], settlement_days: int, cash: int) -> None:
    """Within a horizon that is long enough, the same is sold, and the last purchase waits for it once."""
    orders = [order(f"S{i}", float(units), price) for i, (units, price) in enumerate(wanted) if units]
    at_once, later = scheduled(orders, 40, 0, cash, 0), scheduled(orders, 40, settlement_days, cash, 0)

    def sold(schedule: Schedule) -> dict[str, float]:
        return {t.symbol: t.quantity for t in schedule.trades if t.quantity < 0.0}

    assert sold(at_once) == sold(later)
    assert max((t.day for t in later.trades), default=1) <= 1 + settlement_days
