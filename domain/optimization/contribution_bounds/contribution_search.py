"""Branch and bound over weights whose risk contributions are bounded from above.

A node is a box of weights. Its bound is that of the relaxation, whose products of limits grow exact as the box shrinks
(Sherali & Adams 1999); its point starts a local search. The coordinate that the relaxation is most wrong about is cut.
"""

from collections.abc import Iterator
from dataclasses import field, replace

import numpy as np

from domain.cancellation import never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import NotSupported, SolverFailed, SolverTimedOut
from domain.optimization.contribution_bounds.sdp_relaxation import (
    ContributionProgram,
    local_solution,
    solve_sdp_relaxation,
)
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.programs.branch_and_bound import expand_best_first
from domain.optimization.programs.duality import gap_to_bound
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, GAP_TOLERANCE
from domain.records import dataclass

CLOSE_ENOUGH = 0.5 * GAP_TOLERANCE
"""A node that promises less than this, relative to the best value, is not opened."""

NARROW = 1e-9
"""An interval of a coordinate below this is a point."""

INNER = 0.15
"""The least part of an interval on either side of where it is divided."""

TOWARDS_POINT = 0.75
"""How far from the middle an interval is divided towards where the relaxation has its point."""

CONTRADICTION = 1e-6
"""A bound this far above a value that is reached, relative to it, is no bound."""

ROUNDING = 1e-12
"""By how much fractions that must sum to one may miss it."""


@dataclass(frozen=True, slots=True)
class QuadraticObjective:
    """min w'Cw over cut . w = 1, which is a quadratic objective of weights of a given sum, or a ratio of any."""

    objective: Matrix  # (N, N)
    cut: Vector  # (N,)
    floor: float  # objectives smaller than this count as this when a gap is taken relative to them


@dataclass(frozen=True, slots=True)
class ContributionIntervals:
    """Intervals of the contributions, as fractions of the variance; infinite where there is no bound."""

    lower: Vector  # (N,)
    upper: Vector  # (N,)

    @classmethod
    def of(cls, limits: FeasibleSet) -> "ContributionIntervals":
        """The tightest of all limits."""
        size = limits.n_assets
        lower = np.max([one.lower for one in limits.contribution_bounds], axis=0, initial=-np.inf)
        upper = np.min([one.upper for one in limits.contribution_bounds], axis=0, initial=np.inf)
        return cls(np.broadcast_to(lower, size).copy(), np.broadcast_to(upper, size).copy())

    @property
    def is_empty(self) -> bool:
        """Whether no fractions that sum to one lie in them."""
        crossed = (self.lower > self.upper + ROUNDING).any()
        return bool(crossed or self.lower.sum() > 1.0 + ROUNDING or self.upper.sum() < 1.0 - ROUNDING)

    @property
    def tightened(self) -> "ContributionIntervals":
        """What the others leave of each."""
        lower, upper = self.lower, self.upper
        for _ in range(2):
            lower = np.maximum(lower, 1.0 - _sum_of_others(upper))
            upper = np.minimum(upper, 1.0 - _sum_of_others(lower))
        # Rounding must not turn an interval that is a point inside out.
        return ContributionIntervals(np.minimum(lower, upper), np.maximum(lower, upper))


@dataclass(frozen=True, slots=True)
class _WeightBox:
    """Intervals of z where cut . z = 1, infinite where nothing was decided."""

    lower: Vector  # (N,)
    upper: Vector  # (N,)

    def rows(self, cut: Vector) -> Matrix:
        """As limits through zero, rows z >= 0."""
        units = np.eye(len(cut))
        low, high = np.flatnonzero(self.lower > 0.0), np.flatnonzero(np.isfinite(self.upper))
        above = units[low] - self.lower[low, None] * cut
        return _unit_rows(np.vstack([above, self.upper[high, None] * cut - units[high]]))


@dataclass(order=True)
class _BoxNode:
    bound: float
    number: int
    box: _WeightBox = field(compare=False)
    point: Vector = field(compare=False)
    errors: Vector = field(compare=False)  # (N,), how much of what is missing each coordinate has a part in


