"""What limits the trades of a plan in sum: cash, turnover, cost, realised gains."""

from collections.abc import Iterable
from decimal import Decimal

from domain.exact import ZERO, exact
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.lots import Budgets
from domain.reallocation.orders import Order
from domain.reallocation.request import ReallocationRequest
from domain.records import dataclass

NO_LIMIT = Decimal("Infinity")
_BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class PlanBudgets:
    """The budgets of a request; `worth` is the net asset value before any trade."""

    request: ReallocationRequest
    worth: Decimal
    sales: LotSales
    reserve: Decimal = ZERO  # kept above the cash floor, for costs that the orders do not have

    @property
    def floor(self) -> Decimal:
        """The least cash after a purchase."""
        return exact(self.request.limits.cash_floor) + self.reserve

    @property
    def required_cash(self) -> Decimal:
        """The level up to which sales raise a negative cash, whatever the target: 0, or a floor below it."""
        if self.request.cash >= ZERO:
            return -NO_LIMIT
        return min(exact(self.request.limits.cash_floor), ZERO) + self.reserve

    def left(self, orders: Iterable[Order] = ()) -> Budgets:
        """What is left of them when the quantities of orders are traded."""
        request, limits, orders = self.request, self.request.limits, tuple(orders)
        cash = request.cash - self.floor
        paid = received = late = traded = cost = ZERO
        for order in orders:
            traded += order.value
            cost += order.value * order.rate
            if order.buys:
                paid += order.quantity * order.cash_per_unit
            else:
                settles = settling(order, request)
                usable = order.quantity if settles is None else min(order.quantity, settles)
                received += usable * order.cash_per_unit
                late += (order.quantity - usable) * order.cash_per_unit
        return Budgets(
            cash=cash - paid + received,
            # What settles later raises a negative cash, and pays for nothing.
            required=self.required_cash - self.floor - late,
            turnover=NO_LIMIT if limits.max_turnover is None else 2 * exact(limits.max_turnover) * self.worth - traded,
            cost=NO_LIMIT if limits.max_cost_bps is None else self._most_cost(limits.max_cost_bps) - cost,
            purchases=max(cash, ZERO) - paid if request.modes.retain_cash else NO_LIMIT,
            gain=self.sales.gain_left(orders),
        )

    def _most_cost(self, basis_points: float) -> Decimal:
        return exact(basis_points) * _BASIS_POINT * self.worth


def settling(order: Order, request: ReallocationRequest) -> Decimal | None:
    """Units of a sale that can be sold early enough to settle within the horizon; None is no limit."""
    days = request.horizon_days - request.settlement_days
    if days <= 0:
        return ZERO
    return order.within(days) if request.settlement_days else None
