"""Parts of lots instead of whole ones: where the best plan is, and what each limit is worth.

A convex program. Its answer proves nothing by itself: whatever prices it finds, `priced_terms` makes a bound of them
from the whole lots. So what is not convex is replaced by what is near it: fees by their part of a usual trade, taxes
and gains by the largest convex function that is not above them.
"""

import math
from dataclasses import field, replace
from itertools import pairwise

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import DomainError
from domain.optimization.programs.affine import Affine
from domain.optimization.programs.clarabel import solve_conic
from domain.optimization.programs.conic_program import ConeBlock, ConeKind, ConicProgram, ConicSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_search.curves import PiecewiseLinear
from domain.reallocation.lot_search.problem import LotProblem
from domain.reallocation.lot_search.specific_risk import SplitRisk
from domain.records import dataclass

CHAIN = range(-5, 6)
"""Lots around a difference to the target between which squares are replaced by lines."""

MOST_IN_CONE = 100
"""Assets of which the tracking error is a cone: a dense one of more takes long, and squares of it do not."""

ERRORS = 4
"""Tracking errors around which squares are taken, each that of the answer before."""

SETTLED = 0.02
"""Part of an error by which the next may differ: what that costs the bound is half of its square."""

SHORTEST = 0.05
"""Part of an error that the next one has at least."""

LEAST_ERROR = 1e-9
"""As a fraction of net asset value per year."""

