"""Wash sales: losses that are disallowed because the asset was bought again (26 U.S.C. 1091, 26 CFR 1.1091-1 and -2).

A loss is disallowed as far as the same or an identical asset is bought within 30 calendar days before or after the
sale. Losses are taken in the order of sale and matched with purchases in the order of purchase, unit for unit. The
purchase gets the disallowed loss added to its cost, and the holding period of what was sold counts on. Units of a
purchase before the sale count only while they are held, and the rest of the purchase that is itself sold does not count
(Rev. Rul. 56-602). A purchase in a retirement account disallows the loss for good (Rev. Rul. 2008-5).
"""

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal

from domain.exact import ZERO
from domain.records import dataclass
from domain.taxes.gains import RealizedGain
from domain.taxes.lot_selection import LotSale, SaleTerms
from domain.taxes.lots import TaxLot, Term, part_id, purchase_id

WASH_SALE_DAYS = 30
"""Calendar days before and after a sale at a loss."""


@dataclass(frozen=True, slots=True)
class WashSaleRule:
    """The window, and the assets that count as one, each symbol in one group at most."""

    days: int = WASH_SALE_DAYS
    group_of: Mapping[str, str] = field(default_factory=dict)  # symbol -> any name of its group

    @classmethod
    def with_groups(cls, groups: Iterable[Sequence[str]], days: int = WASH_SALE_DAYS) -> "WashSaleRule":
        """The rule where the symbols of each group are substantially identical; groups that share one are merged."""
        group_of: dict[str, str] = {}
        members: dict[str, list[str]] = {}
        for symbols in groups:
            joined = dict.fromkeys([*symbols, *(m for s in symbols if s in group_of for m in members[group_of[s]])])
            name = next(iter(joined))
            members[name] = list(joined)
            group_of.update(dict.fromkeys(joined, name))
        return cls(days, group_of)

    def group(self, symbol: str) -> str:
        """The name of the group of a symbol: its own where it is in none."""
        return self.group_of.get(symbol, symbol)

    def members(self, symbol: str) -> tuple[str, ...]:
        """The symbols that count as one with a symbol, itself among them."""
        group = self.group(symbol)
        return tuple(member for member in self.group_of if self.group_of[member] == group) or (symbol,)

    def last_date(self, sale_date: dt.date) -> dt.date:
        """The last date on which a purchase disallows the loss of a sale."""
        return _shifted(sale_date, self.days)

    def first_date(self, sale_date: dt.date) -> dt.date:
        """The first date on which a purchase disallows the loss of a sale."""
        return _shifted(sale_date, -self.days)


@dataclass(frozen=True, slots=True)
class OtherPurchase:
    """Units bought in another account of the owner or of a spouse."""

    symbol: str
    quantity: Decimal
    date: dt.date
    retirement_account: bool = False


@dataclass(frozen=True, slots=True)
class OpenLoss:
    """The part of a realised loss that a purchase may still disallow."""

    date: dt.date  # of the sale
    quantity: Decimal
    loss_per_unit: Decimal
    days_held: int


@dataclass(slots=True)
class _Purchase:
    """Units bought that have not replaced anything yet; those of the own account are held in a lot."""

    date: dt.date
    symbol: str
    lot_id: str | None  # None in another account
    quantity: Decimal = ZERO  # in another account; that of the lot otherwise
    retirement_account: bool = False


@dataclass(slots=True)
class _OpenLoss:
    """Units sold at a loss that no purchase has replaced yet."""

    date: dt.date
    gain: int  # index of the realised gain
    quantity: Decimal
    loss_per_unit: Decimal
    days_held: int


