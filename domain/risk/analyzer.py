"""The risk of constant weights: one report from returns, scenarios or moments.

A figure that is not defined for the data is None, and the report says why; none is ever inf or NaN.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from domain.checks import Matrix, Vector, finite_number, open_fraction
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.contribution import RiskContributions, volatility_contributions
from domain.risk.distribution import (
    Distribution,
    Observed,
    Shape,
    Weighted,
    cornish_fisher_value_at_risk,
    gaussian_conditional_value_at_risk,
    gaussian_value_at_risk,
)
from domain.risk.drawdown import Drawdown, maximum_drawdown
from domain.risk.relative import Comparison, RelativeRisk, relative_risk


@dataclass(frozen=True, slots=True)
class RiskQuery:
    """What to report on. Returns are complete; `comparison` holds them beside a benchmark on common dates."""

    data: ReturnPanel | Scenarios | Moments
    weights: Vector  # (N,), 1 - their sum is cash without return
    periods_per_year: float
    confidence_level: float = 0.95
    risk_free_rate_annual: float = 0.0
    comparison: Comparison | None = None

    def __post_init__(self) -> None:
        open_fraction("confidence_level", self.confidence_level)
        finite_number("risk_free_rate_annual", self.risk_free_rate_annual)


@dataclass(frozen=True, slots=True)
class TailRisk:
    """VaR or CVaR per period by each definition; losses are positive."""

    historical: float | None
    gaussian: float
    cornish_fisher: float | None = None


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Everything about one portfolio's risk."""

    symbols: tuple[str, ...]
    weights: Vector
    periods_per_year: float
    observations: int
    confidence_level: float
    expected_return_annual: float
    volatility_per_period: float
    sharpe: float | None
    value_at_risk: TailRisk
    conditional_value_at_risk: TailRisk
    skewness: float | None
    excess_kurtosis: float | None
    drawdown: Drawdown | None
    relative: RelativeRisk | None
    contributions: RiskContributions  # to the annual volatility
    correlation: Matrix  # (N, N), NaN where an asset does not vary
    moments: Moments
    quantile_method: str | None
    undefined: dict[str, str] = field(default_factory=dict)

    @property
    def volatility_annual(self) -> float:
        """Volatility per period times the root of periods per year."""
        return self.volatility_per_period * math.sqrt(self.periods_per_year)


def analyze(query: RiskQuery) -> RiskReport:
    """The report. Raises InvalidInput for fewer than two observations."""
    moments = _moments(query)
    distribution = _distribution(query)
    shape = _shape(query, moments, distribution)
    level, periods = query.confidence_level, query.periods_per_year
    contributions = volatility_contributions(moments, query.weights)
    expected, volatility = periods * shape.mean, shape.deviation * periods**0.5
    relative = None
    if query.comparison is not None:
        portfolio = query.comparison.assets.values @ query.weights
        relative = relative_risk(portfolio, query.comparison.benchmark, periods)
    drawdown = maximum_drawdown(distribution.returns) if isinstance(distribution, Observed) else None
    report = RiskReport(
        symbols=moments.symbols,
        weights=query.weights,
        periods_per_year=periods,
        observations=len(distribution.returns) if distribution is not None else 0,
        confidence_level=level,
        expected_return_annual=expected,
        volatility_per_period=shape.deviation,
        sharpe=(expected - query.risk_free_rate_annual) / volatility if volatility > 0.0 else None,
        value_at_risk=TailRisk(
            distribution.value_at_risk(level) if distribution is not None else None,
            gaussian_value_at_risk(shape, level),
            cornish_fisher_value_at_risk(shape, level),
        ),
        conditional_value_at_risk=TailRisk(
            distribution.conditional_value_at_risk(level) if distribution is not None else None,
            gaussian_conditional_value_at_risk(shape, level),
        ),
        skewness=shape.skewness,
        excess_kurtosis=shape.excess_kurtosis,
        drawdown=drawdown,
        relative=relative,
        contributions=contributions,
        correlation=correlation(moments),
        moments=moments,
        quantile_method=distribution.quantile_method if distribution is not None else None,
    )
    report.undefined.update(_undefined(report, query))
    return report


def correlation(moments: Moments) -> Matrix:
    """Correlation of the assets, (N, N); NaN in the rows and columns of one that does not vary."""
    volatilities = np.where(moments.volatilities > 0.0, moments.volatilities, np.nan)
    result: Matrix = np.clip(moments.covariance / np.outer(volatilities, volatilities), -1.0, 1.0)
    np.fill_diagonal(result, np.where(np.isnan(volatilities), np.nan, 1.0))
    return result


def _moments(query: RiskQuery) -> Moments:
    if isinstance(query.data, Moments):
        return query.data
    if isinstance(query.data, Scenarios):
        return scenario_moments(query.data, query.periods_per_year)
    return estimate_moments(query.data, Estimation(), query.periods_per_year)


def _distribution(query: RiskQuery) -> Observed | Weighted | None:
    if isinstance(query.data, Moments):
        return None
    returns = query.data.values @ query.weights
    return Weighted(returns, query.data.probabilities) if isinstance(query.data, Scenarios) else Observed(returns)


def _shape(query: RiskQuery, moments: Moments, distribution: Distribution | None) -> Shape:
    if distribution is not None:
        return distribution.shape()
    variance = max(0.0, float(query.weights @ moments.covariance @ query.weights))
    return Shape(float(moments.expected_returns @ query.weights), variance**0.5, None, None)


def _undefined(report: RiskReport, query: RiskQuery) -> dict[str, str]:
    """Why each figure that is absent is absent."""
    reasons: dict[str, str] = {}
    law = "needs returns, prices or scenarios; moments alone say nothing about a tail"
    if isinstance(query.data, Moments):
        names = ("value_at_risk.historical", "value_at_risk.cornish_fisher", "conditional_value_at_risk.historical")
        reasons |= dict.fromkeys((*names, "skewness", "excess_kurtosis"), law)
    elif report.skewness is None:
        names = ("value_at_risk.cornish_fisher", "skewness", "excess_kurtosis")
        reasons |= dict.fromkeys(names, "returns do not vary")
    if report.drawdown is None:
        reasons["max_drawdown"] = "needs returns in the order of time"
    if report.sharpe is None:
        reasons["sharpe"] = "volatility is 0"
    reasons |= _undefined_relative(report.relative)
    return reasons


def _undefined_relative(relative: RelativeRisk | None) -> dict[str, str]:
    names = ("beta_to_benchmark", "correlation_to_benchmark", "tracking_error_annual", "information_ratio")
    if relative is None:
        return dict.fromkeys(names, "no benchmark was given")
    values = (relative.beta, relative.correlation, relative.tracking_error_annual, relative.information_ratio)
    reason = "the benchmark, or the difference to it, does not vary"
    return {name: reason for name, value in zip(names, values, strict=True) if value is None}
