"""Covariance per period from T observations of N assets."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, positive
from domain.estimation.shrinkage import (
    ConstantCorrelationShrinkage,
    IdentityShrinkage,
    OracleApproximatingShrinkage,
    SingleFactorShrinkage,
)
from domain.estimation.weights import exponential_weights


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
    """Of what lies below the mean only: the rest counts as 0. Divisor T - 1."""

    def estimate(self, returns: Matrix) -> Matrix:
        """Semicovariance of (T, N) returns, (N, N)."""
        below = np.minimum(returns - returns.mean(axis=0), 0.0)
        result: Matrix = below.T @ below / (len(returns) - 1)
        return result


CovarianceEstimator = (
    SampleCovariance
    | EwmaCovariance
    | SemiCovariance
    | IdentityShrinkage
    | OracleApproximatingShrinkage
    | ConstantCorrelationShrinkage
    | SingleFactorShrinkage
)
