"""L1-constrained quadratic programs: a limit on sum |w - centre|, without the auxiliary variables it normally needs.

Written out, the limit has a variable u for each weight, u >= |w - centre| and sum u <= maximum, and the program twice
as many. Their part of an interior-point method's equations is diagonal plus one rank, so they are eliminated by hand
and every step solves a system in the weights alone (Mehrotra 1992; the elimination as in Gondzio & Grothey 2007).
"""

from typing import Any

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import AbsoluteSum
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.records import dataclass

STEPS = 60
COMPLEMENTARY = 1e-13
"""Mean product of slack and multiplier at which it ends."""

MISSED = 1e-10
"""Residual at which it ends; rounding of the eliminated parts leaves about a tenth of this."""

DIVERGED = 1e3
"""Near a degenerate optimum rounding takes over: this much worse than the best so far, it ends with that."""

STEP_FRACTION = 0.995
FIRST_MULTIPLIER = 0.01


def is_l1_constrained(limits: FeasibleSet) -> bool:
    """Whether the program has this form: one sum of absolute values, and no weight fixed by its bounds."""
    sums = limits.absolute_sums
    return len(sums) == 1 and not sums[0].shorts and bool((limits.lower < limits.upper).all())


def solve_l1_constrained(
    program: Program, limits: FeasibleSet, control: SolverControl = UNLIMITED
) -> ProgramSolution | None:
    """The minimiser in the terms of the program's own polytope, as close as rounding lets it come.

    The caller checks the proven gap; on an infeasible program the result is far from any answer.
    """
    if program.hessian is None:
        return None
    size = limits.n_assets
    system = _System.of(program.hessian[:size, :size], program.linear[:size], limits)
    state = _Iterate.start(system)
    best, best_miss = state, np.inf
    looser = max(control.tolerance / UNLIMITED.tolerance, 1.0)
    steps = 0
    while steps < STEPS:
        control()
        steps += 1
        residuals = system.residuals(state)
        gap = state.complementarity
        miss = max(gap / COMPLEMENTARY, residuals.largest / MISSED)
        if miss < best_miss:
            best, best_miss = state, miss
        if miss <= looser * system.scale or miss > DIVERGED * best_miss:
            break
        factor = system.factor(state)
        if factor is None or gap == 0.0:
            break
        # Predictor step (affine scaling); its length determines the centring of the corrector.
        predictor = factor.direction(residuals, -state.slack * state.multipliers)
        length = min(
            _longest_step(state.slack, predictor.slack), _longest_step(state.multipliers, predictor.multipliers)
        )
        ahead = float(
            (state.slack + length * predictor.slack) @ (state.multipliers + length * predictor.multipliers)
        ) / len(state.slack)
        target = gap * (ahead / gap) ** 3
        corrector = factor.direction(
            residuals, target - state.slack * state.multipliers - predictor.slack * predictor.multipliers
        )
        length = STEP_FRACTION * min(
            _longest_step(state.slack, corrector.slack), _longest_step(state.multipliers, corrector.multipliers)
        )
        state = state.moved(corrector, min(1.0, length))
    return _answer(best, limits, steps)


@dataclass(frozen=True, slots=True)
class _Iterate:
    """Weights, trades u, slacks and multipliers of all inequalities, multipliers of the equalities."""

    weights: Vector
    trades: Vector
    slack: Vector  # lower, upper, rows, u - (w - c), u + (w - c), maximum - sum u
    multipliers: Vector
    equality_multipliers: Vector  # of the equalities

    @classmethod
    def start(cls, system: "_System") -> "_Iterate":
        """Inside the bounds, all slacks and multipliers at one size."""
        size = len(system.centre)
        lower = np.where(np.isfinite(system.lower), system.lower, -1.0)
        upper = np.where(np.isfinite(system.upper), system.upper, lower + 2.0)
        weights = np.clip(system.centre, lower + 0.1 * (upper - lower), upper - 0.1 * (upper - lower))
        trades = np.abs(weights - system.centre) + system.maximum / size
        slack = np.maximum(system.applied(weights, trades) - system.ends, 1.0 / size)
        return cls(weights, trades, slack, np.full(len(slack), FIRST_MULTIPLIER), np.zeros(len(system.equal)))

    @property
    def complementarity(self) -> float:
        """Mean product of slack and multiplier."""
        return float(self.slack @ self.multipliers) / len(self.slack)

    def moved(self, step: "_Iterate", length: float) -> "_Iterate":
        """So far along a step."""
        return _Iterate(
            self.weights + length * step.weights,
            self.trades + length * step.trades,
            self.slack + length * step.slack,
            self.multipliers + length * step.multipliers,
            self.equality_multipliers + length * step.equality_multipliers,
        )


