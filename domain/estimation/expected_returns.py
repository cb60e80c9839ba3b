"""Expected simple returns per period from T observations of N assets."""

from dataclasses import dataclass

from domain.checks import Matrix, Vector, positive
from domain.estimation.weights import exponential_weights


@dataclass(frozen=True, slots=True)
class SampleMean:
    """The arithmetic mean."""

    def estimate(self, returns: Matrix) -> Vector:
        """Means of (T, N) returns, (N,)."""
        result: Vector = returns.mean(axis=0)
        return result


@dataclass(frozen=True, slots=True)
class EwmaMean:
    """The exponentially weighted mean; `half_life` in periods."""

    half_life: float

    def __post_init__(self) -> None:
        positive("half_life", self.half_life)

    def estimate(self, returns: Matrix) -> Vector:
        """Means of (T, N) returns, (N,)."""
        result: Vector = exponential_weights(len(returns), self.half_life) @ returns
        return result


ExpectedReturnsEstimator = SampleMean | EwmaMean
