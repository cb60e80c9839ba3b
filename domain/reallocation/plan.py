"""The trade list: whole lots, sells before the buys they fund, cash never below its floor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.exact import ZERO, ceiling, exact, exact_arithmetic, ratio
from domain.market_data.snapshot import Snapshot
from domain.optimization.programs.solver_control import SolverControl
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
from domain.reallocation.valuation import Valuation
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
    least_drift: float = 0.0  # no choice of whole lots leaves a lower residual drift


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
        turnover = _turnover(request, worth)
        sales = LotSales(request.taxes, request.market)
        least = _choose(request, valuation, orders, turnover, sales, check_cancelled, reserve)
        if _cash_after(request, orders) < _required_cash(request, reserve):
            for order in orders:
                if order.buys and order.held:
                    reverse(request, order)
            least = _choose(request, valuation, orders, turnover, sales, check_cancelled, reserve)
        floor = exact(request.limits.cash_floor) + reserve
        schedule = Schedule(exact(request.portfolio.cash), floor, check_cancelled, request.settlement_days)
        left = schedule.run(orders, request.horizon_days)
        for order in orders:
            if order.symbol in left:
                order.quantity -= left[order.symbol]
                order.causes.append(Cause(ShortfallCode.CASH, request.limits.cash_floor))
        unraised = max(_required_cash(request, reserve) - schedule.cash, ZERO)
        trades = () if unraised else tuple(schedule.trades)
        if unraised:
            _withdraw(orders, request)
        turnover_left = turnover - sum((order.value for order in orders), ZERO)
        find = CauseFinder(request.limits, schedule.usable, turnover_left, sales, sales.gain_left(orders))
        short = [_shortfall(o, find) for o in checked(orders, check_cancelled) if _falls_short(o, worth)]
        return ReallocationPlan(trades, tuple(short), _warnings(trades, request.market), float(unraised), least)


def _choose(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    turnover: Decimal,
    sales: LotSales,
    check_cancelled: Callable[[], None],
    reserve: Decimal,
) -> float:
    """Sets the quantity of every order; returns a drift that no choice of whole lots is below."""
    priced = [order for order in orders if order.price]
    for order in priced:
        order.quantity = ZERO
    sales.begin(priced)
    if sum((order.reachable * order.price for order in priced), ZERO) <= turnover:
        for order in priced:
            if _can_sell_all(order, request) and sales.may_exit(order):
                order.quantity = order.held
    fixed = [order for order in priced if order.quantity]
    free = [order for order in priced if not order.quantity]
    for order in free:
        sales.limit(order)
    problem = [_lot_order(order, request, sales) for order in checked(free, check_cancelled)]
    drift = Drift.of(request, valuation, list(zip(free, problem, strict=True)), fixed)
    budgets = _budgets(request, fixed, turnover, sales, reserve)
    lots = first_lots(problem, budgets, drift, check_cancelled)
    bound = 0.0
    if keeps(problem, budgets, lots):
        best = best_lots(drift, problem, budgets, lots, SolverControl.for_seconds(SECONDS, check_cancelled))
        lots, bound = list(best.lots), best.bound
    for order, count in zip(free, lots, strict=True):
        order.quantity = count * order.lot
    turnover_left = turnover - sum((order.value for order in priced), ZERO)
    gain_left = sales.gain_left(priced)
    for order in checked(free, check_cancelled):
        rest = order.held - order.quantity
        # All whole lots of a holding are sold: the odd lot goes with them.
        if (
            order.quantity
            and rest < order.lot
            and _can_sell_all(order, request)
            and rest * order.price <= turnover_left
            and (gain := sales.more_gain(order, order.quantity, rest)) <= gain_left
        ):
            order.quantity = order.held
            turnover_left -= rest * order.price
            gain_left -= gain
    return bound


def _turnover(request: ReallocationRequest, worth: Decimal) -> Decimal:
    """The most that may be traded, both ways, in money."""
    limit = request.limits.max_turnover
    return Decimal("Infinity") if limit is None else 2 * exact(limit) * worth


def _required_cash(request: ReallocationRequest, reserve: Decimal) -> Decimal:
    """The level up to which sales raise a negative cash, whatever the target: 0, or a floor below it."""
    cash = exact(request.portfolio.cash)
    return min(exact(request.limits.cash_floor), ZERO) + reserve if cash < ZERO else Decimal("-Infinity")


def _cash_after(request: ReallocationRequest, orders: Sequence[Order]) -> Decimal:
    traded = (o.quantity * (-o.cash_per_unit if o.buys else o.cash_per_unit) for o in orders)
    return sum(traded, exact(request.portfolio.cash))


def _can_sell_all(order: Order, request: ReallocationRequest) -> bool:
    """Whether all of a holding can be sold."""
    reachable = order.sells_all and order.reachable == order.held
    return reachable and order.held * order.price >= exact(request.limits.min_trade_value)


def _settling(order: Order, request: ReallocationRequest) -> Decimal | None:
    """Units that can be sold early enough to settle within the horizon; None is no limit."""
    days = request.horizon_days - request.settlement_days
    if days <= 0:
        return ZERO
    return None if order.daily is None or not request.settlement_days else days * order.daily


def _budgets(
    request: ReallocationRequest, fixed: Sequence[Order], turnover: Decimal, sales: LotSales, reserve: Decimal
) -> Budgets:
    floor = exact(request.limits.cash_floor) + reserve
    usable, proceeds = exact(request.portfolio.cash) - floor, ZERO
    for order in fixed:
        settling = _settling(order, request)
        proceeds += order.quantity * order.cash_per_unit
        usable += (order.quantity if settling is None else min(order.quantity, settling)) * order.cash_per_unit
    # What settles later raises a negative cash, and pays for nothing.
    late = exact(request.portfolio.cash) - floor + proceeds - usable
    return Budgets(
        cash=usable,
        required=_required_cash(request, reserve) - floor - late,
        turnover=turnover - sum((order.value for order in fixed), ZERO),
        gain=sales.gain_left(fixed),
    )


def _lot_order(order: Order, request: ReallocationRequest, sales: LotSales) -> LotOrder:
    value = order.lot * order.price
    settling = None if order.buys else _settling(order, request)
    return LotOrder(
        wanted=0.0 if order.reversed else ratio(order.wanted, order.lot),
        scalable=ratio(order.scalable, order.lot),
        most=ANY_NUMBER if order.most is None else min(int(order.most // order.lot), ANY_NUMBER),
        # More than any order has: not traded.
        least=min(max(1, ceiling(exact(request.limits.min_trade_value), value)), 2 * ANY_NUMBER),
        buys=order.buys,
        value=value,
        cash=order.lot * order.cash_per_unit,
        usable=ANY_NUMBER if settling is None else min(int(settling // order.lot), ANY_NUMBER),
        units=order.lot,
        curve=sales.curve(order, all_at_once=False),
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
