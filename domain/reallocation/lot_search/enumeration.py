"""All plans that a bound leaves open, tried one asset after the other.

After some assets are decided, the bound is the sum of their terms and of the least terms of the others. A tracking
error has more: with u the direction of the risk z at the relaxation, of a length l of at most 1, the terms bound u z,
and |z| = sqrt(a^2 + b^2), where a = u z / l and b is the length of z across u. So |z| is above u z = l a by
sqrt(a^2 + b^2) - l a, which is least at a = l b / sqrt(1 - l^2), or at the largest a of a better plan. The covariance
across u, factored by a Cholesky decomposition in the order of the assets, is a sum of squares of which the first k
depend on the first k assets alone, as in the search for the closest point of a lattice (Fincke and Pohst 1985; Agrell,
Eriksson, Vardy and Zeger 2002).
"""

import math

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_search.exchange import is_over
from domain.reallocation.lot_search.options import Options
from domain.reallocation.lot_search.priced_terms import PricedTerms
from domain.reallocation.lot_search.problem import ROUNDING, LotProblem
from domain.records import dataclass

NODES = 15_000
"""Choices that are followed; an open end proves nothing."""

CALLS = 16
"""Nodes between two looks at the time: a node can have thousands of plans."""

MOST_TRADED = 40
"""Assets with more than one option left, up to which plans are tried."""

BETTER = 1e-12
"""By how much a plan must be better, as a fraction of net asset value."""

SHORT = 0.5
"""A direction that is shorter is not taken apart: of the length of the risk, 1 - l is left beside l u z."""

