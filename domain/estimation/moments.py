"""Both moments at once, from a panel of returns or from scenarios."""

from dataclasses import dataclass, field

from domain.checks import positive
from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator, SampleCovariance
from domain.estimation.expected_returns import ExpectedReturnsEstimator, Implied, Sample, SampleMean
from domain.estimation.views import DEFAULT_TAU, View, black_litterman
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios


@dataclass(frozen=True, slots=True)
class Views:
    """Opinions, and how uncertain the prior is that they meet."""

    views: tuple[View, ...]
    prior: Implied | None = None  # None is the estimator of expected returns
    tau: float = DEFAULT_TAU

    def __post_init__(self) -> None:
        positive("tau", self.tau)


@dataclass(frozen=True, slots=True)
class Estimation:
    """Which estimator gives which moment, and what opinions add."""

    expected_returns: ExpectedReturnsEstimator = field(default_factory=SampleMean)
    covariance: CovarianceEstimator = field(default_factory=SampleCovariance)
    views: Views | None = None

    @property
    def estimates_something(self) -> bool:
        """Whether it names an estimator beside the usual ones."""
        return self.expected_returns != SampleMean() or self.covariance != SampleCovariance()


def estimate_moments(returns: ReturnPanel, estimation: Estimation, periods_per_year: float) -> Moments:
    """Moments per period of a complete panel; a covariance that rounding made indefinite is repaired and says so.

    Raises InvalidInput for fewer than two returns, and for views or market weights on unknown symbols.
    """
    if len(returns.dates) < 2:
        raise InvalidInput("dates", "must hold at least two returns to estimate a covariance")
    covariance = estimation.covariance.estimate(returns.values)
    sample = Sample(returns.symbols, returns.values, covariance)
    views = estimation.views
    if views is None:
        means = estimation.expected_returns.estimate(sample)
    else:
        prior = (views.prior or estimation.expected_returns).estimate(sample)
        posterior = black_litterman(returns.symbols, prior, covariance, views.views, periods_per_year, views.tau)
        means, covariance = posterior.expected_returns, posterior.covariance
    return Moments.of(returns.symbols, means, covariance, periods_per_year, repair_covariance=True)


def with_views(moments: Moments, views: Views) -> Moments:
    """Moments of the caller's own, with opinions blended in; the prior is theirs unless one is implied.

    Raises InvalidInput for views or market weights on unknown symbols.
    """
    prior = moments.expected_returns
    if views.prior is not None:
        prior = views.prior.estimate(Sample(moments.symbols, prior[None, :], moments.covariance))
    posterior = black_litterman(
        moments.symbols, prior, moments.covariance, views.views, moments.periods_per_year, views.tau
    )
    return Moments.of(
        moments.symbols,
        posterior.expected_returns,
        posterior.covariance,
        moments.periods_per_year,
        repair_covariance=True,
    )


def scenario_moments(scenarios: Scenarios, periods_per_year: float) -> Moments:
    """Probability-weighted moments. Probabilities are taken as exact, so there is no small-sample correction."""
    chances = scenarios.probabilities
    means = chances @ scenarios.values
    centred = scenarios.values - means
    covariance = (centred * chances[:, None]).T @ centred
    return Moments.of(scenarios.symbols, means, covariance, periods_per_year, repair_covariance=True)