class ContributionSearch:
    """Branch and bound on the contributions, for weights of a budget above 0."""

    def __init__(
        self,
        limits: FeasibleSet,
        goal: QuadraticObjective,
        start: Vector,
        control: SolverControl,
        *,
        any_feasible: bool = False,
    ) -> None:
        self._limits, self._control, self._any_feasible = limits, control, any_feasible
        self._close = max(CLOSE_ENOUGH, 0.5 * control.tolerance)
        self._budget = budget_of(limits)
        covariance = limits.contribution_bounds[0].covariance
        volatilities = np.sqrt(np.diag(covariance))
        volatilities = np.where(volatilities > 0.0, volatilities, float(volatilities.max()) or 1.0)
        # z = w volatility / size, of about length one and with an objective of about one.
        start = start / float(goal.cut @ start)
        size = float(np.linalg.norm(start * volatilities))
        self._stretch = size / volatilities
        objective = goal.objective * np.outer(self._stretch, self._stretch)
        self._unit = max(abs(float(start @ goal.objective @ start)), goal.floor)
        self._least = goal.floor / self._unit
        rows, equal = _homogeneous(limits, self._budget)
        self._program = ContributionProgram(
            objective / self._unit,
            goal.cut * self._stretch,
            _unit_rows(rows * self._stretch),
            _unit_rows(equal * self._stretch),
            covariance / np.outer(volatilities, volatilities),
        )
        self._given = ContributionIntervals.of(limits)
        self._first = start / self._stretch
        self._best: Vector | None = None
        self._value = np.inf
        self._closed = np.inf  # the least bound of the nodes that were not opened
        self._solved = 0

    def run(self) -> Vector | None:
        """The best weights, or None where there are none. Raises SolverTimedOut where that is not proven in time."""
        try:
            return self._searched()
        except SolverTimedOut:
            raise self._late() from None

    def _searched(self) -> Vector | None:
        self._try(self._first)
        self._try(self._balanced())
        if self._any_feasible and self._best is not None:
            return self._best
        size = self._program.n_assets
        root = self._node(_WeightBox(np.zeros(size), np.full(size, np.inf)))
        open_bound = expand_best_first(root, self._children, self._open_below, never_cancelled)
        self._closed = min(self._closed, open_bound)
        if self._best is not None and not self._any_feasible:
            self._check()
        return self._best

    def _children(self, node: _BoxNode) -> Iterator[_BoxNode]:
        for box in self._branches(node):
            child = self._node(box, node)
            if child is not None:
                yield child

    def _open_below(self) -> float:
        """Nodes from this bound on are not expanded; none are where any weights are enough and some are known."""
        return -np.inf if self._any_feasible and self._best is not None else self._cutoff

    def _check(self) -> None:
        """The part that holds the best has a relaxation of its own: one that took it for empty or worse was wrong."""
        if self._closed > self._value + CONTRADICTION * max(abs(self._value), self._least):
            raise SolverFailed("a relaxation of bounds on risk contributions excludes weights that keep them")

    @property
    def gap(self) -> float:
        """Of the best, relative to what is proven."""
        return gap_to_bound(self._value, self._closed, max(abs(self._value), self._least))

    @property
    def solved(self) -> int:
        """Relaxations."""
        return self._solved

    @property
    def _cutoff(self) -> float:
        if self._best is None:
            return np.inf
        return self._value - self._close * max(abs(self._value), self._least)

    def _node(self, box: _WeightBox, parent: _BoxNode | None = None) -> _BoxNode | None:
        """The relaxation of a box, None where it is empty or cannot be better; where it fails, its parent's bound
        stays."""
        self._control()
        self._solved += 1
        program, contributions = self._program, self._given.tightened
        rows = np.vstack([program.rows, box.rows(program.cut)])
        try:
            found = solve_sdp_relaxation(
                replace(program, rows=rows), contributions.lower, contributions.upper, self._control
            )
        except SolverFailed:
            if parent is None:
                raise
            return replace(parent, number=self._solved, box=box)
        if found is None:
            return None
        self._try(found.point)
        bound = found.bound if parent is None else max(found.bound, parent.bound)
        if bound >= self._cutoff:
            self._closed = min(self._closed, bound)
            return None
        weighing = np.abs(program.correlation) + np.abs(program.objective)
        errors = (weighing * np.abs(found.matrix - np.outer(found.point, found.point))).sum(axis=0)
        return _BoxNode(bound, self._solved, box, found.point, errors)

    def _branches(self, node: _BoxNode) -> Iterator[_WeightBox]:
        """Two parts of the interval of the coordinate that the relaxation is most wrong about."""
        box, index = node.box, int(np.argmax(node.errors))
        low, high, middle = float(box.lower[index]), float(box.upper[index]), float(node.point[index])
        if np.isfinite(high):
            centred = TOWARDS_POINT * middle + (1.0 - TOWARDS_POINT) * 0.5 * (low + high)
            margin = INNER * (high - low)
            middle = min(max(centred, low + margin), high - margin)
        else:
            middle = max(middle, low + INNER * float(node.point.max()))
        if high - low <= NARROW:
            self._closed = min(self._closed, node.bound)
            return
        upper, lower = box.upper.copy(), box.lower.copy()
        upper[index] = lower[index] = middle
        yield _WeightBox(box.lower, upper)
        yield _WeightBox(lower, box.upper)

    def _balanced(self) -> Vector:
        """The same fraction of the risk for each, about: somewhere in the middle."""
        marginal_risk = np.ones(self._program.n_assets)
        for _ in range(50):
            marginal_risk = np.sqrt(marginal_risk / np.maximum(self._program.correlation @ marginal_risk, 1e-3))
        return marginal_risk

    def _try(self, start: Vector) -> None:
        """A local solution from here, kept if it is the best."""
        scale = float(self._program.cut @ start)
        if not scale > 0.0:
            return
        point = local_solution(
            self._program, self._given.lower, self._given.upper, np.maximum(start, 0.0) / scale, self._control
        )
        if point is None:
            return
        weights = point * self._stretch
        weights *= self._budget / float(weights.sum())
        value = self._program.value(point)
        if value >= self._value:
            return
        missed = self._limits.violated(weights, FEASIBILITY_TOLERANCE)
        beyond = {one.label for one in self._limits.absolute_sums} | {one.label for one in self._limits.risk_caps}
        if set(missed) & beyond:
            raise NotSupported(
                "upper bounds on risk contributions that bind are proven within linear limits; leave out "
                + ", ".join(label for label in missed if label in beyond)
            )
        if not missed:
            self._best, self._value = weights, value

    def _late(self) -> SolverTimedOut:
        found = "none was found" if self._best is None else "the best that was found is not proven"
        return SolverTimedOut(
            f"the time limit ran out over bounds on risk contributions after {self._solved} relaxations: {found}; give "
            "more time, or looser or fewer upper bounds"
        )


