"""What passes over the returns of curves find for their figures, of several curves at once or of one.

A curve has the same bits alone and beside others: nothing is summed over curves.
"""

from collections.abc import Iterator

import numpy as np

from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.risk.measures.dispersion import mean_of_each
from domain.risk.measures.tail import count_of_worst

AT_ONCE = 4
"""Curves whose returns and their squares stay in the processor's cache while they are passed over."""


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


def return_moments(returns: Matrix, acceptable: float, confidence_level: float) -> Iterator[ReturnMoments]:
    """The moments of each of B curves from their returns (B, R), which may be infinite but are numbers."""
    several = count_of_worst(returns.shape[1], confidence_level)
    for first in range(0, len(returns), AT_ONCE):
        yield from _moments_of_some(returns[first : first + AT_ONCE], acceptable, several)


def _moments_of_some(returns: Matrix, acceptable: float, several: int) -> Iterator[ReturnMoments]:
    from domain.backtest.simulation.curve_passes import copy_least, squared_distances  # numba takes half a second

    squares = np.empty((2, *returns.shape))
    with np.errstate(over="ignore", invalid="ignore"):  # of returns too large for figures
        means = mean_of_each(returns)
        squared_distances(returns, means, acceptable, squares)
        square, shortfall = mean_of_each(squares)
    least, counts = squares[0], np.empty(len(returns), np.int64)  # the squares are summed: their room is free
    copy_least(returns, several, least, counts)
    columns = (one.tolist() for one in (returns.max(axis=1), means, square, shortfall, counts))
    for row, largest, mean, mean_square, mean_shortfall, count in zip(least, *columns, strict=True):
        yield ReturnMoments(largest, mean, mean_square, mean_shortfall, np.sort(row[:count])[:several])
