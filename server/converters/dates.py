"""Civil dates: google.type.Date on the wire in requests, days since 1970-01-01 in the domain."""

from datetime import date

from google.type.date_pb2 import Date

from domain.errors import InvalidInput

EPOCH = date(1970, 1, 1)


def days_from_proto(path: str, value: Date) -> int:
    """Days since 1970-01-01. Raises InvalidInput for a date that does not exist or is only a year or a month."""
    return (date_from_proto(path, value) - EPOCH).days


def date_from_proto(path: str, value: Date) -> date:
    """The date. Raises InvalidInput for one that does not exist or is only a year or a month."""
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        text = f"{value.year}-{value.month}-{value.day}"
        raise InvalidInput(path, f"must be a day of the calendar with year, month and day, is {text}") from None


def civil_to_proto(day: date) -> Date:
    """The date as year, month and day."""
    return Date(year=day.year, month=day.month, day=day.day)
