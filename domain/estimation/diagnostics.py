"""How good estimated moments are: how much data they rest on, how far they were shrunk, how close to singular."""

import numpy as np

from domain.checks import Matrix, Vector
from domain.estimation.covariance import EwmaCovariance
from domain.estimation.moments import Estimation
from domain.estimation.shrinkage import Shrinkage
from domain.estimation.weights import exponential_weights
from domain.market_data.moments import Moments
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class EstimationDiagnostics:
    """Diagnostics of one estimate; None where one does not apply."""

    observations: int  # returns that were looked at, 0 where moments were given
    effective_observations: float | None  # of equal weight that are worth as much (Kish 1965)
    condition_number: float | None  # largest eigenvalue / smallest, None for a singular covariance
    shrinkage_intensity: float | None  # between 0, the sample, and 1, the target


def diagnosed(estimation: Estimation, returns: Matrix, covariance: Matrix) -> EstimationDiagnostics:
    """Diagnostics of a covariance (N, N) estimated from returns (T, N)."""
    count = len(returns)
    return EstimationDiagnostics(
        count, _effective(estimation, count), _condition_number(covariance), _intensity(estimation, returns)
    )


def of_moments(moments: Moments, probabilities: Vector | None = None) -> EstimationDiagnostics:
    """Diagnostics of given moments, or of those of scenarios with probabilities (S,)."""
    condition = _condition_number(moments.covariance)
    if probabilities is None:
        return EstimationDiagnostics(0, None, condition, None)
    effective = 1.0 / float((probabilities**2).sum())
    return EstimationDiagnostics(len(probabilities), effective, condition, None)


def _condition_number(covariance: Matrix) -> float | None:
    values = np.linalg.eigvalsh(covariance)
    smallest, largest = float(values[0]), float(values[-1])
    return largest / smallest if smallest > np.finfo(float).eps * len(values) * largest else None


def _effective(estimation: Estimation, count: int) -> float:
    if isinstance(estimation.covariance, EwmaCovariance):
        return 1.0 / float((exponential_weights(count, estimation.covariance.half_life) ** 2).sum())
    return float(count)


def _intensity(estimation: Estimation, returns: Matrix) -> float | None:
    estimator = estimation.covariance
    return estimator.shrunk(returns).intensity if isinstance(estimator, Shrinkage) else None
