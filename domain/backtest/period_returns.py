"""Returns of a curve by calendar month and year, its best and worst periods, and annual returns over moving years."""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.metrics import Curve
from domain.checks import Vector
from domain.market_data.panel import Days
from domain.records import dataclass

MONTH, YEAR = "M", "Y"
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class PeriodReturns:
    """Returns from one date of a curve to a later one, P of them; one that is too large for a number is left out."""

    starts: Days  # (P,)
    ends: Days  # (P,)
    values: Vector  # (P,)

    def at(self, places: NDArray[np.intp]) -> "PeriodReturns":
        """Some of them."""
        return PeriodReturns(self.starts[places], self.ends[places], self.values[places])

    def best(self, most: int) -> NDArray[np.intp]:
        """Indices of the highest returns, the highest first; of equal ones the earlier first."""
        return np.argsort(-self.values, kind="stable")[:most]

    def worst(self, most: int) -> NDArray[np.intp]:
        """Indices of the lowest returns, the lowest first; of equal ones the earlier first."""
        return np.argsort(self.values, kind="stable")[:most]

    @property
    def years(self) -> NDArray[np.int64]:
        """Calendar year of each end, (P,)."""
        return self.ends.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970

    @property
    def months(self) -> NDArray[np.int64]:
        """Month of each end, from 1 to 12, (P,)."""
        months: NDArray[np.int64] = self.ends.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return months % MONTHS_PER_YEAR + 1


def calendar_returns(curve: Curve, unit: str) -> PeriodReturns:
    """Returns by MONTH or YEAR, each from the last date of the period before that has one to its own last date.

    The first starts at the first date of the curve, the last ends at its last one: both may be parts of a period.
    """
    alive = curve.until_ruin
    periods = alive.days.astype("datetime64[D]").astype(f"datetime64[{unit}]")
    ends = np.append(np.flatnonzero(periods[1:] != periods[:-1]), len(periods) - 1)
    ends = ends[ends > 0]
    return _between(alive, np.append(0, ends[:-1]), ends)


def each_period(curve: Curve) -> PeriodReturns:
    """The returns from each date to the next."""
    alive = curve.until_ruin
    last = np.arange(1, len(alive.days))
    return _between(alive, last - 1, last)


def moving_years(curve: Curve, years: int) -> PeriodReturns:
    """Annual returns over so many years that end on each date: (end / start)^(1 / years) - 1.

    The start is the last date on or before the same day so many years earlier, and 28 February for 29 February. None
    for the dates before the curve is as old.
    """
    days = curve.days.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    earlier = month - np.timedelta64(MONTHS_PER_YEAR * years, "M")
    next_month = earlier + np.timedelta64(1, "M")
    first, last = earlier.astype("datetime64[D]"), next_month.astype("datetime64[D]") - np.timedelta64(1, "D")
    starts = np.minimum(first + (days - month.astype("datetime64[D]")), last)
    start = np.searchsorted(days, starts, side="right") - 1
    # Nothing grows from a value of 0.
    ends = np.flatnonzero((start >= 0) & (curve.nav[np.maximum(start, 0)] > 0.0))
    found = _between(curve, start[ends], ends)
    return PeriodReturns(found.starts, found.ends, (1.0 + found.values) ** (1.0 / years) - 1.0)


def _between(curve: Curve, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> PeriodReturns:
    with np.errstate(over="ignore"):
        values: Vector = curve.nav[ends] / curve.nav[starts] - 1.0
    finite = np.isfinite(values)
    return PeriodReturns(curve.days[starts[finite]], curve.days[ends[finite]], values[finite])
