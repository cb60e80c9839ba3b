"""Active-set polish: the limits that are active at an interior-point answer become equations, which are solved exactly.

An interior-point method ends a little inside every limit. Which limits hold at the optimum shows in the multipliers,
and with them fixed the optimum is the solution of one linear system.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.optimization.programs.duality import bound_multipliers, proven_bound, relative_gap
from domain.optimization.programs.program import Program, ProgramSolution

Mask = NDArray[np.bool_]

MISS_TOLERANCE = 1e-11
CLOSE = 1e-10
"""Relative gap from which exactness is a matter of the last digits only."""

SNAPPED_MISS = 1e-9
SHIFT = 1e-7
REFINEMENTS = 3


def polish(program: Program, answer: ProgramSolution) -> ProgramSolution:
    """The exact answer on the active limits of the given one, or the given one where that is not better."""
    rough = replace(answer, bound=proven_bound(program, answer))
    if _has_auxiliary(program) and relative_gap(program, rough) <= CLOSE:
        # Variables without curvature make the equations singular and expensive, and nothing is left to improve.
        return snap_active_bounds(program, rough)
    exact = _solve_active_equations(program, rough)
    if exact is None or _violation(program, exact.point) > MISS_TOLERANCE:
        return rough
    exact = replace(exact, bound=proven_bound(program, exact))
    return exact if _gap(program, exact) < _gap(program, rough) else rough


def _has_auxiliary(program: Program) -> bool:
    return program.hessian is not None and not np.diag(program.hessian).all()


def snap_active_bounds(program: Program, answer: ProgramSolution) -> ProgramSolution:
    """Variables whose bound is active are set to it, where the result keeps all limits."""
    polytope = program.polytope
    box_multipliers = bound_multipliers(program, answer)
    at_upper = _is_active(box_multipliers, polytope.upper - answer.point)
    at_lower = _is_active(-box_multipliers, answer.point - polytope.lower)
    point = np.where(at_upper, polytope.upper, np.where(at_lower, polytope.lower, answer.point))
    return replace(answer, point=point) if _violation(program, point) <= SNAPPED_MISS else answer


def _solve_active_equations(program: Program, answer: ProgramSolution) -> ProgramSolution | None:
    hessian, polytope = program.hessian, program.polytope
    if hessian is None:
        return None
    box_multipliers = bound_multipliers(program, answer)
    at_upper = _is_active(box_multipliers, polytope.upper - answer.point)
    at_lower = _is_active(-box_multipliers, answer.point - polytope.lower)
    point = np.where(at_upper, polytope.upper, np.where(at_lower, polytope.lower, answer.point))
    free = ~(at_upper | at_lower)
    values = polytope.matrix @ answer.point
    multipliers = answer.row_multipliers
    equal = polytope.row_lower == polytope.row_upper
    rows_up = equal | _is_active(multipliers, polytope.row_upper - values)
    rows_down = ~rows_up & _is_active(-multipliers, values - polytope.row_lower)
    active = rows_up | rows_down
    ends = np.where(rows_up, polytope.row_upper, polytope.row_lower)[active]
    fixed = np.where(free, 0.0, point)
    solved = _solve_kkt(
        hessian[np.ix_(free, free)],
        polytope.matrix[np.ix_(active, free)],
        -(program.linear + hessian @ fixed)[free],
        ends - polytope.matrix[active] @ fixed,
    )
    if solved is None:
        return None
    point[free], exact = solved[: int(free.sum())], np.zeros(len(multipliers))
    exact[active] = solved[int(free.sum()) :]
    return ProgramSolution(point, exact, answer.solver, answer.iterations)


def _solve_kkt(hessian: Matrix, rows: Matrix, target: Vector, ends: Vector) -> Vector | None:
    """[H A'; A 0] [x; y] = [target; ends]; of many solutions one, as auxiliary variables may leave some."""
    size, count = len(hessian), len(rows)
    if not size:
        return None
    system = np.zeros((size + count, size + count))
    system[:size, :size] = hessian
    system[size:, :size] = rows
    system[:size, size:] = rows.T
    right = np.concatenate([target, ends])
    for attempt in (_solve_directly, _solve_regularised):
        try:
            solved = attempt(system, right, size)
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(solved).all() and np.abs(system @ solved - right).max() <= MISS_TOLERANCE:
            return solved
    # The shortest of all that come closest; what it is worth shows in the gap that it proves.
    shortest: Vector = np.linalg.lstsq(system, right)[0]
    return shortest if np.isfinite(shortest).all() else None


def _solve_directly(system: Matrix, right: Vector, _: int) -> Vector:
    return np.asarray(np.linalg.solve(system, right), dtype=np.float64)


def _solve_regularised(system: Matrix, right: Vector, size: int) -> Vector:
    """Where auxiliary variables leave freedom: away from singular by a little, and refined back."""
    shift = np.full(len(system), SHIFT)
    shift[size:] = -SHIFT
    inverse = np.linalg.inv(system + np.diag(shift))
    solved: Vector = inverse @ right
    for _ in range(REFINEMENTS):
        solved = solved + inverse @ (right - system @ solved)
    return solved


def _is_active(multiplier: Vector, slack: Vector) -> Mask:
    """True where the multiplier exceeds the slack."""
    result: Mask = (multiplier > 0.0) & (slack < multiplier)
    return result


def _violation(program: Program, point: Vector) -> float:
    polytope = program.polytope
    values = polytope.matrix @ point
    misses = [polytope.lower - point, point - polytope.upper, polytope.row_lower - values, values - polytope.row_upper]
    return max(float(miss.max(initial=0.0)) for miss in misses)


def _gap(program: Program, answer: ProgramSolution) -> float:
    return program.value(answer.point) - proven_bound(program, answer)
