"""Linear programs by HiGHS."""

from typing import Any

import numpy as np

from domain.errors import SolverFailed, SolverTimedOut, UnboundedProblem
from domain.optimization.fast.program import Answer, Program

FEASIBILITY_TOLERANCE = 1e-9


def solve_linear(program: Program, time_limit_seconds: float = 30.0) -> Answer | None:
    """A vertex that minimises a linear program, or None where its polytope is empty.

    Raises UnboundedProblem, SolverTimedOut or SolverFailed.
    """
    import highspy  # only where it is used: a server that never optimises does not load it

    solver: Any = highspy.Highs  # its stub leaves the constructor untyped
    solver = solver()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("primal_feasibility_tolerance", FEASIBILITY_TOLERANCE)
    solver.setOptionValue("dual_feasibility_tolerance", FEASIBILITY_TOLERANCE)
    solver.setOptionValue("time_limit", time_limit_seconds)
    _pass(solver, program)
    solver.run()
    outcome, status = highspy.HighsModelStatus, solver.getModelStatus()
    if status == outcome.kUnboundedOrInfeasible:
        # Presolve need not tell the two apart; the simplex method does.
        solver.setOptionValue("presolve", "off")
        solver.run()
        status = solver.getModelStatus()
    if status == outcome.kInfeasible:
        return None
    if status == outcome.kUnbounded:
        raise UnboundedProblem("the objective can be improved for ever; add an upper bound on the weights")
    if status == outcome.kTimeLimit:
        raise SolverTimedOut("the time limit ran out before the answer was found")
    if status != outcome.kOptimal:
        raise SolverFailed(f"HiGHS ended with {status}")
    solution = solver.getSolution()
    # HiGHS gives d(value)/d(end of row); a multiplier here is positive where the upper end pushes, hence the sign.
    multipliers = -np.asarray(solution.row_dual)
    return Answer(np.asarray(solution.col_value), multipliers, "highs", int(solver.getInfo().simplex_iteration_count))


def _pass(solver: Any, program: Program) -> None:
    """Hands the program over row by row."""
    polytope = program.polytope
    filled = polytope.matrix != 0.0
    rows, columns = filled.shape
    solver.passModel(
        columns,
        rows,
        int(filled.sum()),
        2,  # row-wise
        1,  # minimise
        0.0,
        program.linear,
        polytope.lower,
        polytope.upper,
        polytope.row_lower,
        polytope.row_upper,
        np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int32),
        np.nonzero(filled)[1].astype(np.int32),
        polytope.matrix[filled],
        np.zeros(columns, dtype=np.int32),
    )
