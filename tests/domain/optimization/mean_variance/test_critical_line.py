"""Corner portfolios of random problems keep the limits, fall from one to the next, and are efficient."""

import numpy as np
import pytest

from domain.optimization.mean_variance.critical_line import corners, is_tied

ROUNDING = 1e-9


@pytest.mark.parametrize("block", range(8))
def test_corners_of_random_problems(block: int) -> None:
    for seed in range(25 * block, 25 * (block + 1)):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(2, 9))
        values = rng.normal(size=(3 * size, size))
        covariance = values.T @ values / (3 * size)
        means = rng.normal(size=size).round(1 if seed % 2 else 15)  # some are tied
        lower = np.zeros(size) if seed % 3 else -0.2 * rng.random(size)
        upper = np.ones(size) if seed % 5 else np.maximum(rng.random(size), 1.5 / size)
        trade_off, highest = np.inf, np.inf
        for corner in corners(means, covariance, lower, upper, 1.0):
            weights = corner.weights
            assert abs(weights.sum() - 1.0) <= ROUNDING, seed
            assert (weights >= lower).all(), seed
            assert (weights <= upper).all(), seed
            assert corner.trade_off <= trade_off + ROUNDING, seed
            assert means @ weights <= highest + ROUNDING, seed
            trade_off, highest = corner.trade_off, float(means @ weights)
            if is_tied(means, lower, upper, 1.0):
                continue  # several portfolios have the highest return, and the first one is any of them
            # Between its bounds, an asset's marginal variance less its return is that of all such assets.
            marginal = covariance @ weights - corner.trade_off * means
            free = (weights > lower + ROUNDING) & (weights < upper - ROUNDING)
            scale = ROUNDING * (1.0 + corner.trade_off) * 100.0
            if free.any():
                level = marginal[free].mean()
                assert np.ptp(marginal[free]) <= scale, seed
                assert (marginal[weights <= lower + ROUNDING] >= level - scale).all(), seed
                assert (marginal[weights >= upper - ROUNDING] <= level + scale).all(), seed
        assert trade_off == 0.0
