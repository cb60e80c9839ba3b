"""Which assets to hold: cardinality, mutual exclusions and minimum positions, by branch and bound (Bertsimas & Shioda
2009).

A node has assets that are out, assets that are in with at least the least position, and undecided ones. Its relaxation
is the problem with those bounds and, where positions are capped, with what the caps leave of each count; its value
bounds all below it. An asset of a rule that the relaxed weights break is decided both ways, and one that is in excludes
whatever may not be held with it. The search ends when no open node can be better than the best weights found. A ratio
whose relaxation has riskless weights has no bound there, and is decided further unless these are a selection.
"""

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import NoPositiveExcessReturn
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import Box, Limit, Row
from domain.optimization.problem.polytope import LARGE
from domain.optimization.problem.selection_limits import CardinalityRow, Mask, cardinality_rows
from domain.optimization.programs.branch_and_bound import expand_best_first
from domain.optimization.programs.charnes_cooper import RisklessPortfolio
from domain.optimization.programs.duality import gap_to_bound
from domain.optimization.selection.perspective import NodeBound
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, SEARCH_GAP
from domain.records import dataclass

States = NDArray[np.int8]
UNDECIDED, OUT, LONG, SHORT = 0, 1, 2, 3

RULE = "selection"
"""Label of the bounds that a node adds; it never leaves this module."""


BROKEN = 1e-9
"""How much of a weight below the least position is not rounding."""

NEARLY = 1e-3
"""A part of all positions that is dropped without much harm."""

SMALLEST_CAP = 1e-6
"""What rounding leaves of no room is no cap: its inverse would swamp every other figure of a program."""

Relaxation = Callable[[FeasibleSet], Candidate | None]
"""The best weights within limits without rules on holdings; None where there are none."""


class RelaxationLimitReachedError(Exception):
    """More relaxations than the caller allows; caught inside the optimiser."""


@dataclass(order=True)
class _SelectionNode:
    bound: float
    number: int
    states: States = field(compare=False)
    weights: Vector = field(compare=False)
    candidate: Candidate = field(compare=False)


@dataclass(frozen=True, slots=True)
class SelectionRules:
    """Cardinality rows, mutual exclusions and the minimum position of all limits together."""

    cardinality: tuple[CardinalityRow, ...]
    exclusions: Mask  # (N, N)
    least: float
    _members: Mask  # (C, N), of the counts
    _most: NDArray[np.intp]  # (C,)

    @classmethod
    def of(cls, limits: FeasibleSet) -> "SelectionRules":
        """All limits on holdings together."""
        pairs = [limit.exclusions for limit in limits.selection_limits if limit.exclusions is not None]
        cardinality = cardinality_rows(limits.selection_limits)
        return cls(
            cardinality,
            reduce(np.logical_or, pairs, np.zeros((limits.n_assets, limits.n_assets), dtype=bool)),
            max((limit.min_weight for limit in limits.selection_limits if limit.min_weight is not None), default=0.0),
            np.array([row.members for row in cardinality], dtype=bool).reshape(len(cardinality), limits.n_assets),
            np.array([row.max_assets for row in cardinality], dtype=np.intp),
        )

    def kept_by(self, weights: Vector) -> bool:
        """Whether weights are a selection."""
        return not self.too_small(weights).any() and not self.broken_by(weights != 0.0).any()

    def too_small(self, weights: Vector) -> Mask:
        """Positions below the least one, (N,)."""
        sizes = np.abs(weights)
        return (sizes > 0.0) & (sizes < self.least - BROKEN)

    def broken_by(self, held: Mask) -> Mask:
        """Which of the assets that are held (N,) belong to a cardinality row that is exceeded or exclude each other."""
        exceeded = self._members[:, held].sum(axis=1) > self._most
        return np.asarray(held & (self.exclusions[held].any(axis=0) | self._members[exceeded].any(axis=0)), dtype=bool)

    def forced_out(self, inside: Mask) -> Mask:
        """What may not be held with the assets that are in, (N,)."""
        full = self._members[:, inside].sum(axis=1) >= self._most
        return np.asarray(self.exclusions[inside].any(axis=0) | (self._members[full].any(axis=0) & ~inside))


def select_assets(
    limits: FeasibleSet,
    relaxation: Relaxation,
    value: Callable[[Vector], float],
    check_cancelled: Callable[[], None],
    *,
    node_bound: NodeBound | None = None,
    caps_hold: bool = True,
    most_relaxations: float = np.inf,
    tolerance: float = 0.0,
) -> Candidate | None:
    """The best weights within all limits, proven against every other selection; None where there are none.

    `value` is the smaller the better. `node_bound` bounds it better than the relaxation does. `caps_hold` says that the
    relaxation keeps the bounds of `limits`, `tolerance` how far from the best the answer may be. Raises what the
    relaxation raises, SolverTimedOut from `check_cancelled`, and RelaxationLimitReachedError beyond `most_relaxations`.
    """
    search = _SelectionSearch(
        limits,
        relaxation,
        value,
        node_bound,
        caps_hold=caps_hold,
        most_relaxations=most_relaxations,
        close=max(SEARCH_GAP, 0.5 * tolerance),
    )
    return search.run(check_cancelled)


