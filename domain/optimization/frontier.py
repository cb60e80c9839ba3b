"""The efficient frontier of a problem: all its corner portfolios, or portfolios evenly spaced in return."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from domain.errors import NotSupported
from domain.optimization.constraints import ReturnFloor
from domain.optimization.fast.critical_line import Corner, corners, is_tied
from domain.optimization.fast.mean_variance import solver_version, variance_scale
from domain.optimization.fast.program import VALUE_FLOOR, Answer, Program, proven_bound
from domain.optimization.feasible import FeasibleSet, feasible_set
from domain.optimization.infeasibility import conflict, is_feasible
from domain.optimization.objectives import MaxReturn, MinRisk
from domain.optimization.problem import Problem
from domain.optimization.solution import Candidate, Engine, Solution, verify
from domain.optimization.solve import solve

FLOOR_LABEL = "frontier:return"
TIE_ROOM = 1e-12
"""What a floor at the highest return leaves for rounding."""


def trace(problem: Problem, points: int, on_progress: Callable[[], None]) -> Iterator[Solution]:
    """Verified portfolios from the highest return to the least risk; the problem's objective does not count.

    With 0 points every corner portfolio, which needs variance, bounds and a budget and nothing else. Raises what
    `solve` raises, and NotSupported.
    """
    least = replace(problem, objective=MinRisk())
    return _corners(least, on_progress) if points == 0 else _spaced(least, points, on_progress)


def _corners(problem: Problem, on_progress: Callable[[], None]) -> Iterator[Solution]:
    limits = feasible_set(problem)
    if not problem.risk_measure.is_quadratic:
        raise NotSupported(f"corner portfolios exist for variance; give points with {problem.risk_measure}")
    budget = next((row for row in limits.rows if row.is_budget), None)
    lower = limits.polytope().lower
    if budget is None or len(limits.rows) > 1 or limits.absolute_sums or not np.isfinite(lower).all():
        raise NotSupported("corner portfolios are traced within weight bounds and a budget; give points for the rest")
    if not is_feasible(limits):
        raise conflict(limits)
    moments = problem.moments
    scale = variance_scale(problem)
    covariance = moments.covariance / scale
    size = float(np.abs(moments.expected_returns).max()) or 1.0
    means = moments.expected_returns / size
    start = None
    if is_tied(means, limits.lower, limits.upper, budget.upper):
        highest = solve(replace(problem, objective=MaxReturn()), on_progress).expected_return_annual
        floor = ReturnFloor(FLOOR_LABEL, highest - TIE_ROOM * abs(highest))
        start = solve(replace(problem, constraints=(*problem.constraints, floor)), on_progress).weights
    for corner in corners(means, covariance, limits.lower, limits.upper, budget.upper, start):
        on_progress()
        yield verify(problem, _candidate(corner, means, covariance, limits))


def _candidate(corner: Corner, means: np.ndarray, covariance: np.ndarray, limits: FeasibleSet) -> Candidate:
    """A corner is the answer to the quadratic program at its own trade-off, and that is what is proven."""
    program = Program(covariance, -corner.trade_off * means, limits.polytope())
    answer = Answer(corner.weights, np.array([-corner.multiplier]), "critical line", corner.step)
    # The objective may cross 0 along the frontier: what a gap is measured against is its two parts.
    variance = float(corner.weights @ covariance @ corner.weights)
    parts = 0.5 * variance + corner.trade_off * abs(float(means @ corner.weights))
    gap = (program.value(corner.weights) - proven_bound(program, answer)) / max(parts, VALUE_FLOOR)
    return Candidate(
        corner.weights, Engine.FAST, "critical line", solver_version("critical line"), corner.step, max(gap, 0.0)
    )


def _spaced(problem: Problem, points: int, on_progress: Callable[[], None]) -> Iterator[Solution]:
    highest = solve(replace(problem, objective=MaxReturn()), on_progress)
    if points == 1:
        yield highest
        return
    least = solve(problem, on_progress)
    yield highest
    returns = np.linspace(highest.expected_return_annual, least.expected_return_annual, points)
    for wanted in returns[1:-1].tolist():
        floor = ReturnFloor(FLOOR_LABEL, wanted)
        yield solve(replace(problem, constraints=(*problem.constraints, floor)), on_progress)
    yield least
