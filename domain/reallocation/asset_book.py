"""Units and tax lots of one asset while its fills are recorded."""

import datetime as dt
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, plain, quotient
from domain.reallocation.account import Account, Execution, GainKey, GainRecord, Position
from domain.records import dataclass
from domain.taxes.lot_selection import LotMethod, LotSale, SaleTerms, order_of_sale, select_lots
from domain.taxes.lots import PART_MARK, TaxLot, TermRule, purchase_id, total_quantity
from domain.taxes.wash_sales import OtherPurchase, WashSaleLedger, WashSaleRule

_RULE = WashSaleRule()
_TERM_RULE = TermRule()

_ID_LENGTH = 56
"""Of the id of a lot that is made here: the contract allows 64, and parts of a lot add a number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a fill did to taxes. Gains are indices of `AssetBook.gains()`."""

    gains: range = range(0)
    disallows: tuple[int, ...] = ()  # gains of earlier sales of which it disallowed a loss, each once
    lots_known: bool = True


class AssetBook:
    """The account of one asset. Fills are recorded in the order of time, inside `exact_arithmetic()`.

    Its gains begin with those of earlier fills whose losses are open. Without lots the cost of a position is not known,
    and its sales have no gain; lots begin anew once nothing is held.
    """

    def __init__(self, symbol: str, account: Account) -> None:
        position = account.positions.get(symbol, Position())
        self._symbol = symbol
        self._quantity = total_quantity(position.lots) if position.lots else position.quantity
        self._has_lots = bool(position.lots)
        self._ledger = WashSaleLedger(_RULE, {symbol: position.lots})
        self._lot_ids = {purchase_id(lot.lot_id) for lot in position.lots}  # of all purchases, also those sold since
        self._keys: list[GainKey] = []
        self._last_date = dt.date.min
        open_losses = [(one.open_loss, one) for one in account.open_losses if one.gain.symbol == symbol]
        for loss, record in sorted(((a, b) for a, b in open_losses if a is not None), key=lambda pair: pair[0].date):
            self._ledger.restore(symbol, record.gain, loss)
            self._keys.append(record.key)
        self.earlier_count = len(self._keys)

    @property
    def position(self) -> Position:
        """What is held now."""
        return Position(self._quantity, self._ledger.lots(self._symbol))

    def gains(self) -> list[GainRecord]:
        """Gains of earlier fills, then those of the fills recorded; a loss is open for 30 days after the sale."""
        open_losses = {
            index: loss
            for index, loss in self._ledger.open_losses().items()
            if _RULE.last_date(loss.date) >= self._last_date
        }
        gains = zip(self._keys, self._ledger.gains, strict=True)
        return [GainRecord(key, gain, open_losses.get(i)) for i, (key, gain) in enumerate(gains)]

    def record(self, fill: Execution, *, fees_in_gains: bool) -> Entry:
        """Raises InvalidInput for more than is held, or a lot that is not there."""
        sign = -1 if fill.quantity < ZERO else 1
        fee = sign * quotient(fill.fee, fill.units) if fees_in_gains else ZERO
        self._has_lots = self._has_lots or self._quantity == ZERO
        self._last_date = fill.date
        if fill.lot_id and not self._has_lots:
            raise InvalidInput(f"{fill.path}.lot_id", f"must be empty: {self._symbol} is held without tax lots")
        entry = self._sell(fill, fill.price + fee) if sign < 0 else self._buy(fill, fill.price + fee)
        self._quantity += fill.quantity
        return entry

    def _sell(self, fill: Execution, price: Decimal) -> Entry:
        if fill.units > self._quantity:
            raise InvalidInput(
                f"{fill.path}.quantity",
                f"must not be more than is held: {plain(fill.units)} of {plain(max(self._quantity, ZERO))} units of "
                f"{self._symbol} are sold",
            )
        if not self._has_lots:
            return Entry(lots_known=False)
        sales = self._named_lot(fill) if fill.lot_id else self._oldest_lots(fill)
        first = len(self._ledger.gains)
        self._ledger.sell(self._symbol, sales, SaleTerms(price, fill.date, _TERM_RULE))
        self._keys += [GainKey(fill.fill_id, number) for number in range(len(sales))]
        return Entry(range(first, first + len(sales)))

    def _named_lot(self, fill: Execution) -> tuple[LotSale, ...]:
        lot = next((lot for lot in self._ledger.lots(self._symbol) if lot.lot_id == fill.lot_id), None)
        if lot is None:
            raise InvalidInput(
                f"{fill.path}.lot_id", f"must be a lot that is held: {self._symbol} has no {fill.lot_id}"
            )
        if lot.purchase_date > fill.date:
            raise InvalidInput(
                f"{fill.path}.lot_id", f"must be bought before it is sold: {lot.lot_id} is of {lot.purchase_date}"
            )
        if fill.units > lot.quantity:
            raise InvalidInput(
                f"{fill.path}.quantity",
                f"must not be more than the lot has: {plain(fill.units)} of {plain(lot.quantity)} units of "
                f"{lot.lot_id} are sold",
            )
        return (LotSale(lot, fill.units),)

    def _oldest_lots(self, fill: Execution) -> tuple[LotSale, ...]:
        lots = [lot for lot in self._ledger.lots(self._symbol) if lot.purchase_date <= fill.date]
        if fill.units > (there := total_quantity(tuple(lots))):
            raise InvalidInput(
                f"{fill.path}.quantity",
                f"must not be more than is held: {plain(fill.units)} of {plain(there)} units of {self._symbol} that "
                f"were bought until {fill.date} are sold",
            )
        terms = SaleTerms(fill.price, fill.date, _TERM_RULE)
        return select_lots(order_of_sale(lots, LotMethod.FIFO, terms), fill.units)

    def _buy(self, fill: Execution, price: Decimal) -> Entry:
        first = len(self._ledger.disallowed)
        if self._has_lots:
            self._ledger.buy(self._symbol, TaxLot(self._new_lot_id(fill), fill.units, price, fill.date))
        else:
            self._ledger.buy_elsewhere(OtherPurchase(self._symbol, fill.units, fill.date))
        return Entry(disallows=tuple(dict.fromkeys(self._ledger.disallowed[first:])), lots_known=self._has_lots)

    def _new_lot_id(self, fill: Execution) -> str:
        found = self._named_new(fill) if fill.lot_id else self._free_lot_id(fill.fill_id)
        self._lot_ids.add(found)
        return found

    def _named_new(self, fill: Execution) -> str:
        if PART_MARK in fill.lot_id:
            raise InvalidInput(f"{fill.path}.lot_id", f"must not contain {PART_MARK!r}, which numbers parts of a lot")
        if fill.lot_id in self._lot_ids and self._is_held(fill.lot_id):
            raise InvalidInput(
                f"{fill.path}.lot_id", f"must be new where units are bought: {fill.lot_id} is held already"
            )
        return fill.lot_id

    def _is_held(self, lot_id: str) -> bool:
        return any(purchase_id(lot.lot_id) == lot_id for lot in self._ledger.lots(self._symbol))

    def _free_lot_id(self, fill_id: str) -> str:
        wanted = fill_id.replace(PART_MARK, "-")[:_ID_LENGTH]
        found, number = wanted, 1
        while found in self._lot_ids:
            number += 1
            found = f"{wanted[: _ID_LENGTH - 6]}-{number}"
        return found
