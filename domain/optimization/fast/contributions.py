"""Bounds on the shares of the risk that assets carry, each answer proven against every other portfolio.

A lower bound on the share of a long position is a cone, and any convex program takes it. An upper bound is not convex.
Where the best portfolio without it keeps it, that is the answer. Where not, for objectives of mean and variance of long
portfolios: a local solution is set against the bound that a relaxation proves, and what is left between them is closed
by branch and bound on intervals of the shares. They sum to one and belong to one portfolio each (Maillard, Roncalli &
Teiletche 2010), so that lower bounds that add up to nearly one leave almost nothing of it: the search ends.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported, SolverFailed, SolverTimedOut
from domain.optimization.fast.barrier import Barrier, free_minimum
from domain.optimization.fast.lifted import SharedProgram, local, relaxed
from domain.optimization.fast.mean_variance import solver_version, variance_scale
from domain.optimization.fast.program import VALUE_FLOOR
from domain.optimization.feasible import FeasibleSet, ShareBounds
from domain.optimization.objectives import (
    Hierarchical,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
)
from domain.optimization.problem import Problem
from domain.optimization.solution import GAP_TOLERANCE, VIOLATION_TOLERANCE, Candidate, Engine

CLOSE_ENOUGH = 0.5 * GAP_TOLERANCE
"""A node that promises less than this, relative to the best value, is not looked into."""

NARROW = 1e-9
"""An interval of a coordinate below this is a point."""

INNER = 0.15
"""The least part of an interval on either side of where it is divided."""

TOWARDS_POINT = 0.75
"""How far from the middle an interval is divided towards where the relaxation has its point."""

CONTRADICTION = 1e-6
"""A bound this far above a value that is reached, relative to it, is no bound."""

FULL = 1e-9
"""Lower bounds that leave less than this of the shares leave one portfolio."""

FEASIBILITY_SECONDS = 10.0

ROUNDING = 1e-12
"""By how much shares that must sum to one may miss it."""

Relaxation = Callable[[FeasibleSet], Candidate | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """min w'Cw over cut . w = 1, which is a quadratic objective of weights of a given sum, or a ratio of any."""

    objective: Matrix  # (N, N)
    cut: Vector  # (N,)
    floor: float  # objectives smaller than this count as this when a gap is taken relative to them


@dataclass(frozen=True, slots=True)
class Intervals:
    """Of the shares, infinite where there is no bound."""

    lower: Vector  # (N,)
    upper: Vector  # (N,)

    @classmethod
    def of(cls, limits: FeasibleSet) -> "Intervals":
        """The tightest of all limits."""
        size = limits.size
        lower = np.max([one.lower for one in limits.share_bounds], axis=0, initial=-np.inf)
        upper = np.min([one.upper for one in limits.share_bounds], axis=0, initial=np.inf)
        return cls(np.broadcast_to(lower, size).copy(), np.broadcast_to(upper, size).copy())

    @property
    def is_empty(self) -> bool:
        """Whether no shares that sum to one lie in them."""
        crossed = (self.lower > self.upper + ROUNDING).any()
        return bool(crossed or self.lower.sum() > 1.0 + ROUNDING or self.upper.sum() < 1.0 - ROUNDING)

    @property
    def tightened(self) -> "Intervals":
        """What the others leave of each."""
        lower, upper = self.lower, self.upper
        for _ in range(2):
            lower = np.maximum(lower, 1.0 - _sum_of_others(upper))
            upper = np.minimum(upper, 1.0 - _sum_of_others(lower))
        # Rounding must not turn an interval that is a point inside out.
        return Intervals(np.minimum(lower, upper), np.maximum(lower, upper))


