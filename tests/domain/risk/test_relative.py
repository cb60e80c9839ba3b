"""Alignment with a benchmark, and what is left undefined rather than divided by zero."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.analyzer import analyze
from domain.risk.figure import CONSTANT, FLAT_BENCHMARK, FLAT_DIFFERENCE, NO_OVERLAP, Absent
from domain.risk.flow import assess
from domain.risk.query import RiskQuery
from domain.risk.relative import RelativeRisk, compare, relative_risk
from domain.risk.rolling import Rolling, RollingFigure
from domain.risk.specification import RiskSpecification

ONE = np.ones(1)


def returns_of(values: list[float], first: int = 0) -> ReturnPanel:
    return ReturnPanel.of("A", range(first, first + len(values)), values)


def test_only_common_dates_count() -> None:
    assets = ReturnPanel.of("A", [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])
    benchmark = ReturnPanel.of("M", [0, 2, 3, 4], [0.9, 0.02, np.nan, 0.04])
    comparison = compare(assets, benchmark)
    assert comparison.assets[:, 0].tolist() == [0.2, 0.4]
    assert comparison.benchmark.tolist() == [0.02, 0.04]


def test_prices_are_aligned_before_returns_are_taken() -> None:
    """The benchmark has no price on day 2: both returns then run from day 1 to day 3."""
    assets = PricePanel.of("A", [1, 2, 3], [100.0, 110.0, 121.0])
    comparison = compare(assets, PricePanel.of("M", [0, 1, 3], [9.0, 10.0, 15.0]))
    assert comparison.assets[:, 0] == pytest.approx([0.21])
    assert comparison.benchmark == pytest.approx([0.5])


@given(
    st.integers(0, 10_000), st.sampled_from([2, 5, 7, 21, 30]), st.booleans(), st.sets(st.integers(0, 119), max_size=4)
)
def test_returns_of_another_frequency_are_compounded(seed: int, step: int, finer: bool, holes: set[int]) -> None:
    """As prices over the same dates give them, by plain products; a period with a missing return is none."""
    generator = np.random.default_rng(seed)
    daily, coarse = generator.uniform(-0.05, 0.05, 120), generator.uniform(-0.2, 0.2, len(range(0, 120, step)))
    kept = [day for day in range(120) if day not in holes]
    ends = list(range(0, 120, step))
    if finer:  # the benchmark is the one with more dates, and some of its returns are missing
        gapped = daily.copy()
        gapped[list(holes)] = np.nan
        found = compare(ReturnPanel.of("A", ends, coarse), ReturnPanel.of("M", range(120), gapped))
        ours, theirs = found.benchmark, found.assets[:, 0]
    else:
        assets = ReturnPanel.of("A", kept, daily[kept])
        dropped = np.array(sorted(holes), np.int32)
        found = compare(assets, ReturnPanel.of("M", ends, coarse), dropped=dropped)
        ours, theirs = found.assets[:, 0], found.benchmark
    expected, other, rows = [], [], 0
    # A boundary must be a date of both; a gap in the benchmark's values still is one.
    boundaries = ends if finer else [day for day in ends if day not in holes]
    for a, b in pairwise(boundaries):
        if not holes.intersection(range(a + 1, b + 1)):
            expected.append(math.prod(1.0 + daily[a + 1 : b + 1]) - 1.0)
            inside = [k for k, day in enumerate(ends) if a < day <= b]
            other.append(math.prod(1.0 + coarse[inside]) - 1.0)
            rows += len(inside) if finer else b - a
    assert ours == pytest.approx(expected, abs=1e-12)
    assert theirs == pytest.approx(other, abs=1e-12)
    if expected:
        assert found.period_fraction == pytest.approx(len(expected) / rows)


def test_a_monthly_benchmark_of_daily_returns_is_annualised_by_months() -> None:
    """Twelve months of 30 days: 12 / 360 of the daily periods, 252 / 30 a year."""
    daily = np.random.default_rng(2).normal(0.0, 0.01, 361)
    monthly = np.random.default_rng(3).normal(0.01, 0.04, 13)
    comparison = compare(returns_of(daily.tolist()), ReturnPanel.of("M", range(0, 361, 30), monthly))
    ours = np.array([np.prod(1 + daily[k + 1 : k + 31]) - 1 for k in range(0, 360, 30)])
    relative = relative_risk(comparison, ONE, 252)
    assert relative.tracking_error_annual == pytest.approx(np.std(ours - monthly[1:], ddof=1) * (252 / 30) ** 0.5)
    assert relative.beta == pytest.approx(np.cov(ours, monthly[1:])[0, 1] / np.var(monthly[1:], ddof=1))


def test_a_rolling_window_of_everything_has_the_figures_of_the_report() -> None:
    """Beside a benchmark of fewer dates the risk-free rate is that of its longer periods."""
    prices = np.exp(np.cumsum(np.random.default_rng(5).normal(0.001, 0.02, (101, 1)), axis=0))
    index = np.exp(np.cumsum(np.random.default_rng(6).normal(0.002, 0.02, 21)))
    figures = (RollingFigure.ALPHA_ANNUAL, RollingFigure.BETA, RollingFigure.INFORMATION_RATIO)
    wanted = RiskSpecification(
        {"A": 1.0}, periods_per_year=252.0, risk_free_rate_annual=0.1, rolling=Rolling(20, figures)
    )
    found = assess(wanted, PricePanel.of("A", range(101), prices), PricePanel.of("M", range(0, 101, 5), index))
    alpha, beta, ratio = (float(series.values[-1]) for series in found.rolling)
    assert alpha == pytest.approx(found.report.relative.alpha_annual)
    assert beta == pytest.approx(found.report.relative.beta)
    assert ratio == pytest.approx(found.report.relative.information_ratio)


@pytest.mark.parametrize("level", [1e-300, 1e-70])  # a return beyond a double, and one whose fourth power is
def test_a_benchmark_whose_returns_have_no_moments_is_refused(level: float) -> None:
    assets = PricePanel.of("A", [1, 2, 3], [100.0, 110.0, 121.0])
    with pytest.raises(InvalidInput, match="at most 1e\\+60") as raised:
        compare(assets, PricePanel.of("M", [1, 2, 3], [1.0, level, 1e10]))
    assert raised.value.field == "benchmark"


def test_a_benchmark_is_one_column() -> None:
    with pytest.raises(InvalidInput, match="must name one column"):
        compare(returns_of([0.1]), ReturnPanel.of("MN", [0], [0.1, 0.2]))


@pytest.mark.parametrize("first", [9, 2])  # no common date, and one
def test_without_overlap_nothing_is_defined_and_the_report_says_why(first: int) -> None:
    assets = returns_of([0.1, -0.1, 0.2])
    report = analyze(RiskQuery(assets, ONE, 252, comparison=compare(assets, returns_of([0.1, 0.2], first))))
    assert report.relative == RelativeRisk.absent(NO_OVERLAP)


def test_a_benchmark_that_does_not_vary_has_no_beta() -> None:
    assets = returns_of([0.1, -0.1, 0.2])
    report = analyze(RiskQuery(assets, ONE, 252, comparison=compare(assets, returns_of([0.1 + 0.2] * 3))))
    assert (report.relative.beta, report.relative.correlation) == (Absent(FLAT_BENCHMARK),) * 2
    assert report.relative.tracking_error_annual == pytest.approx(np.std([0.1, -0.1, 0.2], ddof=1) * 252**0.5)


def test_the_benchmark_itself_has_beta_one_and_no_information_ratio() -> None:
    panel = returns_of([0.1, -0.1, 0.2])
    relative = relative_risk(compare(panel, panel), ONE, 252)
    assert (relative.beta, relative.correlation) == (pytest.approx(1.0), pytest.approx(1.0))
    assert (relative.tracking_error_annual, relative.information_ratio) == (0.0, Absent(FLAT_DIFFERENCE))


def test_cash_has_beta_zero_and_no_correlation() -> None:
    panel = returns_of([0.1, -0.1, 0.2])
    relative = relative_risk(compare(panel, panel), np.zeros(1), 252)
    assert (relative.beta, relative.correlation) == (pytest.approx(0.0), Absent(CONSTANT))
