"""What passes over the returns of curves find for their figures, of several curves at once or of one.

A curve has the same bits alone and beside others: nothing is summed over curves.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.risk.measures.dispersion import mean_of_each
from domain.risk.measures.tail import count_of_worst


@dataclass(frozen=True, slots=True)
class ReturnMoments:
    """Of the returns of one curve, per period."""

    largest: float
    mean: float
    square: float  # mean squared distance from the mean
    shortfall: float  # mean squared shortfall below the minimum acceptable return
    worst: Vector  # (W,), the worst returns that the tail at a confidence level needs, sorted

    @property
    def size(self) -> float:
        """The largest size of a return."""
        return max(self.largest, -float(self.worst[0]))


def return_moments(returns: Matrix, acceptable: float, confidence_level: float) -> list[ReturnMoments]:
    """The moments of each of B curves from their returns (B, R), which may be infinite but are numbers."""
    from domain.backtest.simulation.curve_passes import copy_least, squared_distances  # numba takes half a second

    squares = np.empty((2, *returns.shape))
    with np.errstate(over="ignore", invalid="ignore"):  # of returns too large for figures
        means = mean_of_each(returns)
        squared_distances(returns, means, acceptable, squares)
        square, shortfall = mean_of_each(squares)
    several = count_of_worst(returns.shape[1], confidence_level)
    least, counts = squares[0], np.empty(len(returns), np.int64)  # the squares are summed: their room is free
    copy_least(returns, several, least, counts)
    worst = (_sorted_least(least[k, :count], several) for k, count in enumerate(counts.tolist()))
    columns = (returns.max(axis=1), means, square, shortfall)
    return [ReturnMoments(*one, tail) for one, tail in zip(np.stack(columns, axis=1).tolist(), worst, strict=True)]


def _sorted_least(returns: Vector, several: int) -> Vector:
    """The least of some returns, sorted."""
    found: Vector = np.sort(returns)[:several]
    return found
