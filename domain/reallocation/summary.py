"""The portfolio before and after a plan."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic, ratio
from domain.reallocation.cancellation import checked
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.valuation import Valuation, cost_of, spread_rate
from domain.records import dataclass

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class CostsByKind:
    """In money; a figure of an asset's own counts as commission."""

    commission: float
    spread: float
    impact: float | None  # None where no law of impact is given
    fixed: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Weights are fractions of the net asset value of their own time; money is in the currency of the prices."""

    weights_before: Mapping[str, float]
    weights_after: Mapping[str, float]
    nav_before: float  # after a cash flow
    nav_after: float
    cash_after: float
    cost: float
    costs: CostsByKind
    cost_bps: float  # of nav_before
    residual_drift: float  # half the sum of absolute differences to the target
    turnover_one_way: float  # of nav_before
    days_to_complete: int
    tracking_error_annual: float | None = None  # of weights_after to the target; None where no covariance is known


def summarise(
    request: ReallocationRequest,
    valuation: Valuation,
    plan: ReallocationPlan,
    check_cancelled: Callable[[], None],
    impact: Sequence[Decimal] | None = None,
) -> Summary:
    """Summary of the plan, cash and costs included, with the market impact in money of each trade.

    Every figure is exact before its one rounding to a float.
    Raises InvalidInput where costs leave no net asset value.
    """
    with exact_arithmetic():
        before, values = valuation.net_asset_value, valuation.values
        held = dict(values)
        cash, cost, spread, traded, fixed = request.cash, ZERO, ZERO, ZERO, ZERO
        for trade in checked(plan.trades, check_cancelled):
            units, crossed = exact(trade.quantity), exact(trade.crossed)
            price = request.market.quotes[trade.symbol].exact_price
            value, paid = units * price, cost_of(request, valuation, trade.symbol, units, crossed)
            held[trade.symbol] = held.get(trade.symbol, ZERO) + value
            cash, cost, traded = cash - value - paid, cost + paid, traded + abs(value)
            fixed += request.fees.of_trade(units)
            spread += abs(units - crossed) * price * spread_rate(request, trade.symbol)
        by_kind = CostsByKind(
            commission=float(cost - spread - fixed),
            spread=float(spread),
            impact=None if impact is None else float(sum(impact, ZERO)),
            fixed=float(fixed),
        )
        cost, cash = cost + sum(impact or (), ZERO), cash - sum(impact or (), ZERO)
        after = before - cost
        if after <= ZERO:
            raise InvalidInput("costs", "must leave a net asset value above 0")
        return Summary(
            weights_before={symbol: ratio(value, before) for symbol, value in checked(values.items(), check_cancelled)},
            weights_after={symbol: ratio(value, after) for symbol, value in checked(held.items(), check_cancelled)},
            nav_before=float(before),
            nav_after=float(after),
            cash_after=float(cash),
            cost=float(cost),
            costs=by_kind,
            cost_bps=ratio(BASIS_POINTS * cost, before),
            residual_drift=ratio(_differences(request.target, held, after, check_cancelled), 2 * after),
            turnover_one_way=ratio(traded, 2 * before),
            days_to_complete=max((trade.day for trade in plan.trades), default=0),
        )


def _differences(
    target: Mapping[str, float], held: Mapping[str, Decimal], nav: Decimal, check_cancelled: Callable[[], None]
) -> Decimal:
    """Sum of absolute differences to the target, in money."""
    symbols = checked(held.keys() | target.keys(), check_cancelled)
    return sum((abs(held.get(s, ZERO) - exact(target.get(s, 0.0)) * nav) for s in symbols), ZERO)
