"""Civil dates as day numbers, and the number of periods per year that follows from their spacing."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.errors import InvalidInput

DAYS_PER_YEAR: Final = 365.25
"""Of the calendar, for growth a year over a span of dates."""

TRADING_DAYS_PER_YEAR: Final = 252.0
"""Of a market, between a volatility a year and one a day."""

CALENDAR_DAYS_PER_YEAR: Final = 365.0
"""Of a market that is open at weekends."""

EPOCH: Final = date(1970, 1, 1)
FIRST_DAY: Final = (date.min - EPOCH).days
"""0001-01-01, the first date that a calendar date can hold."""

LAST_DAY: Final = (date.max - EPOCH).days
"""9999-12-31, the last one."""

_USUAL: Final = ((1, 1, TRADING_DAYS_PER_YEAR), (7, 7, 52.0), (28, 31, 12.0), (89, 92, 4.0))
"""Shortest and longest median spacing in days, and the number of periods per year."""


def day_numbers(field: str, days: ArrayLike) -> NDArray[np.int32]:
    """Days since 1970-01-01, (T,), each from 0001-01-01 to 9999-12-31: nothing else can be read back as a date.

    Raises InvalidInput naming the first that is outside; a number such as 20240102 is told apart as YYYYMMDD.
    """
    numbers = np.asarray(days)
    outside = (numbers < FIRST_DAY) | (numbers > LAST_DAY)
    if outside.any():
        i = int(np.argmax(outside))
        raise InvalidInput(f"{field}[{i}]", _outside(int(numbers[i])))
    return numbers.astype(np.int32, copy=False)


def _outside(day: int) -> str:
    if _is_yyyymmdd(day):
        return f"{day} looks like YYYYMMDD; dates are days since 1970-01-01"
    return f"must be a date from 0001-01-01 to 9999-12-31 in days since 1970-01-01, is {day}"


def _is_yyyymmdd(day: int) -> bool:
    try:
        datetime.strptime(f"{day:08d}", "%Y%m%d")
    except ValueError:
        return False
    return True


def periods_per_year(dates: NDArray[np.int32]) -> float:
    """Periods per year from the median spacing of dates (T,): 252 days, 52 weeks, 12 months, 4 quarters.

    Daily dates of a market that is open at weekends are 365 a year: those among which at least half of the Saturdays
    and half of the Sundays from the first date to the last occur. A market that trades from Sunday to Thursday, or had
    a few sessions on Saturdays, stays at 252.

    Raises InvalidInput for fewer than two dates or any other spacing: it must then be given.
    """
    if len(dates) < 2:
        raise InvalidInput("periods_per_year", "must be given: it cannot be inferred from one date")
    steps = dates[1:] - dates[:-1]
    # Most of the steps of daily dates are of one day: the median need not be looked for.
    spacing = 1.0 if 2 * np.count_nonzero(steps == 1) > len(steps) else float(np.median(steps))
    for shortest, longest, periods in _USUAL:
        if shortest <= spacing <= longest:
            return CALENDAR_DAYS_PER_YEAR if spacing == 1 and _has_weekends(dates) else periods
    raise InvalidInput(
        "periods_per_year",
        f"must be given: the median spacing of {spacing:g} days is not that of days, weeks, months, quarters",
    )


SATURDAY, SUNDAY = 2, 3
"""1970-01-01 was a Thursday."""

REGULAR = 0.5
"""Share of the Saturdays, and of the Sundays, of a span at which weekend dates are regular."""


def _has_weekends(dates: NDArray[np.int32]) -> bool:
    first, last = int(dates[0]), int(dates[-1])
    weekdays = dates // 7  # a remainder takes three times as long
    weekdays *= 7
    np.subtract(dates, weekdays, out=weekdays)
    for weekday in (SATURDAY, SUNDAY):
        spanned = (last - weekday) // 7 - (first - 1 - weekday) // 7
        present = int(np.count_nonzero(weekdays == weekday))
        if present == 0 or present < REGULAR * spanned:
            return False
    return True


def usual_step(dates: NDArray[np.int32]) -> int:
    """Median number of days between dates (T,), 1 for a single date."""
    return max(1, int(np.median(np.diff(dates)))) if len(dates) > 1 else 1


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


MONTHS_BEFORE_EPOCH: Final = 12 * (EPOCH.year - date.min.year)
"""From 0001-01 to 1970-01."""

_MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.SEMIANNUAL: 6, Frequency.ANNUAL: 12}


def ends_period(days: NDArray[np.int32], frequency: Frequency) -> bool:
    """Whether the last of the dates (T,) is the last one of its period: the date that would follow lies in the next.

    The date that would follow is one usual step later; after a Friday, where no weekend dates occur, three days later.
    """
    following = int(days[-1]) + usual_step(days)
    if following % 7 in (SATURDAY, SUNDAY) and not np.isin(days % 7, (SATURDAY, SUNDAY)).any():
        following += 2 if following % 7 == SATURDAY else 1
    both = np.array([days[-1], following], np.int32)
    before, after = period_numbers(both, frequency)
    return bool(before != after)


_FIRST = np.zeros(1, np.int64)
"""The index of the first date."""


def first_of_periods(days: NDArray[np.int32], frequency: Frequency) -> DateIndices:
    """Indices of the first of the dates (T,) in each period."""
    return np.concatenate((_FIRST, _later_periods(days, frequency)))


def last_of_periods(days: NDArray[np.int32], frequency: Frequency) -> DateIndices:
    """Indices of the last of the dates (T,) in each period; a last period that goes on after them has none."""
    changes = _later_periods(days, frequency) - 1
    return np.append(changes, len(days) - 1) if ends_period(days, frequency) else changes


def _later_periods(days: NDArray[np.int32], frequency: Frequency) -> DateIndices:
    """Indices of the first of the dates (T,) in each period but that of the first date.

    Looks for the starts of the periods among the dates: there are far fewer of them.
    """
    first, last = _period_number(int(days[0]), frequency), _period_number(int(days[-1]), frequency)
    found = days.searchsorted(_starts(first + 1, last + 1, frequency))
    # A period without dates starts at the same index as the next one.
    is_new = found[1:] != found[:-1]
    return found if is_new.all() else np.concatenate((found[:1], found[1:][is_new]))


def _starts(first: int, end: int, frequency: Frequency) -> NDArray[np.int32]:
    """The first days of the periods from one number of `period_numbers` up to another, which is left out."""
    if frequency is Frequency.DAILY:
        return np.arange(first, end, dtype=np.int32)
    if frequency is Frequency.WEEKLY:
        return np.arange(first, end, dtype=np.int32) * 7 - MONDAY
    months = _MONTHS[frequency]
    return _month_starts()[months * first + MONTHS_BEFORE_EPOCH : months * end + MONTHS_BEFORE_EPOCH : months]


@cache
def _month_starts() -> NDArray[np.int32]:
    """The first day of each month from 0001-01 to 9999-12."""
    months = np.arange(-MONTHS_BEFORE_EPOCH, 12 * (date.max.year + 1 - EPOCH.year)).view("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)


def _period_number(day: int, frequency: Frequency) -> int:
    """That of `period_numbers` for one date."""
    if frequency is Frequency.DAILY:
        return day
    if frequency is Frequency.WEEKLY:
        return (day + MONDAY) // 7
    one = EPOCH + timedelta(days=day)
    return (12 * (one.year - EPOCH.year) + one.month - 1) // _MONTHS[frequency]


def period_numbers(days: NDArray[np.int32], frequency: Frequency) -> NDArray[np.int64]:
    """A number for each date (T,), the same within a period."""
    if frequency is Frequency.DAILY:
        return days.astype(np.int64)
    if frequency is Frequency.WEEKLY:
        return (days.astype(np.int64) + MONDAY) // 7
    months: NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[frequency]
