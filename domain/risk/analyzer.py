"""The risk of constant weights: one report from returns, scenarios or moments."""

from domain.calendar import DAYS_PER_YEAR
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.contribution import GroupContribution, by_factor
from domain.risk.drawdown_report import NO_DRAWDOWNS, drawdown_figures
from domain.risk.figure import (
    CONSTANT,
    NO_BENCHMARK,
    NO_DISTRIBUTION,
    NO_TIME,
    ONE_RETURN,
    Absent,
    Figure,
    if_known,
    times,
)
from domain.risk.measure_report import group_contributions, measure_report
from domain.risk.measures.dispersion import lower_partial_moment, mean_absolute_deviation, semi_deviation
from domain.risk.measures.entropic import entropic_value_at_risk
from domain.risk.measures.spectral import gini_mean_difference
from domain.risk.model import RiskModel
from domain.risk.outcomes import Outcomes
from domain.risk.query import RiskQuery, risk_model
from domain.risk.ratios import Ratios, calmar, compound_annual_return, ratios, sterling
from domain.risk.relative import RelativeRisk, active_share, relative_risk
from domain.risk.report import Dispersion, DrawdownFigures, RiskReport
from domain.risk.shape import moment_fractions
from domain.risk.tail_risk import Tails

NO_MEANS = "needs expected returns; add moments.expected_returns"
NO_BENCHMARK_WEIGHTS = "no benchmark weights were given"


def analyze(query: RiskQuery, check_cancelled: CancellationCheck = never_cancelled) -> RiskReport:
    """The risk report of a query; a figure that is not defined for the data is absent with a reason.

    A measure that needs a distribution or an order in time is absent where the data has none. Raises what
    `check_cancelled` raises.
    """
    outcomes, model = _outcomes(query), risk_model(query, check_cancelled)
    check_cancelled()
    level, periods = query.confidence_level, query.periods_per_year
    mean, deviation = _mean(query, outcomes), _deviation(query, outcomes, model)
    tails = Tails.of(
        outcomes,
        mean,
        deviation,
        in_time=isinstance(query.data, ReturnPanel),
        decay=query.decay,
        conventions=query.conventions,
    )
    check_cancelled()
    cagr = _cagr(query, outcomes)
    drawdowns = _drawdowns(query, outcomes)
    contributions = Absent(ONE_RETURN) if model is None else model.contributions(query.weights)
    return RiskReport(
        symbols=query.data.symbols,
        weights=query.weights,
        periods_per_year=periods,
        observations=0 if outcomes is None else len(outcomes.returns),
        confidence_level=level,
        expected_return_annual=times(mean, periods),
        cagr=cagr,
        dispersion=_dispersion(query, outcomes, deviation),
        ratios=_ratios(query, outcomes, mean, deviation),
        calmar=if_known(drawdowns.max_drawdown, lambda deepest: calmar(cagr, deepest)),
        sterling=if_known(drawdowns.max_drawdown, lambda deepest: sterling(cagr, deepest)),
        value_at_risk=tails.value_at_risk(level),
        conditional_value_at_risk=tails.conditional_value_at_risk(level),
        entropic_value_at_risk=Absent(NO_DISTRIBUTION)
        if outcomes is None
        else entropic_value_at_risk(-outcomes.returns, outcomes.probability_vector, level),
        drawdowns=drawdowns,
        relative=_relative(query),
        compared=0 if query.comparison is None else len(query.comparison.benchmark),
        compared_periods_per_year=None if query.comparison is None else periods * query.comparison.period_fraction,
        active_share=Absent(NO_BENCHMARK_WEIGHTS)
        if query.benchmark_weights is None
        else active_share(query.weights, query.benchmark_weights),
        contributions=contributions,
        groups=() if isinstance(contributions, Absent) else group_contributions(query, contributions),
        factors=_volatility_factors(query, model),
        skewness_fractions=_moment_fractions(query, outcomes, 3),
        kurtosis_fractions=_moment_fractions(query, outcomes, 4),
        measures=tuple(measure_report(query, measure, outcomes, model, check_cancelled) for measure in query.measures),
        correlation=Absent(ONE_RETURN) if model is None else model.correlation,
        moments=None if model is None else model.moments,
        quantile_method=None if outcomes is None else outcomes.quantile_method,
    )


