"""Which trades to make where every trade has a fixed fee, by branch and bound.

A node has assets that keep their current weights, assets that pay the fee, and undecided ones. What is undecided pays
such a part of the fee as its trade is of the largest that the limits allow, the convex envelope of the fee (Lobo, Fazel
& Boyd 2007): the problem with that rate and no fees bounds all below the node. The search ends when no open node can
be better than the best weights found. What it has proven counts every node, also those that it had no need to open.
"""

from collections.abc import Callable, Iterator
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.costs.trading import TRADED, TradingCosts
from domain.errors import NoPositiveExcessReturn, NotSupported, SolverFailed
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import Box
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.branch_and_bound import expand_best_first
from domain.optimization.programs.charnes_cooper import RisklessPortfolio
from domain.optimization.programs.duality import gap_to_bound
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import MaxRatio, WorstCase, goal_of
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import CONIC_VALUE_FLOOR, FEASIBILITY_TOLERANCE, SEARCH_GAP
from domain.records import dataclass

States = NDArray[np.int8]
Mask = NDArray[np.bool_]
UNDECIDED, KEPT, PAID = 0, 1, 2

RULE = "trades:kept"
"""Label of the bounds that a node adds; it never leaves this module."""


SMALLEST_VALUE = 1e-12
"""Stands for the size of an objective that is 0."""

NODE_SETTLED = 5e-8
"""Weights that are this close to the bound of a node, relative to their value, end it."""

MOST_RELAXATIONS = 200_000
"""The most nodes of one search. An open node of a hundred assets keeps about 10 kB, most of it the limits that bind:
together 2 GB. For fourteen assets, which take some 500 a second, it is seven minutes."""

Relaxation = Callable[[Problem, FeasibleSet], Candidate | None]
"""The best weights of a problem without fees; None where there are none."""


@dataclass(order=True)
class _TradeNode:
    bound: float
    number: int
    states: States = field(compare=False)
    candidate: Candidate = field(compare=False)
    trades: Vector = field(compare=False)  # (N,), sizes


def select_trades(
    problem: Problem, limits: FeasibleSet, relaxation: Relaxation, control: SolverControl
) -> Candidate | None:
    """The best weights with a fee on every trade, proven against every other set of trades; None where there are none.

    Shadow prices are those of the assets that trade. Raises what the relaxation raises, NoPositiveExcessReturn,
    NotSupported for a worst case, SolverFailed where the search is too long, and SolverTimedOut from `check_cancelled`.
    """
    if problem.costs is None:
        return relaxation(problem, limits)
    if isinstance(problem.objective, WorstCase):
        raise NotSupported("a worst case has no fixed fees; leave costs.fixed_fee out, or use its goal alone")
    return _TradeSearch(problem, problem.costs, limits, relaxation, 0.5 * control.tolerance).run(control)


def largest_trades(limits: FeasibleSet, current: Vector) -> Vector:
    """By how much each weight could change at most, as far as bounds and sums say so, else infinite, (N,)."""
    box = limits.without_absolute_sums.polytope()
    upper = np.minimum(box.upper, box.implied_upper)
    found: Vector = np.maximum(np.maximum(upper - current, current - box.lower), 0.0)
    budget = next((row.upper for row in limits.rows if row.is_budget), None)
    for one in limits.absolute_sums:
        if one.shorts:
            continue
        # What goes up and what goes down differ by what the budget adds: neither is more than half of both and that.
        most = one.maximum if budget is None else 0.5 * (one.maximum + abs(budget - float(one.centre.sum())))
        found = np.minimum(found, most + np.abs(one.centre - current))
    return found


