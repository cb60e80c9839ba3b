"""Weights within bounds on each of them, as near as possible to given ones that are not.

Near means least relative entropy, sum w ln(w / x), among weights with the same sum. Its minimiser is
w = clip(factor x, lower, upper) with one factor for all assets, so that assets with the same weight and the same bounds
keep the same weight, those at no bound keep their proportions, and weights within their bounds stay as they are.
"""

import numpy as np

from domain.checks import Vector
from domain.optimization.problem.feasible_set import FeasibleSet


def bounds_on_single_weights(limits: FeasibleSet) -> tuple[Vector, Vector]:
    """The tightest bounds on each weight, (N,) each: of boxes, and of rows that hold one weight only."""
    lower, upper = limits.lower.copy(), limits.upper.copy()
    for row in limits.rows:
        indices = np.flatnonzero(row.coefficients)
        if len(indices) != 1:
            continue
        i = int(indices[0])
        ends = np.array([row.lower, row.upper]) / row.coefficients[i]
        lower[i], upper[i] = max(lower[i], ends.min()), min(upper[i], ends.max())
    return lower, upper


def project_by_entropy(weights: Vector, lower: Vector, upper: Vector, total: float) -> Vector:
    """The weights (N,) within bounds and with this sum that are nearest to given ones of 0 or more.

    Assets that are given no weight get some, the same for all of them, only where the others cannot take all of it.
    Where no weights within the bounds have the sum, the result misses it.
    """
    if (lower > upper).any():
        return weights
    held = weights > 0.0
    idle = np.clip(0.0, lower, upper)
    least, most = np.where(held, lower, idle), np.where(held, upper, idle)
    if float(least.sum()) <= total <= float(most.sum()):
        return _common_level(np.where(held, weights, 0.0), least, most, total)
    reached = least if total < float(least.sum()) else most
    return _common_level(
        np.where(held, 0.0, 1.0), np.where(held, reached, lower), np.where(held, reached, upper), total
    )


@np.errstate(over="ignore")  # the level of a bound on hardly any weight may be no number: no sum needs it
def _common_level(shape: Vector, lower: Vector, upper: Vector, total: float) -> Vector:
    """clip(level shape, lower, upper) with the level at which the sum is the total, or closest to it."""
    moves = shape > 0.0
    ends = np.concatenate([lower[moves], upper[moves]]) / np.tile(shape[moves], 2)
    levels = np.unique(ends[np.isfinite(ends)])
    if not len(levels):
        levels = np.zeros(1)
    beyond = 1.0 + float(np.abs(levels[[0, -1]]).max())
    levels = np.concatenate([[levels[0] - beyond], levels, [levels[-1] + beyond]])
    low, high = 0, len(levels) - 1
    while high - low > 1:
        middle = (low + high) // 2
        reached = float(np.clip(levels[middle] * shape, lower, upper).sum()) >= total
        low, high = (low, middle) if reached else (middle, high)
    # Between two neighbouring levels no weight meets a bound, and the sum is linear.
    level = 0.5 * levels[low] + 0.5 * levels[high]
    result = np.clip(level * shape, lower, upper)
    free = moves & (level * shape > lower) & (level * shape < upper)
    if free.any():
        result[free] = shape[free] * (total - float(result[~free].sum())) / float(shape[free].sum())
    return np.asarray(np.clip(result, lower, upper), dtype=np.float64)
