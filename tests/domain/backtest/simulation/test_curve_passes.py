"""Passes over a curve against numpy's operations on whole arrays: the same bits."""

import numpy as np
import pytest

from domain.backtest.simulation.curve_passes import copy_least, least_of_peaks, squared_distances
from domain.checks import Matrix, Vector

NUMBERS = np.random.default_rng(5)
WALK = np.cumprod(1.0 + NUMBERS.normal(0.0, 0.02, 401))
FALLING = np.cumprod(1.0 + NUMBERS.normal(-0.01, 0.02, 401))
RISING = np.cumprod(1.0 + NUMBERS.normal(0.01, 0.02, 401))
SHORT = [np.arange(1.0, 9.0), np.array([2.0, 1.0, 0.0, 0.0]), np.array([3.0]), np.array([2.0] * 16 + [1.0, 3.0])]


@pytest.mark.parametrize("levels", [WALK, FALLING, RISING, WALK[:16], WALK[:17], *SHORT])
def test_the_least_fraction_of_a_peak_is_that_of_an_array_of_fractions(levels: Vector) -> None:
    assert least_of_peaks(levels) == (levels / np.maximum.accumulate(levels)).min()


@pytest.mark.parametrize("acceptable", [0.0, 3e-4, -1e-3])
def test_squares_of_distances_are_those_of_whole_arrays(acceptable: float) -> None:
    returns = np.stack([curve[1:] / curve[:-1] - 1.0 for curve in (WALK, RISING)])
    means = returns.mean(axis=1)
    squares = np.full((2, *returns.shape), np.nan)
    squared_distances(returns, means, acceptable, squares)
    assert squares[0].tobytes() == ((returns - means[:, None]) ** 2).tobytes()
    assert squares[1].tobytes() == (np.maximum(acceptable - returns, 0.0) ** 2).tobytes()


LONG = NUMBERS.standard_t(3, (2, 8000)) * 0.01


@pytest.mark.parametrize("returns", [LONG, LONG[:, :5], LONG[:, :1], np.sort(LONG), -np.sort(LONG), np.zeros((2, 900))])
def test_the_least_returns_are_among_those_that_are_copied(returns: Matrix) -> None:
    returns = np.ascontiguousarray(returns)
    several = min(returns.shape[1], int(0.05 * returns.shape[1]) + 2)
    least, counts = np.full(returns.shape, np.nan), np.zeros(len(returns), np.int64)
    copy_least(returns, several, least, counts)
    for row, found, count in zip(returns, least, counts, strict=True):
        assert np.sort(found[:count])[:several].tolist() == np.sort(row)[:several].tolist()


def test_few_returns_are_copied() -> None:
    least, counts = np.empty(LONG.shape), np.zeros(2, np.int64)
    copy_least(LONG, 402, least, counts)
    assert counts.min() >= 402
    assert counts.max() < 1200


def test_all_are_copied_where_a_part_of_them_is_far_below_the_others() -> None:
    """Every step-th return is looked at first: here they are the only losses."""
    returns = np.full((1, 8192), 0.01)
    returns[0, ::16] = -np.arange(512.0)
    least, counts = np.empty(returns.shape), np.zeros(1, np.int64)
    copy_least(returns, 411, least, counts)
    assert counts.tolist() == [8192]
