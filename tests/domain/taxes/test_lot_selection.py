"""Choice of lots, terms and tax."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exact import exact_arithmetic
from domain.taxes.gains import NetGains, RealizedGain, TaxRates, net, realized, tax
from domain.taxes.lot_selection import LotMethod, SaleTerms, order_of_sale, select_lots
from domain.taxes.lots import TaxLot, Term, TermRule

TODAY = dt.date(2024, 6, 3)
RATES = TaxRates.of(0.37, 0.20)
TERMS = SaleTerms(Decimal(15), TODAY, TermRule(), RATES)
LOTS = (
    TaxLot("old", Decimal(100), Decimal(10), dt.date(2019, 6, 3)),
    TaxLot("middle", Decimal(100), Decimal(18), dt.date(2021, 6, 3)),
    TaxLot("new", Decimal(100), Decimal(14), dt.date(2024, 4, 3)),
)


def gains_of(method: LotMethod, units: int = 150, terms: SaleTerms = TERMS) -> list[RealizedGain]:
    sales = select_lots(order_of_sale(LOTS, method, terms), Decimal(units))
    return [terms.gain("A", sale.lot, sale.quantity) for sale in sales]


@pytest.mark.parametrize(
    ("method", "gain", "expected_tax"),
    [
        (LotMethod.FIFO, 350, "70"),
        (LotMethod.LIFO, -50, "7"),
        (LotMethod.HIFO, -250, "-41.5"),
        (LotMethod.TAX_OPTIMAL, -250, "-41.5"),
        (LotMethod.SPECIFIED, 350, "70"),
    ],
)
def test_the_methods_on_three_lots(method: LotMethod, gain: int, expected_tax: str) -> None:
    """Each gain at the rate of its term, without netting."""
    gains = gains_of(method)
    assert realized(gains) == gain
    assert tax(gains, RATES) == Decimal(expected_tax)


def test_netting_is_a_figure_of_its_own() -> None:
    assert net(gains_of(LotMethod.LIFO)) == NetGains(Decimal(0), Decimal(0), Decimal(50))
    assert net(gains_of(LotMethod.FIFO), carry_forward=Decimal(120)) == NetGains(Decimal(0), Decimal(230), Decimal(0))


@pytest.mark.parametrize(
    ("short", "long", "carry", "expected"),
    [
        (300, -50, 0, (250, 0, 0)),
        (50, -100, 0, (0, 0, 50)),
        (-50, 300, 0, (0, 250, 0)),
        (-100, 50, 0, (0, 0, 50)),
        (-10, -20, 5, (0, 0, 35)),
        (100, 200, 150, (0, 150, 0)),
        (100, -100, 0, (0, 0, 0)),
    ],
)
def test_losses_offset_gains_across_terms(short: int, long: int, carry: int, expected: tuple[int, int, int]) -> None:
    gains = [
        RealizedGain("A", "a", Decimal(1), Decimal(short), Term.SHORT),
        RealizedGain("A", "b", Decimal(1), Decimal(long), Term.LONG),
    ]
    assert net(gains, Decimal(carry)) == NetGains(*(Decimal(value) for value in expected))


@pytest.mark.parametrize(
    ("bought", "first_long"),
    [
        (dt.date(2023, 3, 1), dt.date(2024, 3, 2)),
        (dt.date(2020, 1, 1), dt.date(2021, 1, 2)),
        (dt.date(2020, 2, 29), dt.date(2021, 3, 1)),
        (dt.date(2020, 2, 28), dt.date(2021, 3, 1)),
        (dt.date(2023, 2, 28), dt.date(2024, 3, 1)),
        (dt.date(2023, 12, 31), dt.date(2025, 1, 1)),
    ],
)
def test_a_gain_is_long_term_after_more_than_a_year(bought: dt.date, first_long: dt.date) -> None:
    """Counted from the day after the purchase (IRS Publication 550, Holding Period)."""
    lot, rule = TaxLot("a", Decimal(1), Decimal(1), bought), TermRule()
    assert rule.term(lot, first_long) is Term.LONG
    assert rule.term(lot, first_long - dt.timedelta(1)) is Term.SHORT


def test_a_number_of_days_replaces_the_year() -> None:
    lot = TaxLot("a", Decimal(1), Decimal(1), dt.date(2024, 1, 1))
    assert TermRule(10).first_long_term_date(lot) == dt.date(2024, 1, 12)


def test_the_last_dates_of_the_calendar_have_no_year_after() -> None:
    lot = TaxLot("a", Decimal(1), Decimal(1), dt.date(9999, 5, 1))
    assert TermRule().first_long_term_date(lot) == TermRule(3_000_000).first_long_term_date(lot) == dt.date.max


def test_fewer_units_than_are_sold_are_all_taken() -> None:
    assert sum(gain.quantity for gain in gains_of(LotMethod.FIFO, 1000)) == 300


costs = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(0, 800)), min_size=1, max_size=4
)  # units, unit cost, days held


@given(costs, st.integers(1, 6), st.integers(1, 30), st.floats(0, 1), st.floats(0, 1))
def test_no_choice_of_units_costs_less_tax(
    held: list[tuple[int, int, int]], units: int, price: int, short: float, long: float
) -> None:
    """Against every choice of units."""
    rates = TaxRates.of(short, long)
    terms = SaleTerms(Decimal(price), TODAY, TermRule(), rates)
    lots = [
        TaxLot(str(i), Decimal(n), Decimal(cost), TODAY - dt.timedelta(days)) for i, (n, cost, days) in enumerate(held)
    ]
    with exact_arithmetic():
        total = min(units, sum(n for n, _, _ in held))
        sales = select_lots(order_of_sale(lots, LotMethod.TAX_OPTIMAL, terms), Decimal(total))
        found = tax([terms.gain("A", sale.lot, sale.quantity) for sale in sales], rates)
        least = min(
            sum((n * terms.tax_per_unit(lot) for n, lot in zip(choice, lots, strict=True)), Decimal(0))
            for choice in itertools.product(*(range(n + 1) for n, _, _ in held))
            if sum(choice) == total
        )
        assert found == least
