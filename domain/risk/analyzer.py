"""The risk of constant weights: one report from returns, scenarios or moments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.calendar import DAYS_PER_YEAR
from domain.checks import Matrix, Vector, finite, finite_number, frequency, open_fraction, same_length
from domain.errors import NotSupported
from domain.estimation.moments import Estimation
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.progress import OnProgress, no_progress
from domain.risk.contribution import GroupContribution, RiskContributions, by_factor, by_group, measure_contributions
from domain.risk.conventions import OURS, Conventions
from domain.risk.drawdown_report import NO_DRAWDOWNS, drawdown_figures
from domain.risk.factors import FactorDecomposition
from domain.risk.figure import (
    CONSTANT,
    NO_BENCHMARK,
    NO_DISTRIBUTION,
    NO_TIME,
    ONE_RETURN,
    TOO_LARGE,
    Absent,
    Figure,
    given,
    times,
)
from domain.risk.filtered import DECAY
from domain.risk.measures import RiskMeasure
from domain.risk.measures.dispersion import lower_partial_moment, mean_absolute_deviation, semi_deviation
from domain.risk.measures.entropic import entropic_value_at_risk
from domain.risk.measures.spectral import gini_mean_difference
from domain.risk.model import RiskModel
from domain.risk.outcomes import Outcomes
from domain.risk.ratios import Ratios, calmar, compound_annual_return, ratios, sterling
from domain.risk.relative import Comparison, RelativeRisk, active_share, relative_risk
from domain.risk.report import Dispersion, DrawdownFigures, MeasureReport, RiskReport
from domain.risk.shape import moment_shares
from domain.risk.tail_risk import Tails

__all__ = ["RiskQuery", "RiskReport", "analyze"]

WORST_DRAWDOWNS = 5
NO_MEANS = "needs expected returns, and the moments have none"
NO_BENCHMARK_WEIGHTS = "no benchmark weights were given"


@dataclass(frozen=True, slots=True)
class RiskQuery:
    """What to report on. Returns are complete; `comparison` holds them beside a benchmark on common dates."""

    data: ReturnPanel | Scenarios | Moments
    weights: Vector  # (N,), held constant; 1 - their sum is cash without return
    periods_per_year: float
    confidence_level: float = 0.95
    risk_free_rate_annual: float = 0.0
    comparison: Comparison | None = None
    start: int | None = None  # date of the starting capital in days since 1970-01-01, where it is known
    minimum_acceptable_return_annual: float = 0.0
    benchmark_weights: Vector | None = None  # (N,), for the active share
    estimation: Estimation = field(default_factory=Estimation)  # of the covariance behind contributions and correlation
    model_moments: Moments | None = None  # in their place, where gaps in the data were left to an estimator
    measures: tuple[RiskMeasure, ...] = ()  # to report with their contributions
    groups: Mapping[str, NDArray[np.bool_]] | None = None  # name -> which of the N assets
    factors: FactorDecomposition | None = None
    decay: float = DECAY  # of the volatility that filtered historical VaR takes out
    worst_drawdowns: int = WORST_DRAWDOWNS
    conventions: Conventions = OURS
    means_known: bool = True  # False for moments without expected returns

    def __post_init__(self) -> None:
        same_length("weights", finite("weights", self.weights), "symbols", self.data.symbols)
        frequency("periods_per_year", self.periods_per_year)
        open_fraction("confidence_level", self.confidence_level)
        finite_number("risk_free_rate_annual", self.risk_free_rate_annual)
        finite_number("minimum_acceptable_return_annual", self.minimum_acceptable_return_annual)
        open_fraction("volatility_filter.lambda", self.decay)
        if isinstance(self.data, Moments) and self.data.periods_per_year != self.periods_per_year:
            raise ValueError("moments carry their own periods per year")

    @property
    def acceptable(self) -> float:
        """The minimum acceptable return per period."""
        return self.minimum_acceptable_return_annual / self.periods_per_year


def analyze(query: RiskQuery, on_progress: OnProgress = no_progress) -> RiskReport:
    """The report; what is not defined for the data is absent from it with a reason.

    A measure that needs a distribution or time which the data does not have is absent as well.
    """
    outcomes, model = _outcomes(query), risk_model(query, on_progress)
    on_progress()
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
    on_progress()
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
        calmar=given(drawdowns.max_drawdown, lambda deepest: calmar(cagr, deepest)),
        sterling=given(drawdowns.max_drawdown, lambda deepest: sterling(cagr, deepest)),
        value_at_risk=tails.value_at_risk(level),
        conditional_value_at_risk=tails.conditional_value_at_risk(level),
        entropic_value_at_risk=Absent(NO_DISTRIBUTION)
        if outcomes is None
        else entropic_value_at_risk(-outcomes.returns, outcomes.probability_vector, level),
        drawdowns=drawdowns,
        relative=_relative(query),
        compared=0 if query.comparison is None else len(query.comparison.benchmark),
        compared_periods_per_year=None if query.comparison is None else periods * query.comparison.share,
        active_share=Absent(NO_BENCHMARK_WEIGHTS)
        if query.benchmark_weights is None
        else active_share(query.weights, query.benchmark_weights),
        contributions=contributions,
        groups=() if isinstance(contributions, Absent) else _groups(query, contributions),
        factors=_volatility_factors(query, model),
        skewness_shares=_shares(query, outcomes, 3),
        kurtosis_shares=_shares(query, outcomes, 4),
        measures=tuple(_measure(query, measure, outcomes, model, on_progress) for measure in query.measures),
        correlation=Absent(ONE_RETURN) if model is None else model.correlation,
        moments=None if model is None else model.moments,
        quantile_method=None if outcomes is None else outcomes.quantile_method,
    )


def _outcomes(query: RiskQuery) -> Outcomes | None:
    if isinstance(query.data, Moments):
        return None
    probabilities = query.data.probabilities if isinstance(query.data, Scenarios) else None
    return Outcomes.of_portfolio(query.data.values, query.weights, probabilities)


def risk_model(query: RiskQuery, on_progress: OnProgress = no_progress) -> RiskModel | None:
    """What contributions and correlation come from; None for a single return, which has no covariance."""
    if query.model_moments is not None:
        return RiskModel.of(query.model_moments, query.periods_per_year)
    if isinstance(query.data, ReturnPanel) and len(query.data.dates) < 2:
        return None
    return RiskModel.of(query.data, query.periods_per_year, query.estimation, on_progress)


def _mean(query: RiskQuery, outcomes: Outcomes | None) -> Figure:
    if outcomes is not None:
        return outcomes.mean
    if isinstance(query.data, Moments) and query.means_known:
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


def _groups(query: RiskQuery, contributions: RiskContributions) -> tuple[GroupContribution, ...]:
    return () if not query.groups else by_group(contributions, query.weights, query.groups)


def _shares(query: RiskQuery, outcomes: Outcomes | None, order: int) -> Vector | Absent:
    if outcomes is None or isinstance(query.data, Moments):
        return Absent(NO_DISTRIBUTION)
    return moment_shares(order, query.data.values, query.weights, outcomes)


def _volatility_factors(query: RiskQuery, model: RiskModel | None) -> tuple[GroupContribution, ...]:
    if query.factors is None or model is None:
        return ()
    root = query.periods_per_year**0.5
    exposures, carried = query.factors.volatility_contributions(query.weights, model.moments.covariance)
    total = model.deviation(query.weights) * root
    return by_factor(query.factors.names, exposures, carried * root, total)


def _measure(
    query: RiskQuery,
    measure: RiskMeasure,
    outcomes: Outcomes | None,
    model: RiskModel | None,
    on_progress: OnProgress,
) -> MeasureReport:
    """A measure of the contract with its contributions, those of the distribution and not of the model."""
    on_progress()
    if model is None or (outcomes is not None and not outcomes.is_known):
        return MeasureReport(measure, Absent(ONE_RETURN))
    if outcomes is None or isinstance(query.data, Moments):
        return _of_moments(query, measure, model)
    try:
        return _of_distribution(query, query.data.values, measure, outcomes)
    except NotSupported as error:
        return MeasureReport(measure, Absent(error.message))


def _of_moments(query: RiskQuery, measure: RiskMeasure, model: RiskModel) -> MeasureReport:
    """Variance and standard deviation are all that moments know."""
    if not measure.is_quadratic:
        return MeasureReport(measure, Absent(NO_DISTRIBUTION))
    annual, root = model.contributions(query.weights), query.periods_per_year**0.5
    found = RiskContributions(annual.marginal / root, annual.by_asset / root, annual.total / root)
    if measure is RiskMeasure.VARIANCE:
        found = RiskContributions(2.0 * found.total * found.marginal, found.total * found.by_asset, found.total**2)
    return MeasureReport(measure, found.total, found, _groups(query, found))


def _of_distribution(query: RiskQuery, returns: Matrix, measure: RiskMeasure, outcomes: Outcomes) -> MeasureReport:
    contributions = measure_contributions(measure, returns, query.weights, outcomes, query.confidence_level)
    if not np.isfinite(contributions.total):
        return MeasureReport(measure, Absent(TOO_LARGE))
    return MeasureReport(
        measure,
        contributions.total,
        contributions,
        _groups(query, contributions),
        _measure_factors(query, measure, outcomes, contributions.total),
    )


def _measure_factors(
    query: RiskQuery, measure: RiskMeasure, outcomes: Outcomes, total: float
) -> tuple[GroupContribution, ...]:
    if query.factors is None:
        return ()
    exposures: Vector = query.factors.exposures.T @ query.weights
    explained = measure_contributions(measure, query.factors.factors, exposures, outcomes, query.confidence_level)
    return by_factor(query.factors.names, exposures, explained.by_asset, total)
