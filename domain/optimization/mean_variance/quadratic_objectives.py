"""Minimum risk, highest return and best utility: the problems that are quadratic or linear as they stand.

Every program is scaled before it is solved, so that its largest figures are about one whatever the unit of returns.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.problem.feasible_set import FeasibleSet, Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.active_set_polish import snapped
from domain.optimization.programs.l1_interior_point import is_traded, solve_traded
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Answer, Program, bound_multipliers, proven_bound, relative_gap
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.programs.tied_optima import least_variance_of_ties
from domain.optimization.request.objectives import MaxUtility
from domain.optimization.solution import Binding, BoundSide, Candidate, Engine, risk_of
from domain.risk.measures import RiskMeasure

PUSH_TOLERANCE = 1e-9
"""Scaled multipliers below this are rounding, not a constraint that binds."""

REACHED = 1e-7
"""How close a weight is to a bound that it is said to be held by, relative to the bound or to one."""

TRADED_ASSETS = 100
"""From here the steps of our own interior point cost less than twice the variables."""

TRADED_GAP = 1e-8

SLACK = 1e-10
"""A limit that was left out and has this much room does not bind."""

DUST = 1e-12
"""Weights below this are rounding of a zero."""

PACKAGES = {"interior point": "scipy", "daqp": "daqp", "piqp": "piqp", "highs": "highspy", "clarabel": "clarabel"}


def minimum_risk(problem: Problem, limits: FeasibleSet, control: SolverControl = UNLIMITED) -> Candidate | None:
    """The least variance, which is also the least standard deviation; None where no weights keep the limits."""
    return _solved_by_size(limits, lambda some: _minimum_risk(problem, some, control))


def _minimum_risk(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    polytope = limits.polytope()
    scale = variance_scale(problem)
    hessian = widened(2.0 / scale * problem.moments.covariance, len(polytope.lower))
    program = Program(hessian, np.zeros(len(polytope.lower)), polytope)
    answer = _solved(program, limits, control)
    if answer is None:
        return None
    unit = scale
    if problem.risk_measure is RiskMeasure.STANDARD_DEVIATION:
        deviation = risk_of(problem, answer.point[: limits.size])
        unit = scale / (2.0 * deviation) if deviation > 0.0 else 0.0
    return candidate(program, answer, limits, unit)


def maximum_utility(
    problem: Problem, limits: FeasibleSet, objective: MaxUtility, control: SolverControl = UNLIMITED
) -> Candidate | None:
    """The highest annual mean minus risk_aversion / 2 times annual variance."""
    if not problem.moments.covariance.any():
        return maximum_return(problem, limits, control)  # there is nothing to be averse to
    return _solved_by_size(limits, lambda some: _maximum_utility(problem, some, objective, control))


def _maximum_utility(
    problem: Problem, limits: FeasibleSet, objective: MaxUtility, control: SolverControl
) -> Candidate | None:
    polytope = limits.polytope()
    curvature = objective.risk_aversion * problem.periods_per_year
    scale = curvature * variance_scale(problem)
    hessian = widened(curvature / scale * problem.moments.covariance, len(polytope.lower))
    gain = problem.periods_per_year / scale * problem.moments.expected_returns
    program = Program(hessian, np.append(-gain, np.zeros(len(polytope.lower) - limits.size)), polytope)
    answer = _solved(program, limits, control)
    if answer is None:
        return None
    return candidate(program, answer, limits, scale)


def _solved(program: Program, limits: FeasibleSet, control: SolverControl) -> Answer | None:
    """Large programs with one limit on trades are solved without its variables."""
    if _without_variables(limits) and (found := solve_traded(program, limits, control)):
        found = replace(found, bound=proven_bound(program, found))
        if relative_gap(program, found) <= max(TRADED_GAP, control.tolerance):
            return snapped(program, found)
    return solve_quadratic(program, control)


def _without_variables(limits: FeasibleSet) -> bool:
    return limits.size >= TRADED_ASSETS and is_traded(limits)


def _solved_by_size(limits: FeasibleSet, solved: Callable[[FeasibleSet], Candidate | None]) -> Candidate | None:
    return solved(limits) if _without_variables(limits) else loosely(limits, solved)


def loosely(limits: FeasibleSet, solved: Callable[[FeasibleSet], Candidate | None]) -> Candidate | None:
    """First without sums of absolute values: they double the variables, and where they do not bind they need not."""
    if not limits.absolute_sums:
        return solved(limits)
    looser = limits.without_sums
    if not (np.isfinite(looser.lower).all() and any(row.is_budget for row in looser.rows)):
        return solved(limits)  # what holds it may be the sum alone
    found = solved(looser)
    # A sum that only just fits may bind as well, and then its price is wanted.
    return found if found is None or not _reaches(limits, found.weights) else solved(limits)


def _reaches(limits: FeasibleSet, weights: Vector) -> bool:
    return any(one.value(weights) > one.maximum - SLACK for one in limits.absolute_sums)


def maximum_return(problem: Problem, limits: FeasibleSet, control: SolverControl = UNLIMITED) -> Candidate | None:
    """The highest expected return; of several, one with the least variance.

    Raises UnboundedProblem where nothing holds it.
    """
    polytope = limits.polytope()
    gain = problem.periods_per_year * problem.moments.expected_returns
    scale = float(np.abs(gain).max()) or 1.0
    linear = np.append(-gain / scale, np.zeros(len(polytope.lower) - limits.size))
    program = Program(None, linear, polytope)
    answer = None
    if (polytope.lower <= polytope.upper).all():
        answer = solve_linear(program, control)
    if answer is None:
        return None
    hessian = widened(problem.moments.covariance / variance_scale(problem), len(polytope.lower))
    return candidate(program, least_variance_of_ties(program, answer, hessian, control), limits, scale)


def candidate(program: Program, answer: Answer, limits: FeasibleSet, unit: float) -> Candidate:
    """Weights with their proof; `unit` is one unit of the scaled objective in the objective's own unit."""
    pushes = bound_multipliers(program, answer)
    return Candidate(
        weights=cleaned(answer.point[: limits.size]),
        engine=Engine.FAST,
        solver=answer.solver,
        solver_version=solver_version(answer.solver),
        iterations=answer.iterations,
        relative_gap=relative_gap(program, answer),
        dual_residual=_dual_residual(program, answer, pushes),
        binding=binding(answer, pushes, limits, unit),
    )


