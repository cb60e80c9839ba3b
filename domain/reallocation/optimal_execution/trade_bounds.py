"""Limits of each trade."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class TradeBounds:
    """Least and greatest units of each trade (T, N), and their sum (N,)."""

    lower: Matrix
    upper: Matrix
    total: Vector

    def allow(self, remaining: Matrix, tolerance: Vector) -> bool:
        """Whether the trades of a trajectory (T + 1, N) lie within the bounds; the tolerance (N,) is in units."""
        trades = remaining[:-1] - remaining[1:]
        return bool(((trades >= self.lower - tolerance) & (trades <= self.upper + tolerance)).all())

    @property
    def forced(self) -> NDArray[np.bool_]:
        """Assets whose bounds leave one choice, (N,)."""
        result: NDArray[np.bool_] = (self.upper.sum(axis=0) <= self.total) | (self.lower.sum(axis=0) >= self.total)
        return result

    def nearest(self, remaining: Matrix) -> Matrix:
        """The trajectory near a given one that keeps the bounds, from which nothing is left to trade."""
        result = remaining.copy()
        zeros = np.zeros((1, len(self.total)))
        least_after = np.vstack([np.cumsum(self.lower[::-1], axis=0)[::-1][1:], zeros])
        most_after = np.vstack([np.cumsum(self.upper[::-1], axis=0)[::-1][1:], zeros])
        for k in range(len(self.lower)):
            low = np.maximum(result[k] - self.upper[k], least_after[k])
            high = np.minimum(result[k] - self.lower[k], most_after[k])
            result[k + 1] = np.clip(remaining[k + 1], np.minimum(low, high), high)
        result[-1] = 0.0
        return result
