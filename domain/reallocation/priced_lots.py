"""The best whole lots by prices of the limits: a plan, and a bound near it, in time proportional to the assets.

With the prices at which the bound is highest each asset is decided alone; then the combinations of what is nearly as
good are tried, those that keep the limits (see `lot_prices` and `lot_combinations`).

The distances depend on the cost C of all trades. For a plan of drift theta or less, C is within `reach` of the known
plan's. With slopes s_i of its distances and S their sum at a reference choice, sum_i s_i (C - C0) is at least
S (C - C0) - sum_i |s_i - s_i*| reach: a sum over assets again, exact where the slopes are those of the reference.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.drift import Drift
from domain.reallocation.lot_branching import MANY, best_mixture
from domain.reallocation.lot_combinations import Combinations, SearchSize, Start, combinations
from domain.reallocation.lot_exchanges import exchanged
from domain.reallocation.lot_options import LotOptions, lot_options
from domain.reallocation.lot_prices import LotPrices, best_prices, priced
from domain.reallocation.lots import Budgets, LotOrder, keeps
from domain.records import dataclass

EXACT_ASSETS = 40
"""Assets up to which the search goes on until the plan is proven to be the best."""

PROVEN = 1e-7
"""Part of the objective below which a gap is rounding."""

ROUNDING = 1e-12
"""A difference of objectives below it is rounding."""

FEW_ASSETS = 100
CLOSE = 5e-4
"""The gap up to which is searched; more than a few assets are left at one of `NEAR` where a search takes long."""

NEAR = 1e-3


class StartingPoint(Enum):
    """Where a search begins."""

    PRICES = auto()  # at the best options at the prices
    EXCHANGES = auto()  # at what exchanges make of these
    KNOWN = auto()  # at what exchanges make of the known plan
    MIXTURE = auto()  # next to the best mixture of options
    BRANCHES = auto()  # next to the best mixture with a single option of each asset whose terms are not convex


FEW = SearchSize(14, 4_000)
CORE = 100
"""Options beside one of each asset among which branches are quick; of more than these, beside three of each."""

SEARCHES = (
    (StartingPoint.PRICES, FEW, 0),
    (StartingPoint.PRICES, SearchSize(40, 10_000), 0),
    (StartingPoint.MIXTURE, SearchSize(30, 10_000, 6), MANY),
    (StartingPoint.PRICES, FEW, 0),
    (StartingPoint.EXCHANGES, FEW, 0),
    (StartingPoint.BRANCHES, SearchSize(30, 4_000, 6), CORE),
    (StartingPoint.PRICES, FEW, 0),
    (StartingPoint.BRANCHES, SearchSize(40, 10_000, 6), MANY),
    (StartingPoint.PRICES, FEW, 0),
    (StartingPoint.BRANCHES, SearchSize(40, 10_000, 6), MANY),
    (StartingPoint.PRICES, FEW, 0),
)
"""One after the other, each from the plan that the last one has found. A bound is nearer where that plan is."""

NEARLY_PROVEN = 1e-5
"""A gap of less is as good as none."""

NEAR_MIXTURE = np.arange(-4.0, 6.0)
"""Numbers of lots around that of an asset that is mixed which are options too, from the one below it."""

FINE = 1e-4
"""Part of the objective by which a plan may exceed the bound without being improved by exchanges."""

STEPPED = 100
"""Pairs of neighbouring options between which more numbers of lots are tried."""

BRANCH_GAP = 0.4
"""Part of the gap that is accepted at which the search of branches ends; whole lots take some of the rest."""

COST_TIE_BREAK = 1e-7
"""Weight of costs beside drift: of plans with the same drift the cheapest is taken."""

TILTS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""What a unit of cost is made to count more or less, to bound the cost of plans that are no worse."""


@dataclass(frozen=True, slots=True)
class PricedLots:
    """Lots of each order, (J,), and the objective that no plan is below; whether that is near enough."""

    lots: Sequence[int]
    bound: float
    is_enough: bool = False


