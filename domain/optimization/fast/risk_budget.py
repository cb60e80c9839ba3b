"""Risk budgets: each asset carries a given share of the volatility.

Without binding bounds, the long-only portfolio whose risk contributions are in the proportions b is y / sum(y) where y
minimises y'Sigma y / 2 - sum b ln y (Maillard, Roncalli & Teiletche 2010; Spinu 2013), a strictly convex problem that
Newton's method solves in a few steps. Within bounds it is the minimum of volatility - lambda sum b ln w with lambda
such that the budget holds (Richard & Roncalli 2019); that has the optimality conditions of
w'Sigma w / 2 - theta sum b ln w with theta = lambda volatility.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput, SolverFailed, UnboundedProblem
from domain.optimization.fast.bounded_budget import Shares, bounded_budget, refuse_without_exposure
from domain.optimization.fast.program import Program
from domain.optimization.fast.quadratic import solve_quadratic
from domain.optimization.feasible import FeasibleSet, Polytope
from domain.optimization.infeasibility import is_feasible
from domain.optimization.objectives import RiskBudget
from domain.optimization.problem import Problem
from domain.optimization.solution import GAP_TOLERANCE, VIOLATION_TOLERANCE, Candidate, Engine

Places = NDArray[np.intp]

STEPS = 200
WARMING = 6
SMALL_DECREMENT = 0.05
"""Squared Newton decrement, in units of the smallest share, below which a full step converges (Nesterov 2004, 4.1)."""

RISKLESS = 1e-10
"""Variance of a long portfolio of assets of variance one, below which it is rounding."""

CONVERGED = 1e-25
"""Squared Newton decrement below which the objective no longer improves in double precision."""

ONE_STEP_AWAY = 1e-14
"""Squared decrement from which one full step, which squares it, ends at what double precision can tell apart."""

BUDGET_TOLERANCE = 1e-12
SMALLEST = 1e-12
"""Lower bound of a weight in units of the budget: the logarithm keeps all of them above zero."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """x'Cx / 2 - theta sum b ln x over a box; x is a weight times its volatility, C the correlation."""

    correlation: Matrix  # (N, N)
    shares: Vector  # (N,), sum to 1
    lower: Vector  # (N,)
    upper: Vector  # (N,), may be infinite

    def value(self, point: Vector, theta: float) -> float:
        """The objective."""
        return 0.5 * float(point @ self.correlation @ point) - theta * float(self.shares @ np.log(point))

    def gradient(self, point: Vector, theta: float) -> Vector:
        """Its gradient, (N,)."""
        return self.correlation @ point - theta * self.shares / point

    def relative_gap(self, point: Vector, theta: float) -> float:
        """Distance to a proven bound, by convexity over the box, relative to theta (the optimum's own size)."""
        gradient = self.gradient(point, theta)
        reach = np.minimum(self.upper, 10.0 * float(point.max()))
        drop = np.maximum(gradient * (point - self.lower), gradient * (point - reach))
        return float(np.maximum(drop, 0.0).sum()) / theta


def risk_budget(
    problem: Problem, limits: FeasibleSet, objective: RiskBudget, on_progress: Callable[[], None]
) -> Candidate | None:
    """The portfolio with the budgets, bounded where a limit binds.

    Raises InvalidInput for an asset that does not vary, InfeasibleProblem, and NotSupported where limits leave bounded
    budgets undefined.
    """
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = problem.moments.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"a risk budget needs every variance above 0, that of {symbol} is not")
    budget = problem.budget
    if budget <= 0.0:
        raise InvalidInput("leverage.budget", "must be above 0: risk budgets are shares of a long portfolio")
    size = len(volatilities)
    shares = np.full(size, 1.0 / size) if objective.budgets is None else objective.budgets / objective.budgets.sum()
    correlation = problem.moments.covariance / np.outer(volatilities, volatilities)
    free = Barrier(correlation, shares, np.zeros(size), np.full(size, np.inf))
    try:
        point, steps = free_minimum(free, on_progress)
        proven = free.relative_gap(point, 1.0) <= GAP_TOLERANCE
    except (SolverFailed, np.linalg.LinAlgError) as error:
        if not _can_be_riskless(correlation):
            raise SolverFailed("risk budgets did not converge") from error
        proven = False
    if not proven and _can_be_riskless(correlation):
        raise UnboundedProblem("budgets of a volatility that long portfolios can bring to zero do not exist")
    weights = point / volatilities
    weights *= budget / weights.sum()
    if limits.violation(weights) <= VIOLATION_TOLERANCE:
        return _candidate(weights, steps, free.relative_gap(point, 1.0))
    if not is_feasible(limits):
        return None
    refuse_without_exposure(limits, None)
    return _bounded(problem, limits, Barrier(correlation, shares, *_box(limits, volatilities, budget)), on_progress)


def _can_be_riskless(correlation: Matrix) -> bool:
    """Whether some long portfolio has no volatility: then the barrier has no minimum."""
    size = len(correlation)
    free = np.full(size, np.inf)
    budget = Polytope(np.ones((1, size)), np.ones(1), np.ones(1), np.zeros(size), free)
    program = Program(2.0 * correlation, np.zeros(size), budget)
    least = solve_quadratic(program)
    return least is not None and program.value(least.point) <= RISKLESS


