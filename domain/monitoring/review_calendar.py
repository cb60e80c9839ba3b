"""Dates on which a mandate is to be reviewed."""

import numpy as np

from domain.calendar import Frequency, first_of_periods
from domain.errors import InvalidInput
from domain.monitoring.timestamps import checked_day
from domain.records import dataclass

LOOK_BACK_DAYS = 800
"""More than two of the longest periods."""


@dataclass(frozen=True, slots=True)
class ReviewCalendar:
    """The first date of each calendar period, and single dates; in UTC, weekends count."""

    frequency: Frequency | None = None
    days: tuple[int, ...] = ()  # since 1970-01-01

    def __post_init__(self) -> None:
        if self.frequency is None and not self.days:
            raise InvalidInput("frequency", "must be given where days are not")
        for i, day in enumerate(self.days):
            checked_day(f"days[{i}]", day)

    def due_day(self, after: int, today: int) -> int | None:
        """The last date of a review after one date and up to another; None where there is none."""
        due = [day for day in self.days if after < day <= today]
        if self.frequency is not None and after < today:
            dates = np.arange(max(after, today - LOOK_BACK_DAYS), today + 1, dtype=np.int32)
            first = int(first_of_periods(dates, self.frequency)[-1])
            if first:  # the date at 0 is only where the search begins
                due.append(int(dates[first]))
        return max(due, default=None)
