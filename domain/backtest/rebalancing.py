"""When a strategy decides: indices on the date axis of a panel."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput

DateIndices = NDArray[np.int64]
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

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """Indices of the decisions after `start`; `days` (T,) are counted from 1970-01-01."""
        period = _period(days, self.frequency)
        changes = np.flatnonzero(np.diff(period))
        edges = np.append(changes, len(days) - 1) if self.last else np.append(0, changes + 1)
        indices = edges + self.offset
        result: DateIndices = indices[(indices > start) & (indices < len(days))]
        return result


@dataclass(frozen=True, slots=True)
class EveryPeriods:
    """Every n dates, counted from the first decision."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidInput("rebalancing.every_periods.n", f"must be 1 or more, is {self.n}")

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """Indices of the decisions after `start`; `days` (T,) are counted from 1970-01-01."""
        return np.arange(start + self.n, len(days), self.n)


@dataclass(frozen=True, slots=True)
class BuyAndHold:
    """Only the first purchase; the wire calls it `never`."""

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """No decision after `start`."""
        return np.zeros(0, np.int64)


Rebalancing = Calendar | EveryPeriods | BuyAndHold


def _period(days: NDArray[np.int32], frequency: Frequency) -> NDArray[np.int64]:
    """A number for each date (T,), the same within a period."""
    if frequency is Frequency.DAILY:
        return days.astype(np.int64)
    if frequency is Frequency.WEEKLY:
        return (days.astype(np.int64) + MONDAY) // 7
    months: NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[frequency]
