"""Intervals of a program's variables over all points no worse than a known value; they make a dual bound rigorous.

A residual of stationarity lowers a bound by the most that it can change the objective over all relevant points. Those
keep the program's linear rows, and their linear objective is at most the value known; intervals of the variables follow
by adding up what the others can be at most, over and over. This bounds weights wherever a budget and a lower bound do.
Auxiliary variables that stay open, or far beyond the answer, are taken within an explicit box around it.
"""

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.records import dataclass

Indices = NDArray[np.intp]


PASSES = 4
"""A budget bounds the weights, these the outcomes, and these the auxiliary variables of a risk."""

BOX = 2.0
"""Variables that no row bounds are taken as at most this many times their size in the answer, or that of the others."""

FAR = 4.0
"""A bound this many times the largest figure of the answer is as good as none: it is that of a limit with much room."""

BUDGETS = 4
"""How many sums that are fixed are tried."""

ROOM = 1e-9
"""What rows and the known value may be missed by, relative to their size."""


@dataclass
class LinearRows:
    """Sum of values[k] x[columns[k]] over the entries of a row is at most its end."""

    rows: Indices
    columns: Indices
    values: Vector
    ends: Vector
    lower: Vector = field(init=False)
    upper: Vector = field(init=False)

    def intervals(self, point: Vector) -> tuple[Vector, Vector]:
        """The least and the largest of each variable, (n,) each, the explicit box for what the rows leave open."""
        size = len(point)
        self.lower, self.upper = np.full(size, -np.inf), np.full(size, np.inf)
        for _ in range(PASSES):
            before = self.lower.copy(), self.upper.copy()
            self._tighten()
            if (self.lower == before[0]).all() and (self.upper == before[1]).all():
                break
        far = FAR * max(1.0, float(np.abs(point).max(initial=0.0)))
        open_below, open_above = self.lower < -far, self.upper > far
        if not (open_below | open_above).any():
            return self.lower, self.upper
        # What is 0 in the answer may be as large as the others are on average.
        box = BOX * np.maximum(np.abs(point), float(np.abs(point[open_below | open_above]).mean()))
        return np.where(open_below, -box, self.lower), np.where(open_above, box, self.upper)

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

    def budgets(self) -> list[tuple[Vector, float]]:
        """Rows that fix a sum of positive parts: coefficients (n,) and what they add up to, the longest ones first."""
        size, count = len(self.lower), len(self.ends) // 2
        lengths = np.bincount(self.rows, minlength=len(self.ends))
        positive = np.bincount(self.rows, self.values > 0.0, len(self.ends)) == lengths
        # An equality stands here twice, once from either side; with one sign it is the sum from above.
        twice = (lengths[:count] > 1) & (lengths[:count] == lengths[count : 2 * count])
        found = np.concatenate(
            [np.flatnonzero(twice & positive[:count]), np.flatnonzero(twice & positive[count:-1]) + count]
        )
        chosen = found[np.argsort(-lengths[found], kind="stable")][:BUDGETS]
        result = []
        for row in chosen.tolist():
            entries, coefficients = self.rows == row, np.zeros(size)
            coefficients[self.columns[entries]] = self.values[entries]
            result.append((coefficients, float(self.ends[row])))
        return result


def lower_bound_over_rows(costs: Vector, rows: LinearRows, point: Vector) -> float:
    """A bound of costs . x from below: over the intervals, or with a multiple of a budget taken off the costs."""
    least, most = rows.intervals(point)

    def within(left: Vector) -> float:
        return float(left @ np.where(left > 0.0, least, most))

    best = within(costs)
    for coefficients, total in rows.budgets():
        held = coefficients > 0.0
        multiple = float((costs[held] / coefficients[held]).min())
        best = max(best, multiple * total + within(costs - multiple * coefficients))
    return best