class _SelectionSearch:
    def __init__(
        self,
        limits: FeasibleSet,
        relaxation: Relaxation,
        value: Callable[[Vector], float],
        node_bound: NodeBound | None,
        *,
        caps_hold: bool,
        most_relaxations: float,
        close: float,
    ) -> None:
        self._convex = limits.convex
        self._relaxation = relaxation
        self._value = value
        self._node_bound = node_bound
        self._rules = SelectionRules.of(limits)
        self._position_caps = (
            _position_caps(limits) if caps_hold and self._rules.cardinality else np.full(limits.n_assets, np.inf)
        )
        self._largest_total = _largest_total(limits)
        self._most_relaxations, self._close = most_relaxations, close
        self._best: Candidate | None = None
        self._best_value = np.inf
        self._solved = self._expanded = 0
        self._tried = set[bytes]()
        self._refusal: NoPositiveExcessReturn | None = None

    def run(self, check_cancelled: Callable[[], None]) -> Candidate | None:
        root = self._node(np.zeros(self._convex.n_assets, dtype=np.int8))
        return self._end(expand_best_first(root, self._children, self._cutoff, check_cancelled))

    def _children(self, node: _SelectionNode) -> Iterator[_SelectionNode]:
        """The children that can be better than the best; what keeps the rules is compared with it on the way."""
        self._expanded += 1
        if self._expanded.bit_count() == 1 or self._is_nearly_kept(node):
            self._try(node)
        for states in self._branches(node):
            child = self._node(states)
            if child is None or child.bound >= self._cutoff():
                continue
            if self._rules.kept_by(child.weights):
                self._keep(child.candidate)
                continue
            child = self._with_node_bound(child)
            if child.bound < self._cutoff():
                yield child

    def _cutoff(self) -> float:
        if self._best is None:
            return np.inf
        return self._best_value - self._close * max(abs(self._best_value), 1e-12)

    def _end(self, open_bound: float) -> Candidate | None:
        """The best weights with the gap that is left, or why there are none."""
        best = self._best
        if best is None:
            if self._refusal is not None:
                raise self._refusal
            return None
        left = gap_to_bound(self._best_value, open_bound, max(abs(self._best_value), 1e-12))
        binding = tuple(one for one in best.binding if one.label != RULE)
        gap = (best.relative_gap or 0.0) + left
        return replace(
            best,
            solver=f"branch and bound over {best.solver}",
            iterations=self._solved,
            relative_gap=gap,
            binding=binding,
        )

    def _node(self, states: States) -> _SelectionNode | None:
        """The relaxation of a node, None where it has no weights."""
        limits = self._limits(states)
        if limits is None:
            return None
        self._solved += 1
        if self._solved > self._most_relaxations:
            raise RelaxationLimitReachedError
        try:
            found = self._relaxation(limits)
        except NoPositiveExcessReturn as refusal:
            self._refusal = refusal
            return None
        except RisklessPortfolio as riskless:
            return self._without_bound(states, riskless)
        if found is None:
            return None
        # Exactly out is exactly zero, whatever rounding a solver left.
        weights = np.where(states == OUT, 0.0, found.weights)
        found = replace(found, weights=weights)
        value = self._value(weights)
        bound = value - (found.relative_gap or 0.0) * abs(value)
        if np.isnan(bound):
            bound = -np.inf  # a gap that is not known proves nothing
        return _SelectionNode(bound, self._solved, states, weights, found)

    def _without_bound(self, states: States, riskless: RisklessPortfolio) -> _SelectionNode:
        """A node whose relaxation has no best ratio. Raises the reason where it is not due to the relaxation."""
        weights = riskless.weights
        if weights is None:  # then such as no rule allows, so that all that is undecided gets decided
            weights = np.full(len(states), 0.5 * self._rules.least or 1.0)
        weights = np.where(states == OUT, 0.0, weights)
        node = _SelectionNode(-np.inf, self._solved, states, weights, Candidate(weights, Engine.FAST, "riskless"))
        if self._rules.kept_by(node.weights) or self._undecided(node) is None:
            raise riskless
        return node

    def _with_node_bound(self, node: _SelectionNode) -> _SelectionNode:
        limits = None if self._node_bound is None else self._limits(node.states)
        if self._node_bound is None or limits is None:
            return node
        bound = self._node_bound(limits, _inside(node.states), node.states == UNDECIDED, node.weights)
        return replace(node, bound=max(node.bound, bound))

    def _limits(self, states: States) -> FeasibleSet | None:
        """The convex limits of a node, None where they cross."""
        lower = np.where(states == OUT, 0.0, -np.inf)
        upper = np.where(states == OUT, 0.0, np.inf)
        if self._rules.least > 0.0:
            lower[states == LONG] = self._rules.least
            upper[states == SHORT] = -self._rules.least
        if (np.maximum(lower, self._convex.lower) > np.minimum(upper, self._convex.upper)).any():
            return None
        added: list[Limit] = [Box(RULE, lower, upper), *self._cardinality_rows(states)]
        return FeasibleSet(self._convex.symbols, (*self._convex.limits, *added))

    def _cardinality_rows(self, states: States) -> Iterator[Row]:
        """A held asset is at most its cap, so its part of the cap is at most 1: the parts fit into the count."""
        inside = _inside(states)
        for row in self._rules.cardinality:
            open_ones = row.members & (states == UNDECIDED) & np.isfinite(self._position_caps)
            left = row.max_assets - int((inside & row.members).sum())
            if int(open_ones.sum()) > left and self._largest_total > left * self._position_caps[open_ones].min():
                coefficients = np.zeros(len(states))
                coefficients[open_ones] = 1.0 / self._position_caps[open_ones]
                yield Row(RULE, coefficients, -np.inf, float(left))

    def _keep(self, found: Candidate) -> None:
        value = self._value(found.weights)
        if value < self._best_value:
            self._best, self._best_value = found, value

    def _try(self, node: _SelectionNode) -> None:
        """A selection to beat: the largest that go together, the smallest dropped while one is too small."""
        chosen = self._largest(node)
        for _ in range(self._convex.n_assets):
            if (key := chosen.tobytes()) in self._tried:
                return
            self._tried.add(key)
            attempt = self._node(np.where(chosen, node.states, OUT).astype(np.int8))
            if attempt is None or attempt.bound >= self._cutoff():
                return
            if self._rules.kept_by(attempt.weights):
                self._keep(attempt.candidate)
                return
            held = np.where(attempt.weights != 0.0, np.abs(attempt.weights), np.inf)
            chosen = chosen & (attempt.weights != 0.0)
            chosen[int(np.argmin(held))] = False
            if not chosen.any():
                return

    def _is_nearly_kept(self, node: _SelectionNode) -> bool:
        """Whether only small weights, such as a solver's rounding, break the rules."""
        broken, sizes = self._rules.broken_by(node.weights != 0.0), np.abs(node.weights)
        if not broken.any() or float(sizes[broken].min()) >= NEARLY * float(sizes.sum()):
            return False
        lost = np.where(self._largest(node), 0.0, sizes)
        return float(lost.sum()) < NEARLY * float(sizes.sum())

    def _largest(self, node: _SelectionNode) -> Mask:
        """Assets that may be held together: what is in, then by size in the relaxation."""
        chosen = _inside(node.states)
        out = (node.states == OUT) | self._rules.forced_out(chosen)
        for i in np.argsort(-np.abs(node.weights), kind="stable").tolist():
            if not out[i] and not chosen[i]:
                chosen[i] = True
                out |= self._rules.forced_out(chosen)
        return chosen

    def _branches(self, node: _SelectionNode) -> Iterator[States]:
        """An undecided asset out, and in on each side; without one the weights are kept but for rounding."""
        index = self._undecided(node)
        if index is None:
            if float(self._rules.least - np.abs(node.weights[_inside(node.states)]).min(initial=np.inf)) <= (
                FEASIBILITY_TOLERANCE
            ):
                self._keep(node.candidate)
            return
        out = node.states.copy()
        out[index] = OUT
        yield out
        for side, reachable in (
            (LONG, self._convex.upper[index] > 0.0),
            (SHORT, self._rules.least > 0.0 and self._convex.lower[index] < 0.0),
        ):
            if reachable:
                held = node.states.copy()
                held[index] = side
                held[self._rules.forced_out(_inside(held)) & (held == UNDECIDED)] = OUT
                yield held

    def _undecided(self, node: _SelectionNode) -> int | None:
        """First what is too small; then what breaks a rule and moves the most weight, whether it is in or out."""
        sizes = np.where(node.states == UNDECIDED, np.abs(node.weights), 0.0)
        small = self._rules.too_small(sizes)
        if small.any():
            return int(np.argmax(np.where(small, sizes, 0.0)))
        broken = self._rules.broken_by(node.weights != 0.0) & (sizes > 0.0)
        if not broken.any():
            return None
        inside, moved = _inside(node.states), np.zeros(len(sizes))
        for i in np.flatnonzero(broken).tolist():
            chosen_with = inside.copy()
            chosen_with[i] = True
            moved[i] = sizes[i] * (sizes[i] + float(sizes[self._rules.forced_out(chosen_with)].sum()))
        return int(np.argmax(moved))


def _inside(states: States) -> Mask:
    result: Mask = (states == LONG) | (states == SHORT)
    return result


def _position_caps(limits: FeasibleSet) -> Vector:
    """The most that each weight can be, infinite where nothing bounds it, (N,)."""
    implied = limits.convex.polytope().implied_upper[: limits.n_assets]
    most = np.minimum(limits.upper, implied)
    return np.where((most > SMALLEST_CAP) & (most < LARGE / 1e6), most, np.inf)


def _largest_total(limits: FeasibleSet) -> float:
    """The most that all weights of one side can be together, where the limits say so at a glance."""
    long_only = bool((limits.lower >= 0.0).all())
    return next((row.upper for row in limits.rows if row.is_budget), np.inf) if long_only else np.inf
