"""Returns to measure on: real stocks, and beyond them real factor paths with noise."""

from pathlib import Path

import numpy as np
from absfin.cli.csv_files import read_panel
from numpy.typing import NDArray

PERIODS = 1000
STOCKS = Path(__file__).parents[1] / "data/sp500_stocks.csv.gz"


def returns(assets: int, periods: int = PERIODS) -> NDArray[np.float64]:
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
