"""Both moments at once, from a panel of returns or from scenarios."""

from dataclasses import dataclass, field

from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator, SampleCovariance
from domain.estimation.expected_returns import ExpectedReturnsEstimator, SampleMean
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios


@dataclass(frozen=True, slots=True)
class Estimation:
    """Which estimator gives which moment."""

    expected_returns: ExpectedReturnsEstimator = field(default_factory=SampleMean)
    covariance: CovarianceEstimator = field(default_factory=SampleCovariance)


def estimate_moments(returns: ReturnPanel, estimation: Estimation, periods_per_year: float) -> Moments:
    """Moments per period of a complete panel; a covariance that rounding made indefinite is repaired and says so.

    Raises InvalidInput for fewer than two returns.
    """
    if len(returns.dates) < 2:
        raise InvalidInput("dates", "must hold at least two returns to estimate a covariance")
    return Moments.of(
        returns.symbols,
        estimation.expected_returns.estimate(returns.values),
        estimation.covariance.estimate(returns.values),
        periods_per_year,
        repair_covariance=True,
    )


def scenario_moments(scenarios: Scenarios, periods_per_year: float) -> Moments:
    """Probability-weighted moments. Probabilities are taken as exact, so there is no small-sample correction."""
    chances = scenarios.probabilities
    means = chances @ scenarios.values
    centred = scenarios.values - means
    covariance = (centred * chances[:, None]).T @ centred
    return Moments.of(scenarios.symbols, means, covariance, periods_per_year, repair_covariance=True)
