"""Convex programs written block by block and solved by Clarabel, with a bound proven from its multipliers.

A `ConeModel` collects variables and says which affine expressions of them must lie in a cone. It is solved as
min x'Px / 2 + q'x with b - Ax in a product of cones.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed, SolverTimedOut, UnboundedProblem
from domain.optimization.problem.feasible_set import Polytope
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Answer, Program
from domain.optimization.programs.solver_control import LATE, UNLIMITED, SolverControl
from domain.optimization.programs.variable_intervals import Rows, least_over_rows

Places = NDArray[np.intp]

ACCURACY_SHARE, ACCURACIES = 1e-2, (1e-13, 1e-5)
"""Of the tolerance of the answer, what is asked of the solver; it gives what double precision has, and the proof tells
how much that is."""

ATTEMPTS = ((True, 0.99), (False, 0.99), (True, 0.9))
"""Whether the solver scales the program, and its step length: power cones stall under one and not under the other."""

SEMIDEFINITE_ATTEMPTS = ((True, 0.99), (True, 0.9))
"""Matrices diverge unless the program is scaled."""

SMALL = 1e-6
"""By how much, relative to one, the answer's own value may be above the least."""

GOOD = 2e-8
"""A gap up to this needs no further attempt: a fifth of the gap that an answer may have."""

RELATIVE_FLOOR = 1e-2
"""An objective smaller than this many units of the program counts as this when a gap is taken relative to it, as a
variance does below a ten thousandth of the assets' mean."""


@dataclass(frozen=True, slots=True)
class Affine:
    """m expressions: constant + sum of values[k] x[columns[k]] in the rows rows[k]."""

    rows: Places
    columns: Places
    values: Vector
    constant: Vector  # (m,)

    def __len__(self) -> int:
        return len(self.constant)

    def __add__(self, other: "Affine | Vector | float") -> "Affine":
        if not isinstance(other, Affine):
            return Affine(self.rows, self.columns, self.values, self.constant + other)
        mine, theirs = self.stretched(len(other)), other.stretched(len(self))
        return Affine(
            np.concatenate([mine.rows, theirs.rows]),
            np.concatenate([mine.columns, theirs.columns]),
            np.concatenate([mine.values, theirs.values]),
            mine.constant + theirs.constant,
        )

    def __sub__(self, other: "Affine | Vector | float") -> "Affine":
        return self + (-1.0 * other)

    def __rmul__(self, factor: float) -> "Affine":
        return self.times(factor)

    def __neg__(self) -> "Affine":
        return self.times(-1.0)

    def times(self, factor: float | Vector) -> "Affine":
        """Each expression times its factor; one expression times m factors gives m."""
        factors = np.atleast_1d(np.asarray(factor, dtype=np.float64))
        wide = self.stretched(len(factors))
        factors = np.broadcast_to(factors, len(wide))
        return Affine(wide.rows, wide.columns, wide.values * factors[wide.rows], wide.constant * factors)

    def stretched(self, count: int) -> "Affine":
        """A single expression repeated `count` times; others as they are."""
        if len(self) != 1 or count <= 1:
            return self
        return Affine(
            np.repeat(np.arange(count), len(self.columns)),
            np.tile(self.columns, count),
            np.tile(self.values, count),
            np.repeat(self.constant, count),
        )

    def under(self, matrix: Matrix) -> "Affine":
        """matrix times the expressions, for variables as they stand or few expressions."""
        dense = np.zeros((len(self), int(self.columns.max(initial=-1)) + 1))
        np.add.at(dense, (self.rows, self.columns), self.values)
        product = matrix @ dense
        rows, columns = np.nonzero(product)
        return Affine(rows, columns, product[rows, columns], matrix @ self.constant)

    def total(self, weights: Vector | None = None) -> "Affine":
        """The (weighted) sum of the expressions as one."""
        factors = np.ones(len(self)) if weights is None else weights
        constant = np.array([float(factors @ self.constant)])
        return Affine(np.zeros(len(self.rows), np.intp), self.columns, self.values * factors[self.rows], constant)

    def at(self, places: Places) -> "Affine":
        """Some of the expressions."""
        order = np.full(len(self), -1)
        order[places] = np.arange(len(places))
        kept = order[self.rows] >= 0
        return Affine(order[self.rows[kept]], self.columns[kept], self.values[kept], self.constant[places])

    def value(self, point: Vector) -> Vector:
        """The expressions at a point, (m,)."""
        result = self.constant.copy()
        np.add.at(result, self.rows, self.values * point[self.columns])
        return result