@dataclass(frozen=True, slots=True)
class _Residuals:
    of_weights: Vector
    of_trades: Vector
    of_slack: Vector
    of_equal: Vector

    @property
    def largest(self) -> float:
        return max(
            float(np.abs(part).max(initial=0.0))
            for part in (self.of_weights, self.of_trades, self.of_slack, self.of_equal)
        )


@dataclass(frozen=True, slots=True)
class _System:
    """min w'Hw / 2 + c'w with equal w = right, and applied(w, u) >= ends."""

    hessian: Matrix
    linear: Vector
    centre: Vector
    maximum: float
    lower: Vector
    upper: Vector
    equal: Matrix
    right: Vector
    rows: Matrix  # signed so that rows w >= row_ends
    row_ends: Vector
    ends: Vector

    @classmethod
    def of(cls, hessian: Matrix, linear: Vector, limits: FeasibleSet) -> "_System":
        one: AbsoluteSum = limits.absolute_sums[0]
        equal = [row for row in limits.rows if row.lower == row.upper]
        sided = [
            (sign * row.coefficients, sign * end)
            for row in limits.rows
            if row.lower != row.upper
            for sign, end in ((1.0, row.lower), (-1.0, row.upper))
            if np.isfinite(end)
        ]
        size = limits.n_assets
        rows = np.array([coefficients for coefficients, _ in sided]).reshape(len(sided), size)
        row_ends = np.array([end for _, end in sided])
        low, high = limits.lower, limits.upper
        ends = np.concatenate(
            [
                low[np.isfinite(low)],
                -high[np.isfinite(high)],
                row_ends,
                -one.centre,
                one.centre,
                [-one.maximum],
            ]
        )
        return cls(
            hessian,
            linear,
            one.centre,
            one.maximum,
            low,
            high,
            np.array([row.coefficients for row in equal]).reshape(len(equal), size),
            np.array([row.upper for row in equal]),
            rows,
            row_ends,
            ends,
        )

    @property
    def scale(self) -> float:
        """Magnitude of the program's coefficients."""
        return max(1.0, float(np.abs(self.linear).max()))

    def applied(self, weights: Vector, trades: Vector) -> Vector:
        """The left sides of all inequalities."""
        return np.concatenate(
            [
                weights[np.isfinite(self.lower)],
                -weights[np.isfinite(self.upper)],
                self.rows @ weights,
                trades - weights,
                trades + weights,
                [-float(trades.sum())],
            ]
        )

    def parts(self, values: Vector) -> tuple[Vector, Vector, Vector, Vector, Vector, float]:
        """By kind: lower and upper bounds (N,), 0 where there is none, rows, u - (w - c), u + (w - c), the sum."""
        size = len(self.centre)
        finite_low, finite_high = np.isfinite(self.lower), np.isfinite(self.upper)
        low, high = np.zeros(size), np.zeros(size)
        first, second = int(finite_low.sum()), int(finite_low.sum() + finite_high.sum())
        low[finite_low], high[finite_high] = values[:first], values[first:second]
        third = second + len(self.rows)
        return (
            low,
            high,
            values[second:third],
            values[third : third + size],
            values[third + size : third + 2 * size],
            float(values[-1]),
        )

    def transposed(self, values: Vector) -> tuple[Vector, Vector]:
        """The inequalities' transpose, for weights and for trades."""
        low, high, rows, over, under, total = self.parts(values)
        return low - high + self.rows.T @ rows - over + under, over + under - total

    def residuals(self, state: _Iterate) -> _Residuals:
        """Residuals of the optimality conditions."""
        of_weights, of_trades = self.transposed(state.multipliers)
        gradient = self.hessian @ state.weights + self.linear - self.equal.T @ state.equality_multipliers
        return _Residuals(
            of_weights - gradient,
            of_trades,
            self.ends + state.slack - self.applied(state.weights, state.trades),
            self.right - self.equal @ state.weights,
        )

    def factor(self, state: _Iterate) -> "_NewtonFactor | None":
        """The equations of a step in the weights alone, factored; None where they are not definite."""
        from scipy.linalg import cho_factor, cho_solve  # only where it is used, in worker processes

        stiffness = state.multipliers / state.slack
        low, high, rows, over, under, total = self.parts(stiffness)
        both, across = over + under, under - over
        sherman_morrison = total / (1.0 + total * float((1.0 / both).sum()))
        tilt = (across / both) * sherman_morrison**0.5
        low_rank = np.vstack([self.rows * np.sqrt(rows)[:, None], tilt])
        matrix = low_rank.T @ low_rank
        matrix += self.hessian
        matrix[np.diag_indices_from(matrix)] += low + high + 4.0 * over * under / both
        try:
            factored = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        through = cho_solve(factored, self.equal.T, check_finite=False)
        return _NewtonFactor(self, state, stiffness, both, across, sherman_morrison, factored, through)


