"""A linear program of the tail by an interior point whose steps cost as much as the border of the tail is long.

Rockafellar & Uryasev 2000, equation 17, with the tail split in three: scenarios that are in it whatever the weights,
which are one linear term; those that are not, which are none; and those on its border, which have a variable
u_s >= loss_s - level each. These stand alone in their rows and are eliminated by hand, so that every step solves a
system in the weights and the level alone (Mehrotra 1992; Portnoy & Koenker 1997 for a quantile, whose program this is).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.solver_control import SolverControl
from domain.records import dataclass

STEPS = 80
COMPLEMENTARY = 1e-12
"""Sum of the products of slack and multiplier at which it ends: the gap, in units of a typical loss."""

MISSED = 1e-11
"""Residual at which it ends."""

PATIENCE = 6
"""Steps in a row in which neither of them falls before it ends with the closest."""

DIVERGED = 1e3
"""This much further from the end than at the closest, it ends with that."""

STEP_FRACTION = 0.995
INSIDE = 0.1
"""How far from its bounds a weight is at least at the start, as a part of a typical weight."""

FIRST_MULTIPLIERS = (0.1, 1e2)
DAMPING = (1e-15, 1e-6)
"""Added to the diagonal, relative to itself, where a matrix has no Cholesky factor: the first of these and the last."""


@dataclass(frozen=True, slots=True)
class BorderProgram:
    """Minimise cost . x + level_cost * level + sum prices_s max(-returns_s . x - level, 0) over a polytope."""

    cost: Vector  # (n,)
    level_cost: float
    returns: Matrix  # (K, N), of the scenarios on the border
    prices: Vector  # (K,), above 0
    polytope: Polytope  # of n variables, the first N being weights


@dataclass(frozen=True, slots=True)
class BorderSolution:
    """The closest that rounding lets it come; the caller checks what it proves."""

    point: Vector  # (n,)
    level: float
    reweighting: Vector  # (K,), from 0 to the prices
    row_multipliers: Vector  # (M,), positive where an upper limit binds
    at_lower: NDArray[np.bool_]  # (n,), whether the multiplier of the bound exceeds what room it leaves
    at_upper: NDArray[np.bool_]
    steps: int


def solve_border(program: BorderProgram, start: Vector, level: float, control: SolverControl) -> BorderSolution | None:
    """The minimiser, None where no step was possible. Raises SolverTimedOut.

    An infeasible or unbounded program has a result that is far from any answer.
    """
    system = _System.of(program)
    state = system.start(start, level)
    best: tuple[float, _Iterate] | None = None
    steps = idle = 0
    lowest = np.inf, np.inf
    with np.errstate(all="ignore"):  # near the end of a program without an answer figures overflow
        while steps < STEPS and idle < PATIENCE:
            control()
            residuals = system.residuals(state)
            missed = state.complementarity / COMPLEMENTARY, residuals.largest / MISSED
            miss = max(missed)
            if not np.isfinite(miss):
                break
            idle = 0 if missed[0] < lowest[0] or missed[1] < lowest[1] else idle + 1
            lowest = min(missed[0], lowest[0]), min(missed[1], lowest[1])
            if best is None or miss < best[0]:
                best = miss, state
            if miss > DIVERGED * best[0]:
                break
            if miss <= 1.0:
                break
            following = system.step(state, residuals)
            if following is None:
                break
            state, steps = following, steps + 1
    return None if best is None else system.solution(best[1], steps)


@dataclass(frozen=True, slots=True)
class _Iterate:
    """Slacks are u and v = u - (loss - level) of each scenario on the border, then those of the limits."""

    point: Vector  # (n + 1,), the level last
    slack: Vector  # (2K + L,)
    multipliers: Vector  # (2K + L,): prices - q, q, those of the limits
    equality_multipliers: Vector

    @property
    def complementarity(self) -> float:
        """Sum of the products of slack and multiplier."""
        return float(self.slack @ self.multipliers)

    def moved(self, step: "_Iterate", length: float, dual_length: float) -> "_Iterate":
        """So far along a step."""
        return _Iterate(
            self.point + length * step.point,
            self.slack + length * step.slack,
            self.multipliers + dual_length * step.multipliers,
            self.equality_multipliers + dual_length * step.equality_multipliers,
        )


@dataclass(frozen=True, slots=True)
class _Residuals:
    stationarity: Vector  # (n + 1,)
    border: Vector  # (K,)
    limits: Vector  # (L,)
    equalities: Vector

    @property
    def largest(self) -> float:
        """Of them all."""
        parts = (self.stationarity, self.border, self.limits, self.equalities)
        return max(float(np.abs(part).max(initial=0.0)) for part in parts)


@dataclass(frozen=True, slots=True)
class _System:
    """The program as cost . x with A x >= b, E x = e, the level being the last variable."""

    program: BorderProgram
    border: Matrix  # (K, N + 1), what a unit of each weight and of the level takes off loss - level
    places: NDArray[np.intp]  # (N + 1,), of those variables
    lower: NDArray[np.intp]  # variables with a lower bound
    upper: NDArray[np.intp]
    rows: Matrix  # (R, n), limits other than bounds
    ends: Vector  # (L,): of lower bounds, of upper ones with the sign changed, of rows
    equal: Matrix  # (e, n)
    equal_ends: Vector
    scales: Vector  # (M,), what each row of the polytope is divided by

    @classmethod
    def of(cls, program: BorderProgram) -> "_System":
        """Rows are scaled to a largest coefficient of 1."""
        polytope, size = program.polytope, program.returns.shape[1]
        fixed = polytope.lower == polytope.upper  # has no inside: an equation in the place of its bounds
        scales = np.abs(polytope.matrix).max(axis=1, initial=0.0)
        scales[scales == 0.0] = 1.0
        matrix = polytope.matrix / scales[:, None]
        row_lower, row_upper = polytope.row_lower / scales, polytope.row_upper / scales
        equal = polytope.row_lower == polytope.row_upper
        above, below = np.isfinite(row_lower) & ~equal, np.isfinite(row_upper) & ~equal
        lower = np.flatnonzero(np.isfinite(polytope.lower) & ~fixed)
        upper = np.flatnonzero(np.isfinite(polytope.upper) & ~fixed)
        return cls(
            program=program,
            border=np.hstack([program.returns, np.ones((len(program.returns), 1))]),
            places=np.append(np.arange(size), len(polytope.lower)),
            lower=lower,
            upper=upper,
            rows=np.vstack([matrix[above], -matrix[below]]),
            ends=np.concatenate([polytope.lower[lower], -polytope.upper[upper], row_lower[above], -row_upper[below]]),
            equal=np.vstack([matrix[equal], np.eye(len(fixed))[fixed]]),
            equal_ends=np.concatenate([row_upper[equal], polytope.upper[fixed]]),
            scales=scales,
        )

    def start(self, point: Vector, level: float) -> _Iterate:
        """Off the bounds and away from every corner."""
        polytope, program = self.program.polytope, self.program
        typical = float(np.abs(point).mean()) or 1.0 / len(point)
        room = np.minimum(INSIDE * typical, 0.25 * (polytope.upper - polytope.lower))
        inside = np.append(np.clip(point, polytope.lower + room, polytope.upper - room), level)
        above = self.above(inside)
        spread = max(float(above.std()) if len(above) else 0.0, 1e-3)
        reweighting = program.prices * np.clip(0.5 + above / (4.0 * spread), 0.1, 0.9)
        u = np.maximum(above, 0.0) + 0.2 * spread
        pairs = np.concatenate([u, u - above]), np.concatenate([program.prices - reweighting, reweighting])
        product = float(pairs[0] @ pairs[1]) / max(len(pairs[0]), 1) or 1e-2
        slack = self.applied(inside) - self.ends
        bounds = len(self.lower) + len(self.upper)
        slack[bounds:] = np.maximum(slack[bounds:], INSIDE * typical)
        multipliers = np.clip(product / slack, *FIRST_MULTIPLIERS)
        return _Iterate(
            inside,
            np.concatenate([pairs[0], slack]),
            np.concatenate([pairs[1], multipliers]),
            np.zeros(len(self.equal)),
        )

    def above(self, point: Vector) -> Vector:
        """Loss less level of each scenario on the border, (K,)."""
        return -(self.border @ point[self.places])

    def applied(self, point: Vector) -> Vector:
        """A x, (L,)."""
        return np.concatenate([point[self.lower], -point[self.upper], self.rows @ point[:-1]])

    def transposed(self, multipliers: Vector) -> Vector:
        """A' z with 0 for the level, (n + 1,)."""
        first, second = len(self.lower), len(self.lower) + len(self.upper)
        result = np.append(multipliers[second:] @ self.rows, 0.0)
        result[self.lower] += multipliers[:first]
        result[self.upper] -= multipliers[first:second]
        return result

    def residuals(self, state: _Iterate) -> _Residuals:
        """What the conditions of a minimum, complementarity apart, are missed by."""
        count = len(self.border)
        u, v, slack = np.split(state.slack, [count, 2 * count])
        stationarity = np.append(self.program.cost, self.program.level_cost) - self.transposed(
            state.multipliers[2 * count :]
        )
        stationarity[self.places] -= state.multipliers[count : 2 * count] @ self.border
        stationarity[:-1] += state.equality_multipliers @ self.equal
        return _Residuals(
            stationarity,
            self.above(state.point) - (u - v),
            self.applied(state.point) - self.ends - slack,
            self.equal @ state.point[:-1] - self.equal_ends,
        )

    def step(self, state: _Iterate, residuals: _Residuals) -> _Iterate | None:
        """A predictor step (affine scaling), whose length determines the centring of the corrector."""
        factor = _Factor.of(self, state)
        if factor is None:
            return None
        products = state.slack * state.multipliers
        predictor = factor.direction(residuals, -products)
        length, dual_length = _longest(state.slack, predictor.slack), _longest(state.multipliers, predictor.multipliers)
        now = state.complementarity
        ahead = state.moved(predictor, length, dual_length).complementarity
        target = now / len(products) * (ahead / now) ** 3
        corrector = factor.direction(residuals, target - products - predictor.slack * predictor.multipliers)
        length, dual_length = _longest(state.slack, corrector.slack), _longest(state.multipliers, corrector.multipliers)
        return state.moved(corrector, min(1.0, STEP_FRACTION * length), min(1.0, STEP_FRACTION * dual_length))

    def solution(self, state: _Iterate, steps: int) -> BorderSolution:
        """In the terms of the program's own polytope."""
        polytope, count = self.program.polytope, len(self.border)
        slack, multipliers = state.slack[2 * count :], state.multipliers[2 * count :]
        binds = multipliers > slack
        first, second = len(self.lower), len(self.lower) + len(self.upper)
        at_lower, at_upper = np.zeros(len(polytope.lower), dtype=bool), np.zeros(len(polytope.lower), dtype=bool)
        at_lower[self.lower], at_upper[self.upper] = binds[:first], binds[first:second]
        equal = polytope.row_lower == polytope.row_upper
        above = np.isfinite(polytope.row_lower) & ~equal
        below = np.isfinite(polytope.row_upper) & ~equal
        of_rows = np.zeros(len(equal))
        of_rows[equal] = state.equality_multipliers[: int(equal.sum())]
        of_rows[above] -= multipliers[second : second + int(above.sum())]
        of_rows[below] += multipliers[second + int(above.sum()) :]
        reweighting = np.clip(state.multipliers[count : 2 * count], 0.0, self.program.prices)
        return BorderSolution(
            np.clip(state.point[:-1], polytope.lower, polytope.upper),
            float(state.point[-1]),
            reweighting,
            of_rows / self.scales,
            at_lower,
            at_upper,
            steps,
        )


