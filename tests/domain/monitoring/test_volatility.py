"""The ratio of volatilities against the recursion of RiskMetrics and pandas' weighted mean."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.monitoring.volatility import volatility_ratio
from tests.families import generated

RETURNS = np.random.default_rng(1).normal(0.0, 0.01, 252)


def test_the_ratio_is_pandas_weighted_mean_of_squares_over_the_plain_one() -> None:
    squares = pd.Series(RETURNS**2)
    current = squares.ewm(alpha=0.06, adjust=True).mean().iloc[-1]
    assert volatility_ratio(RETURNS, 0.94) == pytest.approx(math.sqrt(current / squares.mean()), rel=1e-12)


def test_over_many_returns_it_is_the_recursion_of_riskmetrics() -> None:
    """RiskMetrics Technical Document 1996, equation 5.3, from the long-run variance; 0.94^252 is 2e-7."""
    variance = float(np.mean(RETURNS**2))
    usual = variance
    for one in RETURNS.tolist():
        variance = 0.94 * variance + 0.06 * one * one
    assert volatility_ratio(RETURNS, 0.94) == pytest.approx(math.sqrt(variance / usual), rel=1e-6)


def test_a_doubled_volatility_is_seen_at_once_and_forgotten_later() -> None:
    """With returns of 1 % and then 2 %: after n days the current variance is 4 - 3 x 0.94^n times that of before."""
    before = np.full(10_000, 0.01)
    for days in (1, 10, 40):
        returns = np.concatenate([before, np.full(days, 0.02)])
        current = 4.0 - 3.0 * 0.94**days
        usual = (10_000 + 4.0 * days) / (10_000 + days)
        assert volatility_ratio(returns, 0.94) == pytest.approx(math.sqrt(current / usual), rel=1e-12)


def test_without_any_move_the_ratio_is_zero() -> None:
    assert volatility_ratio(np.zeros(60), 0.94) == 0.0


@generated(100)
@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=30), st.floats(0.01, 100.0))
def test_the_ratio_has_no_unit(returns: list[float], factor: float) -> None:
    values = np.array(returns)
    if np.abs(values).max() < 1e-100:
        return
    assert volatility_ratio(factor * values, 0.9) == pytest.approx(volatility_ratio(values, 0.9), rel=1e-9)
