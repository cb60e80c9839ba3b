"""What the best of many trials is worth, against the figures of its papers."""

import math

import numpy as np
import pytest

from domain.significance.multiple_trials import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    minimum_backtest_length,
)
from domain.significance.sharpe import SharpeEstimate


@pytest.mark.parametrize(("trials", "years"), [(5, 1.422), (10, 2.479), (45, 4.998), (100, 6.404)])
def test_years_in_which_a_sharpe_ratio_of_one_is_to_be_expected(trials: int, years: float) -> None:
    """Bailey et al. 2014, theorem 2: "no more than 45 trials in 5 years"."""
    assert round(minimum_backtest_length(trials, 1.0), 3) == years
    assert minimum_backtest_length(trials, 2.0) == pytest.approx(years / 4.0, abs=2e-4)


@pytest.mark.parametrize(("trials", "probability"), [(100, 0.9004), (46, 0.9505)])
def test_deflated_ratio_of_the_paper(trials: int, probability: float) -> None:
    """Bailey and Lopez de Prado 2014: Sharpe ratio 2.5 a year of 250 days, T 1250, variance .5 a year, -3, 10."""
    best = SharpeEstimate(2.5 / math.sqrt(250.0), -3.0, 10.0, 1250)
    found = deflated_sharpe(best, math.sqrt(0.5 / 250.0), trials)
    assert isinstance(found.probability, float)
    assert round(found.probability, 4) == probability
    if trials == 100:
        assert round(found.expected_maximum, 4) == 0.1132


def test_the_expected_maximum_is_close_to_the_exact_one() -> None:
    """Exact means of the largest of 10 and 50 normal numbers: 1.53875, 2.24907 (Harter 1961); the formula is above."""
    assert 0.0 < expected_maximum(10.0) - 1.53875 < 0.04
    assert 0.0 < expected_maximum(50.0) - 2.24907 < 0.03


def test_one_trial_has_nothing_to_be_the_best_of() -> None:
    assert expected_maximum(1.0) == 0.0
    assert expected_maximum(1.01) == 0.0
    grid = [expected_maximum(n) for n in (1.5, 2.0, 3.0, 10.0, 1e6)]
    assert grid == sorted(grid)


def test_effective_trials_by_the_mean_correlation() -> None:
    returns = np.random.RandomState(3).randn(300, 7)
    returns[:, 3:] += 2.0 * returns[:, :1]
    correlation = np.corrcoef(returns.T)
    mean = correlation[np.triu_indices(7, 1)].mean()
    assert effective_trials(returns) == pytest.approx(mean + (1.0 - mean) * 7.0, rel=1e-12)


def test_effective_trials_of_copies_and_of_opposites() -> None:
    one = np.random.RandomState(3).randn(50, 1)
    assert effective_trials(np.hstack((one, 2.0 * one, one + 1.0))) == pytest.approx(1.0)
    assert effective_trials(np.hstack((one, -one))) == pytest.approx(3.0)
