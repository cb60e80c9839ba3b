"""Alignment with a benchmark, and what is left undefined rather than divided by zero."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.analyzer import RiskQuery, analyze
from domain.risk.figure import CONSTANT, FLAT_BENCHMARK, FLAT_DIFFERENCE, NO_OVERLAP, Absent
from domain.risk.relative import RelativeRisk, compare, relative_risk

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
