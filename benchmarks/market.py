"""Returns to measure on: real stocks, and beyond them real factor paths with noise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absfin.cli.csv_files import read_panel
from numpy.typing import NDArray

Array = NDArray[np.float64]
Run = Callable[[], Array]
"""A job ready to run. It returns weights (N,), or a frontier (points, N)."""

PERIODS = 1000
FRONTIER_POINTS = 50
STOCKS = Path(__file__).parents[1] / "data/sp500_stocks.csv.gz"


@dataclass(frozen=True)
class Market:
    """What every library is given."""

    names: list[str]
    returns: Array  # (T, N)
    means: Array
    covariance: Array

    @classmethod
    def of(cls, returns: Array) -> "Market":
        """The returns with their sample moments."""
        names = [f"S{i}" for i in range(returns.shape[1])]
        return cls(names, returns, returns.mean(axis=0), np.cov(returns.T))


def returns(assets: int, periods: int = PERIODS) -> Array:
    """Daily simple returns, (periods, assets)."""
    prices = read_panel(STOCKS).values[-periods - 1 :]
    real = prices[1:] / prices[:-1] - 1.0
    if assets <= real.shape[1]:
        return real[:, :assets]
    rng = np.random.default_rng(20221228)
    loadings = rng.dirichlet(np.full(real.shape[1], 0.3), assets - real.shape[1])
    paths = real @ loadings.T
    noise = rng.normal(0.0, 0.6 * paths.std(axis=0), paths.shape)
    return np.hstack([real, paths + noise])
