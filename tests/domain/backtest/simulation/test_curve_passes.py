"""Passes over a curve against numpy's operations on whole arrays: the same bits."""

import numpy as np
import pytest

from domain.backtest.simulation.curve_passes import least_of_peaks, squared_distances
from domain.checks import Vector

WALK = np.cumprod(1.0 + np.random.default_rng(5).normal(0.0, 0.02, 401))


@pytest.mark.parametrize("levels", [WALK, np.arange(1.0, 9.0), np.array([2.0, 1.0, 0.0, 0.0]), np.array([3.0])])
def test_the_least_fraction_of_a_peak_is_that_of_an_array_of_fractions(levels: Vector) -> None:
    assert least_of_peaks(levels) == (levels / np.maximum.accumulate(levels)).min()


@pytest.mark.parametrize("acceptable", [0.0, 3e-4, -1e-3])
def test_squares_of_distances_are_those_of_whole_arrays(acceptable: float) -> None:
    returns = WALK[1:] / WALK[:-1] - 1.0
    mean = float(returns.mean())
    squares = np.full((2, len(returns)), np.nan)
    squared_distances(returns, mean, acceptable, squares)
    assert squares[0].tobytes() == ((returns - mean) ** 2).tobytes()
    assert squares[1].tobytes() == (np.maximum(acceptable - returns, 0.0) ** 2).tobytes()
