"""Quadratic programs with sparse matrices by piqp: many variables, each in few rows."""

from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed
from domain.optimization.problem.polytope import LARGE
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl

TOLERANCE = 1e-12
"""Of residuals and gap; variables and objective should be of size 1."""

MOST_ITERATIONS = 200


def solve_sparse_quadratic(
    hessian: Any, linear: Vector, rows: Any, row_lower: Vector, row_upper: Vector, control: SolverControl = UNLIMITED
) -> Vector:
    """The x (n,) with the least ½ x'Hx + c'x where lower <= Gx <= upper; H (n, n), G (m, n) are scipy sparse matrices.

    The program must have a feasible point. Whether the answer is the optimum must be proven by the caller, who knows
    the structure of the rows: it may end at the limit of iterations. Raises SolverTimedOut or SolverFailed.
    """
    import piqp  # only where it is used: a server that never optimises does not load it
    from scipy.sparse import triu

    solver = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = settings.eps_rel = TOLERANCE
    settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = TOLERANCE
    settings.max_iter = MOST_ITERATIONS
    lower, upper = np.maximum(row_lower, -LARGE), np.minimum(row_upper, LARGE)
    solver.setup(triu(hessian).tocsc(), linear, None, None, rows.tocsc(), lower, upper)
    control()
    status = solver.solve()
    control()
    if status not in (piqp.PIQP_SOLVED, piqp.PIQP_MAX_ITER_REACHED, piqp.PIQP_NUMERICS):
        raise SolverFailed.stopped("piqp", status)
    point = np.asarray(solver.result.x)
    if not np.isfinite(point).all():
        raise SolverFailed.stopped("piqp", status)
    return point