class WashSaleLedger:
    """Holdings by lot, and realised gains, with the rule applied to each purchase and sale.

    Purchases and sales are recorded in the order of time. Work on it inside `exact_arithmetic()`.
    """

    def __init__(
        self,
        rule: WashSaleRule,
        holdings: Mapping[str, Iterable[TaxLot]] | None = None,
        elsewhere: Iterable[OtherPurchase] = (),
    ) -> None:
        """A ledger of lots that are held at the beginning, and of purchases in other accounts until then."""
        self.rule = rule
        self.gains: list[RealizedGain] = []
        self.disallowed: list[int] = []  # index of the gain, each time that a part of its loss was disallowed
        self._lots: dict[str, dict[str, TaxLot]] = defaultdict(dict)
        self._parts: dict[tuple[str, str], int] = defaultdict(int)  # parts that purchases were divided into
        self._purchases: dict[str, deque[_Purchase]] = defaultdict(deque)
        self._losses: dict[str, deque[_OpenLoss]] = defaultdict(deque)
        self.lost_loss = ZERO  # disallowed by purchases in a retirement account: no basis is raised
        purchases = [_Purchase(p.date, p.symbol, None, p.quantity, p.retirement_account) for p in elsewhere]
        for symbol, lots in (holdings or {}).items():
            self._lots[symbol] = {lot.lot_id: lot for lot in lots}
            purchases += [
                _Purchase(lot.purchase_date, symbol, lot.lot_id)
                for lot in self._lots[symbol].values()
                if lot.holding_period_start is None
            ]
        for purchase in sorted(purchases, key=lambda purchase: purchase.date):
            self._purchases[rule.group(purchase.symbol)].append(purchase)

    def lots(self, symbol: str) -> tuple[TaxLot, ...]:
        """The lots held of an asset; the adjusted part of a divided lot follows the others."""
        return tuple(self._lots[symbol].values())

    def buy(self, symbol: str, lot: TaxLot) -> None:
        """A purchase. It replaces units sold at a loss in the days before, the first sold first.

        Raises ValueError where a lot with its id is held.
        """
        if lot.lot_id in self._lots[symbol]:
            raise ValueError(f"{lot.lot_id} is held")
        left = lot
        for loss, units in self._replaced(symbol, lot.purchase_date, lot.quantity):
            self._disallow(loss, units)
            left = self._raise_basis(symbol, left, units, loss)
        if left.quantity > ZERO:
            self._lots[symbol][left.lot_id] = left
            self._purchases[self.rule.group(symbol)].append(_Purchase(left.purchase_date, symbol, left.lot_id))

    def buy_elsewhere(self, purchase: OtherPurchase) -> None:
        """A purchase in another account of the owner or of a spouse: it disallows losses, and its lot is not held here.

        In a retirement account the disallowed loss is lost; elsewhere it raises the basis there.
        """
        left = purchase.quantity
        for loss, units in self._replaced(purchase.symbol, purchase.date, purchase.quantity):
            self._disallow(loss, units, lost=purchase.retirement_account)
            left -= units
        if left > ZERO:
            group = self.rule.group(purchase.symbol)
            kept = _Purchase(purchase.date, purchase.symbol, None, left, purchase.retirement_account)
            self._purchases[group].append(kept)

    def sell(self, symbol: str, sales: Sequence[LotSale], terms: SaleTerms) -> tuple[RealizedGain, ...]:
        """A sale of units of one or several lots at once; returns the gains, as far as they are known on its date.

        Purchases recorded later can still disallow losses: `gains` is complete.
        """
        held = self._lots[symbol]
        for sale in sales:
            rest = sale.lot.quantity - sale.quantity
            if rest > ZERO:
                held[sale.lot.lot_id] = replace(sale.lot, quantity=rest)
            else:
                del held[sale.lot.lot_id]
        first = len(self.gains)
        for sale in sales:
            gain = terms.gain(symbol, sale.lot, sale.quantity)
            self.gains.append(gain)
            if gain.gain < ZERO:
                days = (terms.date - sale.lot.held_since).days
                loss_per_unit = sale.lot.unit_cost - terms.price
                loss = _OpenLoss(terms.date, len(self.gains) - 1, sale.quantity, loss_per_unit, days)
                self._replace_with_held(symbol, sale.lot, loss)
                if loss.quantity > ZERO:
                    self._losses[self.rule.group(symbol)].append(loss)
        return tuple(self.gains[first:])

    def restore(self, symbol: str, gain: RealizedGain, loss: OpenLoss) -> None:
        """A loss that an earlier ledger left open; before anything is recorded, and in the order of sale."""
        self.gains.append(gain)
        restored = _OpenLoss(loss.date, len(self.gains) - 1, loss.quantity, loss.loss_per_unit, loss.days_held)
        self._losses[self.rule.group(symbol)].append(restored)

    def open_losses(self) -> dict[int, OpenLoss]:
        """Index of a gain -> the part of its loss that a purchase may still disallow."""
        return {
            loss.gain: OpenLoss(loss.date, loss.quantity, loss.loss_per_unit, loss.days_held)
            for losses in self._losses.values()
            for loss in losses
        }

    def sold_before(self, symbol: str, quantity: Decimal, loss_per_unit: Decimal, date: dt.date) -> None:
        """Units that were sold at a loss before the ledger begins and that no purchase has replaced yet.

        They come in the order of sale, before anything else is recorded; the loss is the last one of `gains`. The
        holding period of what was sold is not known, so that of a replacement counts from its own purchase.
        """
        gain = RealizedGain(symbol, "", quantity, -quantity * loss_per_unit, Term.SHORT)
        self.gains.append(gain)
        loss = _OpenLoss(date, len(self.gains) - 1, quantity, loss_per_unit, 0)
        self._losses[self.rule.group(symbol)].append(loss)

    def open_loss_dates(self) -> dict[str, dt.date]:
        """Group -> last date on which a purchase would disallow a loss that has been realised."""
        return {
            group: max(self.rule.last_date(loss.date) for loss in losses)
            for group, losses in self._losses.items()
            if losses
        }

    def _replaced(self, symbol: str, date: dt.date, quantity: Decimal) -> Iterable[tuple[_OpenLoss, Decimal]]:
        """Losses that a purchase replaces, with the units of each; fully replaced and expired ones are forgotten."""
        losses = self._losses[self.rule.group(symbol)]
        while losses and self.rule.last_date(losses[0].date) < date:
            losses.popleft()
        while losses and quantity > ZERO:
            loss = losses[0]
            units = min(loss.quantity, quantity)
            quantity -= units
            loss.quantity -= units
            if loss.quantity == ZERO:
                losses.popleft()
            yield loss, units

    def _replace_with_held(self, symbol: str, sold: TaxLot, loss: _OpenLoss) -> None:
        """Matches a loss with purchases of the days before that are still held, the first bought first."""
        group = self.rule.group(symbol)
        purchases = self._purchases[group]
        first_date = self.rule.first_date(loss.date)
        while purchases and purchases[0].date < first_date:
            purchases.popleft()
        kept: deque[_Purchase] = deque()
        while purchases and loss.quantity > ZERO:
            purchase = purchases.popleft()
            if self._is_same_purchase(purchase, symbol, sold) or self._use(purchase, loss):
                kept.append(purchase)
        purchases.extendleft(reversed(kept))

    def _is_same_purchase(self, purchase: _Purchase, symbol: str, sold: TaxLot) -> bool:
        if purchase.lot_id is None or purchase.symbol != symbol:
            return False
        return purchase_id(purchase.lot_id) == purchase_id(sold.lot_id) and purchase.date == sold.purchase_date

    def _use(self, purchase: _Purchase, loss: _OpenLoss) -> bool:
        """Replaces units of a loss by those of a purchase; whether some of the purchase are left."""
        if purchase.lot_id is None:
            units = min(purchase.quantity, loss.quantity)
            purchase.quantity -= units
            self._match(loss, units, lost=purchase.retirement_account)
            return purchase.quantity > ZERO
        lot = self._lots[purchase.symbol].get(purchase.lot_id)
        if lot is None:
            return False  # sold since
        units = min(lot.quantity, loss.quantity)
        self._match(loss, units)
        del self._lots[purchase.symbol][purchase.lot_id]
        left = self._raise_basis(purchase.symbol, lot, units, loss)
        if left.quantity > ZERO:
            self._lots[purchase.symbol][left.lot_id] = left
        return left.quantity > ZERO

    def _match(self, loss: _OpenLoss, units: Decimal, *, lost: bool = False) -> None:
        loss.quantity -= units
        self._disallow(loss, units, lost=lost)

    def _disallow(self, loss: _OpenLoss, units: Decimal, *, lost: bool = False) -> None:
        self.disallowed.append(loss.gain)
        gain, amount = self.gains[loss.gain], units * loss.loss_per_unit
        self.gains[loss.gain] = replace(gain, disallowed_loss=gain.disallowed_loss + amount)
        self.lost_loss += amount if lost else ZERO

    def _raise_basis(self, symbol: str, lot: TaxLot, units: Decimal, loss: _OpenLoss) -> TaxLot:
        """Puts the part of a lot that replaces a loss into the holdings, and returns the rest of the lot."""
        rest = lot.quantity - units
        held = self._lots[symbol]
        adjusted = TaxLot(
            lot_id=lot.lot_id if rest == ZERO else self._part_id(symbol, lot),
            quantity=units,
            unit_cost=lot.unit_cost + loss.loss_per_unit,
            purchase_date=lot.purchase_date,
            holding_period_start=_shifted(lot.purchase_date, -loss.days_held),
        )
        held[adjusted.lot_id] = adjusted
        return replace(lot, quantity=rest)

    def _part_id(self, symbol: str, lot: TaxLot) -> str:
        """An id for a part of a lot that no lot held has."""
        purchase = purchase_id(lot.lot_id)
        while True:
            self._parts[symbol, purchase] += 1
            found = part_id(purchase, self._parts[symbol, purchase])
            if found not in self._lots[symbol]:
                return found


def _shifted(date: dt.date, days: int) -> dt.date:
    """A date so many days later; the first or the last date there is where that is beyond the calendar."""
    try:
        return date + dt.timedelta(days=days)
    except OverflowError:
        return dt.date.max if days > 0 else dt.date.min