@dataclass(frozen=True, slots=True)
class _NewtonFactor:
    system: _System
    state: _Iterate
    stiffness: Vector
    both: Vector
    across: Vector
    sherman_morrison: float
    factored: Any
    through: Matrix  # matrix^-1 equal'

    def direction(self, residuals: _Residuals, products: Vector) -> _Iterate:
        """A Newton step that changes slack * multiplier by `products`."""
        from scipy.linalg import cho_solve

        system, state = self.system, self.state
        # ds = applied(dw, du) - of_slack; dz = (products - z ds) / s.
        known = (products + state.multipliers * residuals.of_slack) / state.slack
        weights_known, trades_known = system.transposed(known)
        on_weights = residuals.of_weights + weights_known
        on_trades = residuals.of_trades + trades_known
        reduced = on_weights - self.across * self._over_trades(on_trades)
        free = cho_solve(self.factored, reduced, check_finite=False)
        equality_multipliers = (
            np.linalg.solve(system.equal @ self.through, residuals.of_equal - system.equal @ free)
            if len(system.equal)
            else np.zeros(0)
        )
        weights = free + self.through @ equality_multipliers
        trades = self._over_trades(on_trades - self.across * weights)
        slack = system.applied(weights, trades) - residuals.of_slack
        return _Iterate(
            weights, trades, slack, (products - state.multipliers * slack) / state.slack, equality_multipliers
        )

    def _over_trades(self, values: Vector) -> Vector:
        """(diag(both) + total 11')^-1 values."""
        scaled = values / self.both
        result: Vector = scaled - self.sherman_morrison * float(scaled.sum()) / self.both
        return result


def _longest_step(values: Vector, step: Vector) -> float:
    """The longest step, at most 1, that keeps values positive."""
    falling = step < 0.0
    return min(1.0, float((-values[falling] / step[falling]).min(initial=np.inf)))


def _answer(state: _Iterate, limits: FeasibleSet, steps: int) -> ProgramSolution:
    """In the polytope's variables and rows: its own rows first, then u + w, u - w and the sum."""
    own_rows: list[float] = []
    size = limits.n_assets
    finite = int(np.isfinite(limits.lower).sum() + np.isfinite(limits.upper).sum())
    index, equality = finite, 0
    for row in limits.rows:
        if row.lower == row.upper:
            own_rows.append(-float(state.equality_multipliers[equality]))
            equality += 1
            continue
        multiplier = 0.0
        for sign, end in ((-1.0, row.lower), (1.0, row.upper)):
            if np.isfinite(end):
                multiplier += sign * float(state.multipliers[index])
                index += 1
        own_rows.append(multiplier)
    over = state.multipliers[index : index + size]  # of u - (w - c)
    under = state.multipliers[index + size : index + 2 * size]  # of u + (w - c)
    multipliers = np.concatenate([own_rows, -under, -over, [float(state.multipliers[-1])]])
    trades = np.abs(state.weights - limits.absolute_sums[0].centre)
    point = np.concatenate([np.clip(state.weights, limits.lower, limits.upper), np.maximum(state.trades, trades)])
    return ProgramSolution(point, multipliers, "interior point", steps)
