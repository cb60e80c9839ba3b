"""Sales that raise a negative cash where trades have fees or impact: a start for the search of the best lots.

Whatever the target says, a negative cash is raised first. Sales are taken in some order, each as large as the missing
cash needs and the limits on turnover, cost and gains allow.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from domain.exact import ZERO, ceiling, quotient
from domain.reallocation.cancellation import checked
from domain.reallocation.lots import Budgets, LotOrder
from domain.records import dataclass

STEPS = 20
"""Attempts to find the lots whose proceeds, less a cost that depends on them, are enough."""

CostOf = Callable[[int, int], Decimal]
"""Cost in money of lots of one order, by its number."""


@dataclass(frozen=True, slots=True)
class _Sale:
    """All that an order may sell."""

    number: int
    asset: str
    proceeds: Decimal  # after costs
    cost: Decimal
    gain: Decimal


@dataclass(slots=True)
class _Left:
    """What the sales so far have left of the limits."""

    missing: Decimal
    turnover: Decimal
    cost: Decimal
    gain: Decimal


def sales_for_cash(
    assets: Sequence[str],
    orders: Sequence[LotOrder],
    budgets: Budgets,
    cost_of: CostOf,
    check_cancelled: Callable[[], None],
) -> list[list[int]]:
    """Lots of each order (J,), one order of an asset: the largest sales first, the cheapest, those with the least gain.

    They keep the limits but need not raise enough. `cost_of` has the cost of so many lots of an order.
    """
    found = []
    for j, order in enumerate(checked(orders, check_cancelled)):
        if order.buys or order.most < max(order.least, 1):
            continue
        cost = cost_of(j, order.most)
        proceeds = order.most * order.value - cost
        if proceeds > ZERO:
            found.append(_Sale(j, assets[j], proceeds, cost, order.gain(order.most)))
    rankings: list[Callable[[_Sale], Decimal]] = [
        lambda sale: -sale.proceeds,
        lambda sale: quotient(sale.cost, sale.proceeds),
        lambda sale: quotient(sale.gain, sale.proceeds),
    ]
    return [
        _raised(sorted(found, key=rank), orders, budgets, cost_of, check_cancelled)
        for rank in rankings[: 3 if budgets.gain.is_finite() else 2]
    ]


def _raised(
    sales: Sequence[_Sale],
    orders: Sequence[LotOrder],
    budgets: Budgets,
    cost_of: CostOf,
    check_cancelled: Callable[[], None],
) -> list[int]:
    left = _Left(budgets.required - budgets.cash, budgets.turnover, budgets.cost, budgets.gain)
    lots, taken = [0] * len(orders), set[str]()
    for sale in checked(sales, check_cancelled):
        if left.missing <= ZERO:
            break
        order = orders[sale.number]
        if sale.asset in taken:
            continue
        count = _fitting(order, sale.number, _enough(order, sale.number, left.missing, cost_of), left, cost_of)
        if not count:
            continue
        cost = cost_of(sale.number, count)
        lots[sale.number] = count
        taken.add(sale.asset)
        left.missing -= count * order.value - cost
        left.turnover -= count * order.value
        left.cost -= cost
        if left.gain.is_finite():
            left.gain -= order.gain(count)
    return lots


def _enough(order: LotOrder, number: int, missing: Decimal, cost_of: CostOf) -> int:
    """The lots that raise what is missing, or all."""
    count = min(max(ceiling(missing, order.value), order.least, 1), order.most)
    for _ in range(STEPS):
        short = missing - (count * order.value - cost_of(number, count))
        if short <= ZERO or count >= order.most:
            break
        count = min(count + ceiling(short, order.value), order.most)
    return count


def _fitting(order: LotOrder, number: int, count: int, left: _Left, cost_of: CostOf) -> int:
    """So many lots, or as many of them as the limits allow."""

    def fits(lots: int) -> bool:
        within = lots * order.value <= left.turnover and cost_of(number, lots) <= left.cost
        return within and not (left.gain.is_finite() and order.gain(lots) > left.gain)

    if fits(count):
        return count
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low if low >= max(order.least, 1) and low * order.value > cost_of(number, low) else 0
