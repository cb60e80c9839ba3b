"""Lower bounds of a program's optimal value, proven by multipliers, and what they prove of an answer.

Every method measures its answer by the same rule, whoever proves the bound: how far the value of its weights is above
what no feasible weights go below. What the distance is relative to differs by method, see the floors in `tolerances`.
"""

import numpy as np

from domain.checks import Vector
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.tolerances import VALUE_FLOOR

REACH = 10.0
"""Variables without a bound are taken as at most this many times the largest of the answer when a bound is proven."""


ROUNDING = 1e-14
"""A reduced cost of less than this is rounding: times the reach it takes nothing off a bound."""


def proven_bound(program: Program, answer: ProgramSolution) -> float:
    """A lower bound of the optimal value, by weak duality from the answer's multipliers.

    The objective is convex, so it lies above its tangent at the answer; the tangent's minimum over the polytope is
    bounded by relaxing the rows with the multipliers (any multipliers give a bound, the right ones a tight one).
    """
    if answer.bound is not None:
        return answer.bound
    polytope = program.polytope
    point, row_multipliers = answer.point, answer.row_multipliers
    gradient = program.gradient(point)
    ends = np.where(row_multipliers > 0.0, polytope.row_upper, polytope.row_lower)
    there = np.isfinite(ends)
    if not there.all():  # a multiplier of an end that does not exist proves nothing
        row_multipliers, ends = np.where(there, row_multipliers, 0.0), np.where(there, ends, 0.0)
    reduced = gradient + row_multipliers @ polytope.matrix
    reach = REACH * max(1.0, float(np.abs(point).max()))
    lower = np.maximum(polytope.lower, -reach)
    upper = np.minimum(polytope.upper, reach)
    if ((reduced < -ROUNDING) & (polytope.upper > reach)).any():
        upper = np.minimum(upper, polytope.implied_upper)
    over_box = float(reduced @ np.where(reduced > 0.0, lower, upper))
    # The value at the point less gradient . point: the linear part cancels.
    tangent_at_zero = -0.5 * float((gradient - program.linear) @ point)
    return tangent_at_zero + over_box - float(row_multipliers @ ends)


def relative_gap(program: Program, answer: ProgramSolution) -> float:
    """Distance of an answer from the bound that it proves, relative to its value or to what counts as none."""
    value = program.value(answer.point)
    return gap_to_bound(value, proven_bound(program, answer), max(abs(value), VALUE_FLOOR))


def gap_to_bound(value: float, bound: float, size: float) -> float:
    """How far the value of an answer is above a proven bound, relative to the size of the objective, above 0."""
    return max(value - bound, 0.0) / size


def ratio_gap(risk: float, bound: float, degree: int = 1) -> float:
    """How far the ratio of an answer is below the highest, relative to it; infinite where nothing is proven.

    Takes the risk at a net return of 1 and its bound: the ratio is the inverse of the risk, whose root it is where the
    measure has degree 2. A bound of 0 or less proves nothing of a ratio.
    """
    return max((risk / bound) ** (1.0 / degree) - 1.0, 0.0) if bound > 0.0 else np.inf


def bound_multipliers(program: Program, answer: ProgramSolution) -> Vector:
    """Multipliers of the bounds on single variables, (n,): positive at an upper bound, negative at a lower one."""
    result: Vector = -(program.gradient(answer.point) + answer.row_multipliers @ program.polytope.matrix)
    return result
