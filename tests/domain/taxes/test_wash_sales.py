"""Wash sales: published examples, and a second ledger that works unit by unit."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exact import exact_arithmetic
from domain.taxes.lot_selection import LotMethod, SaleTerms, order_of_sale, select_lots
from domain.taxes.lots import TaxLot, TermRule
from domain.taxes.wash_sales import OtherPurchase, WashSaleLedger, WashSaleRule
from tests.domain.taxes.unit_ledger import UnitLedger


def date(month: int, day: int, year: int = 2023) -> dt.date:
    return dt.date(year, month, day)


def lot(lot_id: str, units: int, unit_cost: str | int, bought: dt.date, since: dt.date | None = None) -> TaxLot:
    return TaxLot(lot_id, Decimal(units), Decimal(unit_cost), bought, since)


def sell(ledger: WashSaleLedger, units: int, price: str | int, on: dt.date, symbol: str = "A") -> None:
    """Sells the oldest units."""
    terms = SaleTerms(Decimal(price), on, TermRule())
    ledger.sell(symbol, select_lots(order_of_sale(ledger.lots(symbol), LotMethod.FIFO, terms), Decimal(units)), terms)


def disallowed(ledger: WashSaleLedger) -> list[Decimal]:
    return [gain.disallowed_loss for gain in ledger.gains]


def bases(ledger: WashSaleLedger, symbol: str = "A") -> dict[str, Decimal]:
    return {lot.lot_id: lot.basis for lot in ledger.lots(symbol)}


def test_the_basis_of_the_replacement_is_its_cost_and_the_disallowed_loss() -> None:
    """IRS Publication 550, Wash Sales, example 1."""
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 100, 10, date(1, 3))]})
    sell(ledger, 100, "7.50", date(3, 1))
    ledger.buy("A", lot("b", 100, 8, date(3, 20)))
    assert disallowed(ledger) == [250]
    assert ledger.gains[0].taxable == 0
    assert bases(ledger) == {"b": 1050}


@pytest.mark.parametrize(("rebought", "basis"), [(90, 110), (70, 90)])
def test_one_share_sold_and_bought_again(rebought: int, basis: int) -> None:
    """26 CFR 1.1091-2(a), examples 1 and 2."""
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 1, 100, date(1, 3))]})
    sell(ledger, 1, 80, date(3, 1))
    ledger.buy("A", lot("b", 1, rebought, date(3, 30)))
    assert bases(ledger) == {"b": basis}


def test_purchases_of_the_days_before_replace_as_far_as_they_go() -> None:
    """26 CFR 1.1091-1(h), example 1."""
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 100, 50, date(9, 21, 2022))]})
    ledger.buy("A", lot("b", 50, 55, date(12, 21, 2022)))
    ledger.buy("A", lot("c", 25, 45, date(12, 27, 2022)))
    sell(ledger, 100, 40, date(1, 3, 2023))
    assert disallowed(ledger) == [750]
    assert ledger.gains[0].taxable == -250
    assert bases(ledger) == {"b": 3250, "c": 1375}


def test_the_first_purchases_replace_first() -> None:
    """26 CFR 1.1091-1(h), example 3."""
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 100, 50, date(9, 21, 2022))]})
    sell(ledger, 100, 40, date(2, 1))
    for day in (14, 15, 16, 17):
        ledger.buy("A", lot(f"b{day}", 50, 42, date(2, day)))
    assert disallowed(ledger) == [1000]
    assert bases(ledger) == {"b14": 2600, "b15": 2600, "b16": 2100, "b17": 2100}


def test_the_rest_of_the_same_purchase_is_no_replacement() -> None:
    """Rev. Rul. 56-602."""
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 200, 50, date(3, 1))]})
    sell(ledger, 100, 40, date(3, 20))
    assert disallowed(ledger) == [0]
    assert bases(ledger) == {"a": 5000}


def test_another_purchase_of_the_days_before_is_a_replacement() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 100, 50, date(3, 1)), lot("b", 100, 50, date(3, 2))]})
    sell(ledger, 100, 40, date(3, 20))
    assert disallowed(ledger) == [1000]
    assert bases(ledger) == {"b": 6000}


@pytest.mark.parametrize(("days", "washed"), [(30, True), (31, False)])
def test_the_window_has_thirty_days_on_each_side(days: int, washed: bool) -> None:
    later = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 1, 100, date(1, 3))]})
    sell(later, 1, 80, date(6, 1))
    later.buy("A", lot("b", 1, 90, date(6, 1) + dt.timedelta(days)))
    earlier = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 1, 100, date(1, 3))]})
    earlier.buy("A", lot("b", 1, 90, date(6, 1) - dt.timedelta(days)))
    sell(earlier, 1, 80, date(6, 1))
    assert disallowed(later) == disallowed(earlier) == [20 if washed else 0]


def test_the_holding_period_of_what_was_sold_counts_on() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 100, 50, date(1, 1))]})
    sell(ledger, 100, 40, date(4, 11))  # held for 100 days
    ledger.buy("A", lot("b", 60, 41, date(5, 1)))
    (held,) = ledger.lots("A")
    assert held.holding_period_start == date(5, 1) - dt.timedelta(100)
    assert held.purchase_date == date(5, 1)


def test_a_lot_is_divided_where_only_a_part_replaces() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 30, 50, date(1, 1))]})
    sell(ledger, 30, 40, date(4, 11))
    ledger.buy("A", lot("b", 100, 41, date(5, 1)))
    assert bases(ledger) == {"b~1": 30 * 51, "b": 70 * 41}
    sell(ledger, 100, 45, date(9, 1))
    # The loss of 300 comes back in the sale of its replacement: 30 x (45 - 51) + 70 x (45 - 41).
    assert sum(gain.taxable for gain in ledger.gains) == 100


def test_a_purchase_replaces_once() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 50, 50, date(1, 1)), lot("b", 50, 60, date(1, 2))]})
    sell(ledger, 50, 40, date(4, 1))
    sell(ledger, 50, 40, date(4, 2))
    ledger.buy("A", lot("c", 50, 41, date(4, 3)))
    assert disallowed(ledger) == [500, 0]
    assert bases(ledger) == {"c": 50 * 51}


def test_a_lot_that_has_replaced_replaces_no_more() -> None:
    replaced = lot("b", 50, 51, date(3, 20), since=date(1, 1))
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 50, 50, date(1, 1)), replaced]})
    sell(ledger, 50, 40, date(4, 1))
    assert disallowed(ledger) == [0]


def test_identical_assets_count_as_one() -> None:
    rule = WashSaleRule.with_groups([("A", "B"), ("C", "D"), ("B", "C")])
    ledger = WashSaleLedger(rule, {"A": [lot("a", 10, 50, date(1, 1))]})
    sell(ledger, 10, 40, date(4, 1))
    ledger.buy("D", lot("d", 10, 80, date(4, 2)))
    ledger.buy("E", lot("e", 10, 80, date(4, 2)))
    assert disallowed(ledger) == [100]
    assert bases(ledger, "D") == {"d": 900}
    assert bases(ledger, "E") == {"e": 800}


def test_purchases_in_other_accounts_disallow_losses() -> None:
    """Rev. Rul. 2008-5."""
    earlier = [OtherPurchase("A", Decimal(4), date(3, 20))]
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 10, 50, date(1, 1))]}, earlier)
    sell(ledger, 10, 40, date(4, 1))
    assert disallowed(ledger) == [40]
    ledger.buy_elsewhere(OtherPurchase("A", Decimal(3), date(4, 5)))
    assert disallowed(ledger) == [70]


def test_gains_are_never_washed() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 10, 50, date(1, 1))]})
    sell(ledger, 10, 60, date(4, 1))
    ledger.buy("A", lot("b", 10, 61, date(4, 2)))
    assert disallowed(ledger) == [0]
    assert bases(ledger) == {"b": 610}


def test_lots_sold_together_do_not_replace_each_other() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 10, 50, date(1, 1)), lot("b", 10, 45, date(3, 20))]})
    sell(ledger, 20, 40, date(4, 1))
    assert disallowed(ledger) == [0, 0]


def test_the_last_date_of_the_restriction() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 10, 50, date(1, 1))]})
    sell(ledger, 5, 60, date(3, 1))
    assert ledger.open_loss_dates() == {}
    sell(ledger, 5, 40, date(4, 1))
    assert ledger.open_loss_dates() == {"A": date(5, 1)}


def test_a_lot_of_the_same_id_is_refused() -> None:
    ledger = WashSaleLedger(WashSaleRule(), {"A": [lot("a", 10, 50, date(1, 1))]})
    with pytest.raises(ValueError, match="a is held"):
        ledger.buy("A", lot("a", 10, 50, date(2, 1)))


history = st.lists(
    st.tuples(st.booleans(), st.integers(0, 25), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=25
)


@given(history)
def test_both_ledgers_agree(events: Iterable[tuple[bool, int, int, int]]) -> None:
    """Taxable gains, disallowed losses and the basis of what is held; the first units bought are sold first."""
    ledger, second = WashSaleLedger(WashSaleRule()), UnitLedger()
    today = date(1, 1)
    with exact_arithmetic():
        for number, (buys, days, units, price) in enumerate(events):
            today += dt.timedelta(days)
            if buys:
                ledger.buy("A", lot(f"p{number}", units, price, today))
                second.buy(number, units, price, today)
            else:
                units = min(units, len(second.held))
                # Parts of a divided purchase have the same date; the unit ledger keeps the replaced ones in front.
                sell_in_order_of(second, ledger, units, price, today)
        assert sum((gain.taxable for gain in ledger.gains), Decimal(0)) == second.allowed
        assert sum((gain.disallowed_loss for gain in ledger.gains), Decimal(0)) == second.disallowed
        assert _by_purchase(ledger) == _units_by_purchase(second)


def sell_in_order_of(second: UnitLedger, ledger: WashSaleLedger, units: int, price: int, on: dt.date) -> None:
    """Sells the same units in both: in the order of purchase, those that have replaced first."""
    second.held.sort(key=lambda unit: (unit.purchase, not unit.replaced, unit.since, unit.cost))
    ordered = sorted(
        ledger.lots("A"),
        key=lambda lot: (
            int(lot.lot_id.split("~")[0][1:]),
            lot.holding_period_start is None,
            lot.held_since,
            lot.unit_cost,
        ),
    )
    ledger.sell("A", select_lots(ordered, Decimal(units)), SaleTerms(Decimal(price), on, TermRule()))
    second.sell(units, price, on)


def _by_purchase(ledger: WashSaleLedger) -> Mapping[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for held in ledger.lots("A"):
        key = (held.lot_id.split("~")[0][1:], str(held.held_since), str(Fraction(held.unit_cost)))
        found[key] = found.get(key, 0) + int(held.quantity)
    return found


def _units_by_purchase(ledger: UnitLedger) -> Mapping[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for unit in ledger.held:
        key = (str(unit.purchase), str(unit.since), str(unit.cost))
        found[key] = found.get(key, 0) + 1
    return found
