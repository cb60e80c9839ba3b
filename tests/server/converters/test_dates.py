"""Days since 1970-01-01 and dates of the calendar are the same days."""

from datetime import date, timedelta

import pytest
from google.type.date_pb2 import Date
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from server.converters.dates import civil_to_proto, days_from_proto


@given(st.dates())
def test_there_and_back(day: date) -> None:
    days = days_from_proto("start_date", civil_to_proto(day))
    assert date(1970, 1, 1) + timedelta(days=days) == day


@pytest.mark.parametrize(("day", "days"), [((1970, 1, 1), 0), ((1970, 2, 1), 31), ((1969, 12, 31), -1)])
def test_known_days(day: tuple[int, int, int], days: int) -> None:
    assert days_from_proto("", Date(year=day[0], month=day[1], day=day[2])) == days


@pytest.mark.parametrize("day", [(2023, 2, 29), (2024, 0, 0), (2024, 5, 0), (0, 5, 1), (2024, 13, 1)])
def test_what_is_no_day(day: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidInput, match=f"is {day[0]}-{day[1]}-{day[2]}") as raised:
        days_from_proto("start_date", Date(year=day[0], month=day[1], day=day[2]))
    assert raised.value.field == "start_date"
