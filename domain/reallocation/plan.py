"""The trade list: whole lots, sells before the buys they fund, cash never below its floor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.exact import ZERO, ceiling, exact, exact_arithmetic, ratio
from domain.market_data.snapshot import Snapshot
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.budgets import after, budgets_of, required_cash
from domain.reallocation.cancellation import checked
from domain.reallocation.causes import CauseFinder
from domain.reallocation.drift import Drift
from domain.reallocation.lot_program import best_lots
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder, choose_lots, keeps
from domain.reallocation.orders import Order, orders_of, reverse
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Schedule, Trade
from domain.reallocation.shortfall import Cause, Shortfall, ShortfallCode
from domain.reallocation.valuation import Valuation
from domain.warnings import ResultWarning

SECONDS = 20.0
"""For the search of whole lots; what is found until then is taken."""

NEGLIGIBLE = 1e-9
"""A difference of less than this part of net asset value is not worth a word, where fractions may be traded."""

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class ReallocationPlan:
    """Trades in order, and the shortfalls."""

    trades: tuple[Trade, ...]
    shortfalls: tuple[Shortfall, ...]
    warnings: tuple[ResultWarning, ...] = ()
    unraised_cash: float = 0.0  # part of a negative cash that no sale can raise; then there are no trades
    least_drift: float = 0.0  # no choice of whole lots has a lower objective: residual drift, and the cost weighed in


def plan(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> ReallocationPlan:
    """Turns required trades in units into a list that can be carried out in its order.

    Raises InvalidInput for more lots or trades than can be counted, and what `check_cancelled` raises.
    """
    with exact_arithmetic():
        worth = valuation.net_asset_value
        orders = orders_of(request, valuation, required, check_cancelled)
        budgets = budgets_of(request, worth)
        least = _choose(request, valuation, orders, budgets, check_cancelled)
        if after(budgets, orders).cash < budgets.required:
            for order in orders:
                if order.buys and order.held:
                    reverse(request, order)
            least = _choose(request, valuation, orders, budgets, check_cancelled)
        schedule = Schedule(request.cash, exact(request.limits.cash_floor), check_cancelled)
        left = schedule.run(orders, request.horizon_days)
        for order in orders:
            if order.symbol in left:
                order.quantity -= left[order.symbol]
                order.causes.append(Cause(ShortfallCode.CASH, request.limits.cash_floor))
        unraised = max(required_cash(request) - schedule.cash, ZERO)
        trades = () if unraised else tuple(schedule.trades)
        if unraised:
            _withdraw(orders, request)
        find = _cause_finder(request, after(budgets, orders), schedule.cash)
        short = [_shortfall(o, find) for o in checked(orders, check_cancelled) if _falls_short(o, worth)]
        return ReallocationPlan(trades, tuple(short), _warnings(trades, request.market), float(unraised), least)


def _choose(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    budgets: Budgets,
    check_cancelled: Callable[[], None],
) -> float:
    """Sets the quantity of every order; returns an objective that no choice of whole lots is below."""
    priced = [order for order in orders if order.price]
    for order in priced:
        order.quantity = ZERO
    if _all_affordable(priced, budgets):
        for order in priced:
            if _sells_all(order, request):
                order.quantity = order.held
    fixed = [order for order in priced if order.quantity]
    free = [order for order in priced if not order.quantity]
    problem = [_lot_order(order, request) for order in checked(free, check_cancelled)]
    drift = Drift.of(request, valuation, list(zip(free, problem, strict=True)), fixed)
    left = after(budgets, fixed)
    lots = _known_lots(problem, left, drift, check_cancelled)
    bound = 0.0
    if keeps(problem, left, lots):
        best = best_lots(drift, problem, left, lots, SolverControl.for_seconds(SECONDS, check_cancelled))
        lots, bound = list(best.lots), best.bound
    for order, count in zip(free, lots, strict=True):
        order.quantity = count * order.lot
    _sell_odd_lots(request, checked(free, check_cancelled), after(budgets, priced))
    return bound


def _known_lots(
    problem: Sequence[LotOrder], budgets: Budgets, drift: Drift, check_cancelled: Callable[[], None]
) -> list[int]:
    """Lots near the wish; where cost is weighed, also without the orders that cost more than they bring, or none."""
    near = choose_lots(problem, budgets, drift, check_cancelled)
    if drift.cost_aversion == 0.0 or not keeps(problem, budgets, near):
        return near
    dear = (drift.cost_aversion * drift.cost_rates > 0.5).tolist()
    rest = [replace(order, wanted=0.0, scalable=0.0) if d else order for order, d in zip(problem, dear, strict=True)]
    others = [choose_lots(rest, budgets, drift, check_cancelled), [0] * len(problem)]
    return min([near, *(lots for lots in others if keeps(problem, budgets, lots))], key=drift)


def _sell_odd_lots(request: ReallocationRequest, orders: Iterable[Order], left: Budgets) -> None:
    """Where all whole lots of a holding are sold, the odd lot goes with them."""
    turnover, cost = left.turnover, left.cost
    for order in orders:
        value = (order.held - order.quantity) * order.price
        all_lots = order.quantity and order.held - order.quantity < order.lot and _sells_all(order, request)
        if all_lots and value <= turnover and value * order.rate <= cost:
            order.quantity = order.held
            turnover, cost = turnover - value, cost - value * order.rate


def _all_affordable(orders: Sequence[Order], budgets: Budgets) -> bool:
    """Whether the limits on turnover and cost allow all required trades."""
    values = [(order.reachable * order.price, order.rate) for order in orders]
    traded = sum((value for value, _ in values), ZERO)
    return traded <= budgets.turnover and sum((value * rate for value, rate in values), ZERO) <= budgets.cost


def _sells_all(order: Order, request: ReallocationRequest) -> bool:
    """Whether all of a holding can be sold, and that is the best whatever else is traded."""
    reachable = order.sells_all and order.reachable == order.held
    aversion = request.modes.cost_aversion
    # A sale of value v lowers half the distance by v / 2 at least, but for its own cost r v, which moves the targets
    # and the net asset value by at most (1/2 + 3/2) r v as drift is below 3/2, and counts itself aversion times.
    pays = aversion == 0.0 or order.rate * (exact(aversion) + 2) <= _HALF
    return reachable and pays and order.held * order.price >= exact(request.limits.min_trade_value)


def _cause_finder(request: ReallocationRequest, left: Budgets, cash: Decimal) -> CauseFinder:
    spare = min(cash - exact(request.limits.cash_floor), left.purchases)
    return CauseFinder(request.limits, spare, left.turnover, left.cost, request.modes.cost_aversion)


def _lot_order(order: Order, request: ReallocationRequest) -> LotOrder:
    value = order.lot * order.price
    return LotOrder(
        wanted=0.0 if order.reversed else ratio(order.wanted, order.lot),
        scalable=ratio(order.scalable, order.lot),
        most=ANY_NUMBER if order.most is None else min(int(order.most // order.lot), ANY_NUMBER),
        least=max(1, ceiling(exact(request.limits.min_trade_value), value)),
        buys=order.buys,
        value=value,
        cash=order.lot * order.cash_per_unit,
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