def priced_lots(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int], control: SolverControl
) -> PricedLots:
    """From a known plan that keeps the budgets, until the gap is small enough or nothing more is found.

    A cash below its floor is raised to it only where something is bought: the best plan is the better one of the best
    with that limit and the best without purchases.
    """
    best = PricedLots(known, drift.floor(float(budgets.cash)))
    if not _applies(drift, orders):
        return best
    if budgets.cash >= 0:
        return _searched(drift, orders, budgets, best, control)
    buying = _searched(drift, orders, budgets, best, control)
    sales = [replace(order, most=0) if order.buys else order for order in orders]
    selling = _searched(drift, sales, budgets, replace(best, lots=buying.lots), control)
    objective, bound = drift(selling.lots), min(buying.bound, selling.bound)
    return PricedLots(selling.lots, bound, _gap(objective, bound) <= _accepted(len(drift.values))[1])


def _applies(drift: Drift, orders: Sequence[LotOrder]) -> bool:
    return bool(orders) and float(drift.cost_rates.max(initial=0.0)) < 1.0 and bool(drift.trade.all())


def _accepted(assets: int) -> tuple[float, float]:
    """The gaps at which the search ends at once, and where it would take long."""
    enough = PROVEN if assets <= EXACT_ASSETS else CLOSE
    return enough, enough if assets <= FEW_ASSETS else NEAR


def _gap(objective: float, bound: float) -> float:
    above = objective - bound
    if above <= ROUNDING:
        return 0.0
    return above / abs(objective) if objective else math.inf


def _searched(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, best: PricedLots, control: SolverControl
) -> PricedLots:
    assets = len(drift.values)
    enough, accepted = _accepted(assets)

    def gap() -> float:
        return _gap(drift(best.lots), best.bound)

    def after(begins: StartingPoint, size: SearchSize, columns: int = 0) -> PricedLots:
        search = _LagrangianSearch.of(drift, orders, budgets, best.lots, BRANCH_GAP * accepted, control)
        if search is None:
            return best
        if search.options.impossible:
            return PricedLots(best.lots, drift(best.lots))
        found = search.run(begins, size, columns)
        return PricedLots(found.lots, max(best.bound, found.bound))

    seen: dict[StartingPoint, Sequence[int]] = {}
    for begins, size, columns in SEARCHES:
        if gap() <= enough or time.monotonic() >= control.deadline:
            break
        if begins is StartingPoint.PRICES and seen.get(begins) == best.lots:
            continue  # from the same plan it finds the same
        if budgets.turnover.is_finite() and (begins is StartingPoint.EXCHANGES or columns == CORE):
            continue  # all trades use it: measured, neither saves the search of all branches
        if gap() > accepted or begins is not StartingPoint.BRANCHES or columns == CORE:
            seen[begins] = best.lots
            best = after(begins, size, columns)
    if gap() > FINE and assets <= FEW_ASSETS:
        best = after(StartingPoint.KNOWN, FEW)
    if gap() > NEARLY_PROVEN and seen.get(StartingPoint.PRICES) != best.lots:
        best = after(StartingPoint.PRICES, FEW)  # the bound is nearer where it is found from a better plan
    return replace(best, is_enough=gap() <= accepted)


