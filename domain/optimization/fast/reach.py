"""How large variables of a program can be that is no worse than a known value: what makes a bound of it sound.

A residual of stationarity takes off a bound what it can gain over all points that matter. Those keep the program's
linear rows, and their linear objective is at most the value known; intervals of the variables follow by adding up what
the others can be at most, over and over. This bounds weights wherever a budget and a lower bound do. Auxiliary
variables that stay open, or far beyond the answer, are taken within an explicit box around it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector

Places = NDArray[np.intp]


PASSES = 4
"""A budget bounds the weights, these the outcomes, and these the auxiliary variables of a risk."""

BOX = 2.0
"""Variables that no row bounds are taken as at most this many times their size in the answer, or that of the others."""

FAR = 4.0
"""A bound this many times the largest figure of the answer is as good as none: it is that of a limit with much room."""

ROOM = 1e-9
"""What rows and the known value may be missed by, relative to their size."""


@dataclass
class Rows:
    """Sum of values[k] x[columns[k]] over the entries of a row is at most its end."""

    rows: Places
    columns: Places
    values: Vector
    ends: Vector
    lower: Vector = field(init=False)
    upper: Vector = field(init=False)

    def largest(self, point: Vector) -> Vector:
        """The largest size of each variable, (n,), or the explicit box for what the rows leave open."""
        size = len(point)
        self.lower, self.upper = np.full(size, -np.inf), np.full(size, np.inf)
        for _ in range(PASSES):
            before = self.lower.copy(), self.upper.copy()
            self._tighten()
            if (self.lower == before[0]).all() and (self.upper == before[1]).all():
                break
        largest = np.maximum(np.abs(self.lower), np.abs(self.upper))
        open_ended = largest > FAR * max(1.0, float(np.abs(point).max(initial=0.0)))
        if not open_ended.any():
            return largest
        # What is 0 in the answer may be as large as the others are on average.
        box = BOX * np.maximum(np.abs(point), float(np.abs(point[open_ended]).mean()))
        result: Vector = np.where(open_ended, box, largest)
        return result

    def _tighten(self) -> None:
        rising = self.values > 0.0
        least = np.where(rising, self.lower[self.columns], self.upper[self.columns])
        open_ends = np.isinf(least)
        terms = self.values * np.where(open_ends, 0.0, least)
        count = len(self.ends)
        sums = np.bincount(self.rows, terms, count)
        missing = np.bincount(self.rows, open_ends, count)[self.rows]
        others_known = (missing == 0) | ((missing == 1) & open_ends)
        left = self.ends[self.rows] - (sums[self.rows] - terms)
        with np.errstate(over="ignore"):
            end = (left + ROOM * np.abs(left)) / self.values
        tighter = others_known & np.isfinite(end)
        np.minimum.at(self.upper, self.columns[tighter & rising], end[tighter & rising])
        falling = tighter & ~rising
        np.maximum.at(self.lower, self.columns[falling], end[falling])
