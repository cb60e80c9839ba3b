"""The spacing of dates says how many make a year, and what is no date is refused."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import FIRST_DAY, LAST_DAY, Frequency, day_numbers, first_of_periods, periods_per_year
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel, ReturnPanel, civil_date

EPOCH = date(1970, 1, 1)


def numbers(dates: list[date]) -> np.ndarray:
    return np.array([(day - EPOCH).days for day in dates], dtype=np.int32)


@pytest.mark.parametrize(("spacing", "expected"), [(7, 52), (28, 12), (31, 12), (89, 4), (92, 4)])
def test_usual_spacings(spacing: int, expected: float) -> None:
    for count in (2, 20):
        assert periods_per_year(np.arange(0, count * spacing, spacing, dtype=np.int32)) == expected


@pytest.mark.parametrize("dates", [[5], [0, 3, 6], [0, 400, 800], [0, 1, 4, 7, 8, 11]])
def test_any_other_spacing_must_be_given(dates: list[int]) -> None:
    with pytest.raises(InvalidInput, match="must be given"):
        periods_per_year(np.array(dates, dtype=np.int32))


STARTS = st.dates(date(1990, 1, 1), date(2030, 1, 1))


@given(STARTS, st.integers(14, 900), st.integers(0, 10_000), st.floats(0.0, 0.4))
def test_few_weekend_dates_leave_252(start: date, length: int, seed: int, share: float) -> None:
    """Business days and less than half of the Saturdays, whatever happens on Sundays."""
    generator = np.random.default_rng(seed)
    span = [start + timedelta(days=k) for k in range(length)]
    saturdays = [day for day in span[7:-7] if day.weekday() == 5]
    kept = {saturdays[i] for i in generator.permutation(len(saturdays))[: int(share * len(saturdays))]}
    sundays = bool(generator.integers(2))
    dates = [d for d in span if d.weekday() < 5 or d in kept or (sundays and d.weekday() == 6)]
    if len(saturdays) > 1:  # a few dates around one weekend have no daily median at all
        assert periods_per_year(numbers(dates)) == 252


@given(STARTS, st.integers(14, 900), st.integers(0, 10_000), st.floats(0.0, 0.1))
def test_regular_weekend_dates_make_365(start: date, length: int, seed: int, missing: float) -> None:
    """Every day of the week, but for some that are missing at random."""
    generator = np.random.default_rng(seed)
    span = [start + timedelta(days=k) for k in range(length)]
    lost = generator.permutation(len(span))[: int(missing * len(span))]
    kept = [day for i, day in enumerate(span) if i not in set(lost.tolist())]
    weekends = [day for day in span if day.weekday() >= 5]
    # By chance a short span may lose most of its weekend.
    if all(2 * sum(d.weekday() == k for d in kept) >= sum(d.weekday() == k for d in weekends) for k in (5, 6)):
        assert periods_per_year(numbers(kept)) == 365


def test_a_market_from_sunday_to_thursday_has_252() -> None:
    dates = [date(2020, 1, 5) + timedelta(days=k) for k in range(200)]
    assert periods_per_year(numbers([d for d in dates if d.weekday() not in (4, 5)])) == 252


@pytest.mark.parametrize("day", [-(2**31), FIRST_DAY - 1, LAST_DAY + 1, 20_240_102, 2**31 - 1, 2**40])
@pytest.mark.parametrize("place", [0, 1])
def test_what_no_calendar_holds_is_refused(day: int, place: int) -> None:
    days = [day, day]
    days[1 - place] = 19_000
    with pytest.raises(InvalidInput) as raised:
        PricePanel.of(["A"], days, [1.0, 2.0])
    assert raised.value.field == f"dates[{place}]"
    assert ("looks like YYYYMMDD" in raised.value.rule) == (day == 20_240_102)
    with pytest.raises(InvalidInput):
        ReturnPanel.of(["A"], days, [0.1, 0.2])
    if abs(day) < 2**31:
        with pytest.raises(InvalidInput):
            Panel(("A",), np.array(days, np.int32), np.ones((2, 1)))


@given(st.integers(FIRST_DAY, LAST_DAY))
def test_every_date_of_the_calendar_is_read_back(day: int) -> None:
    (number,) = day_numbers("dates", [day])
    assert civil_date(number) == EPOCH + timedelta(days=day)


@given(st.dates(date(294, 1, 1)))
def test_every_yyyymmdd_is_recognised(day: date) -> None:
    with pytest.raises(InvalidInput, match="looks like YYYYMMDD; dates are days since 1970-01-01"):
        day_numbers("dates", [int(day.strftime("%Y%m%d"))])


def period_of(day: date, frequency: Frequency) -> tuple[int, ...]:
    """What dates of one period have in common."""
    months = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.SEMIANNUAL: 6, Frequency.ANNUAL: 12}
    if frequency is Frequency.DAILY:
        return (day.toordinal(),)
    if frequency is Frequency.WEEKLY:
        return day.isocalendar()[:2]
    return (day.year, (day.month - 1) // months[frequency])


@given(
    st.sampled_from([FIRST_DAY, -20_000, 0, 7_000, LAST_DAY]),
    st.integers(1, 60),
    st.integers(0, 10**6),
    st.sampled_from(Frequency),
)
def test_periods_begin_where_the_date_before_lies_in_another(
    around: int, count: int, seed: int, frequency: Frequency
) -> None:
    """Up to the first and the last date of the calendar, with periods that have no date."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.integers(1, random.choice([2, 40, 500]), count))
    days = around + steps - steps[0] if around < LAST_DAY else around - (steps[-1] - steps)
    dates = [civil_date(int(day)) for day in days]
    begins = [t for t in range(count) if t == 0 or period_of(dates[t - 1], frequency) != period_of(dates[t], frequency)]
    assert first_of_periods(days.astype(np.int32), frequency).tolist() == begins
