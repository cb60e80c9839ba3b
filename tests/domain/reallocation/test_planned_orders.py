"""Fills against the orders of a plan."""

import datetime as dt
from decimal import Decimal

import pytest

from domain.errors import InvalidInput
from domain.reallocation.account import Execution
from domain.reallocation.planned_orders import check_planned, plan_shortfall, planned_orders

TIME = dt.datetime(2023, 1, 2, tzinfo=dt.UTC)


def fill(quantity: int, price: str, symbol: str = "A", fee: str = "0") -> Execution:
    return Execution("f", symbol, Decimal(quantity), Decimal(price), Decimal(fee), TIME)


def test_trades_of_one_asset_are_one_order() -> None:
    orders = planned_orders(
        [("A", Decimal(10), Decimal(5)), ("B", Decimal(-4), Decimal(7)), ("A", Decimal(30), Decimal(6))]
    )
    assert (orders["A"].quantity, orders["A"].price) == (40, Decimal("5.75"))
    assert (orders["B"].quantity, orders["B"].price) == (-4, 7)


def test_all_orders_of_a_plan_count() -> None:
    """An order that is not filled at all counts with its value, and with what it missed where its price is known."""
    orders = planned_orders([("A", Decimal(10), Decimal(5)), ("B", Decimal(-4), Decimal(7))])
    found = plan_shortfall(orders, [fill(10, "5.1", fee="1")], {})
    assert (found.shortfall.total, found.shortfall.decision_value, found.unpriced) == (2, 78, ("B",))
    priced = plan_shortfall(orders, [fill(10, "5.1", fee="1")], {"B": Decimal("6.5")})
    assert (priced.shortfall.missed, priced.shortfall.total, priced.unpriced) == (2, 4, ())


def test_no_more_is_filled_than_was_planned() -> None:
    orders = planned_orders([("A", Decimal(10), Decimal(5))])
    check_planned(orders, [fill(4, "5")], [fill(6, "5")])
    with pytest.raises(InvalidInput, match="11 of 10 units"):
        check_planned(orders, [fill(5, "5")], [fill(6, "5")])
    with pytest.raises(InvalidInput, match="sign of the plan, which buys A"):
        check_planned(orders, [], [fill(-1, "5")])
    with pytest.raises(InvalidInput, match="B is not"):
        check_planned(orders, [], [fill(1, "5", "B")])
