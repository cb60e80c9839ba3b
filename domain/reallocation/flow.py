"""A reallocation in seven steps: collect, target, required assets, utilization, liquidity, plan, output."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

import numpy as np

from domain.costs.self_financing import WealthExhausted, post_cost_fraction
from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic, quotient, ratio
from domain.market_data.snapshot import Snapshot
from domain.reallocation.cancellation import checked
from domain.reallocation.cost_benefit import CostBenefit, cost_benefit
from domain.reallocation.currency_drift import currency_drifts
from domain.reallocation.harvest import Harvest, harvest_of
from domain.reallocation.harvest_report import HarvestReport, harvest_report
from domain.reallocation.liquidity import LiquidityAssessment, assess
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.plan_with_impact import plan_with_impact
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.shortfall import Cause, ShortfallCode
from domain.reallocation.summary import Summary, summarise
from domain.reallocation.tax_report import TaxReport, tax_report
from domain.reallocation.trade_impact import TradeImpact
from domain.reallocation.trade_schedule import TradeSchedule, schedule_of
from domain.reallocation.unused_fields import unused_horizon
from domain.reallocation.utilization import UtilizationReport, utilization
from domain.reallocation.valuation import Valuation, value

OPTIMAL_GAP = 1e-5
"""Gap below which a plan counts as optimal: the solver proves bounds to a millionth."""

LARGEST_GAP = 1e9
"""A larger gap is not told from it."""

OPTIMAL_DRIFT = 1e-12
"""Drift below which a difference is rounding."""


def _continue() -> None:
    """The cancellation check of a caller that never cancels."""


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
    """The result. The plan has the shortfalls, also where it has no trades."""

    utilization: UtilizationReport
    liquidity: LiquidityAssessment
    outcome: ReallocationPlan | Unchanged | Failure
    plan: ReallocationPlan
    summary: Summary
    objective: float  # residual drift, cost and tax times the aversions to them, at the costs without market impact
    impact: TradeImpact | None = None
    schedule: TradeSchedule | None = None
    taxes: TaxReport = field(default_factory=TaxReport)
    tax_benefit: float = 0.0  # the part of the objective that is below 0, as a positive number
    harvest: HarvestReport = field(default_factory=HarvestReport)
    cost_benefit: CostBenefit | None = None  # None where no threshold asks for it, or nothing was to be traded

    @property
    def gap(self) -> float:
        """The most by which the objective exceeds the least possible one, as a fraction of the size of its terms."""
        excess = max(self.objective - self.plan.least_drift, 0.0)
        size = self.objective + 2.0 * self.tax_benefit
        return min(excess / size, LARGEST_GAP) if size > 0.0 else 0.0 if excess <= OPTIMAL_DRIFT else LARGEST_GAP

    @property
    def optimal(self) -> bool:
        """Whether no plan is known to be able to have a lower objective, but for rounding."""
        return self.gap <= OPTIMAL_GAP or self.objective - self.plan.least_drift <= OPTIMAL_DRIFT


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan and its figures."""

    plan: ReallocationPlan
    impact: TradeImpact | None
    summary: Summary
    objective: float
    tax_benefit: float


def reallocate(request: ReallocationRequest, check_cancelled: Callable[[], None] = _continue) -> Reallocation:
    """The plan that takes a portfolio to its target, or the reason why there is none.

    `check_cancelled` is called every few milliseconds; what it raises ends the work. Raises InvalidInput for a target
    without a price, a net asset value of zero or less, or quantities that cannot be counted in lots.
    """
    valuation = value(request, check_cancelled)
    needs = _needs(request, valuation, check_cancelled)
    request, report, required, harvest = needs.request, needs.report, needs.required, needs.harvest
    liquidity = _liquidity(request, required)
    request = replace(request, market=_market_of(request))
    check_cancelled()
    found = _plan(request, valuation, required, check_cancelled)
    # What cash or a harvest of losses needs is not measured by the tracking error.
    is_weighed = not (_cash_needs_trades(request) or harvest.symbols)
    worth = _cost_benefit(request, found) if is_weighed else None
    if worth is not None and not worth.worth_it:
        found = _plan(request, valuation, {}, check_cancelled)
    schedule = schedule_of(request, valuation, found.plan.trades, check_cancelled)
    trades = found.plan
    more = (*(schedule.warnings if schedule else ()), *unused_horizon(request, liquidity))
    trades = replace(trades, warnings=(*trades.warnings, *more))
    taxes = tax_report(request, trades.trades, check_cancelled)
    return Reallocation(
        utilization=report,
        liquidity=liquidity,
        outcome=_outcome(request, report, trades, worth),
        plan=trades,
        summary=found.summary,
        objective=found.objective,
        impact=found.impact,
        schedule=schedule,
        taxes=taxes,
        tax_benefit=found.tax_benefit,
        harvest=harvest_report(harvest, trades.trades),
        cost_benefit=worth,
    )


