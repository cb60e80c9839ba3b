"""Index of each portfolio, free of flows, and its drawdown.

The index is net asset value times a factor that changes of holdings and cash set anew, so that money in and out and
trades leave it where it was. Its peak is the highest of the last values of earlier dates and of all values of today:
what a price was within an earlier date does not count, and a corrected price of today takes its high with it.
"""

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.monitoring.segments import Cuts, Indices, spliced_fields
from domain.records import dataclass


def _nans(count: int) -> Vector:
    return np.full(count, np.nan)


@dataclass(frozen=True, slots=True)
class Levels:
    """Of each portfolio, (P,)."""

    factor: Vector = field(default_factory=lambda: _nans(0))  # index / net asset value; NaN is to be set
    index: Vector = field(default_factory=lambda: _nans(0))  # the latest; NaN before the first
    peak_before: Vector = field(default_factory=lambda: np.zeros(0))  # of the last values of earlier dates
    high_today: Vector = field(default_factory=lambda: np.zeros(0))
    day: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # that `high_today` is of
    measured_value: Vector = field(default_factory=lambda: _nans(0))  # net asset value at the last measure of risk
    due: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # risk has to be measured anew

    @classmethod
    def fresh(cls) -> "Levels":
        """Of one portfolio that has not been valued."""
        zero = np.zeros(1)
        return cls(_nans(1), _nans(1), zero, zero, np.zeros(1, np.int64), _nans(1), np.ones(1, np.bool_))

    def spliced(self, cuts: Cuts, parts: Sequence["Levels"]) -> "Levels":
        """With other portfolios instead of those of each cut."""
        return spliced_fields(self, cuts, parts)

    def of(self, place: int, *, holdings_changed: bool) -> "Levels":
        """Of one portfolio with other holdings, so that the next value continues the index, or with other rules."""
        one = Levels(*(getattr(self, name)[place : place + 1] for name in self.__slots__))
        return replace(one, factor=_nans(1) if holdings_changed else one.factor, due=np.ones(1, np.bool_))

    def valued(self, portfolios: Indices, net: Vector, day: int, corrected: Indices) -> "Levels":
        """With new values of some portfolios (K,); NaN is not known and changes nothing.

        `corrected` are those of which a price of today was replaced: their high of today is taken again from here.
        """
        known = ~np.isnan(net)
        at, values = portfolios[known], net[known]
        if not len(at):
            return self
        index_before, factor = self.index[at], self.factor[at]
        opens = np.isnan(factor) & (values > 0.0)
        # After a total loss, or before any value, the index begins at 1.
        start = np.where(index_before > 0.0, index_before, 1.0)
        factor = np.where(opens, start / np.where(values > 0.0, values, 1.0), factor)
        restarts = opens & ~(index_before > 0.0)
        index = np.where(np.isnan(factor), index_before, np.maximum(values, 0.0) * factor)
        new_day = self.day[at] != day
        before = np.where(new_day, np.fmax(self.peak_before[at], index_before), self.peak_before[at])
        before = np.where(restarts, 0.0, before)
        high = np.where(new_day | restarts | np.isin(at, corrected), index, np.fmax(self.high_today[at], index))
        return replace(
            self,
            factor=_written(self.factor, at, factor),
            index=_written(self.index, at, index),
            peak_before=_written(self.peak_before, at, np.fmax(before, 0.0)),
            high_today=_written(self.high_today, at, np.fmax(high, 0.0)),
            day=_written(self.day, at, day),
        )

    def drawdowns(self, portfolios: Indices) -> Vector:
        """Fraction below the peak (K,), 0 to 1; NaN before the first value."""
        index = self.index[portfolios]
        peak = np.maximum(self.peak_before[portfolios], self.high_today[portfolios])
        safe = np.where(peak > 0.0, peak, 1.0)
        result: Vector = np.where(peak > 0.0, 1.0 - index / safe, np.nan)
        return result

    def measured(self, portfolios: Indices, net: Vector) -> "Levels":
        """Risk of some portfolios was measured at these net asset values (K,)."""
        return replace(
            self,
            measured_value=_written(self.measured_value, portfolios, net),
            due=_written(self.due, portfolios, False),
        )


def _written(array: NDArray[Any], places: Indices, values: Any) -> NDArray[Any]:
    result = array.copy()
    result[places] = values
    return result
