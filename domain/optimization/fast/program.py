"""Quadratic and linear programs over a polytope, and the bound that their multipliers prove."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.feasible import Polytope

VALUE_FLOOR = 1e-4
"""A scaled objective below this counts as this when a gap is taken relative to it: a variance of less than a ten
thousandth of the assets' mean variance is what is left of figures ten thousand times larger."""

REACH = 10.0
"""Variables without a bound are taken as at most this many times the largest of the answer when a bound is proven."""


@dataclass(frozen=True, slots=True)
class Program:
    """Minimise x'Hx / 2 + c'x over a polytope; H is positive semidefinite, or None for a linear program."""

    hessian: Matrix | None  # (n, n)
    linear: Vector  # (n,)
    polytope: Polytope

    def value(self, point: Vector) -> float:
        """The objective at a point."""
        curved = 0.0 if self.hessian is None else 0.5 * float(point @ self.hessian @ point)
        return curved + float(self.linear @ point)

    def gradient(self, point: Vector) -> Vector:
        """Its gradient there, (n,)."""
        return self.linear.copy() if self.hessian is None else self.hessian @ point + self.linear


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver returned: a point and multipliers, positive where an upper limit pushes."""

    point: Vector  # (n,)
    row_multipliers: Vector  # (M,)
    solver: str
    iterations: int
    bound: float | None = None  # what it proves, where that is known already


def proven_bound(program: Program, answer: Answer) -> float:
    """A lower bound of the optimal value, by weak duality from the answer's multipliers.

    The objective is convex, so it lies above its tangent at the answer; the tangent's minimum over the polytope is
    bounded by relaxing the rows with the multipliers (any multipliers give a bound, the right ones a tight one).
    """
    if answer.bound is not None:
        return answer.bound
    polytope = program.polytope
    gradient = program.gradient(answer.point)
    pushes = _usable(answer.row_multipliers, polytope)
    reduced = gradient + polytope.matrix.T @ pushes if len(pushes) else gradient
    reach = REACH * max(1.0, float(np.abs(answer.point).max()))
    lower = np.maximum(polytope.lower, -reach)
    upper = np.minimum(np.minimum(polytope.upper, reach), polytope.implied_upper)
    over_box = float(np.minimum(reduced * lower, reduced * upper).sum())
    with np.errstate(invalid="ignore"):
        ends = np.where(pushes > 0, pushes * polytope.row_upper, pushes * polytope.row_lower)
    relaxed = float(np.where(pushes == 0.0, 0.0, ends).sum())
    tangent_at_zero = program.value(answer.point) - float(gradient @ answer.point)
    return tangent_at_zero + over_box - relaxed


def relative_gap(program: Program, answer: Answer) -> float:
    """Distance of an answer from the bound that it proves, relative to its value or to what counts as none."""
    value = program.value(answer.point)
    return max(0.0, value - proven_bound(program, answer)) / max(abs(value), VALUE_FLOOR)


def bound_multipliers(program: Program, answer: Answer) -> Vector:
    """How hard the bounds on single variables push, (n,): positive at an upper bound, negative at a lower one."""
    reduced = program.gradient(answer.point) + program.polytope.matrix.T @ answer.row_multipliers
    return -reduced


def _usable(multipliers: Vector, polytope: Polytope) -> Vector:
    """Multipliers without those that push against an end that is not there."""
    result = multipliers.copy()
    result[(result > 0) & np.isinf(polytope.row_upper)] = 0.0
    result[(result < 0) & np.isinf(polytope.row_lower)] = 0.0
    return result