def within_shares(
    problem: Problem, limits: FeasibleSet, relaxation: Relaxation, on_progress: Callable[[], None]
) -> Candidate | None:
    """The best weights within bounds on contributions; None where there are none.

    `relaxation` gives the best within limits that are convex. Raises NotSupported where bounds stand in the way that
    cannot be proven, and SolverTimedOut where the time does not suffice for a proof.
    """
    if limits.holdings:
        holding, share = limits.holdings[0].label, limits.share_bounds[0].label
        raise NotSupported(
            f"{holding} decides which assets are held; {share}, on risk contributions, cannot stand by it"
        )
    intervals = Intervals.of(limits)
    if intervals.is_empty:
        return None
    found = relaxation(limits.without_shares)
    if found is None or limits.violation(found.weights) <= VIOLATION_TOLERANCE:
        return found
    if isinstance(problem.objective, Hierarchical):
        missed = ", ".join(limits.violated(found.weights, VIOLATION_TOLERANCE))
        raise NotSupported(f"a hierarchy has the weights it has, and they miss {missed}")
    _refuse_shorts(limits, intervals)
    if _is_one(limits, intervals):
        only = _with_shares(limits, intervals.tightened.lower, on_progress)
        return None if only is None else Candidate(only, Engine.FAST, "newton", relative_gap=0.0)
    convex = with_cones(limits, intervals)
    if convex.share_bounds:
        found = relaxation(convex)
        if found is None or limits.violation(found.weights) <= VIOLATION_TOLERANCE:
            return found
    goal = _proven_goal(problem, limits)
    search = _Search(limits, goal, found.weights, problem.options.time_limit_seconds, on_progress)
    weights = search.run()
    if weights is None:
        return None
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver="branch and bound over clarabel",
        solver_version=solver_version("clarabel"),
        iterations=search.solved,
        relative_gap=search.gap,
    )


def any_within_shares(limits: FeasibleSet, anything: Callable[[FeasibleSet], Vector | None]) -> Vector | None:
    """Some weights that keep limits with bounds on contributions, None where there are none.

    `anything` gives some weights within convex limits. Raises NotSupported where there may be such weights and the
    bounds are not convex, and SolverTimedOut.
    """
    intervals = Intervals.of(limits)
    if intervals.is_empty:
        return None
    nothing = np.zeros(limits.size)
    if limits.violation(nothing) <= VIOLATION_TOLERANCE:
        return nothing
    found = anything(limits.without_shares)
    if found is None or limits.violation(found) <= VIOLATION_TOLERANCE:
        return found
    _refuse_shorts(limits, intervals)
    if _is_one(limits, intervals):
        return _with_shares(limits, intervals.tightened.lower, _carry_on)
    convex = with_cones(limits, intervals)
    if convex.share_bounds:
        found = anything(convex)
        if found is None or limits.violation(found) <= VIOLATION_TOLERANCE:
            return found
    budget = next((row.upper for row in limits.rows if row.is_budget), 0.0)
    if budget <= 0.0 or (limits.lower < 0.0).any():
        labels = ", ".join(one.label for one in limits.share_bounds)
        raise NotSupported(
            f"{labels}: upper bounds on risk contributions are kept by long portfolios with a budget only"
        )
    covariance = limits.share_bounds[0].covariance
    goal = Goal(covariance, np.full(limits.size, 1.0 / budget), 0.0)
    return _Search(limits, goal, found, FEASIBILITY_SECONDS, _carry_on, any_will_do=True).run()


def _carry_on() -> None:
    """Feasibility alone is not interrupted between steps."""


def _is_one(limits: FeasibleSet, intervals: Intervals) -> bool:
    """Whether the bounds leave one vector of shares, all above 0, for long portfolios of a budget."""
    lower = intervals.tightened.lower
    has_budget = any(row.is_budget and row.upper > 0.0 for row in limits.rows)
    return bool(has_budget and (limits.lower >= 0.0).all() and lower.min() > 0.0 and lower.sum() >= 1.0 - FULL)


def _with_shares(limits: FeasibleSet, shares: Vector, on_progress: Callable[[], None]) -> Vector | None:
    """The one long portfolio with these shares, None where a limit excludes it."""
    covariance, size = limits.share_bounds[0].covariance, limits.size
    volatilities = np.sqrt(np.diag(covariance))
    if volatilities.min() <= 0.0:
        return None
    correlation = covariance / np.outer(volatilities, volatilities)
    barrier = Barrier(correlation, shares / shares.sum(), np.zeros(size), np.full(size, np.inf))
    try:
        point, _ = free_minimum(barrier, on_progress)
    except np.linalg.LinAlgError as error:
        raise SolverFailed("the portfolio of the shares that the bounds leave did not converge") from error
    weights = point / volatilities
    weights *= _budget(limits) / float(weights.sum())
    return weights if limits.violation(weights) <= VIOLATION_TOLERANCE else None


