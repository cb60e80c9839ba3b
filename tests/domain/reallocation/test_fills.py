"""The record of fills: in one call or in many it comes to the same; figures are exact."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Cancelled, InvalidInput
from domain.exact import exact_arithmetic
from domain.reallocation.account import Account, Execution, GainKey, GainRecord, Position
from domain.reallocation.fills import CLOCK_TOLERANCE, Recorded, record_fills
from domain.taxes.gains import RealizedGain
from domain.taxes.lot_selection import LotMethod, SaleTerms, order_of_sale, select_lots
from domain.taxes.lots import TaxLot, TermRule, purchase_id
from domain.taxes.wash_sales import WashSaleLedger, WashSaleRule

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
Item = TypeVar("Item", RealizedGain, TaxLot)
START = dt.datetime(2023, 1, 1, 15, tzinfo=dt.UTC)
EMPTY = Account({}, Decimal(0))


def fill(fill_id: str, quantity: str, price: str, day: int = 0, fee: str = "0", symbol: str = "A") -> Execution:
    time = START + dt.timedelta(days=day)
    return Execution(fill_id, symbol, Decimal(quantity), Decimal(price), Decimal(fee), time)


class History(NamedTuple):
    """All that is remembered of fills that were recorded one after the other."""

    account: Account
    gains: dict[GainKey, GainRecord]


def recorded_in_parts(parts: Sequence[Sequence[Execution]]) -> History:
    """Each part in a call of its own, which knows of the others what an account carries."""
    account, gains = EMPTY, dict[GainKey, GainRecord]()
    for part in parts:
        found: Recorded = record_fills(account, part, NOW)
        gains |= {gain.key: gain for outcome in found.outcomes.values() for gain in outcome.gains}
        gains |= {gain.key: gain for gain in found.changed}
        last = {one.symbol: one.date for one in sorted(part, key=lambda one: one.time)}
        account = Account(
            {**account.positions, **found.positions},
            found.cash,
            [gain for gain in gains.values() if gain.open_loss is not None],
            {**account.last_dates, **last},
        )
    return History(account, gains)


def of_purchase(one: Item) -> Item:
    """Without the number of a part, which may be used again once that part is sold."""
    return replace(one, lot_id=purchase_id(one.lot_id))


events = st.lists(
    st.tuples(st.booleans(), st.integers(1, 20), st.integers(1, 9), st.integers(1, 9), st.booleans()),
    min_size=1,
    max_size=25,
)


@given(events)
def test_calls_one_after_the_other_come_to_what_one_ledger_has(
    drawn: Sequence[tuple[bool, int, int, int, bool]],
) -> None:
    """Gains, disallowed losses, lots and cash; the ledger is that of `domain.taxes`, which a second one confirms."""
    ledger = WashSaleLedger(WashSaleRule())
    parts: list[list[Execution]] = [[]]
    day, cash = 0, Decimal(0)
    with exact_arithmetic():
        for number, (buys, days, units, price, splits) in enumerate(drawn):
            day += days
            here = sum((lot.quantity for lot in ledger.lots("A")), Decimal(0))
            sold = min(Decimal(units), here)
            if not buys and not sold:
                continue
            one = fill(f"f{number}", str(units) if buys else str(-sold), str(price), day, fee="0.01")
            if buys:
                ledger.buy("A", TaxLot(one.fill_id, one.units, one.price, one.date))
            else:
                terms = SaleTerms(one.price, one.date, TermRule())
                ledger.sell("A", select_lots(order_of_sale(ledger.lots("A"), LotMethod.FIFO, terms), sold), terms)
            cash -= one.quantity * one.price + one.fee
            parts = [*parts, [one]] if splits else [*parts[:-1], [*parts[-1], one]]
        found = recorded_in_parts([part for part in parts if part])
        assert [of_purchase(record.gain) for record in found.gains.values()] == [*map(of_purchase, ledger.gains)]
        assert found.account.cash == cash
        lots = found.account.positions.get("A", Position()).lots
        assert Counter(map(of_purchase, lots)) == Counter(map(of_purchase, ledger.lots("A")))


def test_a_loss_stays_open_for_thirty_days() -> None:
    history = recorded_in_parts([[fill("b", "10", "5")], [fill("s", "-10", "4", day=60)]])
    (open_loss,) = history.account.open_losses
    assert open_loss.key == GainKey("s", 0)
    last = record_fills(history.account, [fill("b2", "1", "4", day=90)], NOW)
    assert last.outcomes["b2"].disallows == (GainKey("s", 0),)
    late = record_fills(history.account, [fill("b2", "1", "4", day=91)], NOW)
    assert late.outcomes["b2"].disallows == ()
    (closed,) = late.changed
    assert (closed.open_loss, closed.gain) == (None, open_loss.gain)


def test_a_sale_on_the_last_date_leaves_the_loss_open() -> None:
    history = recorded_in_parts(
        [[fill("b", "10", "5")], [fill("s", "-4", "4", day=60)], [fill("t", "-1", "6", day=90)]]
    )
    last = record_fills(history.account, [fill("b2", "1", "4", day=90)], NOW)
    assert last.outcomes["b2"].disallows == (GainKey("s", 0),)


def test_money_is_exact() -> None:
    fills = [fill(f"f{i}", "0.1", "0.3", fee="0.001") for i in range(10)]
    found = record_fills(replace(EMPTY, cash=Decimal("0.31")), fills, NOW)
    assert found.cash == 0
    assert found.positions["A"].quantity == 1


def test_a_fee_per_unit_is_exact_for_the_whole_fill() -> None:
    found = record_fills(
        EMPTY, [fill("b", "3", "10", fee="1"), fill("s", "-3", "10", 40, fee="1")], NOW, fees_in_gains=True
    )
    (gain,) = found.outcomes["s"].gains
    assert float(gain.gain.gain) == -2.0
    assert found.cash == -2


def test_ids_of_new_lots_are_free() -> None:
    held = {"A": Position(Decimal(1), (TaxLot("f", Decimal(1), Decimal(1), START.date()),))}
    found = record_fills(Account(held, Decimal(0)), [fill("f", "1", "1"), fill("x~" + "y" * 100, "1", "1")], NOW)
    ids = [lot.lot_id for lot in found.positions["A"].lots]
    assert ids == ["f", "f-2", "x-" + "y" * 54]


def test_an_id_may_come_again_once_its_lot_is_sold() -> None:
    first, sold, again = fill("f", "1", "1"), fill("s", "-1", "2", day=1), fill("g", "1", "1", day=2)
    named = [replace(first, lot_id="mine"), sold, replace(again, lot_id="mine")]
    assert [lot.lot_id for lot in record_fills(EMPTY, named, NOW).positions["A"].lots] == ["mine"]
    with pytest.raises(InvalidInput, match="held already"):
        record_fills(EMPTY, [named[0], named[2]], NOW)


def test_a_clock_may_be_ahead_a_little() -> None:
    early = replace(fill("f", "1", "1"), time=NOW + CLOCK_TOLERANCE)
    assert record_fills(EMPTY, [early], NOW).cash == -1
    with pytest.raises(InvalidInput, match="future"):
        record_fills(EMPTY, [replace(early, time=early.time + dt.timedelta(seconds=1))], NOW)


def test_the_caller_can_cancel() -> None:
    def cancelled() -> None:
        raise Cancelled("test")

    with pytest.raises(Cancelled):
        record_fills(EMPTY, [fill("f", "1", "1")], NOW, check_cancelled=cancelled)


def test_a_lot_of_a_purchase_is_not_named_like_a_part() -> None:
    bought = replace(fill("f", "1", "2"), lot_id="a~1", path="fills[3]")
    with pytest.raises(InvalidInput, match="must not contain '~', which numbers parts of a lot") as raised:
        record_fills(EMPTY, [bought], NOW)
    assert raised.value.field == "fills[3].lot_id"
