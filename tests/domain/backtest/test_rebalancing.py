"""Indices of decisions on the date axis, against a loop over the calendar."""

from datetime import date, timedelta

import numpy as np
import pytest

from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods
from domain.calendar import Frequency
from domain.errors import InvalidInput

EPOCH = date(1970, 1, 1)
ALL = [EPOCH + timedelta(days=i) for i in range(18000, 19000)]
TRADING = [day for day in ALL if day.weekday() < 5 and (day.month, day.day) not in {(1, 1), (12, 25), (7, 1)}]
DAYS = np.array([(day - EPOCH).days for day in TRADING], np.int32)

KEYS = {
    Frequency.DAILY: lambda day: day.toordinal(),
    Frequency.WEEKLY: lambda day: day.isocalendar()[:2],
    Frequency.MONTHLY: lambda day: (day.year, day.month),
    Frequency.QUARTERLY: lambda day: (day.year, (day.month - 1) // 3),
    Frequency.SEMIANNUAL: lambda day: (day.year, (day.month - 1) // 6),
    Frequency.ANNUAL: lambda day: day.year,
}


@pytest.mark.parametrize("frequency", list(Frequency))
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("offset", [0, 2])
def test_first_or_last_of_each_period(frequency: Frequency, last: bool, offset: int) -> None:
    key, start = KEYS[frequency], 10
    groups: dict[object, list[int]] = {}
    for i, day in enumerate(TRADING):
        groups.setdefault(key(day), []).append(i)
    if last and key(TRADING[-1] + timedelta(days=3)) == key(TRADING[-1]):  # from a Friday to the Monday
        del groups[key(TRADING[-1])]  # a period that goes on after the dates has no last one yet
    expected = sorted((places[-1] if last else places[0]) + offset for places in groups.values())
    expected = [place for place in expected if start < place < len(TRADING)]
    assert (
        Calendar(frequency, DayOfPeriod.LAST if last else DayOfPeriod.FIRST, offset)
        .decision_indices(DAYS, start)
        .tolist()
        == expected
    )


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("nth", range(1, 5))
def test_the_nth_date_of_a_last_week(count: int, nth: int) -> None:
    """From Monday on: a week has its n-th date once it is there, and its last one instead once it is over."""
    monday = (date(2024, 1, 8) - EPOCH).days
    days = np.array([monday + 7 * (i // 3) + i % 3 for i in range(count)], np.int32)  # three dates a week
    expected = []
    for week in range(0, count, 3):
        is_over = week + 3 < count
        if nth <= min(3, count - week):
            expected.append(week + nth - 1)
        elif is_over:
            expected.append(week + 2)
    found = Calendar(Frequency.WEEKLY, DayOfPeriod.NTH, 0, nth).decision_indices(days, -1)
    assert found.tolist() == expected


def test_every_n_counts_from_the_first_decision() -> None:
    assert EveryPeriods(3).decision_indices(DAYS[:12], 2).tolist() == [5, 8, 11]
    assert BuyAndHold().decision_indices(DAYS, 0).tolist() == []
    with pytest.raises(InvalidInput, match="1 or more"):
        EveryPeriods(0)
