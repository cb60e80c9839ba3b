"""Equal risk contributions of D windows at once, by Newton's method on the barrier of `programs.log_barrier`."""

from collections.abc import Callable

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.programs.log_barrier import ONE_STEP_AWAY, SMALL_DECREMENT, WARMING
from domain.optimization.walk.complementarity import definite
from domain.optimization.walk.windows import Stack

STEPS = 60
REACH = 10.0
"""Variables are taken as at most this many times the largest when a bound is proven, as in `log_barrier`."""


def equal_risk_points(correlations: Stack, check_cancelled: Callable[[], None]) -> Matrix:
    """Weights times volatilities of each window, (D, N), to a factor; NaN where they were not found."""
    result = np.full(correlations.shape[:2], np.nan)
    open_ones = np.flatnonzero(definite(correlations))
    matrices = correlations[open_ones]
    budget = 1.0 / correlations.shape[1]
    points = _warmed(matrices, budget)
    for _ in range(STEPS):
        check_cancelled()
        if not len(open_ones):
            break
        marginal = budget / points
        gradients = np.matvec(matrices, points) - marginal
        curved = np.array(matrices)
        diagonal = np.arange(matrices.shape[1])
        curved[:, diagonal, diagonal] += marginal / points
        directions = -np.linalg.solve(curved, gradients[:, :, None])[:, :, 0]
        decrements = -np.vecdot(gradients, directions)
        done = decrements <= ONE_STEP_AWAY
        # Of a function whose third derivatives its second ones bound, this step never leaves the domain (Nesterov
        # 2004, 4.1.5); near the end the full step is right.
        damped = 1.0 / (1.0 + np.sqrt(np.maximum(decrements, 0.0) / budget))
        lengths = np.where(done | (decrements < SMALL_DECREMENT * budget), 1.0, damped)
        points = points + lengths[:, None] * directions
        result[open_ones[done]] = points[done]
        going = ~done & np.isfinite(decrements)
        open_ones, matrices, points = open_ones[going], matrices[going], points[going]
    return result


def equal_risk_gaps(correlations: Stack, points: Matrix) -> Vector:
    """How far each barrier may be above its minimum, relative to the optimum's own size, (D,)."""
    gradients = np.matvec(correlations, points) - 1.0 / (correlations.shape[1] * points)
    reach = REACH * points.max(axis=1, keepdims=True)
    drop = np.maximum(gradients * points, gradients * (points - reach))
    result: Vector = np.maximum(drop, 0.0).sum(axis=1)
    return result


def _warmed(correlations: Stack, budget: float) -> Matrix:
    """As in `log_barrier.unconstrained_minimiser`, scaled to a variance of 1."""
    start = np.full(correlations.shape[:2], budget**0.5)
    points = start
    for _ in range(WARMING):
        marginal_risk = np.matvec(correlations, points)
        hedged = marginal_risk.min(axis=1, initial=np.inf) <= 0.0
        with np.errstate(all="ignore"):
            points = np.where(hedged[:, None], start, np.sqrt(points * budget / marginal_risk))
    variances = np.vecdot(points, np.matvec(correlations, points))
    result: Matrix = points / np.sqrt(variances)[:, None]
    return result
