"""Times of events: whole microseconds since 1970-01-01 in UTC, so that equal times are equal."""

from typing import Final

from domain.calendar import FIRST_DAY, LAST_DAY
from domain.errors import InvalidInput

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND


def day_of(time: int) -> int:
    """The date of a time in UTC, in days since 1970-01-01."""
    return time // DAY


def checked_time(field: str, time: int) -> int:
    """A time from 0001-01-01 to 9999-12-31. Raises InvalidInput."""
    if not isinstance(time, int) or isinstance(time, bool):
        raise InvalidInput(field, "must be whole microseconds since 1970-01-01 UTC")
    if not FIRST_DAY <= day_of(time) <= LAST_DAY:
        raise InvalidInput(field, f"must be from 0001-01-01 to 9999-12-31, is {time} microseconds since 1970-01-01")
    return time


def checked_day(field: str, day: int) -> int:
    """A date from 0001-01-01 to 9999-12-31, in days since 1970-01-01. Raises InvalidInput."""
    if not isinstance(day, int) or isinstance(day, bool) or not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput(field, f"must be a date in days since 1970-01-01, is {day}")
    return day


def checked_revision(field: str, revision: int) -> int:
    """A whole number of 0 or more that a 64-bit integer holds. Raises InvalidInput."""
    if not isinstance(revision, int) or isinstance(revision, bool) or not 0 <= revision < 2**63:
        raise InvalidInput(field, f"must be a whole number of 0 or more, is {revision}")
    return revision