def _plan(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> _Planned:
    trades, impact = plan_with_impact(request, valuation, required, check_cancelled)
    summary = summarise(request, valuation, trades, check_cancelled)
    weighed_tax = request.modes.tax_aversion * trades.weighed_tax / summary.nav_after
    weighed_cost = request.modes.cost_aversion * summary.cost / summary.nav_after
    objective = summary.residual_drift + weighed_cost + weighed_tax
    if impact:
        summary = summarise(request, valuation, trades, check_cancelled, impact.charges)
    return _Planned(trades, impact, summary, objective, max(-weighed_tax, 0.0))


def _cost_benefit(request: ReallocationRequest, found: _Planned) -> CostBenefit | None:
    """What the trades of a plan are worth; None where nothing is traded, or no threshold asks for it."""
    rule, risk, summary = request.thresholds.cost_benefit, request.active_risk, found.summary
    if rule is None or risk is None or not found.plan.trades:
        return None
    cost = summary.cost / summary.nav_before
    return cost_benefit(rule, risk, summary.weights_before, summary.weights_after, request.target, cost)


def trades_to_assess(
    request: ReallocationRequest, check_cancelled: Callable[[], None] = _continue
) -> Mapping[str, float]:
    """The required trades, in units, whose liquidity a service outside is asked for: those of assets with a price.

    None where utilization is within its thresholds. Raises what `reallocate` raises.
    """
    needs = _needs(request, value(request, check_cancelled), check_cancelled)
    return {symbol: units for symbol, units in needs.required.items() if symbol in request.market.quotes}


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a portfolio needs."""

    request: ReallocationRequest  # its target is the one after a harvest of losses
    report: UtilizationReport
    required: Mapping[str, float]
    harvest: Harvest


def _needs(request: ReallocationRequest, valuation: Valuation, check_cancelled: Callable[[], None]) -> _Needs:
    """Utilization, and the trades that it, cash or a harvest of losses requires."""
    current = collect(request, valuation)
    symbols = required_assets(request)
    drifts = currency_drifts(request, current)
    report = utilization(
        symbols, current, request.target, request.thresholds, request.active_risk, request.groups, drifts
    )
    check_cancelled()
    acts = report.exceeded or _cash_needs_trades(request)
    required = required_trades(request, valuation, symbols, check_cancelled) if acts else {}
    harvest = harvest_of(request, valuation, required, partial(_nav_after, valuation), check_cancelled)
    if harvest.symbols or harvest.weighed:
        request = replace(request, target=harvest.target, harvest_only=not acts)
        required = _with_harvest(request, valuation, required if acts else None, harvest, check_cancelled)
    return _Needs(request, report, required, harvest)


def _liquidity(request: ReallocationRequest, required: Mapping[str, float]) -> LiquidityAssessment:
    if request.liquidity is not None:
        return request.liquidity.completed(required)
    return assess(required, request.market, request.max_participation, request.horizon_days)


def _market_of(request: ReallocationRequest) -> Snapshot:
    """The market, with the volumes of a service outside where there is one."""
    if request.liquidity is None:
        return request.market
    return request.liquidity.volumes_of(request.market, request.limits.max_participation, request.horizon_days)


def collect(request: ReallocationRequest, valuation: Valuation) -> Mapping[str, float]:
    """Current weights of the holdings and targets that have a price."""
    found = {symbol: ratio(worth, valuation.net_asset_value) for symbol, worth in valuation.values.items()}
    for symbol in request.target:
        if request.market.price(symbol) is not None:
            found.setdefault(symbol, 0.0)
    return found


def required_assets(request: ReallocationRequest) -> Sequence[str]:
    """Symbols of holdings and target, in a fixed order; those of the target must have a price."""
    for i, (symbol, weight) in enumerate(request.target.items()):
        if weight > 0.0 and symbol not in request.market.quotes:
            raise InvalidInput(f"target_weights.weights[{i}].symbol", f"{symbol} has no price in the market data")
    held = [symbol for symbol, units in request.portfolio.quantities.items() if units]
    return sorted({*held, *request.target})


def required_trades(
    request: ReallocationRequest,
    valuation: Valuation,
    symbols: Sequence[str],
    check_cancelled: Callable[[], None],
) -> Mapping[str, float]:
    """Units to buy or sell to reach the target exactly, costs paid, before lots and limits."""
    with exact_arithmetic():
        nav = valuation.net_asset_value * exact(_post_cost_fraction(request, valuation, symbols))
        found: dict[str, float] = {}
        for symbol in checked(symbols, check_cancelled):
            held = exact(request.portfolio.quantities.get(symbol, 0.0))
            quote = request.market.quotes.get(symbol)
            # Without a price its weight is unknown; it is kept, and the shortfall reports it.
            weight = exact(request.target.get(symbol, 0.0))
            wanted = -held if quote is None else quotient(weight * nav, quote.exact_price) - held
            if wanted:
                found[symbol] = float(wanted)
        return found


def _nav_after(valuation: Valuation, request: ReallocationRequest) -> Decimal:
    """Net asset value after the costs of reaching the target."""
    return valuation.net_asset_value * exact(_post_cost_fraction(request, valuation, required_assets(request)))


def _with_harvest(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float] | None,
    harvest: Harvest,
    check_cancelled: Callable[[], None],
) -> dict[str, float]:
    """The trades that the target with its substitutes requires; only those of the harvest where nothing else is."""
    found = required_trades(request, valuation, required_assets(request), check_cancelled) if harvest.symbols else {}
    if required is None:
        found = {symbol: units for symbol, units in found.items() if symbol in harvest.symbols}
    elif not harvest.symbols:
        found = required
    # A trade of 0 units is an order that the objective may enlarge.
    return {**dict.fromkeys(harvest.weighed, 0.0), **found}


def _post_cost_fraction(request: ReallocationRequest, valuation: Valuation, symbols: Sequence[str]) -> float:
    """Net asset value after the costs of reaching the target / before."""
    quotes = request.market.quotes
    priced = [symbol for symbol in symbols if symbol in quotes]
    current = collect(request, valuation)
    try:
        return post_cost_fraction(
            np.array([request.target.get(symbol, 0.0) for symbol in priced]),
            np.array([current.get(symbol, 0.0) for symbol in priced]),
            # What is halted is not traded, and costs nothing.
            np.array([0.0 if quotes[symbol].halted else float(valuation.cost_rates[symbol]) for symbol in priced]),
        )
    except WealthExhausted as error:
        raise InvalidInput("costs", f"are too high to reach the target: {error.message}") from None


def _cash_needs_trades(request: ReallocationRequest) -> bool:
    """Whether sales must raise cash, or a flow is to be invested, in spite of the thresholds."""
    return request.cash < min(exact(request.limits.cash_floor), ZERO) or request.modes.cash_flow > 0.0


def _outcome(
    request: ReallocationRequest, report: UtilizationReport, trades: ReallocationPlan, worth: CostBenefit | None
) -> ReallocationPlan | Unchanged | Failure:
    if trades.unraised_cash:
        return Failure("CASH_NOT_RAISED", f"sales cannot raise {trades.unraised_cash:g} of the cash that is missing")
    if trades.trades:
        return trades
    if not report.exceeded:
        return Unchanged("every asset is within its thresholds")
    if worth is not None and not worth.worth_it:
        return Unchanged("the trades would cost more than the fall of the tracking variance is worth")
    if not trades.shortfalls:
        return Unchanged("the differences to the target are below what can be traded")
    causes = {cause for shortfall in trades.shortfalls for cause in shortfall.causes}
    codes = sorted({cause.code.value for cause in causes})
    if weighed := _weighed(request, causes):
        return Unchanged(f"no trade brings the portfolio nearer to its target by as much as its {weighed} weighs")
    if set(codes) <= {"LOT_SIZE", "MIN_TRADE"} and not request.thresholds.any_set:
        return Unchanged("every difference to the target is less than a lot or the least trade")
    return Failure("NOTHING_TRADABLE", f"no required trade can be done: {', '.join(codes)}")


def _weighed(request: ReallocationRequest, causes: Collection[Cause]) -> str:
    """What outweighs every trade; empty where anything else prevents one."""
    aversions = {ShortfallCode.COST: request.modes.cost_aversion, ShortfallCode.TAX: request.modes.tax_aversion}
    found = [code for code, aversion in aversions.items() if aversion > 0.0 and Cause(code) in causes]
    codes = {cause.code for cause in causes if cause.code is not ShortfallCode.TAX or cause.limit is not None}
    others = {ShortfallCode.CASH, ShortfallCode.COST, ShortfallCode.LOT_SIZE, ShortfallCode.MIN_TRADE}
    return " and ".join(code.value.lower() for code in found) if codes <= others else ""
