"""Sequential quadratic programming: a smooth convex function of the weights, minimised within the limits.

Each step minimises the second-order model within the limits, as a quadratic program or one over cones, and a line
search makes it go down. The tangent at the end, minimised over the limits, is the proof: a convex function is nowhere
under it.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.conic.conic_problem import build_conic_problem
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.programs.binding_limits import binding_limits
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.duality import bound_multipliers, gap_to_bound, proven_bound
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program, ProgramSolution, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.repair import nearest_feasible
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.solution import Binding, Candidate, Engine
from domain.optimization.tolerances import VALUE_FLOOR

STEPS = 200

SETTLED_FRACTION = 1e-3
"""The iteration ends when the predicted decrease is less than this fraction of the tolerance, relative to the
objective."""

ENOUGH = 1e-4
"""Fraction of the predicted decrease that a step must achieve (Armijo)."""

SHORTEST = 1e-10
"""A step shortened to this goes nowhere."""


class SmoothObjective(Protocol):
    """A convex function of weights (N,) in scaled figures, infinite where it is not defined."""

    @property
    def scale(self) -> float:
        """Value of one scaled unit in the function's own unit."""
        ...

    @property
    def least(self) -> float:
        """A lower bound, in scaled figures; minus infinity where none is known."""
        ...

    def gradient(self, weights: Vector) -> Vector:
        """Its gradient, (N,)."""
        ...

    def hessian(self, weights: Vector) -> Matrix:
        """Its second derivatives, (N, N)."""
        ...

    def along(self, weights: Vector, step: Vector) -> Callable[[float], float]:
        """Its value along a step, as a function of the step length."""
        ...


def minimise_smooth(
    smooth: SmoothObjective,
    limits: FeasibleSet,
    value_of: Callable[[Vector], float],
    control: SolverControl,
    start: Vector | None = None,
) -> Candidate | None:
    """The minimiser, or None where no weights keep the limits; a start must keep them.

    `value_of` is the function in its own unit, computed by other means. The gap is infinite where steps came upon no
    weights for which the function is defined.
    """
    solver = _PolytopeModel(limits, control) if limits.is_linear else _ConicModel(limits, control)
    weights = np.full(limits.n_assets, 1.0 / limits.n_assets) if start is None else start
    inside, steps, zero_step = start is not None, 0, np.zeros(limits.n_assets)
    while steps < STEPS:
        control()
        steps += 1
        gradient, hessian = smooth.gradient(weights), smooth.hessian(weights)
        target = solver.model(gradient - hessian @ weights, hessian)
        if target is None:
            return None
        if not inside:
            weights, inside = target, True  # even weights need not keep the limits
            if not np.isfinite(smooth.along(weights, zero_step)(0.0)):
                break
            continue
        step = target - weights
        value, predicted = smooth.along(weights, step), -float(gradient @ step)
        if predicted <= SETTLED_FRACTION * control.tolerance * abs(value(0.0)):
            weights = target if np.isfinite(value(1.0)) else weights
            break
        length = _step_length(value, predicted)
        if length == 0.0:
            break
        weights = target if length == 1.0 else weights + length * step
    weights = round_to_zero(nearest_feasible(limits, weights))
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver=f"newton over {solver.name}",
        solver_version=solver_version(solver.name),
        iterations=steps,
        relative_gap=_gap(smooth, solver, value_of(weights) / smooth.scale, weights),
        binding=solver.bindings(weights, smooth.scale),
    )


def _gap(smooth: SmoothObjective, solver: "_PolytopeModel | _ConicModel", value: float, weights: Vector) -> float:
    if not np.isfinite(value):
        return np.inf
    gradient = smooth.gradient(weights)
    bound = max(value - float(gradient @ weights) + solver.least(gradient), smooth.least)
    return gap_to_bound(value, bound, max(abs(value), VALUE_FLOOR))


def _step_length(value: Callable[[float], float], predicted: float) -> float:
    """Length of the step by backtracking (Armijo), 0 where no length improves the value."""
    start, length = value(0.0), 1.0
    while value(length) > start - ENOUGH * length * predicted:
        length *= 0.5
        if length < SHORTEST:
            return 0.0
    return length


def _magnitude(*figures: Vector | Matrix) -> float:
    """Largest absolute entry, to scale a model by: near an optimum of 0 entries are below a solver's tolerance."""
    return max(float(np.abs(each).max()) for each in figures) or 1.0


class _PolytopeModel:
    """Models over a polytope."""

    def __init__(self, limits: FeasibleSet, control: SolverControl) -> None:
        self._limits, self._control = limits, control
        self._polytope = limits.polytope()
        self._last: tuple[Program, ProgramSolution] | None = None
        self._magnitude = 1.0
        self.name = "quadratic programs"

    def model(self, linear: Vector, hessian: Matrix) -> Vector | None:
        """The minimiser of linear . w + w'hessian w / 2, None where there are no weights."""
        polytope = self._polytope
        if (polytope.lower > polytope.upper).any():
            return None
        self._magnitude = _magnitude(linear, hessian)
        hessian = padded(hessian / self._magnitude, len(polytope.lower))
        program = Program(hessian, self._wide(linear / self._magnitude), polytope)
        answer = solve_quadratic(program, self._control)
        if answer is None:
            return None
        self._last, self.name = (program, answer), answer.solver
        return answer.point[: self._limits.n_assets]

    def least(self, gradient: Vector) -> float:
        """A lower bound of gradient . w over the limits."""
        size = _magnitude(gradient)
        program = Program(None, self._wide(gradient / size), self._polytope)
        answer = solve_linear(program, self._control)
        return -np.inf if answer is None else size * proven_bound(program, answer)

    def bindings(self, _: Vector, unit: float) -> tuple[Binding, ...]:
        """Of the last model, whose gradient is that of the objective where steps end."""
        if self._last is None:
            return ()
        program, answer = self._last
        return binding_limits(answer, bound_multipliers(program, answer), self._limits, unit * self._magnitude)

    def _wide(self, linear: Vector) -> Vector:
        return np.append(linear, np.zeros(len(self._polytope.lower) - len(linear)))


class _ConicModel:
    """Models under any convex limits."""

    name = "clarabel"

    def __init__(self, limits: FeasibleSet, control: SolverControl) -> None:
        self._conic = build_conic_problem(limits, control)
        self._last: ConicSolution | None = None
        self._magnitude = 1.0

    def model(self, linear: Vector, hessian: Matrix) -> Vector | None:
        """See `_PolytopeModel.model`."""
        conic = self._conic
        self._magnitude = _magnitude(linear, hessian)
        conic.model.minimise(conic.weights.total(linear / self._magnitude), hessian / self._magnitude)
        self._last = conic.model.solve()
        return None if self._last is None else conic.weights.value(self._last.point)

    def least(self, gradient: Vector) -> float:
        """See `_PolytopeModel.least`."""
        conic = self._conic
        size = _magnitude(gradient)
        conic.model.minimise(conic.weights.total(gradient / size))
        answer = conic.model.solve()
        return -np.inf if answer is None else size * answer.bound

    def bindings(self, weights: Vector, unit: float) -> tuple[Binding, ...]:
        """See `_PolytopeModel.bindings`."""
        return () if self._last is None else self._conic.bindings(self._last, weights, unit * self._magnitude)
