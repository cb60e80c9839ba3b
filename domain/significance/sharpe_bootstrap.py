"""Confidence interval of a Sharpe ratio from a stationary bootstrap."""

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.risk.figure import Absent
from domain.significance.resampling import LEAST_RESAMPLED, Resampling, stationary_blocks

FEW_RETURNS = f"a bootstrap needs at least {LEAST_RESAMPLED} returns"
CONSTANT_RESAMPLES = "in more than 1 % of the resamples all returns are equal"
MOST_CONSTANT = 0.01


def bootstrap_interval(
    excess: Vector, resampling: Resampling, confidence_level: float, check_cancelled: CancellationCheck
) -> tuple[float, float] | Absent:
    """Percentile interval (Efron and Tibshirani 1993, chapter 13) of the Sharpe ratio per period of returns (T,)."""
    ratios = _resampled_ratios(excess, resampling, check_cancelled)
    if len(ratios) < (1.0 - MOST_CONSTANT) * resampling.count:
        return Absent(CONSTANT_RESAMPLES)
    tail = 0.5 - 0.5 * confidence_level
    lower, upper = np.quantile(ratios, (tail, 1.0 - tail)).tolist()
    return lower, upper


def _resampled_ratios(excess: Vector, resampling: Resampling, check_cancelled: CancellationCheck) -> Vector:
    """Sharpe ratios of the resamples that vary."""
    t, mean = len(excess), float(excess.mean())
    centred = excess - mean
    squares = centred * centred
    least = 1e-12 * float(squares.sum())  # below it, what is left of a sum of squares is rounding
    found = []
    for first, last in resampling.pieces():
        check_cancelled()
        blocks = stationary_blocks(resampling, first, last)
        sums, spread = blocks.sums(centred, squares)
        spread = spread - sums * sums / t
        varies = spread > least
        found.append((mean + sums[varies] / t) / np.sqrt(spread[varies] / (t - 1)))
    return np.concatenate(found)
