"""Returns of assets under a shock: the caller's for some, those implied for the rest by history, or through factors."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.risk.factors import FactorDecomposition


def conditional_shock(covariance: Matrix, shocked: NDArray[np.bool_], shocks: Vector) -> Vector:
    """Returns of all N assets: those shocked as given, the others as is to be expected of them then.

    Sigma_us Sigma_ss^-1 s, for returns about a mean of zero (Kupiec 1998, "Stress testing in a value at risk
    framework"). `shocks` is (N,), what is not shocked is not read. Shocks in a direction that has no variance move
    nothing but themselves.
    """
    result = np.where(shocked, shocks, 0.0)
    if shocked.all() or not shocked.any():
        return result
    inner = covariance[np.ix_(shocked, shocked)]
    across = covariance[np.ix_(~shocked, shocked)]
    result[~shocked] = across @ np.linalg.lstsq(inner, shocks[shocked], rcond=None)[0]
    return result


def factor_shock(decomposition: FactorDecomposition, shocked: NDArray[np.bool_], shocks: Vector) -> Vector:
    """Returns of N assets when some of K factors move: the other factors follow, and assets by their exposures."""
    moved = conditional_shock(decomposition.factor_covariance, shocked, shocks)
    result: Vector = decomposition.exposures @ moved
    return result


def stressed_covariance(covariance: Matrix, towards: float, fraction: float, volatility_factor: float) -> Matrix:
    """Correlations moved a fraction of the way towards one number, and volatilities multiplied; always semidefinite.

    (1 - fraction) C + fraction (towards 11' + (1 - towards) I): both are correlation matrices, and so is every mixture.
    Raises InvalidInput for a common correlation that N assets cannot have.
    """
    size = len(covariance)
    least = -1.0 / (size - 1) if size > 1 else -1.0
    if not least <= towards <= 1.0:
        raise InvalidInput("correlation", f"must lie between {least:.6g} and 1 for {size} assets")
    deviations = np.sqrt(np.diag(covariance).clip(min=0.0))
    common = towards * np.outer(deviations, deviations)
    np.fill_diagonal(common, deviations**2)
    result: Matrix = ((1.0 - fraction) * covariance + fraction * common) * volatility_factor**2
    return result
