"""The binomial distribution of the number of exceptions, and its log likelihoods."""

import math

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector

Counts = NDArray[np.int64]

TIE = 1e-9
"""Statistics that differ by less than this, relative to 1 + their size, are equal but for rounding."""


def log_factorials(largest: int) -> Vector:
    """ln n! for n = 0..largest."""
    return np.fromiter((math.lgamma(n + 1.0) for n in range(largest + 1)), np.float64, largest + 1)


def entropies(largest: int) -> Vector:
    """n ln n for n = 0..largest, 0 for n = 0."""
    n = np.arange(largest + 1, dtype=np.float64)
    result: Vector = n * np.log(np.maximum(n, 1.0))
    return result


def probabilities(observations: int, tail_probability: float) -> Vector:
    """P(x exceptions) for x = 0..observations."""
    x = np.arange(observations + 1)
    factorials = log_factorials(observations)
    ways = factorials[-1] - factorials - factorials[::-1]
    log_odds = x * math.log(tail_probability) + (observations - x) * math.log1p(-tail_probability)
    result: Vector = np.exp(ways + log_odds)
    return result


def coverage_ratio(exceptions: Counts, observations: int, tail_probability: float, table: Vector) -> Vector:
    """-2 ln of the likelihood of x exceptions in T observations at p, over that at x / T; `table` is of `entropies`."""
    x = exceptions
    free = table[x] + table[observations - x] - table[observations]
    bound = x * math.log(tail_probability) + (observations - x) * math.log1p(-tail_probability)
    result: Vector = np.maximum(2.0 * (free - bound), 0.0)
    return result


def at_least(statistics: Vector, observed: float) -> NDArray[np.bool_]:
    """Which statistics are as large as the observed one, ties included."""
    result: NDArray[np.bool_] = statistics >= observed - TIE * (1.0 + abs(observed))
    return result
