"""The risk of constant weights: one report from returns, scenarios or moments."""

from dataclasses import dataclass, replace

from domain.checks import Vector, finite, finite_number, open_fraction, positive, same_length
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios, civil_date
from domain.risk.contribution import RiskContributions, volatility_contributions
from domain.risk.drawdown import START, Drawdown, maximum_drawdown
from domain.risk.measures import (
    cornish_fisher_value_at_risk,
    gaussian_conditional_value_at_risk,
    gaussian_value_at_risk,
)
from domain.risk.model import RiskModel
from domain.risk.outcomes import Outcomes
from domain.risk.relative import Comparison, relative_risk
from domain.risk.report import DrawdownDates, RiskReport, TailRisk
from domain.risk.undefined import reasons

__all__ = ["RiskQuery", "RiskReport", "TailRisk", "analyze"]


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

    def __post_init__(self) -> None:
        same_length("weights", finite("weights", self.weights), "symbols", self.data.symbols)
        positive("periods_per_year", self.periods_per_year)
        open_fraction("confidence_level", self.confidence_level)
        finite_number("risk_free_rate_annual", self.risk_free_rate_annual)
        if isinstance(self.data, Moments) and self.data.periods_per_year != self.periods_per_year:
            raise ValueError("moments carry their own periods per year")


def analyze(query: RiskQuery) -> RiskReport:
    """The report; what is not defined for the data is absent from it with a reason."""
    outcomes, model = _outcomes(query), _model(query)
    periods, risk_free = query.periods_per_year, query.risk_free_rate_annual
    mean = _mean(query, outcomes)
    deviation = _deviation(query, outcomes, model)
    volatility = None if deviation is None else deviation * periods**0.5
    drawdown = maximum_drawdown(outcomes.returns) if outcomes and isinstance(query.data, ReturnPanel) else None
    varies = outcomes is not None and not outcomes.is_constant
    report = RiskReport(
        symbols=query.data.symbols,
        weights=query.weights,
        periods_per_year=periods,
        observations=0 if outcomes is None else len(outcomes.returns),
        confidence_level=query.confidence_level,
        expected_return_annual=mean * periods,
        volatility_per_period=deviation,
        volatility_annual=volatility,
        sharpe=(mean * periods - risk_free) / volatility if volatility else None,
        value_at_risk=_value_at_risk(query.confidence_level, outcomes, mean, deviation),
        conditional_value_at_risk=_conditional_value_at_risk(query.confidence_level, outcomes, mean, deviation),
        skewness=outcomes.standardised_moment(3) if outcomes and varies else None,
        excess_kurtosis=outcomes.standardised_moment(4) - 3.0 if outcomes and varies else None,
        drawdown=drawdown,
        drawdown_dates=_dates(query, drawdown),
        relative=None if query.comparison is None else relative_risk(query.comparison, query.weights, periods),
        contributions=_contributions(query, model, deviation),
        correlation=None if model is None else model.correlation,
        moments=None if model is None else model.moments,
        quantile_method=None if outcomes is None else outcomes.quantile_method,
        undefined={},
    )
    return replace(report, undefined=reasons(report, query.data, query.comparison))


def _outcomes(query: RiskQuery) -> Outcomes | None:
    if isinstance(query.data, Moments):
        return None
    probabilities = query.data.probabilities if isinstance(query.data, Scenarios) else None
    return Outcomes.of_portfolio(query.data.values, query.weights, probabilities)


def _model(query: RiskQuery) -> RiskModel | None:
    """None for a single return, which has no covariance."""
    if isinstance(query.data, ReturnPanel) and len(query.data.dates) < 2:
        return None
    return RiskModel.of(query.data, query.periods_per_year)


def _mean(query: RiskQuery, outcomes: Outcomes | None) -> float:
    if isinstance(query.data, Moments):
        return float(query.data.expected_returns @ query.weights)
    return 0.0 if outcomes is None else outcomes.mean


def _deviation(query: RiskQuery, outcomes: Outcomes | None, model: RiskModel | None) -> float | None:
    if model is None:
        return None
    return model.deviation(query.weights) if outcomes is None else outcomes.deviation


def _value_at_risk(level: float, outcomes: Outcomes | None, mean: float, deviation: float | None) -> TailRisk:
    corrected = None
    if outcomes is not None and not outcomes.is_constant and deviation is not None:
        skewness, kurtosis = outcomes.standardised_moment(3), outcomes.standardised_moment(4) - 3.0
        corrected = cornish_fisher_value_at_risk(mean, deviation, skewness, kurtosis, level)
    return TailRisk(
        historical=None if outcomes is None else outcomes.value_at_risk(level),
        gaussian=None if deviation is None else gaussian_value_at_risk(mean, deviation, level),
        cornish_fisher=corrected,
    )


def _conditional_value_at_risk(
    level: float, outcomes: Outcomes | None, mean: float, deviation: float | None
) -> TailRisk:
    return TailRisk(
        historical=None if outcomes is None else outcomes.conditional_value_at_risk(level),
        gaussian=None if deviation is None else gaussian_conditional_value_at_risk(mean, deviation, level),
    )


def _dates(query: RiskQuery, drawdown: Drawdown | None) -> DrawdownDates | None:
    if drawdown is None or drawdown.peak is None or drawdown.trough is None or not isinstance(query.data, ReturnPanel):
        return None
    days = query.data.dates
    first = query.start if drawdown.peak == START else int(days[drawdown.peak])
    return DrawdownDates(
        peak=None if first is None else civil_date(first),
        trough=civil_date(days[drawdown.trough]),
        recovery=None if drawdown.recovery is None else civil_date(days[drawdown.recovery]),
    )


def _contributions(query: RiskQuery, model: RiskModel | None, deviation: float | None) -> RiskContributions | None:
    if model is None or deviation is None:
        return None
    if deviation == 0.0:
        # What rounding left of a risk that cancels is no contribution.
        return RiskContributions(0.0 * query.weights, 0.0 * query.weights, 0.0)
    return volatility_contributions(model.moments, query.weights)