def with_cones(limits: FeasibleSet, intervals: Intervals) -> FeasibleSet:
    """The limits with what of the bounds is convex; upper bounds of all others are a lower bound of each."""
    plain = limits.without_shares
    lower = np.where(plain.lower >= 0.0, intervals.tightened.lower, -np.inf)
    if not (lower > 0.0).any():
        return plain
    given = limits.share_bounds[0]
    cone = ShareBounds(given.label, given.covariance, np.maximum(lower, 0.0), np.full(limits.size, np.inf))
    return FeasibleSet(limits.symbols, (*plain.limits, cone))


def _sum_of_others(values: Vector) -> Vector:
    infinite = ~np.isfinite(values)
    total = float(values[~infinite].sum())
    rest = total - np.where(infinite, 0.0, values)
    missing = infinite.sum() - infinite
    sign = 1.0 if not infinite.any() else float(np.sign(values[infinite][0]))
    return np.where(missing > 0, sign * np.inf, rest)


def _refuse_shorts(limits: FeasibleSet, intervals: Intervals) -> None:
    bounded = np.isfinite(intervals.lower) | np.isfinite(intervals.upper)
    short = np.flatnonzero(bounded & (limits.lower < 0.0))
    if len(short):
        labels = ", ".join(one.label for one in limits.share_bounds)
        raise NotSupported(
            f"{labels}: bounds on the risk contribution of {limits.symbols[int(short[0])]}, which may be short, cannot "
            "be proven; bound its weight by 0 from below"
        )


def _goal(problem: Problem) -> Goal | None:
    """The objective as a quadratic form, None where it is none."""
    covariance, budget, annual = problem.moments.covariance, problem.budget, problem.periods_per_year
    mean = annual * problem.moments.expected_returns
    if budget <= 0.0 or problem.costs is not None:
        return None
    whole = np.full(len(mean), 1.0 / budget)
    earned = 0.5 * (np.outer(mean, whole) + np.outer(whole, mean))
    typical = VALUE_FLOOR * variance_scale(problem)
    match problem.objective:
        case MinRisk() if problem.risk_measure.is_quadratic:
            return Goal(covariance, whole, typical)
        case MaxUtility(aversion) if problem.risk_measure.is_quadratic:
            curvature = 0.5 * aversion * annual
            return Goal(curvature * covariance - earned, whole, curvature * typical)
        case MaxRatio(risk_free) if problem.risk_measure.is_quadratic:
            excess = mean - risk_free * whole
            return Goal(covariance, excess / float(np.abs(excess).max()), 0.0)
        case MaxReturn():
            return Goal(-earned, whole, VALUE_FLOOR * float(np.abs(mean).max()))
    return None


def _proven_goal(problem: Problem, limits: FeasibleSet) -> Goal:
    """The objective; what has no proof here is refused by name."""
    goal = _goal(problem)
    labels = ", ".join(one.label for one in limits.share_bounds)
    if goal is None:
        raise NotSupported(
            f"{labels} binds, and upper bounds on risk contributions are proven for minRisk, maxUtility and maxRatio "
            "in variance or standard deviation and for maxReturn, without costs, not for "
            f"{type(problem.objective).__name__} in {problem.risk_measure}; lower bounds above 0 are for all"
        )
    if (limits.lower < 0.0).any():
        symbol = limits.symbols[int(np.argmin(limits.lower))]
        raise NotSupported(
            f"{labels} binds, and upper bounds on risk contributions are proven for long portfolios; {symbol} may be "
            "short"
        )
    return goal


@dataclass(frozen=True, slots=True)
class _Box:
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
class _Node:
    bound: float
    number: int
    box: _Box = field(compare=False)
    point: Vector = field(compare=False)
    errors: Vector = field(compare=False)  # (N,), how much of what is missing each coordinate has a part in


