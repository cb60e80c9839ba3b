"""When decisions are made: places on the date axis of a panel."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput

Places = NDArray[np.int64]
"""Indices of dates, increasing."""

MONDAY = 3
"""1970-01-01 was a Thursday: three days after a Monday."""


class Frequency(StrEnum):
    """Length of a calendar period."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"  # from Monday
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    SEMIANNUAL = "SEMIANNUAL"
    ANNUAL = "ANNUAL"


_MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.SEMIANNUAL: 6, Frequency.ANNUAL: 12}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The first or last date of the panel in each calendar period, or `offset` dates after it."""

    frequency: Frequency = Frequency.MONTHLY
    last: bool = False
    offset: int = 0

    def places(self, days: NDArray[np.int32], start: int) -> Places:
        """Dates after `start` on which to decide."""
        period = _period(days, self.frequency)
        changes = np.flatnonzero(np.diff(period))
        edges = np.append(changes, len(days) - 1) if self.last else np.append(0, changes + 1)
        places = edges + self.offset
        result: Places = places[(places > start) & (places < len(days))]
        return result


@dataclass(frozen=True, slots=True)
class EveryPeriods:
    """Every n dates, counted from the first decision."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidInput("rebalancing.every_periods.n", "must be 1 or more")

    def places(self, days: NDArray[np.int32], start: int) -> Places:
        """Dates after `start` on which to decide."""
        return np.arange(start + self.n, len(days), self.n)


@dataclass(frozen=True, slots=True)
class Never:
    """Only the first purchase."""

    def places(self, days: NDArray[np.int32], start: int) -> Places:
        """None."""
        return np.zeros(0, np.int64)


Rebalancing = Calendar | EveryPeriods | Never


def _period(days: NDArray[np.int32], frequency: Frequency) -> NDArray[np.int64]:
    """A number for each date (T,), the same within a period."""
    if frequency is Frequency.DAILY:
        return days.astype(np.int64)
    if frequency is Frequency.WEEKLY:
        return (days.astype(np.int64) + MONDAY) // 7
    months: NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[frequency]
