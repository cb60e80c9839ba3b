"""Long-only and nothing else: the least x'Hx / 2 with a'x = b and x >= 0, by block principal pivoting.

With z = x / lambda the optimality conditions are those of Hz - a >= 0, z >= 0, z'(Hz - a) = 0. Every index that breaks
a condition changes sides at once (Portugal, Judice & Vicente 1994), which takes a handful of linear systems; where that
stops making progress, one index at a time does, which always ends where H is definite (Murty's rule).
"""

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.optimization.programs.program import Program, ProgramSolution

Mask = NDArray[np.bool_]

LEAST_PIVOT = 1e-12
"""Least part of a variable's curvature that the others do not have, of a Hessian that counts as definite."""

PATIENCE = 3
"""Blocks that may fail to shrink the number of broken conditions before single steps take over."""

TOLERANCE = 1e-13
"""How far, relative to its largest term, a condition may be missed by rounding."""


def is_long_only(program: Program) -> bool:
    """Whether the program has this form."""
    polytope = program.polytope
    return (
        polytope.matrix.shape[0] == 1
        and polytope.row_lower[0] == polytope.row_upper[0]
        and polytope.row_upper[0] > 0.0
        and not program.linear.any()
        and not polytope.lower.any()
        and bool(np.isposinf(polytope.upper).all())
    )


def solve_long_only(
    program: Program, hessian: Matrix, check_cancelled: CancellationCheck = never_cancelled
) -> ProgramSolution | None:
    """The exact answer, or None where the Hessian is not definite enough to find it this way."""
    target = program.polytope.matrix[0]
    n_assets = len(target)
    held = target > 0.0
    fewest, patience, may_not_end = n_assets + 1, PATIENCE, True
    for iteration in range(1, 20 * n_assets + 20):
        check_cancelled()
        try:
            point, slack = _on(hessian, target, held)
        except np.linalg.LinAlgError:
            return None
        broken = np.where(held, point < 0.0, slack < -TOLERANCE * np.abs(target).max())
        count = int(broken.sum())
        if count == 0:
            return _answer(program, point, iteration)
        if count < fewest:
            fewest, patience = count, PATIENCE
        elif patience > 0:
            patience -= 1
        elif may_not_end and not _is_definite(hessian):
            return None  # of a covariance of few returns, single steps would take thousands of systems and fail
        else:
            may_not_end = False
            broken[: int(np.flatnonzero(broken)[-1])] = False
        held ^= broken
    return None


def _is_definite(hessian: Matrix) -> bool:
    """Whether every variable has curvature of its own, whatever the units of each are."""
    variances = hessian.diagonal()
    if not (variances > 0.0).all():
        return False
    size = np.sqrt(variances)
    try:
        pivots = np.linalg.cholesky(hessian / size / size[:, None]).diagonal()
    except np.linalg.LinAlgError:
        return False
    return bool(pivots.min() ** 2 > LEAST_PIVOT)


def _on(hessian: Matrix, target: Vector, held: Mask) -> tuple[Vector, Vector]:
    """Hz = a on the held indices, zero elsewhere, and the slack Hz - a."""
    indices = np.flatnonzero(held)
    point = np.zeros(len(target))
    if len(indices) == len(target):
        point[:] = np.linalg.solve(hessian, target)
        return point, np.zeros(len(target))
    columns = hessian[:, indices]
    found = np.linalg.solve(columns[indices], target[indices])
    point[indices] = found
    return point, columns @ found - target


def _answer(program: Program, point: Vector, iterations: int) -> ProgramSolution | None:
    """Back from z to x, whose size the row fixes."""
    polytope = program.polytope
    reached = float(polytope.matrix[0] @ point)
    if not reached > 0.0:
        return None
    scale = float(polytope.row_upper[0]) / reached
    return ProgramSolution(scale * point, np.array([-scale]), "active set", iterations)
