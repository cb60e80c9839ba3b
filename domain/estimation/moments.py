"""Both moments at once, from a panel of returns or from scenarios."""

from collections.abc import Iterable, Mapping
from dataclasses import field

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import few_enough, moderate, positive
from domain.errors import InvalidInput, NotSupported
from domain.estimation.covariance import CovarianceEstimator, SampleCovariance
from domain.estimation.denoising import Denoised
from domain.estimation.entropy_pooling import entropy_pooled
from domain.estimation.expected_returns import ExpectedReturnsEstimator, Implied, Sample, SampleMean
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.factor_views import FactorPrior, FactorViews
from domain.estimation.observed import Observed, P, split
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.estimation.views import DEFAULT_TAU, View, black_litterman, view_matrix
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Views:
    """Opinions, and how uncertain the prior is that they meet."""

    views: tuple[View, ...]
    prior: Implied | None = None  # None is the estimator of expected returns
    tau: float = DEFAULT_TAU
    pooled: bool = False  # by entropy pooling, which reweights the returns, and not as Black and Litterman do
    factors: FactorViews | None = None  # where they may be on factors

    def __post_init__(self) -> None:
        positive("tau", self.tau)
        if self.pooled and self.factors is not None:
            raise InvalidInput("factor_model", "must be left out: entropy pooling does not support factors")


@dataclass(frozen=True, slots=True)
class Estimation:
    """Estimators of the moments, and views."""

    expected_returns: ExpectedReturnsEstimator | FactorModel = field(default_factory=SampleMean)
    covariance: CovarianceEstimator | FactorModel = field(default_factory=SampleCovariance)
    views: Views | None = None

    def __post_init__(self) -> None:
        models = list(self._models().items())
        for path, model in models[1:]:
            if set(model.factors) != set(models[0][1].factors):
                raise InvalidInput(f"{path}.factors", f"must be the same as those of {models[0][0]}")
        augmented = self.views is not None and self.views.factors is not None and self.views.factors.augmented
        if augmented and not isinstance(self.covariance, SampleCovariance | FactorModel):
            raise NotSupported(
                "METHOD_AUGMENTED_BLACK_LITTERMAN takes the covariance of the sample or of a factor model: another one "
                "of assets does not fit that of the factors"
            )

    def _models(self) -> dict[str, FactorModel]:
        named = {"expected_returns": self.expected_returns, "covariance": self.covariance}
        found = {f"{path}.factor_model": model for path, model in named.items() if isinstance(model, FactorModel)}
        if self.views is not None and self.views.factors is not None:
            found["views.factor_model"] = self.views.factors.model
        return found

    @property
    def factor_models(self) -> Mapping[str, FactorModel]:
        """Those that are named, by their path in a request."""
        return {f"estimation.{path}": model for path, model in self._models().items()}

    @property
    def factors(self) -> frozenset[str]:
        """Symbols that are no assets."""
        return frozenset(name for model in self._models().values() for name in model.factors)

    def only_assets(self, field_name: str, symbols: Iterable[str]) -> None:
        """Raises InvalidInput where a symbol with a weight is a factor."""
        factors = self.factors
        for i, symbol in enumerate(symbols):
            if symbol in factors:
                raise InvalidInput(f"{field_name}[{i}].symbol", f"{symbol} is a factor of the estimation, not an asset")

    @property
    def fewest_returns(self) -> int:
        """With so many there is a covariance, whatever the estimator's own needs."""
        return max([2, *(model.fewest_returns for model in self._models().values())])

    def assets_of(self, panel: P) -> P:
        """A panel without the factors. Raises InvalidInput for factors that it does not have."""
        return split(panel, self.factor_models)[0]

    @property
    def estimates_something(self) -> bool:
        """Whether it names an estimator beside the usual ones."""
        return self.expected_returns != SampleMean() or self.covariance != SampleCovariance()

    @property
    def is_heavy(self) -> bool:
        """Whether it loads a large library, or solves a program of its own."""
        stepwise = any(model.method is FactorMethod.STEPWISE for model in self._models().values())
        return stepwise or isinstance(self.covariance, GraphicalLasso | LocalGlobal | Denoised)

    @property
    def is_pooled(self) -> bool:
        """Whether views change the probabilities of the returns."""
        return self.views is not None and self.views.pooled


def estimate_moments(
    returns: ReturnPanel,
    estimation: Estimation,
    periods_per_year: float,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Moments:
    """Moments per period of a complete panel; a covariance made indefinite by rounding is repaired, and marked as such.

    Factors are not among them. Raises InvalidInput for fewer than two returns, for views or market weights on unknown
    symbols, and for factors that a regression cannot use.
    """
    if len(returns.dates) < 2:
        raise InvalidInput("dates", "must hold at least two returns for a covariance")
    few_enough("symbols", len(returns.symbols))
    moderate("values", returns.values)
    try:
        return _estimated(returns, estimation, periods_per_year, check_cancelled)
    except np.linalg.LinAlgError:
        raise InvalidInput(
            "estimation", "the estimator found no solution for these returns; use another one, or more returns"
        ) from None


def _estimated(
    returns: ReturnPanel, estimation: Estimation, periods_per_year: float, check_cancelled: CancellationCheck
) -> Moments:
    check_cancelled()
    observed = Observed.of(returns, estimation.factor_models)
    symbols, views = observed.assets.symbols, estimation.views
    if views is not None and views.factors is not None:
        return _with_factor_views(observed, estimation, views, views.factors, periods_per_year, check_cancelled)
    covariance = observed.covariance(estimation.covariance, check_cancelled)
    prior = estimation.expected_returns if views is None else views.prior or estimation.expected_returns
    if isinstance(prior, FactorModel):
        means = observed.fit(prior, check_cancelled).expected_returns
    else:
        means = prior.estimate(observed.sample(covariance))
    if views is not None:
        posterior = black_litterman(symbols, means, covariance, views.views, periods_per_year, views.tau)
        means, covariance = posterior.expected_returns, posterior.covariance
    return Moments.of(symbols, means, covariance, periods_per_year, repair_covariance=True)


def _with_factor_views(
    observed: Observed,
    estimation: Estimation,
    views: Views,
    how: FactorViews,
    periods_per_year: float,
    check_cancelled: CancellationCheck,
) -> Moments:
    estimator = views.prior or estimation.expected_returns
    prior = FactorPrior.of(observed, how, estimator, estimation.covariance, periods_per_year, check_cancelled)
    blend = prior.augmented if how.augmented else prior.bayesian
    return blend(views.views, views.tau)


def pooled_scenarios(
    scenarios: Scenarios,
    estimation: Estimation,
    periods_per_year: float,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Scenarios:
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
        raise InvalidInput(
            "views", "must have no confidence or variance with entropy pooling, which meets its views exactly"
        )
    matrix, expected = view_matrix(scenarios.symbols, views.views, periods_per_year)
    pooled = entropy_pooled(scenarios.values @ matrix.T, expected, scenarios.probabilities, check_cancelled)
    return Scenarios(scenarios.symbols, scenarios.values, pooled)


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
    few_enough("symbols", len(scenarios.symbols))
    probabilities = scenarios.probabilities
    means = probabilities @ moderate("values", scenarios.values)
    centred = scenarios.values - means
    covariance = (centred * probabilities[:, None]).T @ centred
    constant = scenarios.constant
    covariance[constant, :] = covariance[:, constant] = 0.0  # what rounding left of no variance
    return Moments.of(scenarios.symbols, means, covariance, periods_per_year, repair_covariance=True)
