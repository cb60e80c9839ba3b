"""Causes for which an order is not traded in full."""

from dataclasses import field
from decimal import Decimal

from domain.exact import ZERO, ceiling, exact
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.modes import Deviation, Modes
from domain.reallocation.orders import Order
from domain.reallocation.request import Limits
from domain.reallocation.shortfall import Cause, ShortfallCode
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class CauseFinder:
    """Finds causes from the remainder of the whole plan."""

    limits: Limits
    spare_cash: Decimal  # cash above its floor
    turnover_left: Decimal  # value that the turnover limit still allows to trade
    sales: LotSales
    gain_left: Decimal  # gain that the gain budget still allows to realise
    cost_left: Decimal = Decimal("Infinity")  # what trades may still cost
    modes: Modes = field(default_factory=Modes)
    has_charges: bool = False  # trades may cost more than a part of their value

    def __call__(self, order: Order) -> tuple[Cause, ...]:
        """The causes of a shortfall, at least one."""
        causes = list(order.causes)
        if order.price and order.most != ZERO and not order.reversed:
            causes += self._of_lots(order)
        return tuple(dict.fromkeys(causes)) or (self._default_cause(order),)

    def _of_lots(self, order: Order) -> list[Cause]:
        causes: list[Cause] = []
        if not self.limits.fractional and order.wanted % order.lot:
            causes.append(Cause(ShortfallCode.LOT_SIZE, float(order.lot)))
        missing = order.reachable - order.quantity
        if missing * 2 <= order.lot:
            return causes
        least = order.lot
        minimum = exact(self.limits.min_trade_value)
        if not order.quantity and least * order.price < minimum:
            least *= ceiling(minimum, least * order.price)
            if order.reachable * order.price < minimum:
                return [*causes, Cause(ShortfallCode.MIN_TRADE, self.limits.min_trade_value)]
            if self._blocking_limits(order, least) and not self._blocking_limits(order, order.lot):
                causes.append(Cause(ShortfallCode.MIN_TRADE, self.limits.min_trade_value))
        blocking = self._blocking_limits(order, max(least, missing))
        return causes + (blocking or self._weighed(order))

    def _weighed(self, order: Order) -> list[Cause]:
        """What a trade weighs, where that can be more than what it brings."""
        causes = []
        if self.modes.deviation is Deviation.TRACKING_ERROR:
            causes.append(Cause(ShortfallCode.TRACKING_ERROR))
        elif (self.modes.cost_aversion > 0.0 and order.rate > ZERO) or self.has_charges:
            causes.append(Cause(ShortfallCode.COST))
        curve = self.sales.tax_curve(order, all_at_once=False) if self.modes.tax_aversion > 0.0 else None
        if curve is not None and curve.gain(order.quantity + order.lot) > curve.gain(order.quantity):
            causes.append(Cause(ShortfallCode.TAX))
        return causes

    def _blocking_limits(self, order: Order, units: Decimal) -> list[Cause]:
        """Limits that do not allow this many more units."""
        causes: list[Cause] = []
        if units * order.price > self.turnover_left:
            causes.append(Cause(ShortfallCode.TURNOVER, self.limits.max_turnover))
        if units * order.price * order.rate > self.cost_left:
            causes.append(Cause(ShortfallCode.COST, self.limits.max_cost_bps))
        if order.buys and units * order.cash_per_unit > self.spare_cash:
            causes.append(Cause(ShortfallCode.CASH, self.limits.cash_floor))
        if self.gain_left.is_finite() and self.sales.more_gain(order, order.quantity, units) > self.gain_left:
            causes.append(Cause(ShortfallCode.TAX, self.sales.limits.gain_budget))
        return causes

    def _default_cause(self, order: Order) -> Cause:
        if weighed := self._weighed(order):
            return weighed[0]
        if order.buys:
            return Cause(ShortfallCode.CASH, self.limits.cash_floor)
        if self.limits.max_turnover is not None:
            return Cause(ShortfallCode.TURNOVER, self.limits.max_turnover)
        if self.sales.limits.gain_budget is not None:
            return Cause(ShortfallCode.TAX, self.sales.limits.gain_budget)
        if self.limits.max_cost_bps is not None and order.rate > ZERO:
            return Cause(ShortfallCode.COST, self.limits.max_cost_bps)
        if self.limits.fractional:
            # Where other trades are not made, their costs are not paid: the asset is at its target with less traded.
            return Cause(ShortfallCode.COST)
        return Cause(ShortfallCode.LOT_SIZE, float(order.lot))
