"""Both moments at once, from a panel of returns or from scenarios."""

from dataclasses import dataclass, field

import numpy as np

from domain.checks import constant_columns, moderate, positive
from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator, SampleCovariance
from domain.estimation.denoising import Denoised
from domain.estimation.entropy_pooling import entropy_pooled
from domain.estimation.expected_returns import ExpectedReturnsEstimator, Implied, Sample, SampleMean
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.estimation.views import DEFAULT_TAU, View, black_litterman, view_matrix
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios


@dataclass(frozen=True, slots=True)
class Views:
    """Opinions, and how uncertain the prior is that they meet."""

    views: tuple[View, ...]
    prior: Implied | None = None  # None is the estimator of expected returns
    tau: float = DEFAULT_TAU
    pooled: bool = False  # by entropy pooling, which reweights the returns, and not as Black and Litterman do

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

    @property
    def is_heavy(self) -> bool:
        """Whether it loads a large library, or solves a program of its own."""
        return isinstance(self.covariance, GraphicalLasso | LocalGlobal | Denoised)

    @property
    def is_pooled(self) -> bool:
        """Whether views change the probabilities of the returns."""
        return self.views is not None and self.views.pooled


def estimate_moments(returns: ReturnPanel, estimation: Estimation, periods_per_year: float) -> Moments:
    """Moments per period of a complete panel; a covariance that rounding made indefinite is repaired and says so.

    Raises InvalidInput for fewer than two returns, and for views or market weights on unknown symbols.
    """
    if len(returns.dates) < 2:
        raise InvalidInput("dates", "must hold at least two returns to estimate a covariance")
    moderate("values", returns.values)
    try:
        return _estimated(returns, estimation, periods_per_year)
    except np.linalg.LinAlgError:
        raise InvalidInput(
            "estimation", "the estimator has no answer for these returns; take another one, or more returns"
        ) from None


def _estimated(returns: ReturnPanel, estimation: Estimation, periods_per_year: float) -> Moments:
    covariance = np.array(estimation.covariance.estimate(returns.values))
    constant = constant_columns(returns.values)
    covariance[constant, :] = covariance[:, constant] = 0.0  # what rounding left of no variance
    sample = Sample(returns.symbols, returns.values, covariance)
    views = estimation.views
    if views is None:
        means = estimation.expected_returns.estimate(sample)
    else:
        prior = (views.prior or estimation.expected_returns).estimate(sample)
        posterior = black_litterman(returns.symbols, prior, covariance, views.views, periods_per_year, views.tau)
        means, covariance = posterior.expected_returns, posterior.covariance
    return Moments.of(returns.symbols, means, covariance, periods_per_year, repair_covariance=True)


def pooled_scenarios(scenarios: Scenarios, estimation: Estimation, periods_per_year: float) -> Scenarios:
    """Scenarios with the probabilities that meet the views on annual means.

    Raises InvalidInput for views on unknown symbols or with a confidence, for estimators beside them, and where no
    probabilities meet them.
    """
    views = estimation.views
    if views is None:
        return scenarios
    if estimation.estimates_something or views.prior is not None:
        raise InvalidInput("estimation", "entropy pooling reweights the returns themselves; leave out other estimators")
    if any(view.confidence is not None or view.variance_annual is not None for view in views.views):
        raise InvalidInput("views", "entropy pooling meets its views exactly; leave out confidence and variance")
    matrix, expected = view_matrix(scenarios.symbols, views.views, periods_per_year)
    chances = entropy_pooled(scenarios.values @ matrix.T, expected, scenarios.probabilities)
    return Scenarios(scenarios.symbols, scenarios.values, chances)


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
    means = chances @ moderate("values", scenarios.values)
    centred = scenarios.values - means
    covariance = (centred * chances[:, None]).T @ centred
    return Moments.of(scenarios.symbols, means, covariance, periods_per_year, repair_covariance=True)
