"""Covariance per period from T observations of N assets."""

import numpy as np

from domain.checks import Matrix, positive
from domain.estimation.codependence import GERBER_THRESHOLD, gerber
from domain.estimation.denoising import Denoised
from domain.estimation.shrinkage import (
    ConstantCorrelationShrinkage,
    CorrelationShrinkage,
    IdentityShrinkage,
    NonlinearShrinkage,
    OracleApproximatingShrinkage,
    SingleFactorShrinkage,
)
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.estimation.weights import exponential_weights
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class SampleCovariance:
    """The unbiased sample covariance, divisor T - 1."""

    def estimate(self, returns: Matrix) -> Matrix:
        """Covariance of (T, N) returns, (N, N). T is at least 2."""
        centred = returns - returns.mean(axis=0)
        result: Matrix = centred.T @ centred / (len(returns) - 1)
        return result


@dataclass(frozen=True, slots=True)
class EwmaCovariance:
    """Exponentially weighted about the weighted mean, weights normalised to sum to 1; `half_life` in periods."""

    half_life: float

    def __post_init__(self) -> None:
        positive("half_life", self.half_life)

    def estimate(self, returns: Matrix) -> Matrix:
        """Covariance of (T, N) returns, (N, N)."""
        weights = exponential_weights(len(returns), self.half_life)
        scaled = (returns - weights @ returns) * np.sqrt(weights)[:, None]
        result: Matrix = scaled.T @ scaled
        return result


@dataclass(frozen=True, slots=True)
class SemiCovariance:
    """Semicovariance: returns above the mean count as 0. Divisor T - 1."""

    def estimate(self, returns: Matrix) -> Matrix:
        """Semicovariance of (T, N) returns, (N, N)."""
        below = np.minimum(returns - returns.mean(axis=0), 0.0)
        result: Matrix = below.T @ below / (len(returns) - 1)
        return result


@dataclass(frozen=True, slots=True)
class GerberCovariance:
    """Gerber's co-movement statistic as the correlation, with the sample's deviations (Gerber et al. 2022)."""

    variant: int = 1
    threshold: float = GERBER_THRESHOLD

    def estimate(self, returns: Matrix) -> Matrix:
        """Covariance of (T, N) returns, (N, N); variant 1 may need the repair that moments get."""
        deviations = returns.std(axis=0, ddof=1)
        result: Matrix = gerber(returns, self.variant, self.threshold) * np.outer(deviations, deviations)
        return result


CovarianceEstimator = (
    SampleCovariance
    | EwmaCovariance
    | SemiCovariance
    | IdentityShrinkage
    | OracleApproximatingShrinkage
    | ConstantCorrelationShrinkage
    | SingleFactorShrinkage
    | CorrelationShrinkage
    | NonlinearShrinkage
    | GraphicalLasso
    | LocalGlobal
    | Denoised
    | GerberCovariance
)
