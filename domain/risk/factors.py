"""What factors explain of assets: given series, or the principal components of the returns themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector, freeze
from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel, civil_date


@dataclass(frozen=True, slots=True)
class FactorDecomposition:
    """Returns of N assets as alpha + exposures times K factors + what is specific, over T periods."""

    names: tuple[str, ...]  # (K,)
    factors: Matrix  # (T, K)
    exposures: Matrix  # (N, K)
    alphas: Vector  # (N,), per period
    factor_covariance: Matrix  # (K, K), per period
    specific_variances: Vector  # (N,), per period, divisor T - 1
    r_squared: Vector  # (N,), NaN where an asset does not vary

    @property
    def covariance(self) -> Matrix:
        """What the factors and independent specific risks make of the covariance, (N, N)."""
        result: Matrix = self.exposures @ self.factor_covariance @ self.exposures.T
        return result + np.diag(self.specific_variances)

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
    values = factors.values[places]
    count, size = values.shape
    if count < size + 2:
        raise InvalidInput("factors", f"{size} factors need at least {size + 2} common returns, have {count}")
    centred = values - values.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0))
    if not scale.all() or np.linalg.matrix_rank(centred / scale) < size:
        raise InvalidInput("factors", "must vary, and none may be a combination of the others")
    return _decomposed(factors.symbols, values, returns.values)


def principal_components(returns: ReturnPanel, count: int) -> FactorDecomposition:
    """The portfolios of the largest eigenvalues of the sample covariance, weights of length one, as factors.

    Raises InvalidInput for more components than assets or than returns leave.
    """
    values = returns.values
    most = min(values.shape[1], len(values) - 2)
    if most < 1:
        raise InvalidInput("components", f"need three returns or more, there are {len(values)}")
    if not 1 <= count <= most:
        raise InvalidInput("components", f"must lie between 1 and {most}, is {count}")
    centred = values - values.mean(axis=0)
    _, _, rows = np.linalg.svd(centred, full_matrices=False)
    loadings = rows[:count].T
    # The sign of a component is free: let it be long in the market.
    loadings = loadings * np.where(loadings.sum(axis=0) < 0.0, -1.0, 1.0)
    return _decomposed([f"PC{k + 1}" for k in range(count)], values @ loadings, values)


def _decomposed(names: Sequence[str], factors: Matrix, returns: Matrix) -> FactorDecomposition:
    count = len(factors)
    centred, away = factors - factors.mean(axis=0), returns - returns.mean(axis=0)
    exposures = np.linalg.lstsq(centred, away, rcond=None)[0].T
    alphas = returns.mean(axis=0) - exposures @ factors.mean(axis=0)
    left = (away - centred @ exposures.T) ** 2
    total = (away**2).sum(axis=0)
    varies = total > 0.0
    unexplained = left.sum(axis=0) / np.where(varies, total, 1.0)
    return FactorDecomposition(
        names=tuple(names),
        factors=freeze(factors),
        exposures=freeze(exposures),
        alphas=freeze(alphas),
        factor_covariance=freeze(centred.T @ centred / (count - 1)),
        specific_variances=freeze(left.sum(axis=0) / (count - 1)),
        r_squared=freeze(np.where(varies, 1.0 - unexplained, np.nan)),
    )
