"""Quadratic programs by our own active set where they are long-only and nothing else, by daqp, or by piqp.

daqp is exact to rounding and fastest up to about a hundred variables; it needs a positive definite Hessian. piqp takes
what is larger or singular, and what daqp fails on.
"""

from dataclasses import replace

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed, SolverTimedOut
from domain.optimization.problem.polytope import LARGE, Polytope
from domain.optimization.programs.active_set import is_long_only, solve_long_only
from domain.optimization.programs.active_set_polish import polish
from domain.optimization.programs.duality import proven_bound, relative_gap
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import LATE, UNLIMITED, SolverControl

BLOCK_VARIABLES = 40
"""Up to here daqp is faster than our own active set, whose every step is a linear system."""

DAQP_VARIABLES = 120
DAQP_OPTIMAL, DAQP_INFEASIBLE, DAQP_LATE = 1, -1, -7
DAQP_EQUALITY = 5
DOUBTFUL = 1e-8
"""A gap above this sends a program to the other solver as well: degenerate rows can mislead an active set."""

PRIMAL_FRACTION, PRIMAL_TOLERANCES = 1e-2, (1e-11, 1e-9)
"""Of the tolerance of the answer, what daqp may miss a limit by: beyond 1e-9 the answer would not pass verification."""

INTERIOR_FRACTION, INTERIOR_TOLERANCES = 1e-2, (1e-13, 1e-5)
"""Of the tolerance of the answer, what is asked of piqp."""

PIVOT_TOLERANCE = 1e-10


def solve_quadratic(program: Program, control: SolverControl = UNLIMITED) -> ProgramSolution | None:
    """The minimiser of a quadratic program, or None where its polytope is empty.

    Raises SolverTimedOut or SolverFailed.
    """
    control()
    hessian = program.hessian
    if hessian is None:
        raise ValueError("a linear program goes to the linear solver")
    if len(hessian) > BLOCK_VARIABLES and is_long_only(program):
        found = solve_long_only(program, hessian, control)
        if found is not None:
            return found
    if len(hessian) <= DAQP_VARIABLES and _definite(hessian):
        status, answer = _daqp(program, hessian, control)
        if status == DAQP_OPTIMAL:
            answer = replace(answer, bound=proven_bound(program, answer))
            if relative_gap(program, answer) <= DOUBTFUL:
                return answer
            return polish(program, _better(program, answer, control))
        if status == DAQP_INFEASIBLE:
            return None
        if status == DAQP_LATE:
            raise SolverTimedOut(LATE)
    return _by_interior_point(program, hessian, control)


def _by_interior_point(program: Program, hessian: Matrix, control: SolverControl) -> ProgramSolution | None:
    """Once more to the smallest tolerance where the bound is not close: it is absolute, and values may be near 0."""
    rough = _piqp(program, hessian, control)
    if rough is None:
        return None
    found = polish(program, rough)
    if relative_gap(program, found) <= DOUBTFUL:
        return found
    closer = _piqp(program, hessian, control, INTERIOR_TOLERANCES[0])
    if closer is None:
        return found
    closer = polish(program, closer)
    return closer if relative_gap(program, closer) < relative_gap(program, found) else found


def _better(program: Program, answer: ProgramSolution, control: SolverControl) -> ProgramSolution:
    """The same program by the other solver, if that comes closer to its bound."""
    hessian = program.hessian
    other = None if hessian is None else _piqp(program, hessian, control)
    return answer if other is None or relative_gap(program, answer) <= relative_gap(program, other) else other


def _definite(hessian: Matrix) -> bool:
    if not hessian.diagonal().all():
        return False  # auxiliary variables have no curvature
    try:
        factor = np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return False
    pivots = factor.diagonal()
    return bool(pivots.min() ** 2 > PIVOT_TOLERANCE * pivots.max() ** 2)


def _daqp(program: Program, hessian: Matrix, control: SolverControl) -> tuple[int, ProgramSolution]:
    import daqp  # only where it is used: a server that never optimises does not load it

    polytope = program.polytope
    upper = np.concatenate([polytope.upper, polytope.row_upper])
    lower = np.concatenate([polytope.lower, polytope.row_lower])
    sense = np.where(upper == lower, DAQP_EQUALITY, 0).astype(np.int32)
    point, _, status, info = daqp.solve(
        hessian,
        program.linear,
        np.ascontiguousarray(polytope.matrix),
        np.minimum(upper, LARGE),
        np.maximum(lower, -LARGE),
        sense,
        primal_tol=control.accuracy(PRIMAL_FRACTION, *PRIMAL_TOLERANCES),
        time_limit=min(control.seconds_left, LARGE),
    )
    multipliers = np.asarray(info["lam"])[len(polytope.upper) :]
    return int(status), ProgramSolution(np.asarray(point), multipliers, "daqp", int(info["iterations"]))


def _piqp(
    program: Program, hessian: Matrix, control: SolverControl, tolerance: float | None = None
) -> ProgramSolution | None:
    import piqp  # only where it is used, as above

    polytope = program.polytope
    equal = polytope.row_lower == polytope.row_upper
    solver = piqp.DenseSolver()
    settings = solver.settings
    if tolerance is None:
        tolerance = control.accuracy(INTERIOR_FRACTION, *INTERIOR_TOLERANCES)
    settings.eps_abs = settings.eps_rel = settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = tolerance
    settings.max_iter = 400
    solver.setup(
        np.asfortranarray(hessian),
        program.linear,
        np.asfortranarray(polytope.matrix[equal]),
        polytope.row_upper[equal],
        np.asfortranarray(polytope.matrix[~equal]),
        np.maximum(polytope.row_lower[~equal], -LARGE),
        np.minimum(polytope.row_upper[~equal], LARGE),
        np.maximum(polytope.lower, -LARGE),
        np.minimum(polytope.upper, LARGE),
    )
    control()
    status = solver.solve()
    control()
    result = solver.result
    if status == piqp.PIQP_PRIMAL_INFEASIBLE:
        return None
    if status not in (piqp.PIQP_SOLVED, piqp.PIQP_MAX_ITER_REACHED, piqp.PIQP_NUMERICS):
        raise SolverFailed.stopped("piqp", status)
    multipliers = np.zeros(len(equal))
    multipliers[equal] = result.y
    multipliers[~equal] = np.asarray(result.z_u) - np.asarray(result.z_l)
    return ProgramSolution(_inside(np.asarray(result.x), polytope), multipliers, "piqp", int(result.info.iter))


def _inside(point: Vector, polytope: Polytope) -> Vector:
    """An interior-point answer may lie outside its bounds by its own tolerance."""
    return np.clip(point, polytope.lower, polytope.upper)