class _Search:
    """Branch and bound on the shares, for weights of a budget above 0."""

    def __init__(
        self,
        limits: FeasibleSet,
        goal: Goal,
        start: Vector,
        time_limit_seconds: float,
        on_progress: Callable[[], None],
        *,
        any_will_do: bool = False,
    ) -> None:
        self._limits, self._on_progress, self._any_will_do = limits, on_progress, any_will_do
        self._deadline = time.monotonic() + time_limit_seconds
        self._budget = _budget(limits)
        covariance = limits.share_bounds[0].covariance
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
        self._program = SharedProgram(
            objective / self._unit,
            goal.cut * self._stretch,
            _unit_rows(rows * self._stretch),
            _unit_rows(equal * self._stretch),
            covariance / np.outer(volatilities, volatilities),
        )
        self._given = Intervals.of(limits)
        self._first = start / self._stretch
        self._best: Vector | None = None
        self._value = np.inf
        self._closed = np.inf  # the least bound of what was not looked into
        self._solved = 0

    def run(self) -> Vector | None:
        """The best weights, or None where there are none. Raises SolverTimedOut where that is not proven in time."""
        self._try(self._first)
        self._try(self._balanced())
        if self._any_will_do and self._best is not None:
            return self._best
        size = self._program.size
        root = self._node(_Box(np.zeros(size), np.full(size, np.inf)))
        open_nodes = [] if root is None else [root]
        while open_nodes and not (self._any_will_do and self._best is not None):
            node = heapq.heappop(open_nodes)
            if node.bound >= self._cutoff:
                self._closed = min(self._closed, node.bound)
                break
            for box in self._branches(node):
                child = self._node(box, node)
                if child is not None:
                    heapq.heappush(open_nodes, child)
        if self._best is not None and not self._any_will_do:
            self._check()
        return self._best

    def _check(self) -> None:
        """The part that holds the best has a relaxation of its own: one that took it for empty or worse was wrong."""
        if self._closed > self._value + CONTRADICTION * max(abs(self._value), self._least):
            raise SolverFailed("a relaxation of bounds on risk contributions excludes weights that keep them")

    @property
    def gap(self) -> float:
        """Of the best, relative to what is proven."""
        return max(0.0, self._value - self._closed) / max(abs(self._value), self._least)

    @property
    def solved(self) -> int:
        """Relaxations."""
        return self._solved

    @property
    def _cutoff(self) -> float:
        if self._best is None:
            return np.inf
        return self._value - CLOSE_ENOUGH * max(abs(self._value), self._least)

    def _node(self, box: _Box, parent: _Node | None = None) -> _Node | None:
        """The relaxation of a box, None where it is empty or promises nothing; what fails has its parent's bound."""
        self._on_progress()
        left = self._deadline - time.monotonic()
        if left <= 0.0:
            raise self._late()
        self._solved += 1
        program, shares = self._program, self._given.tightened
        rows = np.vstack([program.rows, box.rows(program.cut)])
        try:
            found = relaxed(replace(program, rows=rows), shares.lower, shares.upper, left)
        except SolverTimedOut:
            raise self._late() from None
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
        return _Node(bound, self._solved, box, found.point, errors)

    def _branches(self, node: _Node) -> Iterator[_Box]:
        """Two parts of the interval of the coordinate that the relaxation is most wrong about."""
        box, place = node.box, int(np.argmax(node.errors))
        low, high, middle = float(box.lower[place]), float(box.upper[place]), float(node.point[place])
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
        upper[place] = lower[place] = middle
        yield _Box(box.lower, upper)
        yield _Box(lower, box.upper)

    def _balanced(self) -> Vector:
        """Of the same share each, about: somewhere in the middle."""
        pull = np.ones(self._program.size)
        for _ in range(50):
            pull = np.sqrt(pull / np.maximum(self._program.correlation @ pull, 1e-3))
        return pull

    def _try(self, start: Vector) -> None:
        """A local solution from here, kept if it is the best."""
        scale = float(self._program.cut @ start)
        if not scale > 0.0:
            return
        point = local(self._program, self._given.lower, self._given.upper, np.maximum(start, 0.0) / scale)
        if point is None:
            return
        weights = point * self._stretch
        weights *= self._budget / float(weights.sum())
        value = self._program.value(point)
        if value >= self._value:
            return
        missed = self._limits.violated(weights, VIOLATION_TOLERANCE)
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


def _budget(limits: FeasibleSet) -> float:
    return next(row.upper for row in limits.rows if row.is_budget)


def _homogeneous(limits: FeasibleSet, budget: float) -> tuple[Matrix, Matrix]:
    """Linear limits but w >= 0 and the budget as rows w >= 0 and rows w = 0, for the sum of w is the budget."""
    size = limits.size
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
