"""Minimum risk, highest return and best utility: the problems that are quadratic or linear as they stand.

Every program is scaled before it is solved, so that its largest figures are about one whatever the unit of returns.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.errors import UnboundedProblem
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.active_set_polish import snap_active_bounds
from domain.optimization.programs.binding_limits import candidate_of
from domain.optimization.programs.duality import proven_bound, relative_gap
from domain.optimization.programs.l1_interior_point import is_l1_constrained, solve_l1_constrained
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program, ProgramSolution, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.programs.tied_optima import least_variance_on_face
from domain.optimization.request.objectives import MaxUtility
from domain.optimization.solution import Candidate
from domain.risk.measures import RiskMeasure

TRADED_ASSETS = 100
"""From here the steps of our own interior point cost less than twice the variables."""

TRADED_GAP = 1e-8

SLACK = 1e-10
"""A limit that was left out and has this much room does not bind."""


def minimum_risk(problem: Problem, limits: FeasibleSet, control: SolverControl = UNLIMITED) -> Candidate | None:
    """The least variance, which is also the least standard deviation; None where no weights keep the limits."""
    return _solve_by_size(limits, lambda some: _minimum_risk(problem, some, control))


def _minimum_risk(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    polytope = limits.polytope()
    scale = problem.variance_scale
    hessian = padded(2.0 / scale * problem.moments.covariance, len(polytope.lower))
    program = Program(hessian, np.zeros(len(polytope.lower)), polytope)
    answer = _solve(program, limits, control)
    if answer is None:
        return None
    unit = scale
    if problem.risk_measure is RiskMeasure.STANDARD_DEVIATION:
        deviation = problem.risk.of(answer.point[: limits.n_assets])
        unit = scale / (2.0 * deviation) if deviation > 0.0 else 0.0
    return candidate_of(program, answer, limits, unit)


def maximum_utility(
    problem: Problem, limits: FeasibleSet, objective: MaxUtility, control: SolverControl = UNLIMITED
) -> Candidate | None:
    """The highest annual mean minus risk_aversion / 2 times annual variance."""
    if not problem.moments.covariance.any():
        return maximum_return(problem, limits, control)  # no asset varies
    return _solve_by_size(limits, lambda some: _maximum_utility(problem, some, objective, control))


def _maximum_utility(
    problem: Problem, limits: FeasibleSet, objective: MaxUtility, control: SolverControl
) -> Candidate | None:
    polytope = limits.polytope()
    curvature = objective.risk_aversion * problem.periods_per_year
    scale = curvature * problem.variance_scale
    hessian = padded(curvature / scale * problem.moments.covariance, len(polytope.lower))
    annual_returns = problem.periods_per_year / scale * problem.moments.expected_returns
    program = Program(hessian, np.append(-annual_returns, np.zeros(len(polytope.lower) - limits.n_assets)), polytope)
    answer = _solve(program, limits, control)
    if answer is None:
        return None
    return candidate_of(program, answer, limits, scale)


def _solve(program: Program, limits: FeasibleSet, control: SolverControl) -> ProgramSolution | None:
    """Large programs with one limit on trades are solved without its variables."""
    if _is_large_l1(limits) and (found := solve_l1_constrained(program, limits, control)):
        found = replace(found, bound=proven_bound(program, found))
        if relative_gap(program, found) <= max(TRADED_GAP, control.tolerance):
            return snap_active_bounds(program, found)
    return solve_quadratic(program, control)


def _is_large_l1(limits: FeasibleSet) -> bool:
    return limits.n_assets >= TRADED_ASSETS and is_l1_constrained(limits)


def _solve_by_size(limits: FeasibleSet, solved: Callable[[FeasibleSet], Candidate | None]) -> Candidate | None:
    return solved(limits) if _is_large_l1(limits) else without_slack_sums(limits, solved)


def without_slack_sums(limits: FeasibleSet, solved: Callable[[FeasibleSet], Candidate | None]) -> Candidate | None:
    """First without sums of absolute values: they double the variables, and where they do not bind they need not."""
    if not limits.absolute_sums:
        return solved(limits)
    looser = limits.without_absolute_sums
    if not (np.isfinite(looser.lower).all() and any(row.is_budget for row in looser.rows)):
        return solved(limits)  # what holds it may be the sum alone
    try:
        found = solved(looser)
    except UnboundedProblem:
        return solved(limits)  # the sum may exclude the riskless portfolio of a ratio
    # A sum that only just fits may bind as well, and then its price is wanted.
    return found if found is None or not _reaches_sum(limits, found.weights) else solved(limits)


def _reaches_sum(limits: FeasibleSet, weights: Vector) -> bool:
    return any(one.value(weights) > one.maximum - SLACK for one in limits.absolute_sums)


def maximum_return(problem: Problem, limits: FeasibleSet, control: SolverControl = UNLIMITED) -> Candidate | None:
    """The highest expected return; of several, one with the least variance.

    Raises UnboundedProblem where nothing holds it.
    """
    polytope = limits.polytope()
    annual_returns = problem.periods_per_year * problem.moments.expected_returns
    scale = float(np.abs(annual_returns).max()) or 1.0
    linear = np.append(-annual_returns / scale, np.zeros(len(polytope.lower) - limits.n_assets))
    program = Program(None, linear, polytope)
    answer = None
    if (polytope.lower <= polytope.upper).all():
        answer = solve_linear(program, control)
    if answer is None:
        return None
    hessian = padded(problem.moments.covariance / problem.variance_scale, len(polytope.lower))
    return candidate_of(program, least_variance_on_face(program, answer, hessian, control), limits, scale)
