"""Every plan of whole lots of a small account, with tracking errors, impact and fees computed in the plainest way.

Knows nothing of how a plan is made: an account of one day, whose proceeds can be used at once.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.costs.impact import SquareRootImpact
from domain.reallocation.modes import Deviation, Direction
from domain.reallocation.request import ReallocationRequest

DAYS = 252.0
ROUNDING = 1e-9


@dataclass(frozen=True)
class Plan:
    """Units of each asset, negative to sell, and what they lead to."""

    units: tuple[float, ...]
    objective: float
    cost: float
    deviation: float


def best_plan(request: ReallocationRequest) -> Plan | None:
    """The plan with the least objective; None where none keeps the limits."""
    return min(plans(request), key=lambda plan: plan.objective, default=None)


def plans(request: ReallocationRequest) -> Iterator[Plan]:
    """All that keep the limits."""
    symbols = list(request.market.quotes)
    nav = request.portfolio.cash + sum(_held(request, s) * request.market.quotes[s].price for s in symbols)
    priced = [[(each, cost_of_trade(request, s, each)) for each in _units(request, s, nav)] for s in symbols]
    deviation = _deviation(request, symbols)
    for trades in itertools.product(*priced):
        units, costs = zip(*trades, strict=True)
        plan = _plan(request, symbols, units, costs, nav, deviation)
        if plan is not None:
            yield plan


def cost_of_trade(request: ReallocationRequest, symbol: str, units: float) -> float:
    """Commission, spread, fee and impact of one trade, in money."""
    if not units:
        return 0.0
    quote, costs, fees = request.market.quotes[symbol], request.costs, request.fees
    value = abs(units) * quote.price
    spread = costs.half_spread_bps if quote.spread_bps is None else quote.spread_bps / 2.0
    rate = costs.by_symbol_bps.get(symbol, costs.commission_bps)
    commission = max(value * rate / 1e4 + fees.per_unit * abs(units), fees.least_commission)
    if fees.most_commission is not None:
        commission = min(commission, fees.most_commission)
    cost = commission + fees.fixed + (0.0 if symbol in costs.by_symbol_bps else value * spread / 1e4)
    if request.impact is None or quote.average_daily_volume is None:
        return cost
    law, sigma = request.impact.law, (quote.volatility_annual or 0.0) / math.sqrt(DAYS)
    assert isinstance(law, SquareRootImpact)
    # Every unit pays Y sigma sqrt(q / V): the integral of it.
    share = abs(units) / quote.average_daily_volume
    return cost + 2.0 / 3.0 * law.coefficient * sigma * math.sqrt(share) * value


def _plan(
    request: ReallocationRequest,
    symbols: list[str],
    units: tuple[float, ...],
    costs: tuple[float, ...],
    nav: float,
    deviation_of: Callable[[list[float]], float],
) -> Plan | None:
    limits, prices = request.limits, [request.market.quotes[s].price for s in symbols]
    values = [each * price for each, price in zip(units, prices, strict=True)]
    cost, cash = sum(costs), request.portfolio.cash - sum(values) - sum(costs)
    floor = limits.cash_floor
    if any(each > 0.0 for each in units) and cash < floor - ROUNDING:
        return None
    if request.portfolio.cash < 0.0 and cash < min(floor, 0.0) - ROUNDING:
        return None
    if limits.max_turnover is not None and sum(map(abs, values)) > 2.0 * limits.max_turnover * nav + ROUNDING:
        return None
    if limits.max_cost_bps is not None and cost > limits.max_cost_bps / 1e4 * nav + ROUNDING:
        return None
    bought = sum(v + c for v, c in zip(values, costs, strict=True) if v > 0.0)
    if request.modes.retain_cash and bought > max(request.portfolio.cash - floor, 0.0) + ROUNDING:
        return None
    after = nav - cost
    if after <= 0.0:
        return None
    away = [
        (_held(request, s) + each) * price / after - request.target.get(s, 0.0)
        for s, each, price in zip(symbols, units, prices, strict=True)
    ]
    deviation = deviation_of(away)
    return Plan(units, deviation + request.modes.cost_aversion * cost / after, cost, deviation)


def _deviation(request: ReallocationRequest, symbols: list[str]) -> Callable[[list[float]], float]:
    """What the active weights of a plan are judged by."""
    if request.modes.deviation is Deviation.DRIFT:
        return lambda away: 0.5 * sum(map(abs, away))
    assert request.active_risk is not None
    model, periods = request.active_risk.model.moments, request.active_risk.periods_per_year
    place = {s: i for i, s in enumerate(model.symbols)}
    rows = [[float(model.covariance[place[s], place[t]]) for t in symbols] for s in symbols]

    def tracking_error(away: list[float]) -> float:
        variance = 0.0
        for first, row in zip(away, rows, strict=True):
            for second, covariance in zip(away, row, strict=True):
                variance += first * second * covariance
        return math.sqrt(max(variance, 0.0) * periods)

    return tracking_error


def _held(request: ReallocationRequest, symbol: str) -> float:
    return request.portfolio.quantities.get(symbol, 0.0)


def _units(request: ReallocationRequest, symbol: str, nav: float) -> list[float]:
    quote, held, limits = request.market.quotes[symbol], _held(request, symbol), request.limits
    lot, wanted = quote.lot_size, request.target.get(symbol, 0.0)
    found = {-k * lot for k in range(int(held // lot) + 1)}
    if not wanted:
        found.add(-held)
    if wanted and (held or not request.modes.no_new_names):
        found |= {k * lot for k in range(int(nav // (lot * quote.price)) + 1)}
    direction = request.modes.direction
    allowed = [u for u in found if not u or abs(u) * quote.price >= limits.min_trade_value - ROUNDING]
    if limits.max_participation is not None and quote.average_daily_volume is not None:
        most = limits.max_participation * quote.average_daily_volume
        allowed = [u for u in allowed if abs(u) <= most + ROUNDING]
    if direction is not Direction.BOTH:
        allowed = [u for u in allowed if not u or (u > 0.0) is (direction is Direction.BUY_ONLY)]
    return sorted(0.0 if quote.halted and u else u for u in set(allowed))
