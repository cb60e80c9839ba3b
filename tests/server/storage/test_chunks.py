"""Prices of a symbol and year as bytes, and how they are merged."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from server.storage.chunks import DailyValues, joined, merge


def test_chunks_survive_their_bytes() -> None:
    series = DailyValues(np.array([-5, 0, 7], np.int32), np.array([1.0, 2.5, 1e300]))
    back = DailyValues.decode(series.encode())
    assert (back.days.tolist(), back.values.tolist()) == ([-5, 0, 7], [1.0, 2.5, 1e300])


def test_years_are_civil_years() -> None:
    days = np.array([-1, 0, 364, 365, 10_956, 10_957], np.int32)  # the ends of 1969, 1970 and 1999
    years = {year: part.days.tolist() for year, part in DailyValues(days, np.ones(6)).by_year()}
    assert years == {1969: [-1], 1970: [0, 364], 1971: [365], 1999: [10_956], 2000: [10_957]}


def test_merging_counts_what_is_new_changed_and_known() -> None:
    old = DailyValues(np.array([1, 3], np.int32), np.array([1.0, 3.0]))
    outcome = merge(old, DailyValues(np.array([1, 2, 3], np.int32), np.array([1.0, 2.0, 9.0])))
    assert (outcome.inserted, outcome.changed, outcome.unchanged) == (1, 1, 1)
    assert outcome.merged.values.tolist() == [1.0, 2.0, 9.0]


def test_two_values_on_one_day_of_an_import_are_refused() -> None:
    one, other = (
        DailyValues(np.array([1], np.int32), np.array([1.0])),
        DailyValues(np.array([1], np.int32), np.array([2.0])),
    )
    assert joined("A", [one, one]).values.tolist() == [1.0]
    with pytest.raises(InvalidInput, match="two values on 1970-01-02"):
        joined("A", [one, other])
