"""Passes over a curve of net asset values for its figures: each reads the curve once, where arrays take many passes.

They have the bits of numpy's operations on whole arrays, which make an array for each step: differences, products,
quotients and comparisons are rounded one by one. Sums are left to numpy.
"""

from domain.backtest.simulation.arrays import Floats
from domain.backtest.simulation.compiled import compiled


@compiled
def least_of_peaks(levels: Floats) -> float:
    """The least of the levels (T,), each as a fraction of the highest so far; all finite, the first above 0."""
    peak, least = levels[0], 1.0
    for i in range(len(levels)):
        peak = max(peak, levels[i])
        least = min(least, levels[i] / peak)
    return float(least)


@compiled
def squared_distances(returns: Floats, mean: float, acceptable: float, squares: Floats) -> None:
    """Writes to `squares` (2, R) those of the distances of returns (R,) from a mean, and of shortfalls below another.

    One array in each loop: of more, a compiler does not see that they are apart, and takes entry by entry.
    """
    for i in range(len(returns)):
        away = returns[i] - mean
        squares[0, i] = away * away
    for i in range(len(returns)):
        short = acceptable - returns[i]
        short = short if short > 0.0 else 0.0
        squares[1, i] = short * short
