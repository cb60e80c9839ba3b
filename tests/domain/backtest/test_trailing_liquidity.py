"""Values and volatilities of the dates before each date, against sums over each window."""

import math
import statistics

import numpy as np
import pytest

from domain.backtest.liquidity import StoredTrading, trailing_liquidity
from domain.market_data.panel import Panel, PricePanel

DATES, WINDOW = 60, 7
RNG = np.random.default_rng(5)
LEVELS = 50.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.02, (DATES, 3)), axis=0))


def volatilities(levels: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Of each date and the one after the last, for a year of one period."""
    closes = PricePanel.of(list("ABC")[: levels.shape[1]], range(len(levels)), levels)
    return trailing_liquidity(closes, levels, StoredTrading(), window, 1.0).volatilities_annual


@pytest.mark.parametrize("window", [2, 3, WINDOW, DATES - 1, DATES, 10 * DATES])
def test_volatilities_are_those_of_each_window(window: int) -> None:
    levels = LEVELS.copy()
    levels[RNG.random(levels.shape) < 0.2] = np.nan
    found = volatilities(levels, window)
    returns = np.vstack([np.full(3, np.nan), levels[1:] / levels[:-1] - 1.0])
    for t in range(DATES + 1):
        for j in range(3):
            known = [r for r in returns[max(0, t - window) : t, j].tolist() if not math.isnan(r)]
            if len(known) < 2:
                assert math.isnan(found[t, j])
            else:
                assert found[t, j] == pytest.approx(statistics.stdev(known), rel=1e-12)


def test_returns_that_are_all_the_same_have_no_volatility() -> None:
    """Even after one that is not: as small as the rounding of the returns themselves."""
    levels = 100.0 * 1.001 ** np.arange(DATES, dtype=float)
    levels[10:] *= 40.0
    found = volatilities(levels[:, None])
    assert found[10 + WINDOW + 1 :, 0].max() < 1e-15
    assert found[3:11, 0].max() < 1e-15
    assert volatilities(np.full((DATES, 1), 3.0))[2 + 1 :, 0].max() == 0.0


def test_later_prices_change_no_earlier_figure_by_a_bit() -> None:
    levels = LEVELS.copy()
    levels[31:] *= RNG.uniform(0.1, 9.0, (DATES - 31, 3))
    one, other = volatilities(LEVELS), volatilities(levels)
    assert np.array_equal(one[:32], other[:32], equal_nan=True)
    assert not np.array_equal(one[33], other[33])


def test_a_value_is_the_mean_of_what_was_traded() -> None:
    volumes = RNG.uniform(1.0, 9.0, LEVELS.shape)
    closes = PricePanel.of(list("ABC"), range(DATES), LEVELS)
    stored = StoredTrading(Panel(("A", "B", "C"), closes.dates, volumes))
    found = trailing_liquidity(closes, LEVELS, stored, WINDOW, 252.0).daily_values
    for t in range(1, DATES + 1):
        known = (LEVELS * volumes)[max(0, t - WINDOW) : t]
        assert found[t] == pytest.approx(known.mean(axis=0), rel=1e-12)
