"""The trades of a reallocation and their figures."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from domain.market_data.snapshot import Snapshot
from domain.reallocation.cost_benefit import CostBenefit, cost_benefit
from domain.reallocation.liquidity import LiquidityAssessment, assess
from domain.reallocation.modes import Deviation
from domain.reallocation.needs import Needs, cash_needs_trades
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.plan_with_impact import plan_with_impact
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.summary import Summary, summarise
from domain.reallocation.trade_impact import TradeImpact
from domain.reallocation.valuation import Valuation
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and its figures."""

    request: ReallocationRequest  # with the volumes of a service outside where there is one
    plan: ReallocationPlan
    impact: TradeImpact | None
    summary: Summary
    objective: float
    tax_benefit: float
    worth: CostBenefit | None = None  # what the trades are worth, where a threshold asks for it


def planned_trades(needs: Needs, valuation: Valuation, check_cancelled: Callable[[], None]) -> Planned:
    """The plan of the required trades; one without trades where they are not worth their cost."""
    request = replace(needs.request, market=_market_of(needs.request))
    found = _plan(request, valuation, needs.required, check_cancelled)
    # What cash or a harvest of losses needs is not measured by the tracking error.
    is_weighed = not (cash_needs_trades(request) or needs.harvest.symbols)
    worth = _cost_benefit(request, found) if is_weighed else None
    if worth is not None and not worth.worth_it:
        found = _plan(request, valuation, {}, check_cancelled)
    return replace(found, worth=worth)


def assessed(needs: Needs) -> LiquidityAssessment:
    """Of the required trades, by a service outside or the volumes of the market."""
    request = needs.request
    if request.liquidity is not None:
        return request.liquidity.completed(needs.required)
    return assess(needs.required, request.market, request.max_participation, request.horizon_days)


def _plan(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> Planned:
    trades, impact = plan_with_impact(request, valuation, required, check_cancelled)
    summary = summarise(request, valuation, trades, check_cancelled)
    weighed_tax = request.modes.tax_aversion * trades.weighed_tax / summary.nav_after
    weighed_cost = request.modes.cost_aversion * summary.cost / summary.nav_after
    objective = summary.residual_drift + weighed_cost + weighed_tax
    if impact:
        summary = summarise(request, valuation, trades, check_cancelled, impact.charges)
    error = _tracking_error(request, summary)
    if request.weighs_trades:
        weighed_tax = request.modes.tax_aversion * trades.weighed_tax / summary.nav_after
        deviation = summary.residual_drift
        if request.modes.deviation is Deviation.TRACKING_ERROR and error is not None:
            deviation = error
        objective = deviation + request.modes.cost_aversion * summary.cost / summary.nav_after + weighed_tax
    summary = replace(summary, tracking_error_annual=error)
    return Planned(request, trades, impact, summary, objective, max(-weighed_tax, 0.0))


def _tracking_error(request: ReallocationRequest, summary: Summary) -> float | None:
    """Of the weights after the trades, as a fraction per year; None where no covariance is known."""
    risk = request.active_risk
    symbols = summary.weights_after.keys() | {symbol for symbol, weight in request.target.items() if weight}
    if risk is None or not symbols <= set(risk.symbols):
        return None
    return risk.annual({s: summary.weights_after.get(s, 0.0) - request.target.get(s, 0.0) for s in symbols})


def _cost_benefit(request: ReallocationRequest, found: Planned) -> CostBenefit | None:
    """What the trades of a plan are worth; None where nothing is traded, or no threshold asks for it."""
    rule, risk, summary = request.thresholds.cost_benefit, request.active_risk, found.summary
    if rule is None or risk is None or not found.plan.trades:
        return None
    cost = summary.cost / summary.nav_before
    return cost_benefit(rule, risk, summary.weights_before, summary.weights_after, request.target, cost)


def _market_of(request: ReallocationRequest) -> Snapshot:
    """The market, with the volumes of a service outside where there is one."""
    if request.liquidity is None:
        return request.market
    return request.liquidity.volumes_of(request.market, request.limits.max_participation, request.horizon_days)
