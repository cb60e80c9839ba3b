"""Factors of asset returns: series of the caller, or principal components of the returns."""

from collections.abc import Sequence

import numpy as np

from domain.checks import Matrix, Vector, few_enough, freeze
from domain.errors import InvalidInput
from domain.estimation.regression import FactorFit, fitted, independent_factors, least_squares
from domain.market_data.panel import ReturnPanel, civil_date
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class FactorDecomposition(FactorFit):
    """A fit over T periods, with its factors and how much they explain."""

    names: tuple[str, ...]  # (K,)
    factors: Matrix  # (T, K)
    r_squared: Vector  # (N,), NaN where an asset does not vary

    def volatility_contributions(self, weights: Vector, covariance: Matrix) -> tuple[Vector, Vector]:
        """Exposures (K,) of weights (N,), and what each factor adds to the volatility per period under a covariance.

        b_k (F b)_k / sigma, F the covariance of the factors; the rest of sigma is specific.
        """
        exposures = self.exposures.T @ weights
        deviation = max(float(weights @ covariance @ weights), 0.0) ** 0.5
        if deviation == 0.0:
            return exposures, np.zeros(len(exposures))
        return exposures, exposures * (self.factor_covariance @ exposures) / deviation


def regressed(returns: ReturnPanel, factors: ReturnPanel) -> FactorDecomposition:
    """By least squares with an intercept on the factors' returns of the same periods.

    Raises InvalidInput where a date has no factor, there are too few dates, or factors are collinear.
    """
    places = np.searchsorted(factors.dates, returns.dates)
    found = places < len(factors.dates)
    found[found] = factors.dates[places[found]] == returns.dates[found]
    if not found.all():
        missed = civil_date(returns.dates[int(np.argmin(found))])
        raise InvalidInput("factors.dates", f"must cover every date of the returns, misses {missed}")
    values = independent_factors(factors.values[places])
    return _decomposed(factors.symbols, values, returns.values)


def principal_components(returns: ReturnPanel, count: int) -> FactorDecomposition:
    """The portfolios of the largest eigenvalues of the sample covariance, weights of length one, as factors.

    Raises InvalidInput for more components than assets or than returns leave.
    """
    values = returns.values
    most = min(values.shape[1], len(values) - 2)
    if most < 1:
        raise InvalidInput("components", f"need at least three returns, there are {len(values)}")
    if not 1 <= count <= most:
        raise InvalidInput("components", f"must lie between 1 and {most}, is {count}")
    few_enough("symbols", values.shape[1])
    centred = values - values.mean(axis=0)
    _, _, rows = np.linalg.svd(centred, full_matrices=False)
    loadings = rows[:count].T
    # The sign of a component is free: let it be long in the market.
    loadings = loadings * np.where(loadings.sum(axis=0) < 0.0, -1.0, 1.0)
    return _decomposed([f"PC{k + 1}" for k in range(count)], values @ loadings, values)


def _decomposed(names: Sequence[str], factors: Matrix, returns: Matrix) -> FactorDecomposition:
    fit = fitted(factors, returns, least_squares(factors, returns))
    variances = returns.var(axis=0, ddof=1)
    varies = variances > 0.0
    unexplained = fit.specific_variances / np.where(varies, variances, 1.0)
    return FactorDecomposition(
        fit.alphas,
        fit.exposures,
        fit.factor_means,
        fit.factor_covariance,
        fit.specific_variances,
        names=tuple(names),
        factors=freeze(factors),
        r_squared=freeze(np.where(varies, 1.0 - unexplained, np.nan)),
    )
