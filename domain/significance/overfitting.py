"""Probability that the choice of the best strategy is overfitted, by combinatorially symmetric cross-validation.

Bailey, Borwein, Lopez de Prado and Zhu 2017, "The probability of backtest overfitting", section 4.
"""

import math
from itertools import combinations

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.risk.figure import Absent, Figure, quotient

SEGMENTS = 16
MOST_SEGMENTS = 20
"""184 756 combinations."""

FLAT = "a strategy does not vary within half of the segments"
ONE_STRATEGY = "needs at least two strategies"
SAME = "the best strategy has the same Sharpe ratio in every half"

PIECE = 1 << 20
"""Sharpe ratios that are held at a time."""


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What becomes of the strategy that is best in one half of the segments in the other half."""

    probability: float  # that it is at the median or below
    degradation_slope: Figure  # of its Sharpe ratio out of sample on that in sample
    probability_of_loss: float  # that its mean return is negative
    combinations: int


def overfitting(returns: Matrix, segments: int, check_cancelled: CancellationCheck) -> Overfitting | Absent:
    """Of N strategies' returns (T, N) in an even number of segments, as equal as T allows.

    Halves are complements of each other: in the order of `combinations`, the first of the last, and so on.
    """
    t, n = returns.shape
    if n < 2:
        return Absent(ONE_STRATEGY)
    if t < 2 * segments:
        return Absent(f"needs two returns in each of {segments} segments, at least {2 * segments}: there are {t}")
    centred = returns - returns.mean(axis=0)
    edges = np.linspace(0, t, segments + 1).astype(np.int64)[:-1]
    sums, squares = np.add.reduceat(centred, edges), np.add.reduceat(centred * centred, edges)
    lengths = np.diff(np.append(edges, t)).astype(np.float64)
    halves = _halves(segments)
    count = len(halves)
    rows = max(1, PIECE // n)
    below, inside, outside = [], [], []
    for first in range(0, count // 2, rows):
        check_cancelled()
        chosen = np.arange(first, min(first + rows, count // 2))
        pair = [
            _ratios(halves[which] @ sums, halves[which] @ squares, halves[which] @ lengths, returns.mean(axis=0))
            for which in (chosen, count - 1 - chosen)
        ]
        if not (np.isfinite(pair[0]).all() and np.isfinite(pair[1]).all()):
            return Absent(FLAT)
        for within, out in (pair, pair[::-1]):
            ranks, best_in, best_out = _best(within, out)
            below.append(ranks <= 0.5)
            inside.append(best_in)
            outside.append(best_out)
    return _outcome(np.concatenate(below), np.concatenate(inside), np.concatenate(outside))


def _halves(segments: int) -> Matrix:
    """A row of 0 and 1 for each choice of half of the segments, (C, S)."""
    chosen = np.array(list(combinations(range(segments), segments // 2)))
    result = np.zeros((len(chosen), segments))
    np.put_along_axis(result, chosen, 1.0, axis=1)
    return result


def _ratios(sums: Matrix, squares: Matrix, lengths: Vector, means: Vector) -> Matrix:
    """Sharpe ratios per period of sets of dates, (R, N), by sums of centred returns; not finite without variance."""
    counts = lengths[:, None]
    spread = squares - sums * sums / counts
    spread[spread <= 1e-12 * squares] = 0.0  # what is left is rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Matrix = (means + sums / counts) / np.sqrt(spread / (counts - 1.0))
    return result


def _best(within: Matrix, out: Matrix) -> tuple[Vector, Vector, Vector]:
    """Relative rank out of sample of the strategy that is best in sample, rank / (N + 1), and its two ratios, (R,)."""
    rows, n = np.arange(len(within)), within.shape[1]
    best = within.argmax(axis=1)
    theirs = out[rows, best]
    # Equal ones share the mean of their ranks.
    rank = (out < theirs[:, None]).sum(axis=1) + 0.5 * ((out == theirs[:, None]).sum(axis=1) + 1)
    return rank / (n + 1.0), within[rows, best], theirs


def _outcome(below: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], inside: Vector, outside: Vector) -> Overfitting:
    distance = inside - inside.mean()
    slope = quotient(float(distance @ outside), float(distance @ distance), SAME)
    return Overfitting(float(below.mean()), slope, float((outside < 0.0).mean()), len(below))


def combination_count(segments: int) -> int:
    """Number of choices of half of the segments."""
    return math.comb(segments, segments // 2)
