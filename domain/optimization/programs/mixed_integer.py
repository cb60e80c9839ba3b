"""Mixed-integer linear programs by HiGHS, built row by row."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.records import dataclass

FEASIBILITY = 1e-9
"""How far a row may be broken, in its own unit: rows should be scaled so that their terms are near 1."""

SMALLEST_COEFFICIENT = 1e-12
"""HiGHS drops smaller ones. By its default of 1e-9, what it drops may be more than the tolerance, as the row of a line
that is next to level has it.
"""

INFINITY = np.inf


@dataclass(slots=True)
class LinearModel:
    """Minimise cost . x over lower <= x <= upper and rows; columns marked in `integer` are whole numbers."""

    cost: Vector  # (n,)
    lower: Vector  # (n,)
    upper: Vector  # (n,)
    integer: NDArray[np.bool_]  # (n,)
    _row_lower: list[float] = field(default_factory=list)
    _row_upper: list[float] = field(default_factory=list)
    _starts: list[int] = field(default_factory=lambda: [0])
    _columns: list[int] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)

    def add_row(self, columns: Sequence[int], values: Sequence[float], lower: float, upper: float) -> int:
        """lower <= values . x[columns] <= upper; the number of the row."""
        self._columns.extend(columns)
        self._values.extend(values)
        self._starts.append(len(self._columns))
        self._row_lower.append(lower)
        self._row_upper.append(upper)
        return len(self._row_upper) - 1

    def drop_row(self, row: int) -> None:
        """Takes the limits of a row away."""
        self._row_lower[row], self._row_upper[row] = -INFINITY, INFINITY

    def solve(
        self,
        cost: Vector | None = None,
        *,
        relaxed: bool = False,
        limits: "SearchLimits | None" = None,
        start: Vector | None = None,
        control: SolverControl = UNLIMITED,
    ) -> "IntegerSolution | None":
        """The best point that the search finds, and what no point is below; None where it finds none.

        `cost` replaces the objective; `relaxed` drops the whole numbers; `start` is a point to begin with. The search
        is the same each time, unless the deadline of `control` ends it. Raises what `control` raises before the search.
        """
        solver = self._solver(self.cost if cost is None else cost, relaxed, limits or SearchLimits(), control)
        if start is not None and not relaxed:
            _begin_with(solver, start)
        solver.run()
        control.check_cancelled()
        info = solver.getInfo()
        whole = bool(self.integer.any()) and not relaxed
        if int(info.primal_solution_status) != _FEASIBLE:
            return None
        value = float(info.objective_function_value)
        bound = float(info.mip_dual_bound) if whole else value
        return IntegerSolution(np.array(solver.getSolution().col_value), value, min(bound, value))

    def _solver(self, cost: Vector, relaxed: bool, limits: "SearchLimits", control: SolverControl) -> Any:
        import highspy  # only where it is used: a server that never plans lots does not load it

        make: Any = highspy.Highs  # its stub leaves the constructor untyped
        solver = make()
        for option, value in {
            "output_flag": False,
            "threads": 1,
            "primal_feasibility_tolerance": FEASIBILITY,
            "dual_feasibility_tolerance": FEASIBILITY,
            "mip_feasibility_tolerance": FEASIBILITY,
            "small_matrix_value": SMALLEST_COEFFICIENT,
            "mip_rel_gap": limits.relative_gap,
            "mip_abs_gap": limits.absolute_gap,
            "mip_max_nodes": limits.nodes,
            "time_limit": control.seconds_left,
            **({} if limits.heuristics else _NO_HEURISTICS),
        }.items():
            solver.setOptionValue(option, value)
        whole = self.integer.astype(np.int32) if not relaxed else np.zeros(len(cost), dtype=np.int32)
        solver.passModel(
            len(cost),
            len(self._row_lower),
            len(self._columns),
            2,  # row-wise
            1,  # minimise
            0.0,
            cost,
            self.lower,
            self.upper,
            np.array(self._row_lower),
            np.array(self._row_upper),
            np.array(self._starts, dtype=np.int32),
            np.array(self._columns, dtype=np.int32),
            np.array(self._values),
            whole,
        )
        return solver


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """When the search for whole numbers ends before its answer is proven."""

    relative_gap: float = 0.0  # (value - bound) / value
    absolute_gap: float = 0.0
    nodes: int = 2_000_000_000
    heuristics: bool = True  # whether points are looked for beside the tree: a waste of time where a good one is known


@dataclass(frozen=True, slots=True)
class IntegerSolution:
    """A point, its value, and a bound that no point has less than."""

    point: Vector  # (n,)
    value: float
    bound: float


_NO_HEURISTICS = {
    "mip_heuristic_effort": 0.0,
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
}

_FEASIBLE = 2
"""HiGHS's SolutionStatus for a point that keeps every limit."""


def _begin_with(solver: Any, start: Vector) -> None:
    import highspy

    solution = highspy.HighsSolution()
    solution.col_value = start.tolist()
    solver.setSolution(solution)
