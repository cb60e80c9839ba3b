"""The portfolio before and after a plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.reallocation.plan import Plan, net_asset_value
from domain.reallocation.request import ReallocationRequest

BASIS_POINTS = 1e4


@dataclass(frozen=True, slots=True)
class Summary:
    """Weights are fractions of the net asset value of their own time; money is in the currency of the prices."""

    weights_before: Mapping[str, float]
    weights_after: Mapping[str, float]
    nav_before: float
    nav_after: float
    cash_after: float
    cost: float
    cost_bps: float  # of nav_before
    residual_drift: float  # half the sum of absolute differences to the target
    turnover_one_way: float  # of nav_before
    days_to_complete: int


def summarise(request: ReallocationRequest, plan: Plan) -> Summary:
    """What the plan does, cash and costs included."""
    before = net_asset_value(request)
    units = dict(request.portfolio.quantities)
    cash, cost, traded = request.portfolio.cash, 0.0, 0.0
    for trade in plan.trades:
        units[trade.symbol] = units.get(trade.symbol, 0.0) + trade.quantity
        cash, cost = trade.cash_after, cost + trade.cost
        traded += abs(trade.quantity) * trade.price
    after = before - cost
    weights = _weights(request, units, after)
    symbols = weights.keys() | request.target.keys()
    drift = sum(abs(weights.get(symbol, 0.0) - request.target.get(symbol, 0.0)) for symbol in symbols)
    return Summary(
        weights_before=_weights(request, request.portfolio.quantities, before),
        weights_after=weights,
        nav_before=before,
        nav_after=after,
        cash_after=cash,
        cost=cost,
        cost_bps=BASIS_POINTS * cost / before,
        residual_drift=0.5 * drift,
        turnover_one_way=0.5 * traded / before,
        days_to_complete=max((trade.day for trade in plan.trades), default=0),
    )


def _weights(request: ReallocationRequest, units: Mapping[str, float], nav: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for symbol, quantity in units.items():
        price = request.market.price(symbol)
        if price is not None:
            found[symbol] = quantity * price / nav
    return found
