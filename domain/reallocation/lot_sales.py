"""Which tax lots the orders of a plan sell, and what the gain budget and wash sales forbid."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from domain.exact import ZERO, exact
from domain.market_data.snapshot import Snapshot
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.orders import Order
from domain.reallocation.shortfall import Cause, ShortfallCode
from domain.reallocation.tax_terms import TaxAccount
from domain.taxes.lot_selection import SaleTerms, order_of_sale
from domain.taxes.lots import TaxLot, purchase_id

NO_LIMIT = Decimal("Infinity")


class LotSales:
    """The lots of an account, in the order in which a plan sells them.

    A loss is at risk where another purchase of the days before the sale is still held, in this account or in another
    one, or where the plan buys an identical asset. Where wash sales are forbidden, lots with such a loss are left out,
    and no asset is bought after a loss; else these losses count as 0 for the gain budget.
    """

    def __init__(self, account: TaxAccount, market: Snapshot) -> None:
        self._account, self._market = account, market
        self.limits = account.limits
        self.rule = account.limits.wash_sale_rule
        self._budget = NO_LIMIT if self.limits.gain_budget is None else exact(self.limits.gain_budget)
        self._bought: dict[str, set[str]] = {}  # by group the symbols that the plan may buy
        first = self.rule.first_date(account.as_of_date)
        group = self.rule.group
        self._elsewhere = {group(p.symbol) for p in account.other_purchases if p.date >= first}
        self._recent: dict[str, list[tuple[str, TaxLot]]] = defaultdict(list)
        if self._budget < NO_LIMIT and self._largest_gain() <= self._budget:
            self._budget = NO_LIMIT  # all that is held can be sold
        for symbol, lots in account.lots.items():
            recent = (lot for lot in lots if lot.purchase_date >= first and lot.holding_period_start is None)
            self._recent[group(symbol)].extend((symbol, lot) for lot in recent)

    def terms(self, symbol: str, date: dt.date) -> SaleTerms:
        """Of a sale at the price of the market."""
        return SaleTerms(self._market.quotes[symbol].exact_price, date, self.limits.term_rule, self.limits.rates)

    def order(self, symbol: str, lots: Sequence[TaxLot], *, all_at_once: bool) -> list[TaxLot]:
        """The lots that may be sold, in the order of sale; `all_at_once` where the whole holding goes in one trade."""
        terms = self.terms(symbol, self._account.as_of_date)
        ordered = order_of_sale(lots, self.limits.method, terms)
        if not self.limits.forbids_wash_sales:
            return ordered
        return [lot for lot in ordered if lot.unit_cost <= terms.price or not self._at_risk(symbol, lot, all_at_once)]

    def begin(self, orders: Sequence[Order]) -> None:
        """Takes note of what the plan may trade, and forbids purchases that would make a loss a wash sale."""
        if not self._account.known:
            return
        if self.limits.forbids_wash_sales:
            self._forbid_purchases(orders)
        self._bought = defaultdict(set)
        for order in orders:
            if order.buys and order.most != ZERO:
                self._bought[self.rule.group(order.symbol)].add(order.symbol)

    def may_exit(self, order: Order) -> bool:
        """Whether all of a holding may be sold, whatever else the plan does."""
        curve = self.exit_curve(order)
        no_gain = curve is None or self._budget == NO_LIMIT or all(gain <= ZERO for gain in curve.gain_per_unit)
        return no_gain and self.sells_all_lots(order)

    def sells_all_lots(self, order: Order) -> bool:
        """Whether every tax lot of a holding may be sold."""
        curve = self.exit_curve(order)
        return curve is None or curve.total == order.held

    def exit_curve(self, order: Order) -> GainCurve | None:
        """The gain of a sale where all of the holding is sold."""
        return self.curve(order, all_at_once=_exits_at_once(order))

    def exit_tax_curve(self, order: Order) -> GainCurve | None:
        """The tax of a sale where all of the holding is sold."""
        return self.tax_curve(order, all_at_once=_exits_at_once(order))

    def may_buy_instead(self, symbol: str) -> bool:
        """Whether an asset that is to be sold may be bought instead: no other lots are at risk by that."""
        alone = self.rule.members(symbol) == (symbol,)
        return not self._account.known or (alone and not self.limits.forbids_wash_sales)

    def limit(self, order: Order) -> None:
        """Limits a sale that is not of the whole holding to the lots that may be sold."""
        curve = self.curve(order, all_at_once=False)
        if curve is None:
            return
        total = curve.total
        if total < order.wanted:
            order.causes.append(Cause(ShortfallCode.TAX, float(self.rule.days)))
        order.most = total if order.most is None else min(order.most, total)
        order.allowed = total if order.allowed is None else min(order.allowed, total)

    def curve(self, order: Order, *, all_at_once: bool) -> GainCurve | None:
        """The gain of a sale by its size; None for a purchase, and for a holding without lots or price."""
        counted = self._counted(order, all_at_once=all_at_once)
        return None if counted is None else _curve(counted)

    def tax_curve(self, order: Order, *, all_at_once: bool) -> GainCurve | None:
        """The same of the tax on the gain, each lot at the rate of its term; None without rates too."""
        counted, rates = self._counted(order, all_at_once=all_at_once), self.limits.rates
        if counted is None or rates is None:
            return None
        terms = self.terms(order.symbol, self._account.as_of_date)
        return _curve([(lot, gain * rates.rate(terms.term_rule.term(lot, terms.date))) for lot, gain in counted])

    def tax(self, orders: Iterable[Order]) -> float:
        """Tax of the quantities of orders that are sold at once, as they count here."""
        curves = ((order, self.exit_tax_curve(order)) for order in orders)
        return float(sum((curve.gain(order.quantity) for order, curve in curves if curve), ZERO))

    def _counted(self, order: Order, *, all_at_once: bool) -> list[tuple[TaxLot, Decimal]] | None:
        """The lots in the order of sale, and the gain on a unit of each that counts."""
        lots = self._account.lots.get(order.symbol)
        if order.buys or not lots or not order.price:
            return None
        ordered = self.order(order.symbol, lots, all_at_once=all_at_once)
        gains = ((lot, order.price - lot.unit_cost) for lot in ordered)
        return [
            (lot, ZERO if gain < ZERO and self._at_risk(order.symbol, lot, all_at_once) else gain)
            for lot, gain in gains
        ]

    def gain_left(self, orders: Iterable[Order]) -> Decimal:
        """What the orders leave of the gain budget."""
        if self._budget == NO_LIMIT:
            return NO_LIMIT
        return self._budget - sum((self.more_gain(order, ZERO, order.quantity) for order in orders), ZERO)

    def more_gain(self, order: Order, quantity: Decimal, more: Decimal) -> Decimal:
        """The gain of more units beside a quantity of them that is sold."""
        curve = self.curve(order, all_at_once=quantity + more == order.held and _exits_at_once(order))
        return ZERO if curve is None else curve.gain(quantity + more) - curve.gain(quantity)

    def groups_of_recent_losses(self) -> set[str]:
        """Groups of assets of which a purchase would disallow a loss that was realised before the plan."""
        return {
            self.rule.group(trade.symbol)
            for trade in self._account.recent_trades
            if trade.may_be_loss and self.rule.last_date(trade.date) >= self._account.as_of_date
        }

    @property
    def largest_benefit(self) -> Decimal:
        """No sales of what is held lower the tax by more; 0 without rates."""
        rates = self.limits.rates
        if rates is None:
            return ZERO
        losses = sum((max(-gain, ZERO) * lot.quantity for lot, gain in self._gains()), ZERO)
        return losses * max(rates.short_term, rates.long_term)

    def _largest_gain(self) -> Decimal:
        return sum((max(gain, ZERO) * lot.quantity for lot, gain in self._gains()), ZERO)

    def _gains(self) -> Iterator[tuple[TaxLot, Decimal]]:
        """All lots of assets with a price, and the gain on a unit."""
        for symbol, lots in self._account.lots.items():
            if symbol in self._market.quotes:
                price = self._market.quotes[symbol].exact_price
                yield from ((lot, price - lot.unit_cost) for lot in lots)

    def _at_risk(self, symbol: str, lot: TaxLot, all_at_once: bool) -> bool:
        group = self.rule.group(symbol)
        # An asset is either bought or sold: its own purchase is no risk.
        if group in self._elsewhere or self._bought.get(group, set()) - {symbol}:
            return True
        return any(
            other_symbol != symbol or not (all_at_once or _same_purchase(lot, other))
            for other_symbol, other in self._recent[group]
        )

    def _forbid_purchases(self, orders: Sequence[Order]) -> None:
        group, losses = self.rule.group, self.groups_of_recent_losses()
        for order in orders:
            curve = self.curve(order, all_at_once=_exits_at_once(order))
            if curve is not None and order.most != ZERO and any(gain < ZERO for gain in curve.gain_per_unit):
                losses.add(group(order.symbol))
        for order in orders:
            if order.buys and group(order.symbol) in losses:
                order.most = order.allowed = ZERO
                order.causes.append(Cause(ShortfallCode.TAX, float(self.rule.days)))


def _curve(lots: Sequence[tuple[TaxLot, Decimal]]) -> GainCurve:
    return GainCurve(tuple(lot.quantity for lot, _ in lots), tuple(amount for _, amount in lots))


def _exits_at_once(order: Order) -> bool:
    return order.sells_all and order.at_once


def _same_purchase(lot: TaxLot, other: TaxLot) -> bool:
    """The rest of a purchase that is itself sold does not replace it (Rev. Rul. 56-602)."""
    return purchase_id(lot.lot_id) == purchase_id(other.lot_id) and lot.purchase_date == other.purchase_date
