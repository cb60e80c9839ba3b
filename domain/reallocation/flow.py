"""A reallocation in seven steps: collect, target, required assets, utilization, liquidity, plan, output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.costs.self_financing import remaining_fraction
from domain.errors import InvalidInput
from domain.reallocation.liquidity import LiquidityAssessment, assess
from domain.reallocation.plan import Plan, cost_rate, net_asset_value, plan
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.summary import Summary, summarise
from domain.reallocation.utilization import UtilizationReport, utilization


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing needs to be traded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing can be traded."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Reallocation:
    """What came of it. Shortfalls are in the plan, also where its trades are none."""

    utilization: UtilizationReport
    liquidity: LiquidityAssessment
    outcome: Plan | Unchanged | Failure
    plan: Plan
    summary: Summary


def reallocate(request: ReallocationRequest) -> Reallocation:
    """The plan that takes a portfolio to its target, or why there is none.

    Raises InvalidInput for a target without a price, negative cash, or a net asset value of zero or less.
    """
    current = collect(request)
    target = request.target
    symbols = required_assets(request)
    report = utilization(symbols, current, target, request.thresholds)
    required = required_trades(request, symbols) if report.exceeded else {}
    liquidity = assess(required, request.market, request.limits.max_participation, request.horizon_days)
    trades = plan(request, required, liquidity)
    return Reallocation(report, liquidity, _outcome(report, trades), trades, summarise(request, trades))


def collect(request: ReallocationRequest) -> Mapping[str, float]:
    """Current weights of what is held and has a price."""
    if request.portfolio.cash < 0.0:
        raise InvalidInput("portfolio.cash", f"must be 0 or more to plan with, is {request.portfolio.cash:g}")
    for i, (symbol, quantity) in enumerate(request.portfolio.quantities.items()):
        if quantity < 0.0:
            raise InvalidInput(
                f"portfolio.holdings[{i}].quantity", f"{symbol} is short; only long positions are planned"
            )
    worth = net_asset_value(request)
    if worth <= 0.0:
        raise InvalidInput("portfolio", f"must have a net asset value above 0, has {worth:g}")
    found: dict[str, float] = {}
    for symbol, units in request.portfolio.quantities.items():
        price = request.market.price(symbol)
        if price is not None:
            found[symbol] = units * price / worth
    for symbol in request.target:
        if request.market.price(symbol) is not None:
            found.setdefault(symbol, 0.0)
    return found


def required_assets(request: ReallocationRequest) -> Sequence[str]:
    """Everything held or wanted, in a fixed order; what is wanted must have a price."""
    for i, (symbol, weight) in enumerate(request.target.items()):
        if weight > 0.0 and symbol not in request.market.quotes:
            raise InvalidInput(f"target_weights.weights[{i}].symbol", f"{symbol} has no price in the market given")
    held = [symbol for symbol, units in request.portfolio.quantities.items() if units]
    return sorted({*held, *request.target})


def required_trades(request: ReallocationRequest, symbols: Sequence[str]) -> Mapping[str, float]:
    """Units to buy or sell to reach the target exactly, costs paid, before lots and limits."""
    worth = net_asset_value(request) * _kept(request, symbols)
    found: dict[str, float] = {}
    for symbol in symbols:
        held = request.portfolio.quantities.get(symbol, 0.0)
        price = request.market.price(symbol)
        # Without a price nothing is known of its weight; it is kept, and the shortfall says so.
        wanted = -held if price is None else request.target.get(symbol, 0.0) * worth / price - held
        if wanted:
            found[symbol] = wanted
    return found


def _kept(request: ReallocationRequest, symbols: Sequence[str]) -> float:
    """Part of the net asset value that is left after the costs of reaching the target."""
    priced = [symbol for symbol in symbols if symbol in request.market.quotes]
    current = collect(request)
    return remaining_fraction(
        np.array([request.target.get(symbol, 0.0) for symbol in priced]),
        np.array([current.get(symbol, 0.0) for symbol in priced]),
        np.array([cost_rate(request, symbol) for symbol in priced]),
    )


def _outcome(report: UtilizationReport, trades: Plan) -> Plan | Unchanged | Failure:
    if not report.exceeded:
        return Unchanged("every asset is within its thresholds")
    if trades.trades:
        return trades
    if not trades.shortfalls:
        return Unchanged("the differences to the target are below what can be traded")
    codes = sorted({cause.code.value for shortfall in trades.shortfalls for cause in shortfall.causes})
    if set(codes) <= {"LOT_SIZE", "MIN_TRADE"}:
        return Unchanged("every difference to the target is less than a lot or the least trade")
    return Failure("NOTHING_TRADABLE", f"no required trade can be done: {', '.join(codes)}")
