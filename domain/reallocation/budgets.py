"""What limits the trades of a plan in sum: cash, turnover, cost."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from domain.exact import ZERO, exact
from domain.reallocation.lots import Budgets
from domain.reallocation.orders import Order
from domain.reallocation.request import ReallocationRequest

NO_LIMIT = Decimal("Infinity")
_BASIS_POINT = Decimal("0.0001")


def budgets_of(request: ReallocationRequest, worth: Decimal) -> Budgets:
    """Those of a request before any trade; `worth` is the net asset value."""
    limits, floor = request.limits, exact(request.limits.cash_floor)
    cash = request.cash - floor
    return Budgets(
        cash=cash,
        required=required_cash(request) - floor,
        turnover=NO_LIMIT if limits.max_turnover is None else 2 * exact(limits.max_turnover) * worth,
        cost=NO_LIMIT if limits.max_cost_bps is None else exact(limits.max_cost_bps) * _BASIS_POINT * worth,
        purchases=max(cash, ZERO) if request.modes.retain_cash else NO_LIMIT,
    )


def required_cash(request: ReallocationRequest) -> Decimal:
    """The level up to which sales raise a negative cash, whatever the target: 0, or a floor below it."""
    return min(exact(request.limits.cash_floor), ZERO) if request.cash < ZERO else -NO_LIMIT


def after(budgets: Budgets, orders: Iterable[Order]) -> Budgets:
    """What is left of them when the quantities of orders are traded."""
    paid = received = traded = cost = ZERO
    for order in orders:
        traded += order.value
        cost += order.value * order.rate
        if order.buys:
            paid += order.quantity * order.cash_per_unit
        else:
            received += order.quantity * order.cash_per_unit
    return replace(
        budgets,
        cash=budgets.cash - paid + received,
        turnover=budgets.turnover - traded,
        cost=budgets.cost - cost,
        purchases=budgets.purchases - paid,
    )
