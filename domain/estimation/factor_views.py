"""Opinions on factors, and how they reach the assets.

With exposures B, factors' means xi and covariance F, and the assets' means m and covariance Sigma:

Bayesian (Kolm & Ritter 2017, "On the Bayesian interpretation of Black-Litterman", on factor models; 2020, "Factor
investing with Black-Litterman-Bayes"): what is uncertain are the factors' premia. Black and Litterman's posterior on
factors has the mean nu and the covariance F + M, M that of the premia; the assets then have

    mean        m + B (nu - xi)
    covariance  Sigma + B M B'

Augmented (Cheung 2013, "The augmented Black-Litterman model"): assets and factors are one vector with the covariance

    [[Sigma, B F], [F B', F]]

whose posterior is Black and Litterman's, on views on any of them; the part of the assets is kept.
"""

from dataclasses import replace

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator, SampleCovariance
from domain.estimation.expected_returns import ExpectedReturnsEstimator, Implied, Sample
from domain.estimation.factor_model import FactorModel
from domain.estimation.observed import Observed
from domain.estimation.regression import FactorFit
from domain.estimation.views import View, black_litterman
from domain.market_data.moments import Moments
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class FactorViews:
    """How views on factors are taken: through the factors alone, or beside views on assets."""

    model: FactorModel
    augmented: bool = False


@dataclass(frozen=True, slots=True)
class FactorPrior:
    """Assets and factors before any view, per period."""

    assets: tuple[str, ...]
    factors: tuple[str, ...]
    means: Vector  # (N + K,)
    covariance: Matrix  # (N, N), of the assets
    fit: FactorFit
    periods_per_year: float

    @classmethod
    def of(
        cls,
        observed: Observed,
        how: FactorViews,
        estimator: ExpectedReturnsEstimator | FactorModel,
        covariance: CovarianceEstimator | FactorModel,
        periods_per_year: float,
        check_cancelled: CancellationCheck = never_cancelled,
    ) -> "FactorPrior":
        """From returns. Raises InvalidInput for factors that a regression cannot use."""
        if observed.factors is None:
            raise ValueError("views on factors need some")
        fit = observed.fit(how.model, check_cancelled)
        # Where none is named, the Bayesian method means the covariance that its own factor model makes.
        by_model = isinstance(covariance, SampleCovariance) and not how.augmented
        own = observed.covariance(how.model if by_model else covariance, check_cancelled)
        names = observed.assets.symbols, observed.factors.symbols
        if isinstance(estimator, FactorModel):
            regressed = observed.fit(estimator, check_cancelled)
            means = np.concatenate([regressed.expected_returns, regressed.factor_means])
        elif isinstance(estimator, Implied):
            estimator.estimate(observed.sample(own))  # market weights are of assets only
            means = estimator.estimate(Sample(names[0] + names[1], np.zeros((0, 0)), _joint(own, fit)))
        else:
            seen = Sample(names[1], observed.factors.values, fit.factor_covariance)
            xi = estimator.estimate(seen)
            alone = estimator.estimate(observed.sample(own)) if how.augmented else fit.alphas + fit.exposures @ xi
            means = np.concatenate([alone, xi])
        return cls(*names, means, own, fit, periods_per_year)

    def augmented(self, views: tuple[View, ...], tau: float) -> Moments:
        """The assets after views on assets and factors; an indefinite joint covariance is repaired and marked."""
        size, periods, symbols = len(self.assets), self.periods_per_year, self.assets + self.factors
        before = Moments.of(symbols, self.means, _joint(self.covariance, self.fit), periods, repair_covariance=True)
        after = black_litterman(symbols, before.expected_returns, before.covariance, views, periods, tau)
        found = self._moments(after.expected_returns[:size], after.covariance[:size, :size])
        return found if before.repair is None else replace(found, repair=before.repair)

    def bayesian(self, views: tuple[View, ...], tau: float) -> Moments:
        """The assets after views on factors. Raises InvalidInput for a view on anything else."""
        _only_factors(views, self.factors)
        size, exposures = len(self.assets), self.fit.exposures
        xi, own = self.means[size:], self.fit.factor_covariance
        after = black_litterman(self.factors, xi, own, views, self.periods_per_year, tau)
        moved: Vector = self.means[:size] + exposures @ (after.expected_returns - xi)
        return self._moments(moved, self.covariance + exposures @ (after.covariance - own) @ exposures.T)

    def _moments(self, means: Vector, covariance: Matrix) -> Moments:
        return Moments.of(self.assets, means, covariance, self.periods_per_year, repair_covariance=True)


def _joint(covariance: Matrix, fit: FactorFit) -> Matrix:
    """Of assets and factors, (N + K, N + K)."""
    across = fit.exposures @ fit.factor_covariance
    return np.block([[covariance, across], [across.T, fit.factor_covariance]])


def _only_factors(views: tuple[View, ...], factors: tuple[str, ...]) -> None:
    known = set(factors)
    for i, view in enumerate(views):
        for j, symbol in enumerate(view.terms):
            if symbol not in known:
                raise InvalidInput(
                    f"views[{i}].terms[{j}].symbol",
                    f"{symbol} is not a factor; METHOD_AUGMENTED_BLACK_LITTERMAN takes views on assets as well",
                )
