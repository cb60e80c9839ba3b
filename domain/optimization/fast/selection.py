"""Which assets to hold at all: cardinality and least positions, by branch and bound (Bertsimas & Shioda 2009).

A node has assets that are out, assets that are in with at least the least position, and undecided ones. Its relaxation
is the problem with those bounds and no more, whose value bounds all below it. An asset whose relaxed weight breaks a
rule is decided both ways. The search ends when no open node can be better than the best weights found.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import NoPositiveExcessReturn
from domain.optimization.feasible import Box, FeasibleSet
from domain.optimization.solution import Candidate

States = NDArray[np.int8]
UNDECIDED, OUT, LONG, SHORT = 0, 1, 2, 3

RULE = "selection"
"""Label of the bounds that a node adds; it never leaves this module."""

CLOSE_ENOUGH = 1e-8
"""A node that promises less than this, relative to the best value, is not looked into."""

BROKEN = 1e-9
"""How much of a weight below the least position is not rounding."""

Relaxation = Callable[[FeasibleSet], Candidate | None]
"""The best weights within limits without rules on holdings; None where there are none."""


@dataclass(order=True)
class _Node:
    bound: float
    number: int
    states: States = field(compare=False)
    weights: Vector = field(compare=False)
    candidate: Candidate = field(compare=False)


@dataclass(frozen=True, slots=True)
class Rules:
    """How many may be held, and how little of each."""

    most: int
    least: float

    @classmethod
    def of(cls, limits: FeasibleSet) -> "Rules":
        """The tightest of all limits on holdings."""
        counts = [limit.max_assets for limit in limits.holdings if limit.max_assets is not None]
        sizes = [limit.min_weight for limit in limits.holdings if limit.min_weight is not None]
        return cls(min(counts, default=limits.size), max(sizes, default=0.0))

    def kept_by(self, weights: Vector) -> bool:
        """Whether weights are a selection."""
        sizes = np.abs(weights[weights != 0.0])
        return len(sizes) <= self.most and not (sizes < self.least - BROKEN).any()


def selected(
    limits: FeasibleSet, relaxation: Relaxation, value: Callable[[Vector], float], on_progress: Callable[[], None]
) -> Candidate | None:
    """The best weights within all limits, proven against every other selection; None where there are none.

    `value` is the smaller the better. Raises what the relaxation raises, and SolverTimedOut from `on_progress`.
    """
    search = _Search(limits, relaxation, value, Rules.of(limits))
    return search.run(on_progress)


class _Search:
    def __init__(
        self, limits: FeasibleSet, relaxation: Relaxation, value: Callable[[Vector], float], rules: Rules
    ) -> None:
        self._convex = limits.convex
        self._relaxation = relaxation
        self._value = value
        self._rules = rules
        self._best: Candidate | None = None
        self._best_value = np.inf
        self._solved = 0
        self._refusal: NoPositiveExcessReturn | None = None

    def run(self, on_progress: Callable[[], None]) -> Candidate | None:
        root = self._node(np.zeros(self._convex.size, dtype=np.int8))
        if root is None:
            return self._end(np.inf)
        open_nodes = [root]
        self._try(self._largest(root.weights))
        while open_nodes and open_nodes[0].bound < self._cutoff():
            on_progress()
            node = heapq.heappop(open_nodes)
            for states in self._branches(node):
                child = self._node(states)
                if child is None or child.bound >= self._cutoff():
                    continue
                if self._rules.kept_by(child.weights):
                    self._keep(child.candidate)
                else:
                    heapq.heappush(open_nodes, child)
        return self._end(min([node.bound for node in open_nodes], default=np.inf))

    def _cutoff(self) -> float:
        if self._best is None:
            return np.inf
        return self._best_value - CLOSE_ENOUGH * max(abs(self._best_value), 1e-12)

    def _end(self, open_bound: float) -> Candidate | None:
        """The best weights with the gap that is left, or why there are none."""
        best = self._best
        if best is None:
            if self._refusal is not None:
                raise self._refusal
            return None
        left = max(0.0, self._best_value - min(open_bound, self._best_value)) / max(abs(self._best_value), 1e-12)
        binding = tuple(one for one in best.binding if one.label != RULE)
        gap = (best.relative_gap or 0.0) + left
        return replace(
            best,
            solver=f"branch and bound over {best.solver}",
            iterations=self._solved,
            relative_gap=gap,
            binding=binding,
        )

    def _node(self, states: States) -> _Node | None:
        """The relaxation of a node, None where it has no weights."""
        self._solved += 1
        lower = np.where(states == OUT, 0.0, -np.inf)
        upper = np.where(states == OUT, 0.0, np.inf)
        if self._rules.least > 0.0:
            lower[states == LONG] = self._rules.least
            upper[states == SHORT] = -self._rules.least
        if (np.maximum(lower, self._convex.lower) > np.minimum(upper, self._convex.upper)).any():
            return None
        limits = FeasibleSet(self._convex.symbols, (*self._convex.limits, Box(RULE, lower, upper)))
        try:
            found = self._relaxation(limits)
        except NoPositiveExcessReturn as refusal:
            self._refusal = refusal
            return None
        if found is None:
            return None
        # Exactly out is exactly zero, whatever rounding a solver left.
        weights = np.where(states == OUT, 0.0, found.weights)
        found = replace(found, weights=weights)
        value = self._value(weights)
        bound = value - (found.relative_gap or 0.0) * abs(value)
        return _Node(bound, self._solved, states, weights, found)

    def _keep(self, found: Candidate) -> None:
        value = self._value(found.weights)
        if value < self._best_value:
            self._best, self._best_value = found, value

    def _try(self, chosen: NDArray[np.bool_]) -> None:
        """A first selection to beat: what is largest in the relaxation, the smallest dropped while it breaks rules."""
        for _ in range(self._convex.size):
            states = np.where(chosen, UNDECIDED, OUT).astype(np.int8)
            node = self._node(states)
            if node is None:
                return
            if self._rules.kept_by(node.weights):
                self._keep(node.candidate)
                return
            held = np.where(node.weights != 0.0, np.abs(node.weights), np.inf)
            chosen = chosen & (node.weights != 0.0)
            chosen[int(np.argmin(held))] = False
            if not chosen.any():
                return

    def _largest(self, weights: Vector) -> NDArray[np.bool_]:
        chosen = np.zeros(len(weights), dtype=bool)
        chosen[np.argsort(-np.abs(weights), kind="stable")[: self._rules.most]] = True
        return chosen

    def _branches(self, node: _Node) -> Iterator[States]:
        """First what is too small is decided; then the largest, without which the bound rises the most."""
        states, weights = node.states, node.weights
        open_sizes = np.where(states == UNDECIDED, np.abs(weights), 0.0)
        small = (open_sizes > 0.0) & (open_sizes < self._rules.least - BROKEN)
        place = int(np.argmax(np.where(small, open_sizes, 0.0) if small.any() else open_sizes))
        if states[place] != UNDECIDED:
            return
        out = states.copy()
        out[place] = OUT
        yield self._completed(out)
        for side, reachable in (
            (LONG, self._convex.upper[place] > 0.0),
            (SHORT, self._rules.least > 0.0 and self._convex.lower[place] < 0.0),
        ):
            if reachable:
                held = states.copy()
                held[place] = side
                yield self._completed(held)

    def _completed(self, states: States) -> States:
        """With as many in as may be, all others are out."""
        inside = (states == LONG) | (states == SHORT)
        if int(inside.sum()) >= self._rules.most:
            states = np.where(inside, states, OUT).astype(np.int8)
        return states