def constant(values: float | Vector) -> Affine:
    """Expressions without variables."""
    empty = np.zeros(0, np.intp)
    return Affine(empty, empty, np.zeros(0), np.atleast_1d(np.asarray(values, dtype=np.float64)))


def stacked(*parts: Affine) -> Affine:
    """Expressions one after the other."""
    starts = np.cumsum([0, *map(len, parts)])
    return Affine(
        np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.constant for part in parts]),
    )


class _Kind(IntEnum):
    """Cones in the order in which they are passed."""

    ZERO = 0
    NONNEGATIVE = 1
    SECOND_ORDER = 2
    EXPONENTIAL = 3
    POWER = 4
    SEMIDEFINITE = 5


@dataclass(frozen=True, slots=True)
class _Block:
    kind: _Kind
    expressions: Affine
    size: int  # of one cone; the block holds as many as its expressions fill
    exponent: float = 0.0
    order: int = 0  # of the matrix, where it is one


@dataclass(frozen=True, slots=True)
class ConeAnswer:
    """What Clarabel returned: a point, multipliers of each block in the order they were added, and a proven bound."""

    point: Vector
    multipliers: tuple[Vector, ...]
    bound: float  # no feasible point has a smaller objective
    gap: float  # of the solver's own value to that, relative, and what it misses of the cones
    iterations: int


@dataclass
class ConeModel:
    """A convex program in the making."""

    columns: int = 0
    blocks: list[_Block] = field(default_factory=list)
    linear: Affine = field(default_factory=lambda: constant(0.0))
    curvature: Matrix | None = None  # (k, k) of the first k variables
    control: SolverControl = UNLIMITED

    def variables(self, count: int) -> Affine:
        """New variables, free until something bounds them."""
        places = np.arange(self.columns, self.columns + count)
        self.columns += count
        return Affine(np.arange(count), places, np.ones(count), np.zeros(count))

    def positive(self, count: int) -> Affine:
        """New variables of 0 or more."""
        found = self.variables(count)
        self.nonnegative(found)
        return found

    def zero(self, expressions: Affine) -> int:
        """They must be 0; the number of the block."""
        return self._add(_Block(_Kind.ZERO, expressions, len(expressions)))

    def nonnegative(self, expressions: Affine) -> int:
        """They must be 0 or more; the number of the block."""
        return self._add(_Block(_Kind.NONNEGATIVE, expressions, len(expressions)))

    def second_order(self, bound: Affine, expressions: Affine) -> int:
        """Their Euclidean norm is at most the bound."""
        return self._add(_Block(_Kind.SECOND_ORDER, stacked(bound, expressions), 1 + len(expressions)))

    def products(self, squared: Affine, first: Affine, second: Affine) -> None:
        """squared^2 <= first second, one by one, as |(first - second, 2 squared)| <= first + second."""
        self._add(_Block(_Kind.SECOND_ORDER, _interleaved(first + second, first - second, 2.0 * squared), 3))

    def exponential(self, x: Affine, y: Affine, z: Affine) -> None:
        """y exp(x / y) <= z, one by one."""
        self._add(_Block(_Kind.EXPONENTIAL, _interleaved(x, y, z), 3))

    def power(self, x: Affine, y: Affine, z: Affine, exponent: float) -> None:
        """x^exponent y^(1 - exponent) >= |z|, one by one."""
        self._add(_Block(_Kind.POWER, _interleaved(x, y, z), 3, exponent))

    def semidefinite(self, triangle: Affine, order: int) -> None:
        """The symmetric matrix of this order is positive semidefinite; `triangle` is its upper one, column by column,
        what is off the diagonal times the root of 2."""
        self._add(_Block(_Kind.SEMIDEFINITE, triangle, len(triangle), order=order))

    def minimise(self, expression: Affine, curvature: Matrix | None = None) -> None:
        """Sets the objective: the expression, plus x'Cx / 2 of the first variables."""
        self.linear, self.curvature = expression, curvature

    def _add(self, block: _Block) -> int:
        self.blocks.append(block)
        return len(self.blocks) - 1

    def solve(self) -> ConeAnswer | None:
        """The minimiser, or None where the program is empty.

        Raises UnboundedProblem, SolverTimedOut or SolverFailed.
        """
        return _Assembled.of(self).solve(self)

    @property
    def is_linear(self) -> bool:
        """Whether there is no cone but halfspaces, and no curvature."""
        return self.curvature is None and all(block.kind <= _Kind.NONNEGATIVE for block in self.blocks)

    @property
    def has_matrices(self) -> bool:
        """Whether some expressions form a positive semidefinite matrix."""
        return any(block.kind is _Kind.SEMIDEFINITE for block in self.blocks)

    def vertex(self) -> Answer | None:
        """A vertex that minimises a linear program, or None where it is empty. Raises as `solve` does."""
        everything = stacked(*(block.expressions for block in self.blocks))
        matrix = np.zeros((len(everything), self.columns))
        np.add.at(matrix, (everything.rows, everything.columns), everything.values)
        equal = np.concatenate([np.full(len(b.expressions), b.kind is _Kind.ZERO) for b in self.blocks])
        linear, free = np.zeros(self.columns), np.full(self.columns, np.inf)
        np.add.at(linear, self.linear.columns, self.linear.values)
        lower = 0.0 - everything.constant
        polytope = Polytope(matrix, lower, np.where(equal, lower, np.inf), -free, free)
        return solve_linear(Program(None, linear, polytope), self.control)


