"""Linear programs by HiGHS."""

from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed, SolverTimedOut, UnboundedProblem
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import LATE, UNLIMITED, SolverControl

ACCURACY_FRACTION, PRIMAL_TOLERANCES, DUAL_TOLERANCES = 0.1, (1e-10, 1e-9), (1e-10, 1e-4)
"""Of the tolerance of the answer, what is asked of HiGHS, which takes 1e-10 at least: beyond 1e-9 the answer would not
keep its limits."""


def solve_linear(program: Program, control: SolverControl = UNLIMITED) -> ProgramSolution | None:
    """A vertex that minimises a linear program, or None where its polytope is empty.

    Raises UnboundedProblem, SolverTimedOut or SolverFailed.
    """
    return IncrementalProgram(program, control).solve()


class IncrementalProgram:
    """A linear program to which rows can be added; each solve starts from the last answer."""

    def __init__(self, program: Program, control: SolverControl = UNLIMITED) -> None:
        import highspy  # only where it is used: a server that never optimises does not load it

        solver: Any = highspy.Highs  # its stub leaves the constructor untyped
        self._solver, self._control = solver(), control
        self._outcome: Any = highspy.HighsModelStatus
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        primal = control.accuracy(ACCURACY_FRACTION, *PRIMAL_TOLERANCES)
        dual = control.accuracy(ACCURACY_FRACTION, *DUAL_TOLERANCES)
        self._solver.setOptionValue("primal_feasibility_tolerance", primal)
        self._solver.setOptionValue("dual_feasibility_tolerance", dual)
        _pass(self._solver, program)
        self._columns = np.arange(len(program.polytope.lower), dtype=np.int32)

    def add_row(self, coefficients: Vector, lower: float) -> None:
        """coefficients . x >= lower."""
        self._solver.addRow(lower, np.inf, len(coefficients), self._columns, coefficients)

    def add_soft_row(self, coefficients: Vector, lower: float, price: float) -> None:
        """coefficients . x + s >= lower, what it lacks being a new variable s >= 0 that costs so much a unit.

        Coefficients are of the variables that the program was made with, as many as there are.
        """
        indices = np.append(self._columns[: len(coefficients)], self._solver.getNumCol()).astype(np.int32)
        self._solver.addCol(price, 0.0, np.inf, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        self._solver.addRow(lower, np.inf, len(indices), indices, np.append(coefficients, 1.0))

    def solve(self) -> ProgramSolution | None:
        """A vertex that minimises the program, or None where its polytope is empty. Raises as `solve_linear` does."""
        solver, outcome = self._solver, self._outcome
        self._run()
        status = solver.getModelStatus()
        if status == outcome.kUnboundedOrInfeasible:
            # Presolve need not tell the two apart; the simplex method does.
            solver.setOptionValue("presolve", "off")
            self._run()
            status = solver.getModelStatus()
        if status == outcome.kInfeasible:
            return None
        if status == outcome.kUnbounded:
            raise UnboundedProblem(
                "the problem is unbounded: its objective improves without limit; add an upper bound on the weights"
            )
        if status == outcome.kTimeLimit:
            raise SolverTimedOut(LATE)
        if status != outcome.kOptimal:
            raise SolverFailed.stopped("highs", status)
        solution = solver.getSolution()
        # HiGHS gives d(value)/d(end of row); a multiplier here is positive where the upper end binds, hence the sign.
        multipliers = -np.asarray(solution.row_dual)
        iterations = int(solver.getInfo().simplex_iteration_count)
        return ProgramSolution(np.asarray(solution.col_value), multipliers, "highs", iterations)

    def _run(self) -> None:
        # Its clock counts all runs of the program.
        self._solver.setOptionValue("time_limit", self._solver.getRunTime() + self._control.seconds_left)
        self._solver.run()


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
