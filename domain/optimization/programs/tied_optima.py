"""Tie-breaking: of several optimal answers, the one with the least variance.

All best points of a linear program are those feasible ones that are complementary to its multipliers: what has a
reduced cost stays at its bound, what has a multiplier stays at its end. Over this face the variance is minimised. The
best ratios of a quadratic program in y = kappa w have the same risk in every factor of the covariance, and of these the
weights y / kappa have the least variance where kappa is largest.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed, UnboundedProblem
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.duality import bound_multipliers, relative_gap
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.records import dataclass

TIED = 1e-11
"""A scaled reduced cost or multiplier of less than this is none: figures that differ by so little are equal."""

CLOSE = 1e-8
"""The same for an interior point's multipliers, relative to the gradient."""

INSIDE = 1e-7
"""A variable this far from its bounds, relative to the largest one, has no reduced cost but for rounding."""

RISK_FREE = 1e-12
"""Directions whose variance is less than this part of the largest carry no risk."""

MISSED = 1e-9
"""A point of a face that misses a limit by more is not taken."""


@dataclass(frozen=True, slots=True)
class _Face:
    """Where a linear program has its best value: some variables are free, within the polytope's rows."""

    free: NDArray[np.bool_]  # (n,)
    rows: Polytope  # of the free variables

    @classmethod
    def of(cls, program: Program, answer: ProgramSolution, tolerance: float) -> "_Face | None":
        """The face of an answer, None where it is one point; multipliers within the tolerance are none."""
        polytope, point = program.polytope, answer.point
        inside = np.minimum(point - polytope.lower, polytope.upper - point) > INSIDE * max(1.0, np.abs(point).max())
        free = inside | (np.abs(bound_multipliers(program, answer)) <= tolerance) & (polytope.lower < polytope.upper)
        if not free.any():
            return None
        row_multipliers, values = answer.row_multipliers, polytope.matrix @ point
        held = (np.abs(row_multipliers) > tolerance) | (polytope.row_lower == polytope.row_upper)
        matrix = polytope.matrix[:, free]
        # At a vertex with as many multipliers as variables each limit is needed, and no rank has to be computed.
        if int((np.abs(row_multipliers) > tolerance).sum()) >= int(free.sum()):
            return None
        if np.linalg.matrix_rank(matrix[held]) == int(free.sum()):
            return None
        ends = np.where(row_multipliers > 0.0, polytope.row_upper, polytope.row_lower)
        ends = np.where(np.isfinite(ends), ends, values)
        moved = polytope.matrix[:, ~free] @ point[~free]
        lower = np.where(held, ends, polytope.row_lower) - moved
        upper = np.where(held, ends, polytope.row_upper) - moved
        kept = matrix.any(axis=1)
        rows = Polytope(matrix[kept], lower[kept], upper[kept], polytope.lower[free], polytope.upper[free])
        return cls(free, rows)


def least_variance_on_face(
    program: Program, answer: ProgramSolution, hessian: Matrix, control: SolverControl = UNLIMITED
) -> ProgramSolution:
    """The best point of a linear program with the least x'Hx, with the multipliers of the answer."""
    face = _Face.of(program, answer, TIED)
    if face is None:
        return answer
    free, held = face.free, np.where(face.free, 0.0, answer.point)
    curved = Program(hessian[np.ix_(free, free)], (hessian @ held)[free], face.rows)
    try:
        found = solve_quadratic(curved, control)
    except SolverFailed:
        return answer
    if found is None:
        return answer
    point = held.copy()
    point[free] = found.point
    better = replace(answer, point=point, iterations=answer.iterations + found.iterations)
    return better if _misses(program.polytope, point) <= MISSED else answer


def largest_kappa_on_face(
    program: Program, answer: ProgramSolution, kappa: Vector, control: SolverControl = UNLIMITED
) -> ProgramSolution:
    """Of a quadratic program's best points that with the largest kappa . x, with the multipliers of the answer."""
    hessian = program.hessian
    if hessian is None:
        return answer
    tangent = Program(None, program.gradient(answer.point), program.polytope)
    face = _Face.of(tangent, answer, CLOSE * float(np.abs(tangent.linear).max()))
    if face is None:
        return answer
    within = hessian[np.ix_(face.free, face.free)]
    if _definite(within):
        return answer  # no two points of the face have the same risk
    values, vectors = np.linalg.eigh(within)
    risky = vectors[:, values > RISK_FREE * max(float(values[-1]), 0.0)].T
    rows, there = face.rows, risky @ answer.point[face.free]
    same = Polytope(
        np.vstack([rows.matrix, risky]),
        np.append(rows.row_lower, there),
        np.append(rows.row_upper, there),
        rows.lower,
        rows.upper,
    )
    try:
        found = solve_linear(Program(None, -kappa[face.free], same), control)
    except (SolverFailed, UnboundedProblem):
        return answer
    if found is None:
        return answer
    point = answer.point.copy()
    point[face.free] = found.point
    if (
        float(kappa @ point) <= (1.0 + MISSED) * float(kappa @ answer.point)
        or _misses(program.polytope, point) > MISSED
    ):
        return answer
    larger = replace(answer, point=point, bound=None)
    return larger if relative_gap(program, larger) <= max(MISSED, relative_gap(program, answer)) else answer


def _definite(matrix: Matrix) -> bool:
    try:
        pivots = np.linalg.cholesky(matrix).diagonal()
    except np.linalg.LinAlgError:
        return False
    return bool(pivots.min() ** 2 > RISK_FREE * pivots.max() ** 2)


def _misses(polytope: Polytope, point: Vector) -> float:
    values = polytope.matrix @ point
    rows = np.maximum(polytope.row_lower - values, values - polytope.row_upper).max(initial=0.0)
    return float(max(rows, np.maximum(polytope.lower - point, point - polytope.upper).max(initial=0.0)))
