"""The trade list: whole lots, sells before the buys they fund, cash never below its floor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.exact import ZERO, exact, exact_arithmetic
from domain.market_data.snapshot import Snapshot
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.budgets import PlanBudgets
from domain.reallocation.cancellation import checked
from domain.reallocation.causes import CauseFinder
from domain.reallocation.drift import Drift
from domain.reallocation.lot_program import BestLots, best_lots
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.lots import Budgets
from domain.reallocation.orders import Order, orders_of, unwanted_orders
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Schedule, Trade
from domain.reallocation.shortfall import Cause, Shortfall, ShortfallCode
from domain.reallocation.trade_choices import certain_exits, known_lots, trade_choices
from domain.reallocation.valuation import Valuation
from domain.reallocation.weighed_lots import WeighedLots, weighed_lots
from domain.records import dataclass
from domain.warnings import ResultWarning

SECONDS = 20.0
"""For the search of whole lots; what is found until then is taken."""

NEGLIGIBLE = 1e-9
"""A difference of less than this part of net asset value is not worth a word, where fractions may be traded."""


@dataclass(frozen=True, slots=True)
class ReallocationPlan:
    """Trades in order, and the shortfalls."""

    trades: tuple[Trade, ...]
    shortfalls: tuple[Shortfall, ...]
    warnings: tuple[ResultWarning, ...] = ()
    unraised_cash: float = 0.0  # part of a negative cash that no sale can raise; then there are no trades
    least_drift: float = 0.0  # no choice of whole lots has a lower objective: residual drift, cost and tax weighed in
    weighed_tax: float = 0.0  # tax in money, as it is weighed: 0 without an aversion to it
    nearest: tuple[Trade, ...] = ()  # where a negative cash cannot be raised: sales that raise a part of it


def plan(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
    reserve: Decimal = ZERO,
) -> ReallocationPlan:
    """Turns required trades in units into a list that can be carried out in its order.

    `reserve` is kept above the cash floor, for costs that the orders do not have.
    Raises InvalidInput for more lots or trades than can be counted, and what `check_cancelled` raises.
    """
    with exact_arithmetic():
        worth = valuation.net_asset_value
        orders = orders_of(request, valuation, required, check_cancelled)
        more = orders and request.cash >= ZERO and not request.harvest_only
        unwanted = unwanted_orders(request, valuation, required, check_cancelled) if more else []
        sales = LotSales(request.taxes, request.market)
        budgets = PlanBudgets(request, worth, sales, reserve)
        if request.weighs_trades:
            weighed = _choose_weighed(request, valuation, orders, unwanted, budgets, check_cancelled)
            orders, least, tax = list(weighed.orders), weighed.bound, weighed.tax
            budgets = replace(budgets, reserve=reserve + weighed.charges)
        else:
            orders, least, tax = _choose(request, valuation, orders, unwanted, budgets, check_cancelled)
        schedule = Schedule(request.cash, budgets.floor, check_cancelled, request.settlement_days)
        left = schedule.run(orders, request.horizon_days)
        for order in orders:
            if order.symbol in left:
                order.quantity -= left[order.symbol]
                order.causes.append(Cause(ShortfallCode.CASH, request.limits.cash_floor))
        unraised = max(budgets.required_cash - schedule.cash, ZERO)
        trades, nearest = ((), tuple(schedule.trades)) if unraised else (tuple(schedule.trades), ())
        if unraised:
            _withdraw(orders, request)
        find = _cause_finder(request, budgets.left(orders), schedule.usable, sales)
        short = [_shortfall(o, find) for o in checked(orders, check_cancelled) if _falls_short(o, worth)]
        warnings = _warnings(trades, request.market)
        return ReallocationPlan(trades, tuple(short), warnings, float(unraised), least, tax if trades else 0.0, nearest)


def _choose(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    unwanted: Sequence[Order],
    budgets: PlanBudgets,
    check_cancelled: Callable[[], None],
) -> tuple[list[Order], float, float]:
    """The orders with the quantities to trade, an objective that no choice of whole lots is below, and the tax."""
    unpriced = [order for order in orders if not order.price]
    priced = [order for order in orders if order.price]
    budgets.sales.begin(priced)
    fixed = certain_exits(request, priced, budgets)
    free = [order for order in priced if not order.quantity]
    left = budgets.left(fixed)
    choices = trade_choices(request, valuation, free, unwanted, left, budgets.sales, check_cancelled)
    check_cancelled()
    fixed_tax = budgets.sales.tax(fixed) if request.modes.tax_aversion else 0.0
    free_lots = [(choice.order.symbol, choice.lots) for choice in choices]
    drift = Drift.of(request, valuation, free_lots, fixed, fixed_tax)
    problem = [choice.lots for choice in choices]
    check_cancelled()
    known, kept = known_lots(choices, left, drift, check_cancelled)
    best = BestLots(known, 0.0)
    if kept:
        best = best_lots(drift, problem, left, known, SolverControl.for_seconds(SECONDS, check_cancelled))
    check_cancelled()
    chosen = {order.symbol: order for order in free}
    for choice, count in zip(choices, best.lots, strict=True):
        if count:
            choice.order.quantity = count * choice.units
            chosen[choice.order.symbol] = choice.order
    tax = drift.taxes.fixed + drift.taxes.tax(best.lots)
    return [*unpriced, *fixed, *chosen.values()], best.bound, tax


def _choose_weighed(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    unwanted: Sequence[Order],
    budgets: PlanBudgets,
    check_cancelled: Callable[[], None],
) -> WeighedLots:
    """The same where trades are weighed by more than their value."""
    priced = [order for order in orders if order.price]
    budgets.sales.begin(priced)
    found = weighed_lots(request, valuation, priced, unwanted, budgets.left(), budgets.sales, check_cancelled)
    return replace(found, orders=(*(order for order in orders if not order.price), *found.orders))


def _cause_finder(request: ReallocationRequest, left: Budgets, usable: Decimal, sales: LotSales) -> CauseFinder:
    spare = min(usable, left.purchases)
    return CauseFinder(
        request.limits, spare, left.turnover, sales, left.gain, left.cost, request.modes, request.weighs_trades
    )


def _withdraw(orders: Sequence[Order], request: ReallocationRequest) -> None:
    for order in orders:
        order.quantity = ZERO
        if not order.causes:
            order.causes.append(Cause(ShortfallCode.CASH, request.limits.cash_floor))


def _falls_short(order: Order, worth: Decimal) -> bool:
    return not order.price or order.missing * order.price > exact(NEGLIGIBLE) * worth


def _shortfall(order: Order, find: CauseFinder) -> Shortfall:
    planned = order.quantity if order.buys else -order.quantity
    return Shortfall(order.symbol, order.requested, float(planned), find(order))


def _warnings(trades: Sequence[Trade], market: Snapshot) -> tuple[ResultWarning, ...]:
    unknown = sorted({t.symbol for t in trades if market.quotes[t.symbol].average_daily_volume is None})
    if not unknown:
        return ()
    message = f"liquidity is not known, there is no volume: {', '.join(unknown)}"
    return (ResultWarning("LIQUIDITY_UNKNOWN", "", message),)
