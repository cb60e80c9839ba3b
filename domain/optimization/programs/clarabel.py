"""Conic programs by Clarabel, with a bound proven from its multipliers.

Clarabel solves min x'Px / 2 + q'x with b - Ax in a product of cones.
"""

import math
from dataclasses import replace
from typing import Any, Self

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed, SolverTimedOut, UnboundedProblem
from domain.optimization.programs.affine import stacked
from domain.optimization.programs.conic_program import ConeKind, ConicProgram, ConicSolution
from domain.optimization.programs.solver_control import LATE
from domain.optimization.programs.variable_intervals import LinearRows, lower_bound_over_rows
from domain.optimization.tolerances import CONIC_VALUE_FLOOR
from domain.records import dataclass

ACCURACY_FRACTION, ACCURACIES = 1e-2, (1e-13, 1e-5)
"""Of the tolerance of the answer, what is asked of the solver; it gives what double precision has, and the proof tells
how much that is."""


ATTEMPTS = ((True, 0.99), (False, 0.99), (True, 0.9), (False, 0.9))
"""Whether the solver scales the program, and its step length: power cones stall under one and not under the other."""


SEMIDEFINITE_ATTEMPTS = ((True, 0.99), (True, 0.9))
"""Matrices diverge unless the program is scaled."""


SMALL = 1e-6
"""By how much, relative to one, the answer's own value may be above the least."""


GOOD = 2e-8
"""A gap up to this needs no further attempt: a fifth of the gap that an answer may have."""


def solve_conic(program: ConicProgram, *, again: bool = False) -> ConicSolution | None:
    """The minimiser of a conic program, or None where it is empty; `again`, by other attempts than the first.

    Raises UnboundedProblem, SolverTimedOut or SolverFailed.
    """
    return _Assembled.of(program).solve(program, again)


