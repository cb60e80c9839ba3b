"""Against the definition by brute force, and the cases where wealth is used up, recovers or never falls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk.measures.drawdown import (
    START,
    Drawdown,
    compounded_drawdowns,
    deepest,
    deepest_of_fraction,
    level_drawdowns,
    maximum_drawdown,
)


@given(st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=25))
def test_no_pair_of_dates_loses_more(returns: list[float]) -> None:
    wealth = [1.0]
    for change in returns:
        wealth.append(wealth[-1] * (1 + change))
    worst = max(1 - wealth[j] / wealth[i] for i in range(len(wealth)) for j in range(i, len(wealth)))
    assert maximum_drawdown(np.array(returns)).depth == pytest.approx(worst, abs=1e-12)


def test_the_starting_capital_is_a_peak() -> None:
    assert maximum_drawdown(np.array([-0.1, 0.05])) == Drawdown(pytest.approx(0.1), START, 0, None)


def test_peak_trough_and_recovery() -> None:
    """1.10, 0.88, 0.99, 1.10: the peak is reached again by the last return."""
    returns = np.array([0.1, -0.2, 0.125, 1 / 0.9 - 1])
    assert maximum_drawdown(returns) == Drawdown(pytest.approx(0.2), 0, 1, 3)


def test_a_later_fall_need_not_hide_the_recovery_of_the_deepest() -> None:
    assert maximum_drawdown(np.array([-0.5, 1.0, -0.2])) == Drawdown(0.5, START, 0, 1)


def test_what_never_falls_has_no_dates() -> None:
    assert maximum_drawdown(np.array([0.0, 0.1])) == Drawdown(0.0)


def test_nothing_counts_after_ruin() -> None:
    assert maximum_drawdown(np.array([1.0, -1.5, -3.0, 5.0])) == Drawdown(1.0, 0, 1, None)
    assert maximum_drawdown(np.array([-1.0, 0.5])) == Drawdown(1.0, START, 0, None)


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=25))
def test_no_drawdown_is_more_than_everything(returns: list[float]) -> None:
    """Wealth multiplied up until it is used up, and 0 from there on."""
    wealth = [1.0]
    for change in returns:
        wealth.append(max(wealth[-1] * (1 + change), 0.0))
    depths = compounded_drawdowns(np.array(returns))
    peaks = [max(wealth[: i + 1]) for i in range(len(wealth))]
    assert depths == pytest.approx([1 - w / p for w, p in zip(wealth[1:], peaks[1:], strict=True)], abs=1e-12)
    assert depths.max() <= 1.0
    assert (depths.max() == 1.0) == (min(returns) <= -1.0 + 2e-16)


def test_a_long_series_of_gains_does_not_overflow() -> None:
    returns = np.append(np.full(20_000, 0.1), [-0.25])
    assert maximum_drawdown(returns).depth == pytest.approx(0.25)


def test_the_deepest_of_levels_is_that_of_their_drawdowns() -> None:
    levels = np.cumprod(1.0 + np.random.default_rng(4).normal(0.0, 0.02, (5, 400)), axis=1)
    for row in (*levels, np.arange(1.0, 9.0), np.array([2.0, 1.0, 0.0, 0.0])):
        least = float((row / np.maximum.accumulate(row)).min())
        assert deepest_of_fraction(least) == float(deepest(level_drawdowns(row)))