@cache
def solver_version(solver: str) -> str:
    """Version of the package that a solver comes in; our own come with numpy's linear algebra."""
    return version(PACKAGES.get(solver, "numpy"))


def cleaned(weights: Vector) -> Vector:
    """Weights without the rounding of zeros."""
    return np.where(np.abs(weights) < DUST, 0.0, weights)


def variance_scale(problem: Problem) -> float:
    """Mean variance of the assets, or 1 where none varies."""
    return float(problem.moments.covariance.trace()) / len(problem.moments.symbols) or 1.0


def widened(matrix: Matrix, size: int) -> Matrix:
    """The matrix with zeros for auxiliary variables."""
    if len(matrix) == size:
        return matrix
    result = np.zeros((size, size))
    result[: len(matrix), : len(matrix)] = matrix
    return result


def binding(answer: Answer, pushes: Vector, limits: FeasibleSet, unit: float) -> tuple[Binding, ...]:
    """Which limits push, and what relaxing each by one unit is worth; `pushes` are the multipliers of the bounds."""
    found = row_bindings(answer.row_multipliers, limits, unit)
    return (*found, *box_bindings(answer.point[: limits.size], pushes[: limits.size], limits, unit))


def row_bindings(multipliers: Vector, limits: FeasibleSet, unit: float) -> list[Binding]:
    """Of rows and of sums of absolute values, from the multipliers of the polytope's rows."""
    found: list[Binding] = []
    rows = limits.rows
    for row, push in zip(rows, multipliers.tolist(), strict=False):
        if abs(push) > PUSH_TOLERANCE:
            side = BoundSide.UPPER if push > 0 else BoundSide.LOWER
            found.append(Binding(row.label, None, side, abs(push) * unit))
    place = len(rows)
    for one in limits.absolute_sums:
        place += limits.size if one.shorts else 2 * limits.size
        push = float(multipliers[place])
        if push > PUSH_TOLERANCE:
            found.append(Binding(one.label, None, BoundSide.UPPER, push * unit * one.factor))
        place += 1
    return found


def box_bindings(weights: Vector, pushes: Vector, limits: FeasibleSet, unit: float) -> list[Binding]:
    """Of bounds on single weights, from their multipliers (N,)."""
    sizes = np.abs(pushes)
    up = pushes > 0.0
    ends = np.where(up, limits.upper, limits.lower)
    # A multiplier away from its end is an interior point's rounding; from one that is not there, so much the more.
    pushed = (sizes > PUSH_TOLERANCE) & (np.abs(weights - ends) <= REACHED * np.maximum(1.0, np.abs(weights)))
    found: list[Binding] = []
    for box in limits.boxes:
        own = pushed & (np.where(up, box.upper, box.lower) == ends)
        places = own.nonzero()[0]
        if not len(places):
            continue
        pushed = pushed & ~own  # two labels with the same end: the first has it
        for i, upper, size in zip(places.tolist(), up[places].tolist(), (sizes[places] * unit).tolist(), strict=True):
            side = BoundSide.UPPER if upper else BoundSide.LOWER
            found.append(Binding(box.label, limits.symbols[i], side, size))
    return found


def _dual_residual(program: Program, answer: Answer, pushes: Vector) -> float:
    """The largest multiplier of a bound that is not there or is not reached, relative to the gradient."""
    polytope: Polytope = program.polytope
    room = np.where(pushes > 0, polytope.upper - answer.point, answer.point - polytope.lower)
    loose = np.abs(pushes) * np.minimum(room, 1.0)
    return float(loose.max(initial=0.0)) / max(1.0, float(np.abs(program.gradient(answer.point)).max()))
