"""The polytope over which linear and quadratic programs are solved."""

from functools import cached_property

import numpy as np

from domain.checks import Matrix, Vector
from domain.records import dataclass

LARGE = 1e30
"""Stands for a bound that is not there."""


@dataclass(frozen=True)  # without slots: what is asked again and again is kept
class Polytope:
    """lower <= x <= upper and row_lower <= matrix x <= row_upper; the first N entries of x are the weights."""

    matrix: Matrix  # (M, n)
    row_lower: Vector  # (M,)
    row_upper: Vector  # (M,)
    lower: Vector  # (n,)
    upper: Vector  # (n,)

    @cached_property
    def implied_upper(self) -> Vector:
        """What rows with coefficients of 0 or more leave for one variable when the others are at their lower bounds."""
        result = np.full(len(self.lower), np.inf)
        if np.isfinite(self.upper).all():
            return result
        lower = np.where(np.isfinite(self.lower), self.lower, -LARGE)
        for i in np.flatnonzero(np.isfinite(self.row_upper) & (self.matrix >= 0.0).all(axis=1)):
            row = self.matrix[i]
            used = row > 0.0
            room = float(self.row_upper[i] - row @ lower)
            result[used] = np.minimum(result[used], lower[used] + room / row[used])
        return result
