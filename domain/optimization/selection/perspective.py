"""Bounds of a quadratic objective under cardinality limits, by its perspective relaxation.

With Q = R + diag(d), R positive semidefinite, an asset that is held with weight w adds d w^2, one that is not adds
nothing. For any slope b, d w^2 >= b w - g for every w that a held asset may have, where g is the largest b w - d w^2.
So x'Qx >= x'Rx + b'x less the largest sum of g over assets that may be held together: a quadratic program for each b
(the dual of the perspective, Frangioni & Gentile 2006). Good slopes are 2 d w / z at weights w and parts z of being
held; the two are found in turn, each the best for the other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.selection_limits import CardinalityRow, Mask, cardinality_rows
from domain.optimization.programs.duality import proven_bound
from domain.optimization.programs.program import Program, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.request.objectives import MaxUtility, MinRisk
from domain.records import dataclass
from domain.risk.measures import RiskMeasure

TURNS = 4
"""How often weights and parts are found for each other."""

LEAST_PART = 1e-3
"""A part below this is taken for this: the curvature is one over it."""

DIAGONAL = 0.999
"""How much of what could be taken off the covariance is: the rest keeps it definite."""

SMALLEST_FRACTION = 1e-4
"""If the diagonal is less than this part of the variances, it says nothing."""

NodeBound = Callable[[FeasibleSet, Mask, Mask, Vector], float]
"""A bound on the value within limits, with assets in, assets undecided, and the weights of the plain relaxation."""


def perspective_bound(problem: Problem, limits: FeasibleSet, control: SolverControl = UNLIMITED) -> NodeBound | None:
    """The bound for a problem that is quadratic but for its limits on holdings; None for any other."""
    if not limits.convex.is_linear or not problem.risk_measure.is_quadratic or problem.costs is not None:
        return None
    scale, linear = problem.variance_scale, np.zeros(limits.n_assets)
    annual = problem.periods_per_year
    match problem.objective:
        case MinRisk():
            unit, is_root = scale, problem.risk_measure is RiskMeasure.STANDARD_DEVIATION
        case MaxUtility(aversion) if aversion > 0.0:
            unit, is_root = 0.5 * aversion * annual * scale, False
            linear = -annual / unit * problem.moments.expected_returns
        case _:
            return None
    covariance = problem.moments.covariance / scale
    deviations = np.sqrt(np.diag(covariance))
    if (deviations <= 0.0).any():
        return None
    fraction = DIAGONAL * float(np.linalg.eigvalsh(covariance / np.outer(deviations, deviations))[0])
    if fraction < SMALLEST_FRACTION:
        return None
    cardinality = _disjoint(cardinality_rows(limits.selection_limits), limits.n_assets)
    least = max((limit.min_weight for limit in limits.selection_limits if limit.min_weight is not None), default=0.0)
    if not cardinality and least == 0.0:
        return None
    perspective = _Perspective(covariance, linear, fraction * deviations**2, cardinality, least, control)

    def bound(node: FeasibleSet, inside: Mask, undecided: Mask, weights: Vector) -> float:
        value = unit * perspective.bound(node, inside, undecided, weights)
        return max(value, 0.0) ** 0.5 if is_root else value

    return bound


def _disjoint(cardinality: Sequence[CardinalityRow], n_assets: int) -> list[CardinalityRow]:
    """Counts over sets that do not meet, the tighter of two choices: small ones first, or the widest alone."""
    left, parts = np.ones(n_assets, dtype=bool), list[CardinalityRow]()
    for row in sorted(cardinality, key=lambda one: int(one.members.sum())):
        if (row.members & left).any():
            parts.append(CardinalityRow(row.members & left, row.max_assets))
            left = left & ~row.members
    widest = sorted(cardinality, key=lambda one: (int(one.members.sum()), -one.max_assets))[-1:]

    def room(some: list[CardinalityRow]) -> int:
        counted = sum((one.members for one in some), np.zeros(n_assets, dtype=bool))
        return sum(min(one.max_assets, int(one.members.sum())) for one in some) + int((~counted).sum())

    return min(parts, widest, key=room)


@dataclass(frozen=True, slots=True)
class _Perspective:
    covariance: Matrix  # (N, N), scaled
    linear: Vector  # (N,)
    diagonal: Vector  # (N,), what is taken off the covariance
    cardinality: list[CardinalityRow]
    least: float
    control: SolverControl

    def bound(self, node: FeasibleSet, inside: Mask, undecided: Mask, weights: Vector) -> float:
        """In the scaled objective x'Qx + c'x; minus infinity where nothing is proven."""
        polytope, d = node.polytope(), self.diagonal
        rest = self.covariance - np.diag(d)
        curvatures = self._curvatures(inside, undecided, weights)
        for _ in range(TURNS):
            found = self._solved(rest + np.diag(curvatures), self.linear, polytope)
            if found is None:
                return -np.inf
            weights = np.where(inside | undecided, found[0], 0.0)
            curvatures = self._curvatures(inside, undecided, weights)
        slopes, cost = self._slopes(inside, undecided, 2.0 * curvatures * weights, node.lower >= 0.0)
        found = self._solved(rest, self.linear + slopes, polytope)
        return -np.inf if found is None else found[1] - cost

    def _solved(self, matrix: Matrix, linear: Vector, polytope: Polytope) -> tuple[Vector, float] | None:
        """The minimiser of x'Mx + c'x, (N,), and what is proven of its value."""
        total = len(polytope.lower)
        program = Program(padded(2.0 * matrix, total), np.append(linear, np.zeros(total - len(linear))), polytope)
        try:
            answer = solve_quadratic(program, self.control)
        except SolverFailed:
            return None
        return None if answer is None else (answer.point[: len(linear)], proven_bound(program, answer))

    def _curvatures(self, inside: Mask, undecided: Mask, weights: Vector) -> Vector:
        """Of the parabolas that touch the cost of holding so much, (N,), with the parts of being held that cost least.

        A part is at most the weight in least positions; where that binds, the cost rises in proportion to the weight.
        """
        sizes, d, least = np.abs(weights), self.diagonal, self.least
        most = np.minimum(1.0, sizes / least) if least > 0.0 else np.ones(len(sizes))
        parts, prices = np.where(inside, 1.0, np.where(undecided, most, 0.0)), np.zeros(len(sizes))
        pulls = np.sqrt(d) * sizes
        for row in self.cardinality:
            members = row.members & undecided
            left = row.max_assets - int((row.members & inside).sum())
            if float(parts[members].sum()) > left:
                parts[members], prices[members] = _proportional_fill(pulls[members], parts[members], float(left))
        curvatures = d / np.maximum(parts, LEAST_PART)
        if least == 0.0:
            return curvatures
        rising = 0.5 * (d * least + prices / least) / np.maximum(sizes, LEAST_PART * least)
        return np.where(undecided & (most < 1.0) & (parts >= most), np.minimum(rising, d / LEAST_PART), curvatures)

    def _slopes(self, inside: Mask, undecided: Mask, slopes: Vector, long: Mask) -> tuple[Vector, float]:
        """Slopes, raised where that costs nothing, and the largest cost of assets that may be held together."""
        costs = self._costs(slopes)
        slopes, total = slopes.copy(), float(costs[inside].sum())
        free = undecided.copy()
        for row in self.cardinality:
            members = row.members & undecided
            free &= ~members
            left = row.max_assets - int((row.members & inside).sum())
            ordered = np.sort(np.maximum(costs[members], 0.0))[::-1]
            total += float(ordered[:left].sum())
            if left > 0:
                least_counted = float(ordered[left - 1]) if left <= len(ordered) else 0.0
                slopes = self._raised(slopes, costs, members & long, least_counted)
        total += float(np.maximum(costs[free], 0.0).sum())
        return self._raised(slopes, costs, free & long, 0.0), total

    def _costs(self, slopes: Vector) -> Vector:
        """The largest b w - d w^2 over the sizes that a position may have, (N,)."""
        reach = np.maximum(np.abs(slopes) / (2.0 * self.diagonal), self.least)
        result: Vector = np.abs(slopes) * reach - self.diagonal * reach**2
        return result

    def _raised(self, slopes: Vector, costs: Vector, some: Mask, cost: float) -> Vector:
        """The largest slopes whose cost is this, for those of `some` whose cost is less."""
        d, least = self.diagonal, self.least
        largest = 2.0 * np.sqrt(d * cost)
        if least > 0.0:
            largest = np.where(np.sqrt(cost / d) >= least, largest, cost / least + d * least)
        return np.where(some & (costs < cost + 1e-15), np.maximum(slopes, largest), slopes)


def _proportional_fill(pulls: Vector, most: Vector, total: float) -> tuple[Vector, float]:
    """Parts in proportion to pulls, none above its most, that sum to the total, and what one more is worth."""
    parts, open_ones = np.zeros(len(pulls)), pulls > 0.0
    while total > 0.0 and open_ones.any():
        scale = total / float(pulls[open_ones].sum())
        full = open_ones & (scale * pulls >= most)
        if not full.any():
            return np.where(open_ones, scale * pulls, parts), scale**-2
        parts[full] = most[full]
        total -= float(most[full].sum())
        open_ones &= ~full
    return parts, 0.0