@dataclass(frozen=True, slots=True)
class _Assembled:
    """The program in Clarabel's terms."""

    hessian: Any  # upper triangle, CSC
    linear: Vector
    matrix: Any  # CSC
    right: Vector
    cones: list[Any]
    places: list[slice]  # of each block

    @classmethod
    def of(cls, model: ConeModel) -> Self:
        import clarabel  # only where it is used: a server that never optimises loads neither
        from scipy import sparse

        order = sorted(range(len(model.blocks)), key=lambda i: model.blocks[i].kind)
        everything = stacked(*(model.blocks[i].expressions for i in order))
        matrix = sparse.csc_matrix(
            (-everything.values, (everything.rows, everything.columns)), shape=(len(everything), model.columns)
        )
        linear = np.zeros(model.columns)
        np.add.at(linear, model.linear.columns, model.linear.values)
        hessian = sparse.csc_matrix((model.columns, model.columns))
        if model.curvature is not None:
            upper = sparse.coo_matrix(np.triu(model.curvature))
            hessian = sparse.csc_matrix((upper.data, (upper.row, upper.col)), shape=hessian.shape)
        places: list[slice] = [slice(0)] * len(order)
        cones: list[Any] = []
        start = 0
        for i in order:
            block = model.blocks[i]
            size = len(block.expressions)
            places[i] = slice(start, start + size)
            start += size
            match block.kind:
                case _Kind.ZERO:
                    one = clarabel.ZeroConeT(block.size)
                case _Kind.NONNEGATIVE:
                    one = clarabel.NonnegativeConeT(block.size)
                case _Kind.SECOND_ORDER:
                    one = clarabel.SecondOrderConeT(block.size)
                case _Kind.EXPONENTIAL:
                    one = clarabel.ExponentialConeT()
                case _Kind.POWER:
                    one = clarabel.PowerConeT(block.exponent)
                case _Kind.SEMIDEFINITE:
                    one = clarabel.PSDTriangleConeT(block.order)
            cones += [one] * (size // max(block.size, 1))
        return cls(hessian, linear, matrix, everything.constant, cones, places)

    def solve(self, model: ConeModel) -> ConeAnswer | None:
        import clarabel

        outcome = clarabel.SolverStatus
        best: ConeAnswer | None = None
        status = None
        accuracy = model.control.accuracy(ACCURACY_SHARE, *ACCURACIES)
        good = max(GOOD, 0.2 * model.control.tolerance)
        doubtful = (outcome.AlmostPrimalInfeasible, outcome.AlmostDualInfeasible) if model.has_matrices else ()
        for scaled, stride in SEMIDEFINITE_ATTEMPTS if model.has_matrices else ATTEMPTS:
            settings = clarabel.DefaultSettings()
            settings.verbose = False
            settings.time_limit = model.control.seconds_left
            settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = accuracy
            settings.max_iter = 400
            settings.max_threads = 1
            settings.equilibrate_enable, settings.max_step_fraction = scaled, stride
            solver = clarabel.DefaultSolver(self.hessian, self.linear, self.matrix, self.right, self.cones, settings)
            found = _solved(solver)
            if found is None or found.status in doubtful:
                continue  # a matrix's answer that is not certain is none
            status = found.status
            if status in (outcome.PrimalInfeasible, outcome.AlmostPrimalInfeasible):
                return None
            if status in (outcome.DualInfeasible, outcome.AlmostDualInfeasible):
                raise UnboundedProblem("the objective can be improved for ever; add an upper bound on the weights")
            if status == outcome.MaxTime:
                raise SolverTimedOut(LATE)
            answer = self._answer(model, found)
            if answer is not None and (best is None or answer.gap < best.gap):
                best = answer
            if best is not None and best.gap <= good:
                break
        if best is None:
            raise SolverFailed.stopped("clarabel", status)
        return best

    def _answer(self, model: ConeModel, found: Any) -> ConeAnswer | None:
        point, multipliers = np.asarray(found.x), np.asarray(found.z)
        if not (np.isfinite(point).all() and np.isfinite(multipliers).all()):
            return None
        fixed = float(model.linear.constant[0])
        with np.errstate(over="ignore", invalid="ignore"):  # what diverged proves nothing
            bound = self._proven(model, point, multipliers)
        if not np.isfinite(bound):
            return None
        # An answer is judged relative to its objective, so an attempt is too, and not relative to one.
        error = abs(float(found.obj_val) - bound) + float(found.r_prim) * max(1.0, abs(bound))
        gap = error / max(RELATIVE_FLOOR, abs(bound + fixed))
        each = tuple(multipliers[place] for place in self.places)
        return ConeAnswer(point, each, bound + fixed, gap, int(found.iterations))

    def _proven(self, model: ConeModel, point: Vector, multipliers: Vector) -> float:
        """The dual objective, less what its residual could gain over all points that are no worse than the answer.

        Multipliers of an interior-point method lie inside their cones, so weak duality holds but for the residual of
        stationarity, whatever the point.
        """
        curved = self.hessian @ point + self.hessian.T @ point - self.hessian.diagonal() * point
        residual = curved + self.linear + self.matrix.T @ multipliers
        value = 0.5 * float(point @ curved) + float(self.linear @ point)
        value += SMALL * max(1.0, abs(value))
        dual = float(-0.5 * (point @ curved) - self.right @ multipliers)
        bound = dual + least_over_rows(residual, self._rows(model, value), point)
        return min(bound, value)  # points that are worse than the value are above it anyway

    def _rows(self, model: ConeModel, value: float) -> Rows:
        """What is linear: halfspaces, the axis of each second-order cone, and an objective of at most the value."""
        entries = self.matrix.tocoo()
        entries.eliminate_zeros()
        equal, axis = np.zeros(len(self.right), dtype=bool), np.zeros(len(self.right), dtype=bool)
        for block, place in zip(model.blocks, self.places, strict=True):
            match block.kind:
                case _Kind.ZERO:
                    equal[place] = True
                case _Kind.NONNEGATIVE:
                    axis[place] = True
                case _Kind.SECOND_ORDER:
                    axis[place][:: block.size] = True
        below, above = (axis | equal)[entries.row], equal[entries.row]
        costs, count = np.flatnonzero(self.linear), len(self.right)
        return Rows(
            np.concatenate([entries.row[below], entries.row[above] + count, np.full(len(costs), 2 * count)]),
            np.concatenate([entries.col[below], entries.col[above], costs]),
            np.concatenate([entries.data[below], -entries.data[above], self.linear[costs]]),
            np.concatenate([self.right, -self.right, [value]]),
        )


def _solved(solver: Any) -> Any | None:
    """The solver's answer, None where its eigenvalues did not converge: it panics then, beyond Exception."""
    try:
        return solver.solve()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def _interleaved(*parts: Affine) -> Affine:
    """The first expressions of all parts, then the second ones, and so on."""
    count, step = max(map(len, parts)), len(parts)
    wide = [part.stretched(count) for part in parts]
    together = np.zeros(count * step)
    for offset, part in enumerate(wide):
        together[offset::step] = part.constant
    return Affine(
        np.concatenate([part.rows * step + offset for offset, part in enumerate(wide)]),
        np.concatenate([part.columns for part in wide]),
        np.concatenate([part.values for part in wide]),
        together,
    )
