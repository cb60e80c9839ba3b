"""The logarithmic barrier whose minimiser is a risk budget, and Newton's method for it.

y'Cy / 2 - theta sum b ln y is strictly convex (Maillard, Roncalli & Teiletche 2010; Spinu 2013), and a few steps reach
its minimum to rounding.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.program import Program
from domain.optimization.programs.quadratic import solve_quadratic
from domain.records import dataclass

Indices = NDArray[np.intp]

STEPS = 200
WARMING = 6
HALVINGS = 1100
"""A step length is 0 after so many: none of them is left to try."""

SMALL_DECREMENT = 0.05
"""Squared Newton decrement, in units of the smallest budget, below which a full step converges (Nesterov 2004, 4.1)."""

CONVERGED = 1e-25
"""Squared Newton decrement below which the objective no longer improves in double precision."""

ONE_STEP_AWAY = 1e-14
"""Squared decrement from which one full step, which squares it, ends at what double precision can tell apart."""

RISKLESS = 1e-10
"""Variance of a long portfolio of assets of variance one, below which it is rounding."""

SMALLEST = 1e-12
"""Lower bound of a weight in units of the budget: the logarithm keeps all of them above zero."""


@dataclass(frozen=True, slots=True)
class LogBarrier:
    """x'Cx / 2 - theta sum b ln x over a box; x is a weight times its volatility, C the correlation."""

    correlation: Matrix  # (N, N)
    budgets: Vector  # (N,), sum to 1
    lower: Vector  # (N,)
    upper: Vector  # (N,), may be infinite

    def value(self, point: Vector, theta: float) -> float:
        """The objective."""
        return 0.5 * float(point @ self.correlation @ point) - theta * float(self.budgets @ np.log(point))

    def gradient(self, point: Vector, theta: float) -> Vector:
        """Its gradient, (N,)."""
        return self.correlation @ point - theta * self.budgets / point

    def relative_gap(self, point: Vector, theta: float) -> float:
        """Distance to a proven bound, by convexity over the box, relative to theta (the optimum's own size)."""
        gradient = self.gradient(point, theta)
        reach = np.minimum(self.upper, 10.0 * float(point.max()))
        drop = np.maximum(gradient * (point - self.lower), gradient * (point - reach))
        return float(np.maximum(drop, 0.0).sum()) / theta


def unconstrained_minimiser(barrier: LogBarrier, check_cancelled: Callable[[], None]) -> tuple[Vector, int]:
    """The minimiser for theta 1 without bounds, and how many Newton steps it took; nearly every request ends here."""
    correlation, budgets = barrier.correlation, barrier.budgets
    point = np.sqrt(budgets)
    for _ in range(WARMING):
        # At the optimum x (Cx) = b: the geometric mean with what this asks for comes close at little cost.
        marginal_risk = correlation @ point
        if marginal_risk.min() <= 0.0:
            point = np.sqrt(budgets)  # a hedge among the assets leads this astray
            break
        point = np.sqrt(point * budgets / marginal_risk)
    variance = float(point @ correlation @ point)
    if not variance > 0.0:
        raise SolverFailed("risk budgets did not converge: a long portfolio has no volatility")
    point = point / variance**0.5
    for step in range(STEPS):
        check_cancelled()
        marginal_risk = budgets / point
        gradient = correlation @ point - marginal_risk
        direction = -_solved(correlation + np.diag(marginal_risk / point), gradient)
        decrement = -float(gradient @ direction)
        if decrement <= ONE_STEP_AWAY:
            return point + direction, step + 1
        if decrement < SMALL_DECREMENT * float(budgets.min()):
            point = point + direction  # within reach of quadratic convergence: the full step is right
        else:
            point = _stepped(barrier, 1.0, point, np.arange(len(point)), direction, decrement)
    raise SolverFailed(f"risk budgets did not converge in {STEPS} steps")


def box_minimiser(
    barrier: LogBarrier, theta: float, start: Vector, check_cancelled: Callable[[], None]
) -> tuple[Vector, int]:
    """The minimiser for one theta by projected Newton steps (Bertsekas 1982), and how many it took."""
    point = np.clip(start, np.maximum(barrier.lower, SMALLEST * float(start.max())), barrier.upper)
    for step in range(STEPS):
        check_cancelled()
        gradient = barrier.gradient(point, theta)
        held = ((point <= barrier.lower) & (gradient > 0.0)) | ((point >= barrier.upper) & (gradient < 0.0))
        moving = np.flatnonzero(~held)
        if not moving.size:
            return point, step
        direction = _newton_direction(barrier, theta, point, gradient, moving)
        decrement = -float(gradient[moving] @ direction)
        if decrement <= CONVERGED * theta:
            return point, step
        point = _stepped(barrier, theta, point, moving, direction, decrement)
    raise SolverFailed(f"risk budgets did not converge in {STEPS} steps")


def _newton_direction(barrier: LogBarrier, theta: float, point: Vector, gradient: Vector, moving: Indices) -> Vector:
    whole = len(moving) == len(point)
    correlation = barrier.correlation if whole else barrier.correlation[np.ix_(moving, moving)]
    curvature = theta * barrier.budgets[moving] / point[moving] ** 2
    return _solved(correlation + np.diag(curvature), -gradient[moving])


def _solved(matrix: Matrix, right: Vector) -> Vector:
    """matrix^-1 right. Raises SolverFailed for a singular matrix and for what is not finite."""
    try:
        result = np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise SolverFailed("risk budgets did not converge: their equations are singular") from error
    if not np.isfinite(result).all():
        raise SolverFailed("risk budgets did not converge: a Newton step is not finite")
    return result


def _stepped(
    barrier: LogBarrier, theta: float, point: Vector, moving: Indices, direction: Vector, decrement: float
) -> Vector:
    """Along the direction as far as the objective falls; a step never comes closer than a tenth to zero."""
    shrinking = direction < 0.0
    length = 1.0
    if shrinking.any():
        length = min(1.0, 0.9 * float((-point[moving][shrinking] / direction[shrinking]).min()))
    before = barrier.value(point, theta)
    for _ in range(HALVINGS):
        trial = point.copy()
        trial[moving] = np.clip(point[moving] + length * direction, barrier.lower[moving], barrier.upper[moving])
        # Close to the minimum the objective is flat to rounding, and the full step is right.
        if barrier.value(trial, theta) <= before + 1e-14 * abs(before) or length * decrement < 1e-16:
            return trial
        length *= 0.5
    raise SolverFailed("risk budgets did not converge: their objective is not finite")


def can_be_riskless(correlation: Matrix) -> bool:
    """Whether some long portfolio has no volatility: then the barrier has no minimum."""
    n_assets = len(correlation)
    free = np.full(n_assets, np.inf)
    budget = Polytope(np.ones((1, n_assets)), np.ones(1), np.ones(1), np.zeros(n_assets), free)
    program = Program(2.0 * correlation, np.zeros(n_assets), budget)
    least = solve_quadratic(program)
    return least is not None and program.value(least.point) <= RISKLESS
