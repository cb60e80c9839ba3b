"""The block length that is chosen from the data."""

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.checks import Vector
from domain.errors import Cancelled
from domain.significance.block_length import common_block_length, optimal_block_lengths


def autoregression(coefficient: float, t: int = 2000) -> Vector:
    noise = np.random.RandomState(7).randn(t)
    series = np.zeros(t)
    for i in range(1, t):
        series[i] = coefficient * series[i - 1] + noise[i]
    return series


def test_lengths_of_an_autoregression() -> None:
    """Figures of arch 8.0.0, optimal_block_length, of the same series."""
    lengths = optimal_block_lengths(autoregression(0.3))
    assert round(lengths.stationary, 4) == 8.1753
    assert round(lengths.circular, 4) == 9.3584


def test_lengths_do_not_depend_on_the_unit_or_the_mean() -> None:
    series = autoregression(0.3)
    lengths = optimal_block_lengths(1000.0 * series + 5.0)
    assert lengths.stationary == pytest.approx(optimal_block_lengths(series).stationary, rel=1e-9)


def test_more_dependence_has_longer_blocks_up_to_a_limit() -> None:
    found = [optimal_block_lengths(autoregression(rho)).stationary for rho in (0.0, 0.3, 0.7, 0.9)]
    assert found == sorted(found)
    assert found[0] >= 1.0
    # At most min(3 sqrt(T), T / 3), rounded up: 7 of 20 dates, in series without an end of their dependence.
    alternating = optimal_block_lengths((-1.0) ** np.arange(20))
    assert (alternating.stationary, alternating.circular) == (7.0, 7.0)


@pytest.mark.parametrize("t", [2, 3, 5, 10, 11])
def test_short_series_have_a_length(t: int) -> None:
    lengths = optimal_block_lengths(np.random.RandomState(t).randn(t))
    assert 1.0 <= lengths.stationary <= max(1.0, -(-t // 3))
    assert 1.0 <= lengths.circular <= max(1.0, -(-t // 3))


def test_one_length_for_many_series_is_their_median() -> None:
    columns = np.column_stack([autoregression(rho) for rho in (0.0, 0.3, 0.9)])
    assert round(common_block_length(columns, never_cancelled), 4) == 8.1753


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        common_block_length(np.random.RandomState(1).randn(50, 3), cancel)