class _TradeSearch:
    def __init__(
        self, problem: Problem, costs: TradingCosts, limits: FeasibleSet, relaxation: Relaxation, close: float
    ) -> None:
        self._problem, self._costs, self._limits, self._relaxation = problem, costs, limits, relaxation
        within = np.clip(costs.current, limits.lower, limits.upper)
        self._stay, self._close = within, max(SEARCH_GAP, close)
        self._must = np.abs(within - costs.current) > TRADED  # these cannot stay where they are
        budget = next((row.upper for row in limits.rows if row.is_budget), None)
        # One weight alone cannot change then.
        self._is_on_budget = budget is not None and abs(float(within.sum()) - budget) <= TRADED
        most = largest_trades(limits, costs.current)
        self._fee_rates = np.divide(costs.fee, most, out=np.zeros_like(most), where=most > TRADED)
        self._fixed = most <= 0.0
        self._means = problem.periods_per_year * problem.moments.expected_returns
        goal = goal_of(problem.objective)
        self._risk_free_rate = goal.risk_free_rate_annual if isinstance(goal, MaxRatio) else 0.0
        self._best: Candidate | None = None
        self._best_value = np.inf
        self._best_size = SMALLEST_VALUE
        self._ended = np.inf  # the least bound of all nodes that were left
        self._solved = 0
        self._refusal: NoPositiveExcessReturn | None = None

    def run(self, check_cancelled: Callable[[], None]) -> Candidate | None:
        root = self._node(self._start())
        self._keep(self._nothing_traded())
        if root is not None:
            self._first(root, check_cancelled)
            root = root if self._stays_open(root) else None
        open_bound = expand_best_first(root, self._children, self._cutoff, check_cancelled)
        return self._end(min(self._ended, open_bound))

    def _children(self, node: _TradeNode) -> Iterator[_TradeNode]:
        for states in self._branches(node):
            child = self._node(states)
            if child is not None and self._stays_open(child):
                yield child

    def _start(self) -> States:
        return np.where(self._must, PAID, np.where(self._fixed, KEPT, UNDECIDED)).astype(np.int8)

    def _size(self, problem: Problem, weights: Vector, value: float) -> float:
        """What a gap is measured against, as `conic_objectives` does: the objective, or its parts where costs bring it
        near 0."""
        if isinstance(problem.objective, MaxRatio):
            return max(abs(value), SMALLEST_VALUE)
        net_return = float(self._means @ weights)
        costs = 0.0 if problem.costs is None else problem.costs.first_year(weights)
        penalty = value + net_return - costs
        return max(
            abs(value), abs(net_return), penalty, CONIC_VALUE_FLOOR * float(np.abs(self._means).max()), SMALLEST_VALUE
        )

    def _cutoff(self) -> float:
        return np.inf if self._best is None else self._best_value - self._close * self._best_size

    def _node(self, states: States) -> _TradeNode | None:
        """The relaxation of a node, None where it has no weights, or only those of no trade."""
        kept, costs = states == KEPT, self._costs
        if kept.all() or (self._is_on_budget and int((~kept).sum()) == 1):
            return None
        self._solved += 1
        if self._solved > MOST_RELAXATIONS:
            raise SolverFailed(
                f"which assets to trade was not decided in {MOST_RELAXATIONS:,} relaxations; trade fewer assets,"
                " or raise solver.tolerance"
            )
        priced = replace(self._problem, costs=self._priced(states))
        try:
            found = self._relaxation(priced, self._within(kept))
        except NoPositiveExcessReturn as refusal:
            self._refusal = refusal
            return None
        except RisklessPortfolio as riskless:
            return self._without_bound(states, riskless)
        if found is None:
            return None
        # Exactly kept is exactly the current weight, whatever rounding a solver left.
        found = replace(found, weights=np.where(kept, self._stay, found.weights))
        value = objective_value(priced, found.weights)
        bound = value - (found.relative_gap or 0.0) * self._size(priced, found.weights, value)
        if np.isnan(bound):
            bound = -np.inf  # a gap that is not known proves nothing
        trades = np.abs(found.weights - costs.current)
        return _TradeNode(bound, self._solved, states, found, trades)

    def _without_bound(self, states: States, riskless: RisklessPortfolio) -> _TradeNode:
        """A node whose relaxation has no best ratio. Raises the reason where riskless weights gain after all fees."""
        if riskless.weights is None or not (states == UNDECIDED).any():
            raise riskless
        weights = np.where(states == KEPT, self._stay, riskless.weights)
        gain = float(self._means @ weights) - self._costs.first_year(weights) - self._risk_free_rate
        if gain > 0.0:
            raise riskless
        found = Candidate(weights, Engine.FAST, "riskless")
        return _TradeNode(-np.inf, self._solved, states, found, np.abs(weights - self._costs.current))

    def _priced(self, states: States) -> TradingCosts:
        costs, kept = self._costs, states == KEPT
        rates = np.where(kept, 0.0, costs.rates + np.where(states == UNDECIDED, self._fee_rates, 0.0))
        impact = None if costs.impact is None else np.where(kept, 0.0, costs.impact)
        paid = costs.paid + costs.fee * int((states == PAID).sum())
        return replace(costs, rates=rates, impact=impact, fee=0.0, paid=paid)

    def _within(self, kept: Mask) -> FeasibleSet:
        """The limits with some weights fixed, whose own bounds say no more then and would leave no room."""
        limits = [
            Box(one.label, np.where(kept, -np.inf, one.lower), np.where(kept, np.inf, one.upper))
            if isinstance(one, Box)
            else one
            for one in self._limits.limits
        ]
        fixed = Box(RULE, np.where(kept, self._stay, -np.inf), np.where(kept, self._stay, np.inf))
        return FeasibleSet(self._limits.symbols, (*limits, fixed))

    def _nothing_traded(self) -> Candidate | None:
        """The current weights, where they keep all limits."""
        if self._must.any() or self._limits.violation(self._stay) > FEASIBILITY_TOLERANCE:
            return None
        value = objective_value(self._problem, self._stay)
        if isinstance(self._problem.objective, MaxRatio) and value >= 0.0:
            self._refusal = NoPositiveExcessReturn("neither the current weights nor what is left after fees gains")
            return None
        return Candidate(self._stay, Engine.FAST, "no trade", relative_gap=0.0)

    def _keep(self, found: Candidate | None) -> None:
        if found is not None and (value := objective_value(self._problem, found.weights)) < self._best_value:
            self._best, self._best_value = found, value
            self._best_size = self._size(self._problem, found.weights, value)

    def _stays_open(self, node: _TradeNode) -> bool:
        """Whether a node can be better than the best and its best weights are not known; its bound counts if not."""
        if node.bound >= self._cutoff() or self._is_settled(node):
            self._ended = min(self._ended, node.bound)
            return False
        return True

    def _is_settled(self, node: _TradeNode) -> bool:
        """Whether the best weights of the node are known: all that trades in its relaxation pays the fee already."""
        undecided = node.states == UNDECIDED
        if (node.trades[undecided] > TRADED).any():
            return False
        if not undecided.any():
            self._keep(node.candidate)
            return True
        settled = self._node(np.where(undecided, KEPT, node.states).astype(np.int8))
        if settled is None:
            return False
        self._keep(settled.candidate)
        weights = settled.candidate.weights
        value = objective_value(self._problem, weights)
        return value <= node.bound + NODE_SETTLED * self._size(self._problem, weights, value)

    def _first(self, root: _TradeNode, check_cancelled: Callable[[], None]) -> None:
        """Weights to beat: what trades in the relaxation, and without the smallest trade as long as that is better."""
        states = np.where((root.states == UNDECIDED) & (root.trades > TRADED), PAID, root.states)
        states = np.where(states == UNDECIDED, KEPT, states).astype(np.int8)
        before = np.inf
        # Each round but the last drops one trade.
        for _ in range(1 + int(np.count_nonzero(states == PAID))):
            check_cancelled()
            node = self._node(states)
            if node is None or node.bound >= before:
                return
            self._keep(node.candidate)
            before = node.bound
            dropped = np.where((states == PAID) & ~self._must, node.trades, np.inf)
            if not np.isfinite(dropped).any():
                return
            states = states.copy()
            states[int(np.argmin(dropped))] = KEPT

    def _branches(self, node: _TradeNode) -> tuple[States, ...]:
        """The largest trade without its fee is not made, or made and paid."""
        index = int(np.argmax(np.where(node.states == UNDECIDED, node.trades, -1.0)))
        both = (node.states.copy(), node.states.copy())
        both[0][index], both[1][index] = KEPT, PAID
        return both

    def _end(self, bound: float) -> Candidate | None:
        """The best weights with the gap that is left, or why there are none."""
        best = self._best
        if best is None:
            if self._refusal is not None:
                raise self._refusal
            return None
        left = gap_to_bound(self._best_value, bound, self._best_size)
        return replace(
            best,
            solver=f"branch and bound over {best.solver}",
            iterations=self._solved,
            relative_gap=left,
            binding=tuple(one for one in best.binding if one.label != RULE),
        )
