"""When a strategy decides: indices on the date axis of a panel."""

from dataclasses import field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.backtest.drift_band import DriftBand
from domain.calendar import DateIndices, Frequency, ends_period, first_of_periods
from domain.checks import positive
from domain.errors import InvalidInput
from domain.records import dataclass


class DayOfPeriod(StrEnum):
    """Which date of a calendar period."""

    FIRST = "FIRST"
    LAST = "LAST"
    NTH = "NTH"


_MOST_DAYS = {
    Frequency.DAILY: 1,
    Frequency.WEEKLY: 7,
    Frequency.MONTHLY: 31,
    Frequency.QUARTERLY: 92,
    Frequency.SEMIANNUAL: 184,
    Frequency.ANNUAL: 366,
}
"""Days of the longest period of each frequency."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A date of the panel in each calendar period, or `offset` dates after it.

    A last period that goes on after the panel has no last date, and no n-th one where it has fewer dates.
    """

    frequency: Frequency = Frequency.MONTHLY
    day: DayOfPeriod = DayOfPeriod.FIRST
    offset: int = 0
    nth: int | None = None  # with NTH: counted from 1; the last date of a period with fewer dates

    def __post_init__(self) -> None:
        if (self.day is DayOfPeriod.NTH) != (self.nth is not None):
            raise InvalidInput("rebalancing.calendar.nth_day", "must be given with REBALANCE_DAY_NTH, and only with it")
        if self.nth is not None and self.nth > (most := _MOST_DAYS[self.frequency]):
            rule = f"must be at most {most}, the days of the longest {self.frequency} period, is {self.nth}"
            raise InvalidInput("rebalancing.calendar.nth_day", rule)

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """Indices of the decisions after `start`; `days` (T,) are counted from 1970-01-01."""
        indices = self._chosen(days)
        if self.offset:
            indices = indices + self.offset
        within = indices.searchsorted((start + 1, len(days)))  # they increase
        result: DateIndices = indices[within[0] : within[1]]
        return result

    def _chosen(self, days: NDArray[np.int32]) -> DateIndices:
        """Indices of the dates that are named, one of each period."""
        first = first_of_periods(days, self.frequency)
        if self.day is DayOfPeriod.FIRST:
            return first
        last = np.append(first[1:] - 1, len(days) - 1)
        chosen = last if self.nth is None else np.minimum(first + self.nth - 1, last)
        has_last = self.nth is not None and first[-1] + self.nth <= len(days)
        return chosen if has_last or ends_period(days, self.frequency) else chosen[:-1]


@dataclass(frozen=True, slots=True)
class EveryPeriods:
    """Every n dates, counted from the first decision, or from `offset` dates after it, which is then one of them."""

    n: int
    offset: int = 0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidInput("rebalancing.every_periods.n", f"must be 1 or more, is {self.n}")

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """Indices of the decisions after `start`; `days` (T,) are counted from 1970-01-01."""
        return np.arange(start + (self.offset or self.n), len(days), self.n)


@dataclass(frozen=True, slots=True)
class BuyAndHold:
    """Only the first purchase; the wire calls it `never`."""

    def decision_indices(self, days: NDArray[np.int32], start: int) -> DateIndices:
        """No decision after `start`."""
        return np.zeros(0, np.int64)


RebalancingDates = Calendar | EveryPeriods | BuyAndHold
"""The rule that fixes dates of decisions."""


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """When a portfolio is brought back to its target, and how far."""

    schedule: RebalancingDates = field(default_factory=Calendar)
    band: DriftBand | None = None
    min_periods_between: int = 0
    flows_only: bool = False  # trade only to invest money that comes in, and sell nothing
    max_turnover: float | None = None  # one-way, of each rebalancing after the first purchase
    tranches: int = 1  # equal parts of the account at its start, whose dates are staggered

    def __post_init__(self) -> None:
        if self.max_turnover is not None:
            positive("rebalancing.max_turnover", self.max_turnover)
        if self.tranches < 1:
            raise InvalidInput("rebalancing.tranches", f"must be 1 or more, is {self.tranches}")
        if self.tranches > 1:
            self._refuse_what_is_not_staggered()
        if self.flows_only and self.band is not None:
            raise InvalidInput(
                "rebalancing.flows_only", "excludes a drift band: where only flows are traded, no band starts a trade"
            )

    def _refuse_what_is_not_staggered(self) -> None:
        """Raises InvalidInput for rules that tranches have no meaning with."""
        field, reason = "rebalancing.tranches", ""
        if isinstance(self.schedule, BuyAndHold):
            reason = "must be 1 without dates of rebalancing: nothing is staggered"
        elif self.band is not None:
            reason = "must be 1 with a drift band: the target drifts with the tranches, and nothing is outside its band"
        elif self.flows_only:
            reason = "must be 1 where only flows are traded: a date then trades nothing that could be staggered"
        if reason:
            raise InvalidInput(field, reason)

    def tranche_indices(self, days: NDArray[np.int32], start: int, tranche: int) -> DateIndices:
        """Indices of the decisions after `start` that the schedule fixes for one tranche, counted from 0.

        They are those of the first one moved by tranche / tranches of the number of dates to the next; after the last
        one that is as many as before it.
        """
        if tranche == 0:
            return self.schedule.decision_indices(days, start)
        if isinstance(self.schedule, EveryPeriods):
            n = self.schedule.n
            moved = np.arange(start + tranche * n // self.tranches + self.schedule.offset, len(days), n)
        else:
            first = self.schedule.decision_indices(days, -1)
            gaps = np.diff(first)
            gaps = np.append(gaps, gaps[-1:]) if len(gaps) else np.zeros(len(first), np.int64)
            moved = first + tranche * gaps // self.tranches
        result: DateIndices = moved[(moved > start) & (moved < len(days))]
        return result
