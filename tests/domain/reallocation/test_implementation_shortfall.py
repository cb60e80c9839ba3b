"""Published examples of implementation shortfall, and that its parts are all of it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.reallocation.implementation_shortfall import (
    DecidedOrder,
    Fill,
    ImplementationShortfall,
    combined,
    implementation_shortfall,
)

D = Decimal


def percent(found: ImplementationShortfall) -> dict[str, float]:
    parts = {name: getattr(found, name) for name in ("delay", "realised", "missed", "fee", "total")}
    return {name: 100.0 * (found.fraction(part) or 0.0) for name, part in parts.items()}


def test_filled_in_part_on_a_later_day() -> None:
    """Decision at 50.00; nothing on day 2, close 50.05; 700 at 50.07 on day 3, close 50.09, the rest cancelled."""
    order = DecidedOrder(D(1000), D("50.00"), [Fill(D(700), D("50.07"), D(23), D("50.05"))], last_price=D("50.09"))
    found = implementation_shortfall(order)
    assert found.total == 99
    assert (found.delay, found.realised, found.missed, found.fee) == (35, 14, 27, 23)
    assert percent(found) == pytest.approx(
        {"delay": 0.07, "realised": 0.028, "missed": 0.054, "fee": 0.046, "total": 0.198}
    )


def test_the_same_with_other_figures() -> None:
    order = DecidedOrder(D(1000), D(40), [Fill(D(700), D("40.05"), D(17), D("40.04"))], last_price=D("40.08"))
    assert percent(implementation_shortfall(order)) == pytest.approx(
        {"delay": 0.07, "realised": 0.0175, "missed": 0.06, "fee": 0.0425, "total": 0.19}
    )


def test_a_sale_that_arrives_late() -> None:
    order = DecidedOrder(D(-50_000), D(43), [Fill(D(50_000), D("40.25"), D(2500))], arrival_price=D(41))
    found = implementation_shortfall(order)
    assert found.total == D("2.80") * 50_000
    assert percent(found) == pytest.approx(
        {"delay": 4.6512, "realised": 1.7442, "missed": 0.0, "fee": 0.1163, "total": 6.5116}, abs=5e-5
    )


def test_a_purchase_below_the_decision_is_a_gain() -> None:
    found = implementation_shortfall(DecidedOrder(D(4000), D("16.24"), [Fill(D(4000), D("16.20"), D("38.50"))]))
    assert percent(found)["total"] == pytest.approx(-0.1870, abs=5e-5)
    assert found.total == D("-121.50")
    assert found.delay == 0


def test_nothing_filled_costs_what_was_missed() -> None:
    found = implementation_shortfall(DecidedOrder(D(10), D(5), last_price=D(7)))
    assert found == ImplementationShortfall(missed=D(20), decision_value=D(50))
    assert implementation_shortfall(DecidedOrder(D(-10), D(5), last_price=D(7))).total == -20


def test_several_orders_add_up_in_money() -> None:
    orders = [DecidedOrder(D(10), D(5), last_price=D(7)), DecidedOrder(D(-10), D(15), last_price=D(13))]
    both = combined(implementation_shortfall(order) for order in orders)
    assert both.total == 40
    assert both.fraction(both.total) == 0.2
    assert combined([]).fraction(D(0)) is None


PRICES = st.decimals("0.01", 1000, places=2)


@given(
    st.lists(st.tuples(st.integers(1, 500), PRICES, st.decimals(-5, 50, places=2), st.none() | PRICES), max_size=5),
    st.integers(0, 500),
    st.sampled_from([-1, 1]),
    PRICES,
    st.none() | PRICES,
    PRICES,
)
def test_the_parts_are_paper_less_real(
    fills: list[tuple[int, Decimal, Decimal, Decimal | None]],
    unfilled: int,
    sign: int,
    decision: Decimal,
    arrival: Decimal | None,
    last: Decimal,
) -> None:
    units = sign * (sum(fill[0] for fill in fills) + unfilled)
    made = [Fill(D(q), price, fee, close) for q, price, fee, close in fills]
    found = implementation_shortfall(DecidedOrder(D(units), decision, made, arrival, last))
    # What the two portfolios have gained at the last price, in fractions.
    paper = Fraction(units) * (Fraction(last) - Fraction(decision))
    real = sum((sign * q * (Fraction(last) - Fraction(p)) - Fraction(fee) for q, p, fee, _ in fills), Fraction(0))
    assert Fraction(found.total) == paper - real
    assert Fraction(found.delay + found.realised + found.missed + found.fee) == paper - real
    assert found.decision_value == abs(units) * decision


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fills": [Fill(D(11), D(1))]}, "fills"),
        ({"fills": [Fill(D(-1), D(1))]}, "fills[0].quantity"),
        ({"fills": [Fill(D(1), D(-1))]}, "fills[0].price"),
        ({"fills": [Fill(D(1), D(1), D("NaN"))]}, "fills[0].fee"),
        ({"fills": [Fill(D(1), D(1), D(0), D("-0.5"))]}, "fills[0].previous_close"),
        ({"fills": [Fill(D(9), D(1))]}, "last_price"),
        ({"decision_price": D("Infinity")}, "decision_price"),
        ({"arrival_price": D(-1)}, "arrival_price"),
        ({"units": D("NaN")}, "units"),
    ],
)
def test_what_is_no_order(change: dict[str, object], field: str) -> None:
    given_ = {"units": D(10), "decision_price": D(1), "fills": [Fill(D(10), D(1))]} | change
    with pytest.raises(InvalidInput) as caught:
        DecidedOrder(**given_)  # type: ignore[arg-type]
    assert caught.value.field == field
