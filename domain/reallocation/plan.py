"""The trade list: whole lots, sells before the buys they fund, cash never below its floor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.exact import ONE, ZERO, ceiling, exact, exact_arithmetic, quotient, ratio
from domain.market_data.snapshot import Snapshot
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.budgets import PlanBudgets, settling
from domain.reallocation.cancellation import checked
from domain.reallocation.causes import CauseFinder
from domain.reallocation.drift import Drift
from domain.reallocation.gain_budget import first_lots
from domain.reallocation.lot_program import best_lots
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder, keeps
from domain.reallocation.orders import Order, orders_of, reverse
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Schedule, Trade
from domain.reallocation.shortfall import Cause, Shortfall, ShortfallCode
from domain.reallocation.tax_weight import PRICES_OF_CASH, alone
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
    least_drift: float = 0.0  # no choice of whole lots has a lower objective: residual drift, cost and tax weighed in
    weighed_tax: float = 0.0  # tax in money, as it is weighed: 0 without an aversion to it


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
        sales = LotSales(request.taxes, request.market)
        budgets = PlanBudgets(request, worth, sales, reserve)
        least, tax = _choose(request, valuation, orders, budgets, check_cancelled)
        if (first := budgets.left(orders)).cash < first.required:
            for order in orders:
                if order.buys and order.held:
                    reverse(request, order)
            least, tax = _choose(request, valuation, orders, budgets, check_cancelled)
        schedule = Schedule(request.cash, budgets.floor, check_cancelled, request.settlement_days)
        left = schedule.run(orders, request.horizon_days)
        for order in orders:
            if order.symbol in left:
                order.quantity -= left[order.symbol]
                order.causes.append(Cause(ShortfallCode.CASH, request.limits.cash_floor))
        unraised = max(budgets.required_cash - schedule.cash, ZERO)
        trades = () if unraised else tuple(schedule.trades)
        if unraised:
            _withdraw(orders, request)
        find = _cause_finder(request, budgets.left(orders), schedule.usable, sales)
        short = [_shortfall(o, find) for o in checked(orders, check_cancelled) if _falls_short(o, worth)]
        warnings = _warnings(trades, request.market)
        return ReallocationPlan(trades, tuple(short), warnings, float(unraised), least, tax if trades else 0.0)


def _choose(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    budgets: PlanBudgets,
    check_cancelled: Callable[[], None],
) -> tuple[float, float]:
    """Sets the quantity of every order; returns an objective that no choice of whole lots is below, and the tax."""
    priced = [order for order in orders if order.price]
    for order in priced:
        order.quantity = ZERO
    budgets.sales.begin(priced)
    if _all_affordable(priced, budgets.left()):
        for order in priced:
            if _sells_all(order, request, budgets.sales) and budgets.sales.may_exit(order):
                order.quantity = order.held
    fixed = [order for order in priced if order.quantity]
    free = [order for order in priced if not order.quantity]
    for order in free:
        budgets.sales.limit(order)
    problem = [_lot_order(order, request, budgets.sales) for order in checked(free, check_cancelled)]
    fixed_tax = budgets.sales.tax(fixed) if request.modes.tax_aversion else 0.0
    drift = Drift.of(request, valuation, list(zip(free, problem, strict=True)), fixed, fixed_tax)
    left = budgets.left(fixed)
    lots = _known_lots(problem, left, drift, check_cancelled)
    bound = 0.0
    if keeps(problem, left, lots):
        best = best_lots(drift, problem, left, lots, SolverControl.for_seconds(SECONDS, check_cancelled))
        lots, bound = list(best.lots), best.bound
    for order, count in zip(free, lots, strict=True):
        order.quantity = count * order.lot
    odd = _sell_odd_lots(request, checked(free, check_cancelled), budgets.left(priced), budgets.sales)
    return bound, drift.taxes.fixed + drift.taxes.tax(lots) + odd


def _known_lots(
    problem: Sequence[LotOrder], budgets: Budgets, drift: Drift, check_cancelled: Callable[[], None]
) -> list[int]:
    """Lots near the wish; where cost is weighed, also without the orders that cost more than they bring, or none."""
    near = first_lots(problem, budgets, drift, check_cancelled)
    if (drift.cost_aversion == 0.0 and drift.taxes.aversion == 0.0) or not keeps(problem, budgets, near):
        return near
    dear = (drift.cost_aversion * drift.cost_rates > 0.5).tolist()
    rest = [replace(order, wanted=0.0, scalable=0.0) if d else order for order, d in zip(problem, dear, strict=True)]
    others = [[0] * len(problem)]
    for price in PRICES_OF_CASH if drift.taxes.curves else (0.0,):
        for j, curve in drift.taxes.curves.items():
            rest[j] = alone(problem[j], curve, drift.taxes.aversion, drift.cost_aversion, price)
        others.append(first_lots(rest, budgets, drift, check_cancelled))
    return min([near, *(lots for lots in others if keeps(problem, budgets, lots))], key=drift)


def _sell_odd_lots(request: ReallocationRequest, orders: Iterable[Order], left: Budgets, sales: LotSales) -> float:
    """Where all whole lots of a holding are sold, the odd lot goes with them; returns the tax on these that counts."""
    turnover, cost, gain, total = left.turnover, left.cost, left.gain, 0.0
    for order in orders:
        rest = order.held - order.quantity
        if not (ZERO < rest < order.lot and order.quantity and _sells_all(order, request, sales)):
            continue
        value, more = rest * order.price, sales.more_gain(order, order.quantity, rest)
        if value <= turnover and value * order.rate <= cost and more <= gain:
            total += _tax_of_rest(request, order, sales)
            order.quantity = order.held
            turnover, cost, gain = turnover - value, cost - value * order.rate, gain - more
    return total


def _tax_of_rest(request: ReallocationRequest, order: Order, sales: LotSales) -> float:
    curve = sales.tax_curve(order, all_at_once=False) if request.modes.tax_aversion else None
    return 0.0 if curve is None else float(curve.gain(order.held) - curve.gain(order.quantity))


def _all_affordable(orders: Sequence[Order], budgets: Budgets) -> bool:
    """Whether the limits on turnover and cost allow all required trades."""
    values = [(order.reachable * order.price, order.rate) for order in orders]
    traded = sum((value for value, _ in values), ZERO)
    return traded <= budgets.turnover and sum((value * rate for value, rate in values), ZERO) <= budgets.cost


def _sells_all(order: Order, request: ReallocationRequest, sales: LotSales) -> bool:
    """Whether all of a holding can be sold, and that is the best whatever else is traded."""
    reachable = order.sells_all and order.reachable == order.held
    aversion = request.modes.cost_aversion
    # A sale of value v lowers half the distance by v / 2 at least, but for its own cost r v, which moves the targets
    # and the net asset value by at most (1/2 + 3/2) r v as drift is below 3/2, and counts itself aversion times.
    tax = _largest_tax(order, request, sales)
    pays = (aversion == 0.0 and tax == ZERO) or order.rate * (exact(aversion) + 2) + tax <= _HALF
    return reachable and pays and order.held * order.price >= exact(request.limits.min_trade_value)


def _largest_tax(order: Order, request: ReallocationRequest, sales: LotSales) -> Decimal:
    """The tax on a unit of money sold that any tax lot has, times the aversion to it; more than 1/2 is too much."""
    aversion = request.modes.tax_aversion
    curve = sales.tax_curve(order, all_at_once=False) if aversion and order.price else None
    if curve is None:
        return ZERO
    if request.cash < ZERO:
        return ONE  # sales that must be made may take the objective above 3/2
    return quotient(exact(aversion) * max(curve.gain_per_unit, default=ZERO), order.price)


def _cause_finder(request: ReallocationRequest, left: Budgets, usable: Decimal, sales: LotSales) -> CauseFinder:
    spare = min(usable, left.purchases)
    return CauseFinder(request.limits, spare, left.turnover, sales, left.gain, left.cost, request.modes)


def _lot_order(order: Order, request: ReallocationRequest, sales: LotSales) -> LotOrder:
    value = order.lot * order.price
    settles = None if order.buys else settling(order, request)
    return LotOrder(
        wanted=0.0 if order.reversed else ratio(order.wanted, order.lot),
        scalable=ratio(order.scalable, order.lot),
        most=ANY_NUMBER if order.most is None else min(int(order.most // order.lot), ANY_NUMBER),
        # More than any order has: not traded.
        least=min(max(1, ceiling(exact(request.limits.min_trade_value), value)), 2 * ANY_NUMBER),
        buys=order.buys,
        value=value,
        cash=order.lot * order.cash_per_unit,
        usable=ANY_NUMBER if settles is None else min(int(settles // order.lot), ANY_NUMBER),
        units=order.lot,
        curve=sales.curve(order, all_at_once=False),
        tax=sales.tax_curve(order, all_at_once=False) if request.modes.tax_aversion else None,
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
