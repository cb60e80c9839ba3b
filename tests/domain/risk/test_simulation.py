"""Simulated returns have the moments of their model; blocks are pieces of the history, in its order."""

from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.risk.simulation import SimulationMethod, SimulationSettings, simulate

COVARIANCE = np.array([[4e-4, 1e-4, 0.0], [1e-4, 9e-4, -2e-4], [0.0, -2e-4, 1e-4]])
MOMENTS = Moments.of(tuple("ABC"), [0.01, -0.02, 0.03], COVARIANCE, 12.0)
HISTORY = np.arange(30.0)[:, None] + np.array([0.1, 0.2, 0.3])
"""Every return says when it was."""


def drawn(method: SimulationMethod, **settings: Any) -> np.ndarray:
    return simulate(SimulationSettings(method=method, **settings), MOMENTS, HISTORY)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": SimulationMethod.GAUSSIAN},
        {"method": SimulationMethod.STUDENT_T, "degrees_of_freedom": 8.0},
    ],
)
def test_draws_have_the_mean_and_covariance_of_the_model(settings: dict[str, Any]) -> None:
    found = drawn(paths=100_000, periods=2, **settings)
    assert found.shape == (200_000, 3)
    np.testing.assert_allclose(found.mean(axis=0), MOMENTS.expected_returns, atol=4 * 0.03 / 200_000**0.5)
    np.testing.assert_allclose(np.cov(found.T), COVARIANCE, atol=2e-5)


def test_a_t_distribution_has_common_shocks_and_heavier_tails() -> None:
    """Excess kurtosis 6 / (v - 4); the squares of two assets without correlation move together."""
    found = drawn(SimulationMethod.STUDENT_T, paths=400_000, degrees_of_freedom=10.0) - MOMENTS.expected_returns
    kurtosis = (found[:, 0] ** 4).mean() / COVARIANCE[0, 0] ** 2 - 3.0
    assert kurtosis == pytest.approx(1.0, abs=0.2)
    assert np.corrcoef(found[:, 0] ** 2, found[:, 2] ** 2)[0, 1] > 0.1


def test_blocks_are_pieces_of_the_history_which_goes_on_at_its_beginning() -> None:
    count = 2000
    found = drawn(SimulationMethod.BLOCK_BOOTSTRAP, paths=count, periods=50, mean_block=5.0)
    days = found[:, 0].astype(int).reshape(count, 50)
    np.testing.assert_array_equal(found, HISTORY[days.ravel()])
    follows = days[:, 1:] == (days[:, :-1] + 1) % 30
    # One period in five begins a block, which one time in thirty is the next day all the same.
    assert follows.mean() == pytest.approx(1.0 - 0.2 * 29 / 30, abs=0.01)
    assert follows[days[:, :-1] == 29].mean() > 0.7
    # Paths begin anywhere, each anew.
    assert np.bincount(days[:, 0], minlength=30) == pytest.approx(np.full(30, count / 30), abs=40)


def test_a_block_of_one_period_is_a_day_of_its_own() -> None:
    days = drawn(SimulationMethod.BLOCK_BOOTSTRAP, paths=5000, periods=2, mean_block=1.0)[:, 0].astype(int)
    first, second = days.reshape(-1, 2).T
    assert (second == (first + 1) % 30).mean() == pytest.approx(1 / 30, abs=0.01)


@pytest.mark.parametrize("method", SimulationMethod)
def test_a_seed_repeats_its_draws(method: SimulationMethod) -> None:
    first, again, other = (drawn(method, paths=10, periods=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"paths": 0}, "simulation.paths"),
        ({"paths": 1, "periods": 0}, "simulation.periods"),
        ({"paths": 1, "degrees_of_freedom": 2.0}, "simulation.degrees_of_freedom"),
        ({"paths": 1, "degrees_of_freedom": -1.0}, "simulation.degrees_of_freedom"),
        ({"paths": 1, "mean_block": 0.9}, "simulation.mean_block"),
        ({"paths": 1, "mean_block": 0.0}, "simulation.mean_block"),
    ],
)
def test_what_cannot_be_drawn(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        SimulationSettings(**settings)
    assert raised.value.field == field
