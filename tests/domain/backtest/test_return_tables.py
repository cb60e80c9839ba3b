"""Tables of returns against pandas, which shares nothing with them, and at the edges of the calendar."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.metrics import Curve, MetricSettings
from domain.backtest.period_returns import MONTH, YEAR, calendar_returns, each_period, moving_years
from domain.backtest.return_tables import LISTED, MovingReturns, comparisons, return_tables
from domain.risk.figure import NO_OVERLAP, Absent
from tests.families import generated

EPOCH = date(1970, 1, 1)
RNG = np.random.default_rng(8)
BUSINESS = pd.bdate_range("1999-11-17", "2008-03-05")
CURVE_FRAME = pd.Series(np.exp(np.cumsum(RNG.normal(2e-4, 0.01, len(BUSINESS)))), BUSINESS)


def curve_of(frame: pd.Series) -> Curve:
    days = ((frame.index - pd.Timestamp(EPOCH)) // pd.Timedelta(days=1)).to_numpy().astype(np.int32)
    return Curve(days, frame.to_numpy().copy())


def days(*texts: str) -> np.ndarray:
    return np.array([(date.fromisoformat(text) - EPOCH).days for text in texts], np.int32)


CURVE = curve_of(CURVE_FRAME)


@pytest.mark.parametrize(("unit", "rule"), [(MONTH, "ME"), (YEAR, "YE")])
def test_calendar_returns_against_pandas(unit: str, rule: str) -> None:
    last = pd.concat([CURVE_FRAME.iloc[:1], CURVE_FRAME.resample(rule).last()])
    expected = last.pct_change().iloc[1:]
    found = calendar_returns(CURVE, unit)
    np.testing.assert_allclose(found.values, expected.to_numpy(), atol=1e-13)
    assert found.years.tolist() == expected.index.year.tolist()
    if unit == MONTH:
        assert found.months.tolist() == expected.index.month.tolist()


@pytest.mark.parametrize("years", [1, 3, 5])
def test_moving_years_against_pandas(years: int) -> None:
    every_day = CURVE_FRAME.resample("D").ffill()
    expected = {}
    for day, value in CURVE_FRAME.items():
        before = day - pd.DateOffset(years=years)
        if before >= CURVE_FRAME.index[0]:
            expected[day] = (value / every_day[before]) ** (1 / years) - 1.0
    found = moving_years(CURVE, years)
    assert len(found.values) == len(expected)
    np.testing.assert_allclose(found.values, list(expected.values()), atol=1e-13)
    np.testing.assert_array_equal(found.ends, curve_of(pd.Series(expected)).days)
    moving = MovingReturns.of(CURVE, years)
    assert moving is not None
    values = pd.Series(expected)
    assert (moving.count, moving.years) == (len(values), years)
    assert [moving.latest, moving.lowest, moving.median, moving.highest, moving.positive_fraction] == pytest.approx(
        [values.iloc[-1], values.min(), values.median(), values.max(), (values > 0.0).mean()], abs=1e-13
    )
    ends = [date.fromordinal(EPOCH.toordinal() + day) for day in (moving.lowest_end, moving.highest_end)]
    assert ends == [values.idxmin().date(), values.idxmax().date()]


def test_a_year_after_the_29th_of_february_starts_on_the_28th() -> None:
    curve = Curve(days("2023-02-28", "2023-03-01", "2024-02-29"), np.array([1.0, 2.0, 4.0]))
    found = moving_years(curve, 1)
    assert (found.starts.tolist(), found.values.tolist()) == (curve.days[:1].tolist(), [3.0])


def test_a_year_starts_on_the_last_date_before_where_the_day_has_none() -> None:
    curve = Curve(days("2020-01-03", "2020-01-06", "2021-01-05"), np.array([1.0, 2.0, 4.0]))
    assert moving_years(curve, 1).values.tolist() == [3.0]


def test_dates_before_1970() -> None:
    curve = Curve(days("1969-11-28", "1969-12-31", "1970-01-02"), np.array([1.0, 1.1, 1.21]))
    found = calendar_returns(curve, MONTH)
    assert (found.years.tolist(), found.months.tolist()) == ([1969, 1970], [12, 1])
    assert found.values == pytest.approx([0.1, 0.1])


def test_a_month_without_dates_is_in_the_next_one() -> None:
    curve = Curve(days("2020-01-31", "2020-03-02", "2020-03-03"), np.array([1.0, 2.0, 4.0]))
    found = calendar_returns(curve, MONTH)
    assert (found.months.tolist(), found.values.tolist()) == ([3], [3.0])


def test_nothing_follows_ruin() -> None:
    curve = Curve(days("2020-01-31", "2020-02-03", "2020-03-02", "2021-02-10"), np.array([1.0, 0.5, 0.0, 0.0]))
    found = calendar_returns(curve, MONTH)
    assert found.values.tolist() == [-0.5, -1.0]
    assert moving_years(curve, 1).values.tolist() == [-1.0]
    assert return_tables(curve).moving[0].lowest == -1.0


def test_a_curve_younger_than_a_year_has_no_moving_returns() -> None:
    assert return_tables(Curve(CURVE.days[:200], CURVE.nav[:200])).moving == ()


def test_best_and_worst() -> None:
    tables = return_tables(CURVE)
    returns = CURVE_FRAME.pct_change().iloc[1:]
    best = tables.periods.at(tables.periods.best(LISTED))
    worst = tables.periods.at(tables.periods.worst(LISTED))
    np.testing.assert_allclose(best.values, returns.nlargest(LISTED).to_numpy(), atol=1e-13)
    np.testing.assert_allclose(worst.values, returns.nsmallest(LISTED).to_numpy(), atol=1e-13)
    assert best.ends[0] == curve_of(returns[[returns.idxmax()]]).days[0]
    assert best.starts[0] < best.ends[0]


@given(
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=40),
    growth=st.lists(st.floats(0.5, 1.5), min_size=41, max_size=41),
)
@generated(60)
def test_periods_follow_each_other_and_compound_to_the_whole(steps: list[int], growth: list[float]) -> None:
    curve = Curve(np.append(0, np.cumsum(steps)).astype(np.int32), np.append(1.0, np.cumprod(growth[: len(steps)])))
    for found in (calendar_returns(curve, MONTH), calendar_returns(curve, YEAR), each_period(curve)):
        assert found.starts[0] == curve.days[0]
        assert found.ends[-1] == curve.days[-1]
        np.testing.assert_array_equal(found.starts[1:], found.ends[:-1])
        assert np.prod(1.0 + found.values) == pytest.approx(curve.nav[-1], rel=1e-9)


def test_comparisons_against_pandas() -> None:
    other = pd.Series(np.exp(np.cumsum(RNG.normal(1e-4, 0.012, len(BUSINESS)))), BUSINESS)
    short = other.iloc[100:1500:2]
    benchmarks = {"whole": curve_of(other), "every second date": curve_of(short)}
    found = comparisons(CURVE, benchmarks, MetricSettings(252.0))
    assert [one.benchmark for one in found] == list(benchmarks)
    for one, frame in zip(found, (other, short), strict=True):
        both = pd.concat([CURVE_FRAME, frame], axis=1, keys=["ours", "theirs"]).dropna().pct_change().iloc[1:]
        rose, fell = both[both.theirs > 0.0], both[both.theirs < 0.0]
        expected = {
            "beta": both.cov().loc["ours", "theirs"] / both.theirs.var(),
            "correlation": both.corr().loc["ours", "theirs"],
            "capture_up": rose.ours.mean() / rose.theirs.mean(),
            "capture_down": fell.ours.mean() / fell.theirs.mean(),
            "batting_average": (both.ours > both.theirs).mean(),
            "excess_return": (1.0 + both.ours).prod() - (1.0 + both.theirs).prod(),
        }
        assert one.observations == len(both)
        assert {name: one.figures[name] for name in expected} == pytest.approx(expected, rel=1e-10)


def test_a_benchmark_that_is_held_is_never_beaten() -> None:
    """The same asset in other units: rounding alone tells the returns apart, and is higher on many dates."""
    units = Curve(CURVE.days, CURVE.nav * 0.7 / 57.3 * 57.3 / 0.7 * 1000.1)
    (found,) = comparisons(units, {"held": CURVE}, MetricSettings(252.0))
    assert (units.returns > CURVE.returns).mean() > 0.2
    assert found.batting_average == 0.0


def test_a_benchmark_of_other_dates_has_no_figures() -> None:
    other = Curve(CURVE.days[-1:] + np.array([0, 1], np.int32), np.array([1.0, 1.1]))
    (found,) = comparisons(CURVE, {"later": other}, MetricSettings(252.0))
    assert set(found.figures.values()) == {Absent(NO_OVERLAP)}
    assert found.observations == 0
