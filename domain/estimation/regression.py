"""Returns of N assets explained by K factors over the same T periods, and the moments that this makes.

    r = alpha + B f + e,    mean = alpha + B mean(f),    covariance = B cov(f) B' + diag(var(e))

Every variance has the divisor T - 1. Residuals of least squares with an intercept sum to 0 and are orthogonal to what
is fitted, so that the two parts of a variance add up to that of the sample (Greene 2018, "Econometric Analysis",
section 3.5): the diagonal of the covariance is the sample's, and the mean is the sample's mean.
"""

import numpy as np

from domain.checks import Matrix, Vector, constant_columns, freeze
from domain.errors import InvalidInput
from domain.records import dataclass

COLLINEAR = 1e-10
"""Relative singular value of the standardised factors below which one is a combination of the others."""


@dataclass(frozen=True, slots=True)
class FactorFit:
    """Returns of N assets as alpha + exposures times K factors + a specific return, per period."""

    alphas: Vector  # (N,)
    exposures: Matrix  # (N, K)
    factor_means: Vector  # (K,)
    factor_covariance: Matrix  # (K, K)
    specific_variances: Vector  # (N,)

    @property
    def expected_returns(self) -> Vector:
        """Means of the assets implied by the means of the factors, (N,)."""
        result: Vector = self.alphas + self.exposures @ self.factor_means
        return result

    @property
    def covariance(self) -> Matrix:
        """Covariance implied by the factors and independent specific risks, (N, N)."""
        result: Matrix = self.exposures @ self.factor_covariance @ self.exposures.T
        return result + np.diag(self.specific_variances)


def fitted(factors: Matrix, returns: Matrix, exposures: Matrix) -> FactorFit:
    """The fit that exposures (N, K) are to returns (T, N) on factors (T, K)."""
    means, count = factors.mean(axis=0), len(factors)
    centred, away = factors - means, returns - returns.mean(axis=0)
    left = away - centred @ exposures.T
    return FactorFit(
        alphas=freeze(returns.mean(axis=0) - exposures @ means),
        exposures=freeze(exposures),
        factor_means=freeze(means),
        factor_covariance=freeze(centred.T @ centred / (count - 1)),
        specific_variances=freeze((left**2).sum(axis=0) / (count - 1)),
    )


def least_squares(factors: Matrix, returns: Matrix) -> Matrix:
    """Exposures of each asset to all factors, (N, K), beside an intercept."""
    centred, away = factors - factors.mean(axis=0), returns - returns.mean(axis=0)
    result: Matrix = np.linalg.lstsq(centred, away, rcond=None)[0].T
    return result


def principal_component_regression(factors: Matrix, returns: Matrix, explained_variance: float) -> Matrix:
    """Exposures (N, K) from least squares on the first principal components of the standardised factors.

    As few components as explain the fraction of the variance; mapped back to the factors (Jolliffe 2002, "Principal
    Component Analysis", section 8.1, equation 8.1.10). Raises InvalidInput where they are too many for the returns.
    """
    scale = factors.std(axis=0, ddof=1)
    left, values, rows = np.linalg.svd((factors - factors.mean(axis=0)) / scale, full_matrices=False)
    cumulative = (values**2).cumsum() / (values**2).sum()
    wanted = int((cumulative < explained_variance - 1e-12).sum()) + 1
    kept = min(wanted, int((values > COLLINEAR * values[0]).sum()))
    _enough(kept, "principal components", len(factors))
    away = returns - returns.mean(axis=0)
    on_standardised = rows[:kept].T / values[:kept] @ (left[:, :kept].T @ away)
    result: Matrix = (on_standardised / scale[:, None]).T
    return result


def varying_factors(factors: Matrix) -> Matrix:
    """Factors (T, K) of which none is a constant. Raises InvalidInput."""
    if len(factors) < 2 or constant_columns(factors).any():
        raise InvalidInput("factors", "must vary over at least two returns")
    return factors


def independent_factors(factors: Matrix) -> Matrix:
    """Factors (T, K) that are linearly independent. Raises InvalidInput."""
    count, size = factors.shape
    _enough(size, "factors", count)
    centred = varying_factors(factors) - factors.mean(axis=0)
    values = np.linalg.svd(centred / centred.std(axis=0), compute_uv=False)
    if values[-1] <= COLLINEAR * values[0]:
        raise InvalidInput("factors", "must vary, and none may be a combination of the others")
    return factors


def _enough(size: int, what: str, count: int) -> None:
    if count < size + 2:
        raise InvalidInput("factors", f"{size} {what} need at least {size + 2} common returns, have {count}")