def _outcomes(query: RiskQuery) -> Outcomes | None:
    if isinstance(query.data, Moments):
        return None
    probabilities = query.data.probabilities if isinstance(query.data, Scenarios) else None
    return Outcomes.of_portfolio(query.data.values, query.weights, probabilities)


def _mean(query: RiskQuery, outcomes: Outcomes | None) -> Figure:
    if outcomes is not None:
        return outcomes.mean
    if isinstance(query.data, Moments) and query.expected_returns_given:
        return float(query.data.expected_returns @ query.weights)
    return Absent(NO_MEANS)


def _deviation(query: RiskQuery, outcomes: Outcomes | None, model: RiskModel | None) -> Figure:
    if model is None or (outcomes is not None and not outcomes.is_known):
        return Absent(ONE_RETURN)
    return model.deviation(query.weights) if outcomes is None else outcomes.deviation


def _dispersion(query: RiskQuery, outcomes: Outcomes | None, deviation: Figure) -> Dispersion:
    annual = times(deviation, query.periods_per_year**0.5)
    if outcomes is None:
        return Dispersion(deviation, annual, *[Absent(NO_DISTRIBUTION)] * 7)
    returns, probabilities = outcomes.returns, outcomes.probabilities
    known = outcomes.is_known
    shaped = known and not outcomes.is_constant
    no_shape = Absent(CONSTANT if known else ONE_RETURN)
    return Dispersion(
        volatility_per_period=deviation,
        volatility_annual=annual,
        semi_deviation=query.conventions.deviation(float(semi_deviation(returns, probabilities)), outcomes.correction)
        if known
        else Absent(ONE_RETURN),
        mean_absolute_deviation=float(mean_absolute_deviation(returns, probabilities)),
        gini_mean_difference=gini_mean_difference(returns, probabilities) if known else Absent(ONE_RETURN),
        first_lower_partial_moment=float(lower_partial_moment(returns, 1, query.acceptable, probabilities)),
        second_lower_partial_moment=float(lower_partial_moment(returns, 2, query.acceptable, probabilities)),
        skewness=outcomes.standardised_moment(3) if shaped else no_shape,
        excess_kurtosis=outcomes.standardised_moment(4) - 3.0 if shaped else no_shape,
    )


def _ratios(query: RiskQuery, outcomes: Outcomes | None, mean: Figure, deviation: Figure) -> Ratios:
    risk_free = query.risk_free_rate_annual / query.periods_per_year
    if outcomes is None:
        return Ratios.of_moments(mean, deviation, query.periods_per_year, risk_free)
    return ratios(outcomes, deviation, query.periods_per_year, risk_free, query.acceptable, query.conventions)


def _cagr(query: RiskQuery, outcomes: Outcomes | None) -> Figure:
    """By the calendar, from the start, or where that is not known from one usual step before the first return."""
    if outcomes is None or not isinstance(query.data, ReturnPanel):
        return Absent(NO_TIME)
    if query.conventions.geometric_annual_return:
        return query.conventions.annual_return(outcomes.returns, query.periods_per_year)
    return compound_annual_return(outcomes.returns, query.data.days_from(query.start) / DAYS_PER_YEAR)


def _drawdowns(query: RiskQuery, outcomes: Outcomes | None) -> DrawdownFigures:
    if outcomes is None or not isinstance(query.data, ReturnPanel):
        return NO_DRAWDOWNS
    return drawdown_figures(
        outcomes.returns, query.data.dates, query.start, query.confidence_level, query.worst_drawdowns
    )


def _relative(query: RiskQuery) -> RelativeRisk:
    if query.comparison is None:
        return RelativeRisk.absent(NO_BENCHMARK)
    return relative_risk(
        query.comparison, query.weights, query.periods_per_year, query.risk_free_rate_annual, query.conventions
    )


def _moment_fractions(query: RiskQuery, outcomes: Outcomes | None, order: int) -> Vector | Absent:
    if outcomes is None or isinstance(query.data, Moments):
        return Absent(NO_DISTRIBUTION)
    return moment_fractions(order, query.data.values, query.weights, outcomes)


def _volatility_factors(query: RiskQuery, model: RiskModel | None) -> tuple[GroupContribution, ...]:
    if query.factors is None or model is None:
        return ()
    root = query.periods_per_year**0.5
    exposures, carried = query.factors.volatility_contributions(query.weights, model.moments.covariance)
    total = model.deviation(query.weights) * root
    return by_factor(query.factors.names, exposures, carried * root, total)