@dataclass(frozen=True, slots=True)
class _Factor:
    """The equations of one iterate, reduced to weights and level, and factored."""

    system: _System
    state: _Iterate
    stiffness: Vector  # (K,), of the border's scenarios
    factor: Any  # of scipy.linalg.cho_factor
    of_equalities: Matrix  # (n + 1, e), the factor's solutions of them
    inverse: Matrix  # (e, e), of the equalities' own equations
    weight: float  # of the equalities added to the others

    @classmethod
    def of(cls, system: _System, state: _Iterate) -> "_Factor | None":
        """None where rounding leaves no Cholesky factor."""
        from scipy.linalg import cho_solve  # only where it is used, in worker processes

        count, places = len(system.border), system.places
        stiffness = 1.0 / (state.slack / state.multipliers)[: 2 * count].reshape(2, count).sum(axis=0)
        rows = system.border * np.sqrt(stiffness)[:, None]
        matrix = np.zeros((len(state.point), len(state.point)))
        matrix[np.ix_(places, places)] = rows.T @ rows
        ratio = (state.multipliers / state.slack)[2 * count :]
        first, second = len(system.lower), len(system.lower) + len(system.upper)
        matrix[system.lower, system.lower] += ratio[:first]
        matrix[system.upper, system.upper] += ratio[first:second]
        if len(system.rows):
            scaled = system.rows * np.sqrt(ratio[second:])[:, None]
            matrix[:-1, :-1] += scaled.T @ scaled
        # Equations may be added to those they bind; without them nothing may hold a weight.
        weight = float(matrix.trace()) / len(matrix) or 1.0
        matrix[:-1, :-1] += weight * (system.equal.T @ system.equal)
        factor = _cholesky(matrix)
        if factor is None:
            return None
        equal = np.hstack([system.equal, np.zeros((len(system.equal), 1))])
        solved = cho_solve(factor, equal.T, check_finite=False)
        own = equal @ solved
        # Equalities may repeat each other.
        inverse = np.linalg.pinv(own, rcond=1e-13, hermitian=True) if np.isfinite(own).all() else None
        return None if inverse is None else cls(system, state, stiffness, factor, solved, inverse, weight)

    def direction(self, residuals: _Residuals, wanted: Vector) -> _Iterate:
        """The step after which the products of slack and multiplier change by `wanted`, (2K + L,)."""
        from scipy.linalg import cho_solve

        system, count = self.system, len(self.system.border)
        per_multiplier, per_slack = wanted / self.state.multipliers, wanted / self.state.slack
        (t, q, z), (u, v, slack) = (
            np.split(part, [count, 2 * count]) for part in (self.state.multipliers, self.state.slack)
        )
        border = residuals.border - per_multiplier[:count] + per_multiplier[count : 2 * count]
        right = system.transposed(per_slack[2 * count :] - z / slack * residuals.limits) - residuals.stationarity
        right[system.places] += (self.stiffness * border) @ system.border
        right[:-1] -= self.weight * (residuals.equalities @ system.equal)
        free = cho_solve(self.factor, right, check_finite=False)
        equalities = self.inverse @ (system.equal @ free[:-1] + residuals.equalities)
        point = free - self.of_equalities @ equalities
        of_q = self.stiffness * (system.above(point) + border)
        of_slack = system.applied(point) + residuals.limits
        slacks = per_multiplier[:count] + u * of_q / t, per_multiplier[count : 2 * count] - v * of_q / q, of_slack
        multipliers = -of_q, of_q, per_slack[2 * count :] - z * of_slack / slack
        return _Iterate(point, np.concatenate(slacks), np.concatenate(multipliers), equalities)


def _cholesky(matrix: Matrix) -> Any | None:
    from scipy.linalg import LinAlgError, cho_factor

    if not np.isfinite(matrix).all():
        return None
    diagonal = matrix.diagonal().copy()
    diagonal[diagonal == 0.0] = float(diagonal.max()) or 1.0
    damping, largest = DAMPING
    while damping <= largest:
        matrix[np.diag_indices_from(matrix)] += damping * diagonal
        try:
            return cho_factor(matrix, lower=True, check_finite=False)
        except LinAlgError:
            damping *= 1e3
    return None


def _longest(values: Vector, step: Vector) -> float:
    """The longest step, up to 1, that leaves them positive."""
    falling = step < 0.0
    return min(1.0, float((-values[falling] / step[falling]).min(initial=np.inf)))
