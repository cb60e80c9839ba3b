"""Figures of one path beside its Sharpe ratio: bootstrap interval, expected drawdown, stability."""

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.checks import Vector
from domain.errors import Cancelled
from domain.risk.figure import Absent
from domain.risk.validation.chi_square import chi_square_survival
from domain.significance.drawdown_expectation import MOST_PATHS, expected_drawdown
from domain.significance.resampling import Resampling, stationary_blocks
from domain.significance.sharpe import SharpeEstimate
from domain.significance.sharpe_bootstrap import CONSTANT_RESAMPLES, bootstrap_interval
from domain.significance.stability import FEW_RETURNS, FLAT_PART, Stability, stability


def path(seed: int = 4, t: int = 300) -> Vector:
    result: Vector = np.random.RandomState(seed).standard_t(4, t) * 0.01 + 0.001
    return result


def test_the_interval_has_the_quantiles_of_resampled_ratios() -> None:
    returns, resampling = path(), Resampling(300, 500, 3.5, 11)
    dates = stationary_blocks(resampling, 0, 500).dates() % 300
    drawn = returns[dates]
    ratios = drawn.mean(axis=1) / drawn.std(axis=1, ddof=1)
    expected = np.quantile(ratios, [0.05, 0.95])
    assert bootstrap_interval(returns, resampling, 0.90, never_cancelled) == pytest.approx(expected, rel=1e-9)


def test_the_interval_of_independent_returns_is_about_that_of_the_formula() -> None:
    returns = np.random.RandomState(8).randn(2000) + 0.1
    estimate = SharpeEstimate.of(returns)
    assert isinstance(estimate, SharpeEstimate)
    found = bootstrap_interval(returns, Resampling(2000, 4000, 1.0, 1), 0.95, never_cancelled)
    assert found == pytest.approx(estimate.interval(estimate.mertens_error, 0.95), abs=0.004)


def test_returns_that_are_nearly_always_equal_have_no_interval() -> None:
    returns = np.zeros(50)
    returns[7] = 0.01
    assert bootstrap_interval(returns, Resampling(50, 200, 1.0, 1), 0.95, never_cancelled) == Absent(CONSTANT_RESAMPLES)


def test_drawdowns_are_those_of_resampled_paths() -> None:
    returns, resampling = path(), Resampling(300, 200, 3.5, 11)
    drawn = returns[stationary_blocks(resampling, 0, 200).dates() % 300]
    expected = np.array([deepest(row) for row in drawn])
    found = expected_drawdown(returns, resampling, 0.90, never_cancelled)
    assert found.mean == pytest.approx(expected.mean(), rel=1e-10)
    assert (found.lower, found.upper) == pytest.approx(np.quantile(expected, [0.05, 0.95]), rel=1e-10)
    assert found.observed == pytest.approx(deepest(returns), rel=1e-12)
    assert found.deeper == np.mean(expected >= deepest(returns))
    assert found.paths == 200
    assert expected_drawdown(returns, Resampling(300, 5000, 3.5, 1), 0.9, never_cancelled).paths == MOST_PATHS


def test_a_path_that_never_falls_has_a_drawdown_of_0() -> None:
    """And not of -0, which clients would print."""
    found = expected_drawdown(np.full(50, 0.001), Resampling(50, 100, 1.0, 1), 0.9, never_cancelled)
    figures = np.array([found.mean, found.lower, found.upper, found.observed])
    assert (figures == 0.0).all()
    assert not np.signbit(figures).any()


def deepest(returns: Vector) -> float:
    """Date by date, the initial capital being the first peak."""
    value = peak = 1.0
    worst = 0.0
    for r in returns.tolist():
        value *= 1.0 + r
        peak = max(peak, value)
        worst = max(worst, 1.0 - value / peak)
    return worst


def test_a_total_loss_is_a_drawdown_of_one() -> None:
    returns = np.append(path(t=30), -1.0)
    found = expected_drawdown(returns, Resampling(31, 200, 2.0, 1), 0.95, never_cancelled)
    assert (found.observed, found.upper) == (1.0, 1.0)
    assert 0.5 < found.deeper < 0.8  # 1 - (1 - 1/31)^31 = .64 of the paths draw the loss


def test_parts_are_of_equal_length_and_tested_for_equality() -> None:
    returns = path(t=103)
    found = stability(returns, 4)
    assert isinstance(found, Stability)
    assert [(one.first, one.last) for one in found.parts] == [(0, 24), (25, 50), (51, 76), (77, 102)]
    parts = [SharpeEstimate.of(returns[one.first : one.last + 1]) for one in found.parts]
    known = [one for one in parts if isinstance(one, SharpeEstimate)]
    assert [one.ratio for one in found.parts] == [one.ratio for one in known]
    weights = [1.0 / one.mertens_error**2 for one in known]
    mean = sum(w * one.ratio for w, one in zip(weights, known, strict=True)) / sum(weights)
    statistic = sum(w * (one.ratio - mean) ** 2 for w, one in zip(weights, known, strict=True))
    assert found.p_value == pytest.approx(chi_square_survival(statistic, 3), rel=1e-12)


def test_a_strategy_that_stopped_working_is_not_stable() -> None:
    returns = path(t=1000)
    returns[:500] += 0.004
    returns[500:] -= 0.004
    found = stability(returns, 2)
    assert isinstance(found, Stability)
    assert isinstance(found.p_value, float)
    assert found.p_value < 1e-6


def test_parts_that_are_too_short_or_flat() -> None:
    assert stability(path(t=39), 4) == Absent(FEW_RETURNS)
    returns = path(t=40)
    returns[:10] = 0.0
    found = stability(returns, 4)
    assert isinstance(found, Stability)
    assert found.p_value == Absent(FLAT_PART)
    assert isinstance(found.parts[0].ratio, Absent)
    assert isinstance(found.parts[1].ratio, float)


def test_resampling_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    for figure in (bootstrap_interval, expected_drawdown):
        with pytest.raises(Cancelled):
            figure(path(), Resampling(300, 100, 2.0, 1), 0.9, cancel)