def free_minimum(barrier: Barrier, on_progress: Callable[[], None]) -> tuple[Vector, int]:
    """The minimiser for theta 1 without bounds, and how many Newton steps it took; nearly every request ends here."""
    correlation, shares = barrier.correlation, barrier.shares
    point = np.sqrt(shares)
    for _ in range(WARMING):
        # At the optimum x (Cx) = b: the geometric mean with what this asks for comes close at little cost.
        pull = correlation @ point
        if pull.min() <= 0.0:
            point = np.sqrt(shares)  # a hedge among the assets leads this astray
            break
        point = np.sqrt(point * shares / pull)
    point = point / float(point @ correlation @ point) ** 0.5
    for step in range(STEPS):
        on_progress()
        pull = shares / point
        gradient = correlation @ point - pull
        direction = -np.linalg.solve(correlation + np.diag(pull / point), gradient)
        decrement = -float(gradient @ direction)
        if decrement <= ONE_STEP_AWAY:
            return point + direction, step + 1
        if decrement < SMALL_DECREMENT * float(shares.min()):
            point = point + direction  # within reach of quadratic convergence: the full step is right
        else:
            point = _stepped(barrier, 1.0, point, np.arange(len(point)), direction, decrement)
    raise SolverFailed(f"risk budgets did not converge in {STEPS} steps")


def minimised(barrier: Barrier, theta: float, start: Vector, on_progress: Callable[[], None]) -> tuple[Vector, int]:
    """The minimiser for one theta by projected Newton steps (Bertsekas 1982), and how many it took."""
    point = np.clip(start, np.maximum(barrier.lower, SMALLEST * float(start.max())), barrier.upper)
    for step in range(STEPS):
        on_progress()
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


def _newton_direction(barrier: Barrier, theta: float, point: Vector, gradient: Vector, moving: Places) -> Vector:
    whole = len(moving) == len(point)
    correlation = barrier.correlation if whole else barrier.correlation[np.ix_(moving, moving)]
    curvature = theta * barrier.shares[moving] / point[moving] ** 2
    return np.asarray(np.linalg.solve(correlation + np.diag(curvature), -gradient[moving]), dtype=np.float64)


def _stepped(
    barrier: Barrier, theta: float, point: Vector, moving: Places, direction: Vector, decrement: float
) -> Vector:
    """Along the direction as far as the objective falls; a step never comes closer than a tenth to zero."""
    shrinking = direction < 0.0
    length = 1.0
    if shrinking.any():
        length = min(1.0, 0.9 * float((-point[moving][shrinking] / direction[shrinking]).min()))
    before = barrier.value(point, theta)
    while True:
        trial = point.copy()
        trial[moving] = np.clip(point[moving] + length * direction, barrier.lower[moving], barrier.upper[moving])
        # Close to the minimum the objective is flat to rounding, and the full step is right.
        if barrier.value(trial, theta) <= before + 1e-14 * abs(before) or length * decrement < 1e-16:
            return trial
        length *= 0.5


def _box(limits: FeasibleSet, volatilities: Vector, budget: float) -> tuple[Vector, Vector]:
    lower = np.maximum(limits.lower, SMALLEST * budget)
    return lower * volatilities, limits.upper * volatilities


def _bounded(problem: Problem, limits: FeasibleSet, barrier: Barrier, on_progress: Callable[[], None]) -> Candidate:
    """theta such that the budget holds: the weights of the box problem grow with it."""
    volatilities, budget = problem.moments.volatilities, problem.budget
    point = np.clip(barrier.shares, barrier.lower, barrier.upper)
    low, high, steps = 0.0, 1.0, 0

    def missing(theta: float) -> float:
        nonlocal point, steps
        point, taken = minimised(barrier, theta, point, on_progress)
        steps += taken
        return float((point / volatilities).sum()) / budget - 1.0

    # Start near the variance of the portfolio, which theta is where no bound binds.
    high = max(float(point @ barrier.correlation @ point), SMALLEST)
    while missing(high) < -BUDGET_TOLERANCE and high < 1e30:
        low, high = high, 4.0 * high
    theta = high
    for _ in range(STEPS):
        theta = 0.5 * (low + high)
        gap = missing(theta)
        if abs(gap) <= BUDGET_TOLERANCE or high - low <= 1e-16 * high:
            break
        low, high = (theta, high) if gap < 0.0 else (low, theta)
    weights = point / volatilities
    if limits.violation(weights) > VIOLATION_TOLERANCE:
        # Limits on several weights at once, which Newton's method has no words for.
        return bounded_budget(problem, limits, Shares(None, barrier.shares), weights, on_progress)
    return _candidate(weights, steps, barrier.relative_gap(point, theta))


def _candidate(weights: Vector, steps: int, gap: float) -> Candidate:
    return Candidate(weights, Engine.FAST, "newton", iterations=steps, relative_gap=gap)
