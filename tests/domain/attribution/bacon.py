"""Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd edition 2008, chapters 5 and 8.

Three markets in four quarters; the tables that the book prints, in per cent.
"""

import numpy as np

from domain.attribution.attribute import AttributedWeights, attributed_weights
from domain.market_data.panel import Panel

MARKETS = ("UK", "Japan", "US")
QUARTERS = np.array([18_352, 18_443, 18_535, 18_627], np.int32)  # ends of quarters of 2020
PORTFOLIO_WEIGHTS = np.array([[0.4, 0.3, 0.3], [0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.3, 0.5, 0.2]])
BENCHMARK_WEIGHTS = np.array([[0.4, 0.2, 0.4], [0.4, 0.3, 0.3], [0.5, 0.4, 0.1], [0.4, 0.4, 0.2]])
PORTFOLIO_RETURNS = np.array([[20, -5, 6], [-5, 3, -5], [-20, 8, -15], [10, -7, 25]]) / 100.0
BENCHMARK_RETURNS = np.array([[10, -4, 8], [-7, 4, -10], [-25, 5, -20], [5, -5, 10]]) / 100.0
TABLES = (PORTFOLIO_WEIGHTS, BENCHMARK_WEIGHTS, PORTFOLIO_RETURNS, BENCHMARK_RETURNS)


def weights() -> AttributedWeights:
    """The tables of the book."""
    return attributed_weights([Panel(MARKETS, QUARTERS, table) for table in TABLES])
