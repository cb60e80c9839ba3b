"""Figures of short curves that can be worked out on paper, and those that do not exist."""

import math

import numpy as np
import pytest

from domain.backtest.metrics import Curve, Yardsticks, performance
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows

DAYS = np.array([0, 365, 731, 1096], np.int32)  # 1970-01-01 to 1973-01-01: 3.0007 years of 365.25 days


def figures(*wealth: float, days: np.ndarray = DAYS, benchmark: Curve | None = None, **marks: float) -> object:
    curve = Curve(days[: len(wealth)], np.array(wealth))
    return performance(curve, Yardsticks(1.0, **marks), turnover=3.0, cost_total=0.01, benchmark=benchmark)


def test_a_curve_of_three_years() -> None:
    """Returns +20 %, -25 %, +50 %."""
    found = figures(100.0, 120.0, 90.0, 135.0)
    mean, variance = 0.15, (0.05**2 + 0.40**2 + 0.35**2) / 2
    years = 1096 / 365.25
    assert found.final_wealth == 1.35
    assert found.cagr == pytest.approx(1.35 ** (1 / years) - 1)
    assert found.volatility_annual == pytest.approx(math.sqrt(variance))
    assert found.sharpe == pytest.approx(mean / math.sqrt(variance))
    assert found.sortino == pytest.approx(mean / math.sqrt(0.25**2 / 3))
    assert found.max_drawdown == pytest.approx(0.25)
    assert found.calmar == pytest.approx(found.cagr / 0.25)
    # Type 7 at 5 % of three returns: 0.1 of the way from -25 % to +20 %; the tail is all in the worst return.
    assert found.value_at_risk == pytest.approx(0.25 - 0.1 * 0.45)
    assert found.conditional_value_at_risk == pytest.approx(0.25)
    assert found.turnover_annual == pytest.approx(3.0 / years)


def test_rates_are_taken_off_each_period() -> None:
    found = figures(100.0, 120.0, 90.0, 135.0, risk_free_rate_annual=0.05, minimum_acceptable_return_annual=0.10)
    assert found.sharpe == pytest.approx((0.15 - 0.05) / math.sqrt((0.05**2 + 0.40**2 + 0.35**2) / 2))
    assert found.sortino == pytest.approx((0.15 - 0.10) / math.sqrt(0.35**2 / 3))


def test_what_does_not_exist_says_why() -> None:
    steady = figures(100.0, 110.0, 121.0)
    assert (steady.sharpe, steady.sortino, steady.calmar) == (None, None, None)
    assert set(steady.undefined) >= {"sharpe", "sortino", "calmar", "beta_to_benchmark"}
    single = figures(100.0, 110.0)
    assert single.volatility_annual is None
    assert single.undefined["volatility_annual"] == "needs at least two returns"


def test_the_drawdown_counts_from_the_capital_given() -> None:
    assert figures(100.0, 90.0, 95.0).max_drawdown == pytest.approx(0.1)


def test_a_benchmark_counts_on_common_dates() -> None:
    benchmark = Curve(DAYS[[0, 1, 3]], np.array([10.0, 11.0, 9.0]))
    found = figures(100.0, 120.0, 90.0, 135.0, benchmark=benchmark)
    ours, theirs = np.array([0.2, 135 / 120 - 1]), np.array([0.1, 9 / 11 - 1])
    assert found.relative.beta == pytest.approx(np.cov(ours, theirs)[0, 1] / theirs.var(ddof=1))


def test_series_follow_from_units_and_prices() -> None:
    prices = np.array([[10.0, 20.0], [11.0, 20.0], [12.0, 10.0]])
    record = RecordPart(
        np.array([100.0, 100.0, 104.545]), np.array([1]), np.array([[4.5, 2.5]]), np.array([0.5]), np.zeros(1),
        np.zeros((1, 2)), np.array([0.5]),
    )  # fmt: skip
    weights = rows(Series.WEIGHTS, prices, record, 0, 3)
    assert weights[0].tolist() == [0.0, 0.0]
    assert weights[1] == pytest.approx([0.495, 0.5])
    assert rows(Series.TRADES, prices, record, 0, 3).tolist() == [[0.0, 0.0], [4.5, 2.5], [0.0, 0.0]]
    assert rows(Series.TRADES, prices, record, 2, 3).tolist() == [[0.0, 0.0]]
    assert rows(Series.EQUITY, prices, record, 1, 3)[:, 0].tolist() == [100.0, 104.545]
    assert rows(Series.DRAWDOWN, prices, record, 0, 3).max() == 0.0
