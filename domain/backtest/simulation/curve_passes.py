"""Passes over a curve of net asset values for its figures: each reads the curve once, where arrays take many passes.

They have the bits of numpy's operations on whole arrays, which make an array for each step: differences, products,
quotients and comparisons are rounded one by one. Sums are left to numpy.
"""

import numpy as np

from domain.backtest.simulation.arrays import Floats, Integers
from domain.backtest.simulation.compiled import compiled

SAMPLED = 512
"""Returns at equal steps that a bound of the least ones is read from."""

WIDTH = 16
"""Levels that are looked at together: where none of them is a new peak, the least of them is enough."""


@compiled
def least_of_peaks(levels: Floats) -> float:
    """The least of the levels (T,), each as a fraction of the highest so far; all finite, the first above 0.

    Of the levels below one peak the least has the least fraction, after rounding too: one division for each peak.
    """
    peak, lowest, least = levels[0], levels[0], 1.0
    whole = len(levels) - len(levels) % WIDTH
    for first in range(0, len(levels), WIDTH):
        # Four comparisons need not wait for each other; `max` and `min` would look for what is no number.
        if first < whole:
            a, b, c, d = levels[first], levels[first + 1], levels[first + 2], levels[first + 3]
            e, f, g, h = a, b, c, d
            for i in range(first + 4, first + WIDTH, 4):
                a = levels[i] if levels[i] > a else a
                b = levels[i + 1] if levels[i + 1] > b else b
                c = levels[i + 2] if levels[i + 2] > c else c
                d = levels[i + 3] if levels[i + 3] > d else d
                e = levels[i] if levels[i] < e else e
                f = levels[i + 1] if levels[i + 1] < f else f
                g = levels[i + 2] if levels[i + 2] < g else g
                h = levels[i + 3] if levels[i + 3] < h else h
            highest, low = max(max(a, b), max(c, d)), min(min(e, f), min(g, h))
            if highest <= peak:
                lowest = low if low < lowest else lowest
                continue
        for i in range(first, min(first + WIDTH, len(levels))):
            if levels[i] > peak:
                least = min(least, lowest / peak)
                peak = lowest = levels[i]
            else:
                lowest = levels[i] if levels[i] < lowest else lowest
    return float(min(least, lowest / peak))


@compiled
def squared_distances(returns: Floats, means: Floats, acceptable: float, squares: Floats) -> None:
    """Writes to `squares` (2, B, R) those of the distances of returns (B, R) from their means (B,), and of shortfalls.

    A shortfall is what a return is below an acceptable one. One array in each loop: of more, a compiler does not see
    that they are apart, and takes entry by entry.
    """
    for k in range(len(returns)):
        for i in range(returns.shape[1]):
            away = returns[k, i] - means[k]
            squares[0, k, i] = away * away
        for i in range(returns.shape[1]):
            short = acceptable - returns[k, i]
            short = short if short > 0.0 else 0.0
            squares[1, k, i] = short * short


@compiled
def copy_least(returns: Floats, several: int, least: Floats, counts: Integers) -> None:
    """Copies the least returns of each row (B, R), some more than `several`, to `least` (B, R), in any order.

    Writes to `counts` (B,) how many they are: `several` or more, or all of them where a bound from a part of the
    returns would leave too few.
    """
    width = returns.shape[1]
    step = max(width // SAMPLED, 1)
    # Half as many again as their share of the sample, and some more for a small one: too few are very unlikely.
    rank = min(3 * several // (2 * step) + 8, (width + step - 1) // step)
    kept = np.empty(rank)
    for k in range(len(returns)):
        bound = _one_of_the_least(returns[k], step, kept)
        count = 0
        for i in range(width):
            least[k, count] = returns[k, i]
            count += returns[k, i] <= bound
        if count < several:
            least[k, :] = returns[k]
            count = width
        counts[k] = count


@compiled
def _one_of_the_least(returns: Floats, step: int, kept: Floats) -> float:
    """The K-th least of every step-th of the returns (R,); `kept` (K,) is room for as many."""
    kept[:] = np.inf
    for i in range(0, len(returns), step):
        if returns[i] < kept[-1]:
            place = len(kept) - 1
            while place > 0 and returns[i] < kept[place - 1]:
                kept[place] = kept[place - 1]
                place -= 1
            kept[place] = returns[i]
    return float(kept[-1])