def budget_of(limits: FeasibleSet) -> float:
    """Of the row that fixes the sum of the weights."""
    return next(row.upper for row in limits.rows if row.is_budget)


def _homogeneous(limits: FeasibleSet, budget: float) -> tuple[Matrix, Matrix]:
    """Linear limits but w >= 0 and the budget as rows w >= 0 and rows w = 0, for the sum of w is the budget."""
    size = limits.n_assets
    whole = np.full(size, 1.0 / budget)
    units = np.eye(size)
    rows = [units[i] - limits.lower[i] * whole for i in np.flatnonzero(limits.lower > 0.0)]
    rows += [limits.upper[i] * whole - units[i] for i in np.flatnonzero(limits.upper < budget)]
    equal = []
    for row in limits.rows:
        if row.is_budget:
            continue
        if row.lower == row.upper:
            equal.append(row.coefficients - row.lower * whole)
            continue
        if np.isfinite(row.lower):
            rows.append(row.coefficients - row.lower * whole)
        if np.isfinite(row.upper):
            rows.append(row.upper * whole - row.coefficients)
    return np.array(rows).reshape(-1, size), np.array(equal).reshape(-1, size)


def _unit_rows(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1)
    return np.asarray(rows[lengths > 0.0] / lengths[lengths > 0.0, None], dtype=np.float64)


def _sum_of_others(values: Vector) -> Vector:
    infinite = ~np.isfinite(values)
    total = float(values[~infinite].sum())
    rest = total - np.where(infinite, 0.0, values)
    missing = infinite.sum() - infinite
    sign = 1.0 if not infinite.any() else float(np.sign(values[infinite][0]))
    return np.where(missing > 0, sign * np.inf, rest)
