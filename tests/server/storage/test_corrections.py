"""Ranges of corrected days, compared with a count of every single day."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.storage.chunks import DailyValues, Merge, merge
from server.storage.corrections import MOST_RANGES, corrections_of

FIRST = 18_250
"""2019-12-20: days of three years follow."""

Values = dict[int, int]
few_days = st.dictionaries(st.integers(FIRST, FIRST + 400), st.integers(1, 2), max_size=60)


def series(values: Values) -> DailyValues:
    days = sorted(values)
    return DailyValues(np.array(days, np.int32), np.array([values[day] for day in days], np.float64))


def merges(old: Values, new: Values) -> list[tuple[int, Merge]]:
    """As imports merge: by year, those that bring anything."""
    stored = dict(series(old).by_year()) if old else {}
    found = [(year, merge(stored.get(year), part)) for year, part in series(new).by_year()] if new else []
    return [(year, one) for year, one in found if one.days is not None]


def ranges(old: Values, new: Values) -> list[tuple[int, int]]:
    found = corrections_of("A", "CLOSE", merges(old, new), max(old, default=None))
    assert {(one.symbol, one.field) for one in found} <= {("A", "CLOSE")}
    return [(one.first, one.last) for one in found]


@given(few_days, few_days)
def test_ranges_hold_corrected_days_and_no_other_stored_ones(old: Values, new: Values) -> None:
    newest = max(old, default=FIRST - 1)
    corrected = {day for day, value in new.items() if day <= newest and old.get(day) != value}
    found = ranges(old, new)
    assert found == sorted(found)
    inside = {day for day in {**old, **new} for first, last in found if first <= day <= last}
    assert inside == corrected
    assert {day for pair in found for day in pair} <= corrected


def test_a_history_that_is_replaced_is_one_range() -> None:
    days = range(FIRST, FIRST + 400)
    assert ranges(dict.fromkeys(days, 1), dict.fromkeys(days, 2)) == [(FIRST, FIRST + 399)]


@pytest.mark.parametrize("count", [MOST_RANGES, MOST_RANGES + 1])
def test_more_ranges_than_are_kept_are_one(count: int) -> None:
    days = [FIRST + 2 * i for i in range(count)]
    found = ranges(dict.fromkeys(range(FIRST, FIRST + 400), 1), dict.fromkeys(days, 2))
    assert found == ([(day, day) for day in days] if count <= MOST_RANGES else [(days[0], days[-1])])