TANGENTS = (0.02, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Of a usual trade, where the market impact is touched by lines."""


@dataclass(frozen=True, slots=True)
class LotRelaxation:
    """Lots that may be parts (J,), prices of the limits (R,), and the direction of the risk (factors,)."""

    lots: Vector
    prices: Vector
    direction: Vector  # at most 1 long: shorter where no risk is left; empty for a drift


def relax(problem: LotProblem, theta: float, control: SolverControl) -> LotRelaxation:
    """The relaxation at an objective of theta; without an answer of the solver that of no trades and no prices."""
    if problem.covariance is not None and len(problem.values) > MOST_IN_CONE:
        return _relax_by_square(problem, problem.covariance.factor, theta, control)
    found = _Program(problem, theta)
    solution = found.solved(control)
    if solution is None:
        return _nothing(problem)
    direction = np.zeros(0) if problem.factor is None else _direction(-solution.multipliers[-1][1:])
    return LotRelaxation(found.lots(solution), found.prices(solution), direction)


def _relax_by_square(problem: LotProblem, factor: Matrix, theta: float, control: SolverControl) -> LotRelaxation:
    """The same by squares of the risk z: |z| is the least of z'z / 2t + t / 2 over t, and that is at t = |z|."""
    error, found = max(theta, LEAST_ERROR), _nothing(problem)
    for _ in range(ERRORS):
        program = _Program(problem, theta, error=error)
        solution = program.solved(control)
        if solution is None:
            break
        risk = program.differences(solution) @ factor
        found = LotRelaxation(program.lots(solution), program.prices(solution), _direction(risk / error))
        length = max(float(np.linalg.norm(risk)), SHORTEST * error)
        if abs(length - error) <= SETTLED * error:
            break
        error = length
    return found


def relax_squares(
    problem: LotProblem, theta: float, split: SplitRisk, near: Vector, control: SolverControl
) -> LotRelaxation:
    """The same with the square of a tracking error, of which each asset has its own part at whole lots alone.

    That part is a chain of lines through the values at whole lots around differences to the target, `near` (P,). Its
    direction is empty.
    """
    found = _Program(problem, theta, (split, near))
    solution = found.solved(control)
    if solution is None:
        return replace(_nothing(problem), direction=np.zeros(0))
    return LotRelaxation(found.lots(solution), found.prices(solution), np.zeros(0))


def _nothing(problem: LotProblem) -> LotRelaxation:
    """No trades and no prices."""
    factors = 0 if problem.factor is None else problem.factor.shape[1]
    return LotRelaxation(np.zeros(len(problem.places)), np.zeros(len(problem.right)), np.zeros(factors))


def _direction(found: Vector) -> Vector:
    """What the risk is not below its product with, as it is no longer than 1."""
    length = float(np.linalg.norm(found))
    return found / length if length > 1.0 else found


@dataclass
class _Rows:
    """Expressions of the columns, one after the other."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)

    def add(self, terms: dict[int, float], constant: float = 0.0) -> None:
        for column, value in terms.items():
            self.rows.append(len(self.constants))
            self.columns.append(column)
            self.values.append(value)
        self.constants.append(constant)

    def block(self, kind: ConeKind, unit: float) -> ConeBlock:
        """With the columns in units of so much money."""
        expressions = Affine(
            np.array(self.rows, dtype=np.intp),
            np.array(self.columns, dtype=np.intp),
            np.array(self.values),
            np.array(self.constants) / unit,
        )
        return ConeBlock(kind, expressions, len(self.constants))


class _Program:
    """Columns: value traded by each order, cost, then epigraphs of impact, deviation, taxes and gains."""

    limits_block = 0

    def __init__(
        self,
        problem: LotProblem,
        theta: float,
        squares: tuple[SplitRisk, Vector] | None = None,
        error: float | None = None,
    ) -> None:
        """With squares of the risk around an `error`, or by assets; otherwise with the deviation itself."""
        self._problem, self._theta, self._squares, self._error = problem, theta, squares, error
        # Squares of differences to the target are too small for a solver: they are in units of the error.
        self._unit = (error or 1.0) if squares is None else squares[0].least + squares[0].most
        curves = problem.curves
        self.cost = len(problem.places)
        self._columns = self.cost + 1
        self._linear: dict[int, float] = {self.cost: problem.cost_aversion + theta}
        self._bounds, self._limits = _Rows(), _Rows()
        self._reach = curves.most * curves.value
        wish = np.abs(problem.target - problem.values)[problem.places]
        self._usual = np.maximum(np.minimum(self._reach, 1.5 * wish), curves.value)
        # Terms of a tracking error are planes: fees are spread over all that may be traded, to be above them.
        over = self._usual if problem.factor is None else np.maximum(self._reach, curves.value)
        self._rates = curves.spread + self._fees(over) / over
        self._impacts = {j: self._impact(j) for j in np.flatnonzero(curves.impact + curves.permanent > 0.0).tolist()}
        self._taxes = {j: self._hull(j, curve) for j, curve in curves.taxes.items()}
        self._gains = {j: self._hull(j, curve) for j, curve in curves.gains.items()}
        for column in self._taxes.values():
            self._linear[column] = problem.tax_aversion
        for j in range(self.cost):
            self._bounds.add({j: 1.0})
            self._bounds.add({j: -1.0}, float(max(self._reach[j], 0.0)) if curves.most[j] >= curves.least[j] else 0.0)

    def solved(self, control: SolverControl) -> ConicSolution | None:
        """Without an answer of the solver none; raises what a cancelled call raises."""
        try:
            return solve_conic(self._program(control))
        except DomainError:
            control.check_cancelled()
            return None

    def lots(self, solution: ConicSolution) -> Vector:
        """Of each order, (J,)."""
        found: Vector = self._unit * np.clip(solution.point[: self.cost], 0.0, None) / self._problem.curves.value
        return found

    def prices(self, solution: ConicSolution) -> Vector:
        """Of the limits, (R,)."""
        return np.clip(solution.multipliers[self.limits_block], 0.0, None)

    def differences(self, solution: ConicSolution) -> Vector:
        """Differences to the target of a program of squares, (P,)."""
        found: Vector = (
            self._unit * solution.point[self._first_difference : self._first_difference + len(self._problem.values)]
        )
        return found

    def _program(self, control: SolverControl) -> ConicProgram:
        cost = _Rows()
        cost.add({**self._cost_terms(1.0), self.cost: -1.0})
        self._add_limits()
        deviation, curvature = self._deviation()
        found = ConicProgram(columns=self._columns, control=control)
        if curvature is not None:
            found.curvature, found.curved_from = self._unit * curvature, self._first_difference
        blocks = [self._limits.block(ConeKind.NONNEGATIVE, self._unit), cost.block(ConeKind.ZERO, self._unit)]
        found.blocks = [*blocks, self._bounds.block(ConeKind.NONNEGATIVE, self._unit), *deviation]
        columns = np.array(list(self._linear), dtype=np.intp)
        found.linear = Affine(
            np.zeros(len(columns), np.intp), columns, np.array(list(self._linear.values())), np.zeros(1)
        )
        return found

    def _fees(self, traded: Vector) -> Vector:
        """Commission and fee of a value traded by each order."""
        curves = self._problem.curves
        per_value = curves.commission + curves.per_lot / curves.value
        found: Vector = np.clip(per_value * traded, curves.least_commission, curves.most_commission) + curves.fixed
        return found

    def _new(self) -> int:
        self._columns += 1
        return self._columns - 1

    def _impact(self, j: int) -> int:
        """A column that is not below the impact of an order."""
        curves, column = self._problem.curves, self._new()
        rate, power, permanent = float(curves.impact[j]), curves.power, float(curves.permanent[j])
        for part in TANGENTS:
            at = part * float(self._usual[j])
            slope = rate * power * (at / curves.days) ** (power - 1.0) + 2.0 * permanent * at
            value = rate * curves.days * (at / curves.days) ** power + permanent * at * at
            self._bounds.add({column: 1.0, j: -slope}, slope * at - value)
        self._bounds.add({column: 1.0})
        return column

    def _hull(self, j: int, curve: PiecewiseLinear) -> int:
        """A column that is not below the largest convex function that is not above a curve."""
        column, value = self._new(), float(self._problem.curves.value[j])
        points = [(float(x) * value, float(y)) for x, y in zip(curve.lots, curve.amounts, strict=True)]
        hull: list[tuple[float, float]] = []
        for x, y in points:
            while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) >= (y - hull[-2][1]) * (
                hull[-1][0] - hull[-2][0]
            ):
                hull.pop()
            if not hull or x > hull[-1][0]:
                hull.append((x, y))
        for (x, y), (further, other) in pairwise(hull):
            slope = (other - y) / (further - x)
            self._bounds.add({column: 1.0, j: -slope}, slope * x - y)
        if len(hull) < 2:
            self._bounds.add({column: 1.0})
        return column

    def _cost_terms(self, factor: float) -> dict[int, float]:
        terms = {j: factor * float(self._rates[j]) for j in range(self.cost)}
        return {**terms, **dict.fromkeys(self._impacts.values(), factor)}

    def _paid(self, *, settled: bool, purchases_only: bool = False) -> dict[int, float]:
        """Cash that is used, costs included."""
        curves, terms = self._problem.curves, dict[int, float]()
        share = np.ones(self.cost)
        if settled:
            usable = np.divide(curves.usable, curves.most, out=np.ones(self.cost), where=curves.most > 0.0)
            share = np.where(curves.sign > 0.0, 1.0, np.minimum(usable, 1.0))
        for j in range(self.cost):
            if purchases_only and curves.sign[j] < 0.0:
                continue
            terms[j] = float((curves.sign[j] + self._rates[j]) * share[j])
            if j in self._impacts:
                terms[self._impacts[j]] = float(share[j])
        return terms

    def _add_limits(self) -> None:
        """One row for each of `LotProblem.right`, in its order."""
        limits, rows = self._problem.limits, self._limits
        rows.add(_negative(self._paid(settled=True)), max(limits.cash, 0.0))
        if np.isfinite(limits.raised):
            rows.add(_negative(self._paid(settled=False)), -limits.raised)
        if np.isfinite(limits.turnover):
            rows.add(dict.fromkeys(range(self.cost), -1.0), limits.turnover)
        if np.isfinite(limits.cost):
            rows.add(_negative(self._cost_terms(1.0)), limits.cost)
        if np.isfinite(limits.purchases):
            rows.add(_negative(self._paid(settled=False, purchases_only=True)), limits.purchases)
        if np.isfinite(limits.gain):
            rows.add(dict.fromkeys(self._gains.values(), -1.0), limits.gain)

    def _deviation(self) -> tuple[list[ConeBlock], Matrix | None]:
        """What the deviation needs, and the curvature of the columns of the differences to the target."""
        problem = self._problem
        if problem.covariance is None:
            return [self._distances().block(ConeKind.NONNEGATIVE, self._unit)], None
        if self._squares is not None:
            split, near = self._squares
            equal = self._difference_columns().block(ConeKind.ZERO, self._unit)
            chains = self._chains(split, near).block(ConeKind.NONNEGATIVE, self._unit)
            return [equal, chains], 2.0 / (split.least + split.most) * split.shared
        if self._error is not None:
            equal = self._difference_columns().block(ConeKind.ZERO, self._unit)
            return [equal], problem.covariance.matrix / self._error
        return [self._cone(problem.covariance.factor).block(ConeKind.SECOND_ORDER, self._unit)], None

    def _differences(self) -> tuple[list[dict[int, float]], Vector]:
        """Differences to the target, (P,)."""
        problem = self._problem
        differences: list[dict[int, float]] = [{self.cost: float(weight)} for weight in problem.target]
        for j, i in enumerate(problem.places.tolist()):
            differences[i][j] = float(problem.curves.sign[j])
        return differences, problem.values - problem.target

    def _difference_columns(self) -> _Rows:
        """A column for each difference, next to one another: a dense square is then of assets alone, not of orders."""
        rows = _Rows()
        self._first_difference = self._columns
        for terms, constant in zip(*self._differences(), strict=True):
            rows.add({**terms, self._new(): -1.0}, float(constant))
        return rows

    def _chains(self, split: SplitRisk, near: Vector) -> _Rows:
        """For each asset a column that is not below the lines through its squares at neighbouring lots."""
        problem, rows = self._problem, _Rows()
        constant, width = problem.values - problem.target, split.least + split.most
        lots = np.zeros(len(constant))
        np.maximum.at(lots, problem.places, np.where(problem.curves.least <= 1.0, problem.curves.value, 0.0))
        for i in np.unique(problem.places).tolist():
            column, difference = self._new(), self._first_difference + i
            self._linear[column] = 1.0
            weight = float(split.specific[i]) / width
            lot, at = float(lots[i]), float(near[i])
            start = constant[i] + math.floor((at - constant[i]) / lot) * lot if lot else at
            for step in CHAIN:
                low = start + step * lot
                rows.add({column: 1.0, difference: -weight * (2.0 * low + lot)}, weight * low * (low + lot))
        return rows

    def _distances(self) -> _Rows:
        rows = _Rows()
        for terms, constant in zip(*self._differences(), strict=True):
            column = self._new()
            self._linear[column] = 0.5
            rows.add({**terms, column: 1.0}, float(constant))
            rows.add({**_negative(terms), column: 1.0}, -float(constant))
        return rows

    def _cone(self, factor: Matrix) -> _Rows:
        problem, constant = self._problem, self._problem.values - self._problem.target
        column, cone = self._new(), _Rows()
        self._linear[column] = 1.0
        cone.add({column: 1.0})
        by_factor = problem.target @ factor
        for r in range(factor.shape[1]):
            loads = factor[:, r]
            moved = problem.curves.sign * loads[problem.places]
            loaded = dict(enumerate(moved.tolist()))
            cone.add({**loaded, self.cost: float(by_factor[r])}, float(constant @ loads))
        return cone


def _negative(terms: dict[int, float]) -> dict[int, float]:
    return {column: -value for column, value in terms.items()}