@dataclass(frozen=True, slots=True)
class _Assembled:
    """The program in Clarabel's terms."""

    hessian: Any  # upper triangle, CSC
    linear: Vector
    matrix: Any  # CSC
    right: Vector
    cones: list[Any]
    indices: list[slice]  # of each block

    @classmethod
    def of(cls, program: ConicProgram) -> Self:
        import clarabel  # only where it is used: a server that never optimises loads neither
        from scipy import sparse

        order = sorted(range(len(program.blocks)), key=lambda i: program.blocks[i].kind)
        everything = stacked(*(program.blocks[i].expressions for i in order))
        matrix = sparse.csc_matrix(
            (-everything.values, (everything.rows, everything.columns)), shape=(len(everything), program.columns)
        )
        linear = np.zeros(program.columns)
        np.add.at(linear, program.linear.columns, program.linear.values)
        hessian = sparse.csc_matrix((program.columns, program.columns))
        if program.curvature is not None:
            upper = sparse.coo_matrix(np.triu(program.curvature))
            places = (upper.row + program.curved_from, upper.col + program.curved_from)
            hessian = sparse.csc_matrix((upper.data, places), shape=hessian.shape)
        indices: list[slice] = [slice(0)] * len(order)
        cones: list[Any] = []
        start = 0
        for i in order:
            block = program.blocks[i]
            size = len(block.expressions)
            indices[i] = slice(start, start + size)
            start += size
            match block.kind:
                case ConeKind.ZERO:
                    one = clarabel.ZeroConeT(block.size)
                case ConeKind.NONNEGATIVE:
                    one = clarabel.NonnegativeConeT(block.size)
                case ConeKind.SECOND_ORDER:
                    one = clarabel.SecondOrderConeT(block.size)
                case ConeKind.EXPONENTIAL:
                    one = clarabel.ExponentialConeT()
                case ConeKind.POWER:
                    one = clarabel.PowerConeT(block.exponent)
                case ConeKind.SEMIDEFINITE:
                    one = clarabel.PSDTriangleConeT(block.order)
            cones += [one] * (size // max(block.size, 1))
        return cls(hessian, linear, matrix, everything.constant, cones, indices)

    def solve(self, program: ConicProgram, again: bool) -> ConicSolution | None:
        import clarabel

        outcome = clarabel.SolverStatus
        best: ConicSolution | None = None
        bound, status = -math.inf, None
        accuracy = program.control.accuracy(ACCURACY_FRACTION, *ACCURACIES)
        good = max(GOOD, 0.2 * program.control.tolerance)
        doubtful = (outcome.AlmostPrimalInfeasible, outcome.AlmostDualInfeasible) if program.has_matrices else ()
        attempts = tuple(enumerate(SEMIDEFINITE_ATTEMPTS if program.has_matrices else ATTEMPTS))
        for number, (scaled, stride) in attempts[again:]:
            settings = clarabel.DefaultSettings()
            settings.verbose = False
            settings.time_limit = program.control.seconds_left
            settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = accuracy
            settings.max_iter = 400
            settings.max_threads = 1
            settings.equilibrate_enable, settings.max_step_fraction = scaled, stride
            if number:
                _refine_longer(settings)
            solver = clarabel.DefaultSolver(self.hessian, self.linear, self.matrix, self.right, self.cones, settings)
            found = _solved_or_none(solver)
            if found is None or found.status in doubtful:
                continue  # a matrix's answer that is not certain is none
            status = found.status
            if status in (outcome.PrimalInfeasible, outcome.AlmostPrimalInfeasible):
                return None
            if status in (outcome.DualInfeasible, outcome.AlmostDualInfeasible):
                raise UnboundedProblem(
                    "the problem is unbounded: its objective improves without limit; add an upper bound on the weights"
                )
            if status == outcome.MaxTime:
                raise SolverTimedOut(LATE)
            answer = self._answer(program, found)
            if answer is not None:
                bound = max(bound, answer.bound)  # each attempt proves one, whichever has the better point
                best = answer if best is None or answer.gap < best.gap else best
            if best is not None and best.gap <= good:
                break
        if best is None:
            raise SolverFailed.stopped("clarabel", status)
        return replace(best, bound=bound)

    def _answer(self, program: ConicProgram, found: Any) -> ConicSolution | None:
        point, multipliers = np.asarray(found.x), np.asarray(found.z)
        if not (np.isfinite(point).all() and np.isfinite(multipliers).all()):
            return None
        fixed = float(program.linear.constant[0])
        with np.errstate(over="ignore", invalid="ignore"):  # what diverged proves nothing
            bound = self._proven(program, point, multipliers)
        if not np.isfinite(bound):
            return None
        # An answer is judged relative to its objective, so an attempt is too, and not relative to one.
        error = abs(float(found.obj_val) - bound) + float(found.r_prim) * max(1.0, abs(bound))
        gap = error / max(CONIC_VALUE_FLOOR, abs(bound + fixed))
        each = tuple(multipliers[index] for index in self.indices)
        return ConicSolution(point, each, bound + fixed, gap, int(found.iterations))

    def _proven(self, program: ConicProgram, point: Vector, multipliers: Vector) -> float:
        """The dual objective, less what its residual could gain over all points that are no worse than the answer.

        Multipliers of an interior-point method lie inside their cones, so weak duality holds but for the residual of
        stationarity, whatever the point.
        """
        curved = self.hessian @ point + self.hessian.T @ point - self.hessian.diagonal() * point
        residual = curved + self.linear + self.matrix.T @ multipliers
        value = 0.5 * float(point @ curved) + float(self.linear @ point)
        value += SMALL * max(1.0, abs(value))
        dual = float(-0.5 * (point @ curved) - self.right @ multipliers)
        bound = dual + lower_bound_over_rows(residual, self._rows(program, value), point)
        return min(bound, value)  # points that are worse than the value are above it anyway

    def _rows(self, program: ConicProgram, value: float) -> LinearRows:
        """What is linear: halfspaces, the axis of each second-order cone, and an objective of at most the value."""
        entries = self.matrix.tocoo()
        entries.eliminate_zeros()
        equal, axis = np.zeros(len(self.right), dtype=bool), np.zeros(len(self.right), dtype=bool)
        for block, index in zip(program.blocks, self.indices, strict=True):
            match block.kind:
                case ConeKind.ZERO:
                    equal[index] = True
                case ConeKind.NONNEGATIVE:
                    axis[index] = True
                case ConeKind.SECOND_ORDER:
                    axis[index][:: block.size] = True
        below, above = (axis | equal)[entries.row], equal[entries.row]
        costs, count = np.flatnonzero(self.linear), len(self.right)
        return LinearRows(
            np.concatenate([entries.row[below], entries.row[above] + count, np.full(len(costs), 2 * count)]),
            np.concatenate([entries.col[below], entries.col[above], costs]),
            np.concatenate([entries.data[below], -entries.data[above], self.linear[costs]]),
            np.concatenate([self.right, -self.right, [value]]),
        )


def _refine_longer(settings: Any) -> None:
    """Linear systems to the last digit, where most of what an attempt lacks is lost; slower, so not at first."""
    settings.iterative_refinement_reltol = settings.iterative_refinement_abstol = 1e-15
    settings.iterative_refinement_max_iter, settings.iterative_refinement_stop_ratio = 50, 1.1


def _solved_or_none(solver: Any) -> Any | None:
    """The solver's answer, None where its eigenvalues did not converge: it panics then, beyond Exception."""
    try:
        return solver.solve()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None