@dataclass(frozen=True, slots=True)
class _LagrangianSearch:
    """From one known plan."""

    drift: Drift
    orders: Sequence[LotOrder]
    budgets: Budgets
    known: Sequence[int]
    theta: float  # objective of the known plan
    cost: float  # of the known plan
    options: LotOptions
    control: SolverControl
    branch_gap: float  # part of the objective at which a search of branches ends
    reach: float  # the cost of plans that are no worse is no further away

    @classmethod
    def of(
        cls,
        drift: Drift,
        orders: Sequence[LotOrder],
        budgets: Budgets,
        known: Sequence[int],
        branch_gap: float,
        control: SolverControl,
    ) -> "_LagrangianSearch | None":
        """None where the cost of plans that are no worse may be all there is, or there are too many options."""
        theta, cost = drift(known), float(drift.costs @ np.array(known, dtype=np.float64))
        dearest = float(drift.cost_rates.max(initial=0.0))
        # No plan of an objective of theta has more than this as half of its distances: a tax benefit can pay for some.
        furthest = max(theta, 0.0) * drift.worth - drift.taxes.least
        reach = 4.0 * furthest * dearest / (1.0 - dearest)
        if not math.isfinite(reach) or cost + reach >= drift.worth:
            return None
        options = lot_options(drift, orders, budgets, cost)
        if options is None:
            return None
        return cls(drift, orders, budgets, known, theta, cost, options, control, branch_gap, reach)

    def run(self, begins: StartingPoint, size: SearchSize, columns: int) -> PricedLots:
        """The best plan that is found, and the bound that the search proves."""
        check = self.control.check_cancelled
        values = self._values(self._choice_of(np.array(self.known, dtype=np.float64)))
        at = best_prices(self.options, values, abs(self._size), check)
        reference = self.options.of_best(priced(self.options, values, at.prices))
        search = replace(self, reach=self._closer_reach(self._values(reference), reference, at))
        start: Start | None = None
        proven = -math.inf
        if begins in (StartingPoint.MIXTURE, StartingPoint.BRANCHES):
            search, start, reference, proven = search._mixed(
                reference, at, columns, branches=begins is StartingPoint.BRANCHES
            )
        elif begins is not StartingPoint.PRICES:
            search, start, reference = search._with_steps(reference, at, known=begins is StartingPoint.KNOWN)
        values = priced(search.options, search._values(reference), at.prices)
        bound = self._sum_of_best(search.options, values) + search._constant(reference, at)
        excess = max(COST_TIE_BREAK * self.cost - bound, 0.0)
        found = combinations(search.options, values, at.prices, excess, start, size, check)
        if start is not None and (not len(found.excess) or found.excess[0] > FINE * abs(self._size)):
            start = replace(start, choice=exchanged(search.options, values, at.prices, start.choice, check))
            found = found.joined(combinations(search.options, values, at.prices, excess, start, FEW, check))
        return search._best_of(found, max(bound + found.others, proven))

    def _with_steps(
        self, reference: NDArray[np.intp], at: LotPrices, *, known: bool
    ) -> "tuple[_LagrangianSearch, Start | None, NDArray[np.intp]]":
        """The search with more numbers of lots where those between two options are nearly as good, and a start."""
        values = self._values(reference)
        total = priced(self.options, values, at.prices)
        regrets = total - total[self.options.of_best(total)][self.options.assets]
        orders, counts = self.options.steps(regrets, STEPPED)
        lots = np.array(self.known, dtype=np.float64)
        traded = np.flatnonzero(lots)
        more = np.concatenate([orders, traded]), np.concatenate([counts, lots[traded]])
        options = lot_options(self.drift, self.orders, self.budgets, self.cost, more)
        if options is None:
            return self, Start(reference), reference
        search = replace(self, options=options)
        reference = search._same(self.options, reference)
        return search, Start(search._choice_of(lots) if known else reference), reference

    def _mixed(
        self, reference: NDArray[np.intp], at: LotPrices, columns: int, *, branches: bool
    ) -> "tuple[_LagrangianSearch, Start | None, NDArray[np.intp], float]":
        """The search with the whole numbers next to those of the program, a start there, and what no plan is below."""
        values = self._values(reference)
        total = priced(self.options, values, at.prices)
        regrets = total - total[self.options.of_best(total)][self.options.assets]
        bound = self._sum_of_best(self.options, total) + self._constant(reference, at)
        excess = COST_TIE_BREAK * self.cost - bound
        size = max(abs(self._size), float(np.finfo(np.float64).tiny))
        count = len(self.orders)
        nonconvex = self._nonconvex if branches else np.zeros(len(self.options.starts), dtype=np.bool_)
        most = columns + len(self.options.starts) * (1 if columns <= CORE else 3)
        found = best_mixture(
            self.options, values, regrets, excess, nonconvex, count, size, self.branch_gap, most, self.control
        )
        if found is None:
            return self, None, reference, -math.inf
        proven = min(found.bound + self._constant(reference), bound + found.left_out)
        near = np.flatnonzero(np.isin(self.drift.places, found.mixed) & (found.lots > 0.0))
        counts = np.floor(found.lots[near])[:, None] + NEAR_MIXTURE[None, :]
        more = (np.repeat(near, len(NEAR_MIXTURE)), counts.ravel())
        options = lot_options(self.drift, self.orders, self.budgets, self.cost, more)
        if options is None:
            return self, None, reference, proven
        search = replace(self, options=options)
        start = Start(search._choice_of(found.lots), found.mixed.tolist())
        return search, start, search._same(self.options, reference), proven

    @property
    def _nonconvex(self) -> NDArray[np.bool_]:
        """(P,) Which assets have a gain or a tax that falls somewhere in the order of sale."""
        found, gains = np.zeros(len(self.options.starts), dtype=np.bool_), self.budgets.gain.is_finite()
        falls = [
            (gains and order.curve is not None and not order.curve.convex)
            or (order.tax is not None and not order.tax.convex)
            for order in self.orders
        ]
        found[self.drift.places[falls]] = True
        return found

    @staticmethod
    def _sum_of_best(options: LotOptions, values: Vector) -> float:
        return float(values[options.of_best(values)].sum())

    def _same(self, options: LotOptions, choice: NDArray[np.intp]) -> NDArray[np.intp]:
        """A choice of other options by its numbers of lots."""
        lots = options.lots_by_order(choice, len(self.orders))
        return self._choice_of(np.array(lots, dtype=np.float64))

    @property
    def _size(self) -> float:
        return self.theta * self.drift.worth

    def _best_of(self, found: Combinations, proven: float) -> PricedLots:
        """The best of some combinations that keeps the budgets exactly, and the objective that no plan is below."""
        drift, known = self.drift, COST_TIE_BREAK * self.cost
        best, least = self.known, known
        objectives = self._objectives(found.choices)
        for place in np.argsort(objectives, kind="stable").tolist():
            if objectives[place] >= least:
                break
            lots = self.options.lots_by_order(found.choices[place], len(self.orders))
            if keeps(self.orders, self.budgets, lots) and drift(lots) <= self.theta:
                best, least = lots, float(objectives[place])
        greatest = self.cost + self.reach
        excess = min(least, proven) - COST_TIE_BREAK * greatest
        lowest = drift.floor(float(self.budgets.cash))
        return PricedLots(best, max(self.theta + min(excess, 0.0) / (drift.worth - greatest), lowest))

    def _objectives(self, choices: NDArray[np.intp]) -> Vector:
        """(B,) In money, less that of the known plan, without its tie-break."""
        drift, options = self.drift, self.options
        cost = options.costs[choices].sum(axis=1)
        differences = options.positions[choices] - drift.target[None, :] * (drift.worth - cost)[:, None]
        weighed = (drift.cost_aversion + self.theta + COST_TIE_BREAK) * cost + options.taxes[choices].sum(axis=1)
        total: Vector = 0.5 * np.abs(differences).sum(axis=1) + weighed - drift.allowance(self.theta)
        return total

    def _choice_of(self, lots: Vector) -> NDArray[np.intp]:
        """The option of each asset that is nearest to lots of the orders, (J,), also parts of one."""
        options, traded = self.options, np.zeros(len(self.options.starts))
        np.add.at(traded, self.drift.places, self.drift.trade * lots)
        after = self.drift.values + traded
        return options.of_best(np.abs(options.positions - after[options.assets]))

    def _values(self, reference: NDArray[np.intp]) -> Vector:
        """(T,) What each option adds to the objective at least, but for a constant."""
        options = self.options
        weight = self._slope(reference) + self.drift.cost_aversion + self.theta + COST_TIE_BREAK
        turned = np.abs(options.slopes - options.slopes[reference][options.assets])
        values: Vector = options.distances + weight * options.costs + options.taxes - self.reach * turned
        return values

    def _slope(self, reference: NDArray[np.intp]) -> float:
        return float(self.options.slopes[reference].sum())

    def _constant(self, reference: NDArray[np.intp], at: LotPrices | None = None) -> float:
        """What the objective is beside the values of the options, at prices without what the limits are worth."""
        limits = 0.0 if at is None else float(at.prices @ self.options.limits)
        return -self._slope(reference) * self.cost - self.drift.allowance(self.theta) - limits

    def _closer_reach(self, values: Vector, reference: NDArray[np.intp], at: LotPrices) -> float:
        """How far the cost of plans that are no worse can be from that of the known one.

        With w more weight on the cost the bound is L(w): a plan of cost C that is no worse has L(w) <= w (C - C0).
        """
        options = self.options
        if not self.reach:
            return 0.0
        constant = self._constant(reference, at) - COST_TIE_BREAK * self.cost
        total, reaches = priced(options, values, at.prices), []
        for sign in (-1.0, 1.0):
            tilts = np.array(TILTS)
            tilted = total[None, :] + sign * tilts[:, None] * options.costs[None, :]
            bounds = np.minimum.reduceat(tilted, options.starts, axis=1).sum(axis=1) + constant
            reaches.append(float((np.maximum(-(bounds - sign * tilts * self.cost), 0.0) / tilts).min()))
        return min(self.reach, max(reaches) + 1e-9 * self.cost)
