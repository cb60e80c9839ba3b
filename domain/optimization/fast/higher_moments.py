"""The best trade-off of mean, variance, skewness and kurtosis by Newton steps over the limits.

A portfolio loses g(z) = a z^2 - b z^3 + c z^4 by an outcome z away from its mean, and z is linear in the weights. With
b^2 <= 8/3 a c the second derivative 2a - 6b z + 12c z^2 is nowhere negative, and the expected g is convex (the rule is
that of the discriminant). Each step minimises the second-order model over the limits, as a quadratic program or one
over cones, and a line search makes it go down. The tangent at the end, minimised over the limits, is the proof.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.optimization.fast.cones import ConeAnswer
from domain.optimization.fast.linear import solve_linear
from domain.optimization.fast.mean_variance import binding, cleaned, solver_version, widened
from domain.optimization.fast.program import VALUE_FLOOR, Answer, Program, proven_bound
from domain.optimization.fast.quadratic import solve_quadratic
from domain.optimization.fast.settle import within
from domain.optimization.fast.stage import stage
from domain.optimization.feasible import FeasibleSet
from domain.optimization.loss import higher_moment_loss
from domain.optimization.objectives import HigherMoments
from domain.optimization.problem import Problem, SolverOptions
from domain.optimization.solution import Binding, Candidate, Engine

STEPS = 200

SETTLED = 1e-12
"""A step that promises less than this part of the objective is the last."""

ENOUGH = 1e-4
"""Part of what the slope promises that a step must bring (Armijo)."""

SHORTEST = 1e-10
"""A step shortened to this goes nowhere."""


@dataclass(frozen=True, slots=True)
class MomentLoss:
    """Expected g of the outcomes about their mean, less the mean, in scaled figures."""

    away: Matrix  # (S, N), outcomes about their means, in units
    chances: Vector  # (S,)
    means: Vector  # (N,), scaled, 0 where the mean is left out
    factors: tuple[float, float, float]  # of z^2, -z^3, z^4, scaled

    @classmethod
    def of(cls, problem: Problem, objective: HigherMoments) -> "tuple[MomentLoss, float]":
        """The loss and what one of it is per period. Raises NotSupported for moments."""
        if problem.scenarios is None:
            raise NotSupported(
                "higher moments need returns, prices or scenarios: means and covariances have no skewness or kurtosis"
            )
        scenarios = problem.scenarios.possible
        chances = scenarios.probabilities
        away = scenarios.values - chances @ scenarios.values
        unit = float(np.sqrt(chances @ (away**2).mean(axis=1))) or 1.0
        a, b, c = objective.variance * unit**2, objective.skewness * unit**3, objective.kurtosis * unit**4
        means = np.zeros(away.shape[1]) if objective.ignore_mean else problem.moments.expected_returns
        scale = max(a, b, c, float(np.abs(means).max())) or 1.0
        return cls(away / unit, chances, means / scale, (a / scale, b / scale, c / scale)), scale

    def _of_outcomes(self, z: Vector) -> float:
        a, b, c = self.factors
        return float(self.chances @ (z**2 * (a + z * (c * z - b))))

    def slope(self, weights: Vector) -> Vector:
        """Its gradient, (N,)."""
        a, b, c = self.factors
        z = self.away @ weights
        return self.away.T @ (self.chances * z * (2 * a + z * (4 * c * z - 3 * b))) - self.means

    def curvature(self, weights: Vector) -> Matrix:
        """Its second derivatives, (N, N)."""
        a, b, c = self.factors
        z = self.away @ weights
        bent = np.maximum(2 * a + z * (12 * c * z - 6 * b), 0.0)
        result: Matrix = self.away.T @ ((self.chances * bent)[:, None] * self.away)
        return result

    def along(self, weights: Vector, step: Vector) -> Callable[[float], float]:
        """The value on the way: two products with the outcomes for all points of it."""
        start, towards = self.away @ weights, self.away @ step
        earned, more = float(self.means @ weights), float(self.means @ step)
        return lambda share: self._of_outcomes(start + share * towards) - earned - share * more


def higher_moments(
    problem: Problem, limits: FeasibleSet, objective: HigherMoments, on_progress: Callable[[], None]
) -> Candidate | None:
    """The weights with the best trade-off, or None where none keep the limits. Raises NotSupported, SolverFailed."""
    made, unit = MomentLoss.of(problem, objective)
    solver = _Linear(limits) if limits.is_linear else _Conic(limits, problem.options)

    def judged(held: Vector) -> float:
        return higher_moment_loss(problem, held, objective) / unit

    weights, inside, steps = np.full(limits.size, 1.0 / limits.size), False, 0
    while steps < STEPS:
        on_progress()
        steps += 1
        slope, bent = made.slope(weights), made.curvature(weights)
        target = solver.model(slope - bent @ weights, bent)
        if target is None:
            return None
        if not inside:
            weights, inside = target, True  # even weights need not keep the limits
            continue
        step = target - weights
        promised = -float(slope @ step)
        if promised <= SETTLED * abs(judged(weights)):
            weights = target
            break
        share = _share(made.along(weights, step), promised)
        if share == 0.0:
            break
        weights = target if share == 1.0 else weights + share * step
    weights = cleaned(within(limits, weights))
    value = judged(weights)
    slope = made.slope(weights)
    bound = value - float(slope @ weights) + solver.least(slope)  # convex: nowhere under its tangent
    if objective.ignore_mean:
        bound = max(bound, 0.0)  # the same rule makes every g(z) 0 or more
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver=f"newton over {solver.name}",
        solver_version=solver_version(solver.name),
        iterations=steps,
        relative_gap=max(value - bound, 0.0) / max(abs(value), VALUE_FLOOR),
        binding=solver.bindings(weights, unit),
    )


def _share(value: Callable[[float], float], promised: float) -> float:
    """How much of a step to take, 0 where none of it brings anything."""
    start, share = value(0.0), 1.0
    while value(share) > start - ENOUGH * share * promised:
        share *= 0.5
        if share < SHORTEST:
            return 0.0
    return share


def _size(*figures: Vector | Matrix) -> float:
    """Of the largest figure, by which a model is scaled: near no loss at all they are less than a tolerance."""
    return max(float(np.abs(each).max()) for each in figures) or 1.0


class _Linear:
    """Models over a polytope."""

    def __init__(self, limits: FeasibleSet) -> None:
        self._limits = limits
        self._polytope = limits.polytope()
        self._last: tuple[Program, Answer] | None = None
        self._size = 1.0
        self.name = "quadratic programs"

    def model(self, linear: Vector, bent: Matrix) -> Vector | None:
        """The minimiser of linear . w + w'bent w / 2, None where there are no weights."""
        polytope = self._polytope
        if (polytope.lower > polytope.upper).any():
            return None
        self._size = _size(linear, bent)
        hessian = widened(bent / self._size, len(polytope.lower))
        program = Program(hessian, self._wide(linear / self._size), polytope)
        answer = solve_quadratic(program)
        if answer is None:
            return None
        self._last, self.name = (program, answer), answer.solver
        return answer.point[: self._limits.size]

    def least(self, slope: Vector) -> float:
        """A bound of slope . w over the limits."""
        size = _size(slope)
        program = Program(None, self._wide(slope / size), self._polytope)
        answer = solve_linear(program)
        return -np.inf if answer is None else size * proven_bound(program, answer)

    def bindings(self, _: Vector, unit: float) -> tuple[Binding, ...]:
        """Of the last model, whose slope is that of the objective where steps end."""
        return () if self._last is None else binding(*self._last, self._limits, unit * self._size)

    def _wide(self, linear: Vector) -> Vector:
        return np.append(linear, np.zeros(len(self._polytope.lower) - len(linear)))


class _Conic:
    """Models under any convex limits."""

    name = "clarabel"

    def __init__(self, limits: FeasibleSet, options: SolverOptions) -> None:
        self._stage = stage(limits, options)
        self._last: ConeAnswer | None = None
        self._size = 1.0

    def model(self, linear: Vector, bent: Matrix) -> Vector | None:
        """See `_Linear.model`."""
        made = self._stage
        self._size = _size(linear, bent)
        made.model.minimise(made.weights.total(linear / self._size), bent / self._size)
        self._last = made.model.solve()
        return None if self._last is None else made.weights.value(self._last.point)

    def least(self, slope: Vector) -> float:
        """See `_Linear.least`."""
        made = self._stage
        size = _size(slope)
        made.model.minimise(made.weights.total(slope / size))
        answer = made.model.solve()
        return -np.inf if answer is None else size * answer.bound

    def bindings(self, weights: Vector, unit: float) -> tuple[Binding, ...]:
        """See `_Linear.bindings`."""
        return () if self._last is None else self._stage.bindings(self._last, weights, unit * self._size)