SINGULAR = 1e-13
"""Part of the trace that is added to the diagonal of a covariance, and taken from the squares again."""


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The best lots, and whether all that could be better were tried."""

    lots: list[int]
    complete: bool


def enumerate_plans(
    problem: LotProblem,
    options: Options,
    terms: Vector,
    priced: PricedTerms,
    known: list[int],
    control: SolverControl,
) -> Enumeration:
    """Plans of options with their terms that are better than known lots."""
    if not len(options.assets):
        return Enumeration(known, complete=True)  # the bound leaves nothing open
    if int((np.bincount(options.assets) > 1).sum()) > MOST_TRADED:
        return Enumeration(known, complete=False)
    search = _BranchAndBound(problem, options, terms, priced, known, control)
    search.follow(0, search.root)
    return Enumeration(search.best, search.complete)


@dataclass(frozen=True, slots=True)
class _Node:
    """What the decided assets make up."""

    terms: float  # with the least ones of the others, and the start
    cost: float
    usage: Vector  # (R,)
    squares: tuple[float, float, float]  # sum of squares of rows (a + b C): of a a, a b, b b
    rows: Vector  # a of every row, as far as it is decided, (M,)


class _BranchAndBound:
    def __init__(
        self,
        problem: LotProblem,
        options: Options,
        terms: Vector,
        priced: PricedTerms,
        known: list[int],
        control: SolverControl,
    ) -> None:
        self._problem, self._priced, self._control = problem, priced, control
        self.best, self._theta = known, problem(known)
        self._nodes = self._calls = 0
        self._is_over = False  # the time
        count = len(problem.values)
        groups = [np.flatnonzero(options.assets == i) for i in range(count)]
        free = [i for i in range(count) if len(groups[i]) > 1]
        self._order = self._ranked(free, groups)
        fixed = [i for i in range(count) if len(groups[i]) <= 1]
        self._options = []
        for i in self._order:
            ranked = groups[i][np.argsort(terms[groups[i]], kind="stable")]
            self._options.append((options.at(ranked), terms[ranked]))
        least = np.array([found[0] for _, found in self._options])
        self._rest_cost = _rests(np.array([each.cost.min() for each, _ in self._options]))
        self._rest_most = _rests(np.array([each.cost.max() for each, _ in self._options]))
        self._rest_usage = _rests(np.array([each.usage.min(axis=1) for each, _ in self._options]))
        given = options.at(np.array([groups[i][0] for i in fixed], dtype=np.intp))
        self._given = [(int(j), int(k)) for j, k in zip(given.orders, given.counts, strict=True) if j >= 0]
        self._set_squares(fixed, given)
        self.root = _Node(
            priced.start + float(least.sum()) + float(terms[[groups[i][0] for i in fixed]].sum()),
            float(given.cost.sum()),
            given.usage.sum(axis=1),
            self._fixed_squares,
            self._fixed_rows,
        )
        self._chosen: list[tuple[int, int]] = []
        # Differences to the target at no cost, and tax: of what is given and chosen.
        self._differences, self._tax = problem.values - problem.target, float(given.tax.sum())
        np.add.at(self._differences, given.assets, given.traded)

    def _ranked(self, free: list[int], groups: list[NDArray[np.intp]]) -> list[int]:
        """First the assets with the fewest options; of a tracking error, those of which a lot adds most risk.

        That is the risk that no other asset that comes later can take away again, which is the pivot of the
        decomposition (Foschini, Golden, Valenzuela and Wolniansky 1999).
        """
        problem = self._problem
        if problem.factor is None:
            return sorted(free, key=lambda i: len(groups[i]))
        lots = np.zeros(len(problem.values))
        np.maximum.at(lots, problem.places, problem.curves.value)
        covariance = problem.factor @ problem.factor.T
        covariance += SINGULAR * float(np.trace(covariance)) * np.eye(len(lots))
        left, found = list(free), []
        while left:
            alone = lots[left] ** 2 / np.diag(np.linalg.inv(covariance[np.ix_(left, left)]))
            found.append(left.pop(int(np.argmax(alone))))
        return found

    def _set_squares(self, fixed: list[int], given: Options) -> None:
        """The rows of the decomposition, in the order fixed assets, free assets."""
        problem, order = self._problem, [*fixed, *self._order]
        self._matrix, self._by_cost = np.zeros((0, 0)), np.zeros(0)
        self._fixed_squares, self._fixed_rows, self._along = (0.0, 0.0, 0.0), np.zeros(0), 0.0
        if problem.factor is None:
            return
        self._length = min(float(np.linalg.norm(self._priced.direction)), 1.0)
        along = self._priced.marginal / self._length if self._length >= SHORT else np.zeros(len(order))
        covariance = problem.factor @ problem.factor.T
        matrix = _lower_factor((covariance - np.outer(along, along))[np.ix_(order, order)])
        start = (problem.values - problem.target)[order]
        start[: len(fixed)] += given.traded
        rows, by_cost = matrix @ start, matrix @ problem.target[order]
        first = slice(0, len(fixed))
        self._fixed_squares = (
            float(rows[first] @ rows[first]),
            float(rows[first] @ by_cost[first]),
            float(by_cost[first] @ by_cost[first]),
        )
        rest = slice(len(fixed), None)
        self._matrix, self._by_cost, self._fixed_rows = matrix[rest, rest], by_cost[rest], rows[rest]
        self._jitter = SINGULAR * float(np.trace(covariance))

    def follow(self, depth: int, node: _Node) -> None:
        """All plans that begin as a node does."""
        if self._calls % CALLS == 0 and is_over(self._control):
            self._is_over = True
        self._calls += 1
        if self._is_over:
            return
        if depth == len(self._order):
            self._finish()
            return
        if self._nodes >= NODES:
            return
        self._nodes += 1
        options, terms = self._options[depth]
        totals = node.terms + (terms - terms[0])
        cost = node.cost + options.cost
        usage = node.usage[:, None] + options.usage
        squares, bounds = self._bounds(depth, node, options, totals, cost)
        right = self._problem.right[:, None] + ROUNDING
        allowed: NDArray[np.bool_] = np.all(usage + self._rest_usage[depth + 1][:, None] <= right, axis=0)
        # Of thousands of options few are left: the others are not looked at one by one.
        near = np.flatnonzero(allowed & (bounds < self._threshold))
        if depth == len(self._order) - 1:
            self._finish_best(options, near, cost[near])
            return
        for n in near[np.argsort(bounds[near], kind="stable")].tolist():
            if self._is_over or bounds[n] >= self._threshold:
                break
            rows = node.rows + self._matrix[:, depth] * options.traded[n] if len(node.rows) else node.rows
            done = (float(squares[0][n]), float(squares[1][n]), float(squares[2][n]))
            below = _Node(float(totals[n]), float(cost[n]), usage[:, n], done, rows)
            asset, traded, tax = int(options.assets[n]), float(options.traded[n]), float(options.tax[n])
            before = float(self._differences[asset]), self._tax
            self._chosen.append((int(options.orders[n]), int(options.counts[n])))
            self._differences[asset], self._tax = before[0] + traded, before[1] + tax
            self.follow(depth + 1, below)
            self._chosen.pop()
            self._differences[asset], self._tax = before

    @property
    def complete(self) -> bool:
        """Whether all was followed that could be better."""
        return self._nodes < NODES and not self._is_over

    @property
    def _threshold(self) -> float:
        """Bounds at or above it have no better plan: the terms are at the theta of the start, plans may be better."""
        return self._theta + (self._priced.theta - self._theta) * self._priced.costs.most - BETTER

    def _bounds(
        self, depth: int, node: _Node, options: Options, totals: Vector, cost: Vector
    ) -> tuple[tuple[Vector, Vector, Vector], Vector]:
        if not len(node.rows):
            zero = np.zeros(len(totals))
            return (zero, zero, zero), totals
        a = node.rows[depth] + self._matrix[depth, depth] * options.traded
        b = float(self._by_cost[depth])
        squares = (node.squares[0] + a * a, node.squares[1] + a * b, np.full(len(a), node.squares[2] + b * b))
        low = np.maximum(cost + self._rest_cost[depth + 1], self._priced.costs.least)
        high = np.maximum(np.minimum(cost + self._rest_most[depth + 1], self._priced.costs.most), low)
        across = np.sqrt(np.maximum(_least_square(squares, low, high) - 4.0 * self._jitter, 0.0))
        # The risk along u is at most what a better plan has as a tracking error.
        most = max(self._threshold + BETTER - self._least_weighed, 0.0)
        length, width = self._length, math.sqrt(1.0 - self._length**2)
        if length < SHORT:
            return squares, totals + (1.0 - length) * across
        along = np.minimum(most, length * across / width) if width > 0.0 else np.full(len(across), most)
        return squares, totals + np.hypot(along, across) - length * along

    @property
    def _least_weighed(self) -> float:
        """What cost and tax add at least."""
        problem = self._problem
        tax = sum(float(curve.amounts.min()) for curve in problem.curves.taxes.values())
        of_cost = min(problem.cost_aversion + self._priced.theta, 0.0)
        return problem.tax_aversion * tax + of_cost * self._priced.costs.most

    def _finish_best(self, options: Options, near: NDArray[np.intp], cost: Vector) -> None:
        """The plans with options of the last asset, by their objective: only what is better is computed exactly."""
        problem = self._problem
        differences = self._differences + problem.target * cost[:, None]
        differences[np.arange(len(near)), options.assets[near]] += options.traded[near]
        if problem.factor is None:
            deviations = 0.5 * np.abs(differences).sum(axis=1)
        else:
            deviations = np.linalg.norm(differences @ problem.factor, axis=1)
        weighed = problem.cost_aversion * cost + problem.tax_aversion * (self._tax + options.tax[near])
        left = 1.0 - cost
        values = np.divide(deviations + weighed, left, out=np.full(len(near), np.inf), where=left > 0.0)
        for place in np.argsort(values, kind="stable").tolist():
            if values[place] >= self._theta:
                break
            n = near[place]
            self._chosen.append((int(options.orders[n]), int(options.counts[n])))
            self._finish()
            self._chosen.pop()

    def _finish(self) -> None:
        lots = [0] * len(self._problem.places)
        for order, count in (*self._given, *self._chosen):
            if order >= 0:
                lots[order] = count
        value = self._problem(lots)
        if value < self._theta - BETTER and self._problem.keeps(lots):
            self.best, self._theta = lots, value


def _rests(figures: NDArray[np.float64]) -> list[Vector]:
    """Sums of the figures from each place on; of none at the end."""
    total = np.zeros_like(figures[0]) if len(figures) else np.zeros(1)
    found = [total]
    for each in figures[::-1]:
        total = total + each
        found.append(total)
    return found[::-1]


def _least_square(squares: tuple[Vector, Vector, Vector], low: Vector, high: Vector) -> Vector:
    """The least of p + 2 q C + r C^2 over low <= C <= high."""
    p, q, r = squares
    at = np.clip(np.divide(-q, r, out=low.copy(), where=r > 0.0), low, high)
    found: Vector = p + 2.0 * q * at + r * at * at
    return found


def _lower_factor(matrix: Matrix) -> Matrix:
    """A lower triangular A, (M, M), with A'A = matrix + `SINGULAR` of its trace on the diagonal, so that it exists."""
    size, trace = len(matrix), float(np.trace(matrix))
    left = (matrix + SINGULAR * max(trace, 0.0) * np.eye(size)).copy()
    found = np.zeros_like(matrix)
    for k in range(size - 1, -1, -1):
        pivot = float(left[k, k])
        if pivot <= 0.0:
            continue
        found[k, :] = left[k, :] / math.sqrt(pivot)
        left -= np.outer(found[k], found[k])
    return found
