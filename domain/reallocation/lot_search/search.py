"""The best whole lots that are found, and what no others are below."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_search.curves import Counts
from domain.reallocation.lot_search.enumeration import try_all
from domain.reallocation.lot_search.exchange import Prices, improved
from domain.reallocation.lot_search.options import Options, cost_range, worth_looking_at
from domain.reallocation.lot_search.priced_terms import CostRange, PricedTerms
from domain.reallocation.lot_search.problem import LotProblem
from domain.reallocation.lot_search.relaxation import Relaxed, relax

ROUNDS = 4
"""Of relaxation, exchanges and bound, each with the objective that the last one has found."""

SETTLED = 1e-12
"""A difference of objectives below which a round has found nothing."""

NARROWINGS = 3
"""Of the range of costs, which depends on the terms, which depend on it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Lots of each order (J,), and the objective that no plan is below."""

    lots: list[int]
    bound: float


def best_lots(problem: LotProblem, starts: Sequence[Sequence[int]], control: SolverControl) -> Found:
    """From some lots of which at least one keeps the limits; ends with what it has when the time is over."""
    best = _best(problem, [list(lots) for lots in starts if problem.keeps(lots)])
    bound = floor = _floor(problem)
    if not len(problem.places):
        return Found(best, problem(best))
    try:
        for _ in range(ROUNDS):
            found = _round(problem, best, starts, control)
            bound, better = max(bound, found.bound), problem(best) - problem(found.lots)
            best = found.lots
            if better <= SETTLED or problem(best) - floor <= SETTLED:
                break
    except SolverTimedOut:
        control.check_cancelled()
    return Found(best, min(bound, problem(best)))


def _round(problem: LotProblem, known: list[int], starts: Sequence[Sequence[int]], control: SolverControl) -> Found:
    theta = problem(known)
    relaxed = relax(problem, theta, control)
    control()
    hints = [relaxed.lots, *(np.array(lots, dtype=np.float64) for lots in starts)]
    best = _exchanged(problem, known, relaxed, hints, theta, control)
    theta = problem(best)
    costs = _costs(problem, best)
    priced = PricedTerms.of(problem, relaxed, theta, costs)
    options = Options.of(problem)
    if options is None:
        least, _ = priced.least_by_asset()
        return Found(best, priced.bound(least))
    for _ in range(NARROWINGS):
        costs = cost_range(options, priced)
        priced = priced.within(costs)
    left, terms, least = worth_looking_at(options, priced)
    tried = try_all(problem, left, terms, priced, best, control)
    if tried.complete:
        return Found(tried.lots, problem(tried.lots))
    return Found(tried.lots, priced.bound(least))


def _exchanged(
    problem: LotProblem,
    known: list[int],
    relaxed: Relaxed,
    hints: Sequence[Counts],
    theta: float,
    control: SolverControl,
) -> list[int]:
    """The better of what exchanges make of the known lots and of those next to the relaxation."""
    prices = Prices(relaxed.prices, theta)
    found = [improved(problem, known, hints, prices, control)]
    rounded = _rounded_down(problem, relaxed.lots)
    if rounded is not None:
        found.append(improved(problem, rounded, hints, prices, control))
    return _best(problem, found)


def _best(problem: LotProblem, candidates: Sequence[list[int]]) -> list[int]:
    values = [problem(lots) for lots in candidates]
    return candidates[values.index(min(values))]


def _rounded_down(problem: LotProblem, lots: Vector) -> list[int] | None:
    """Whole lots of a relaxation: purchases down, sales up, one order of each asset; None where limits forbid them."""
    curves = problem.curves
    for sales in (np.ceil, np.floor):
        whole = np.where(curves.sign > 0.0, np.floor(lots + 1e-6), sales(lots - 1e-6))
        whole = np.minimum(whole, curves.most)
        whole = np.where(whole >= curves.least, whole, 0.0)
        for i in np.unique(problem.places).tolist():
            rivals = np.flatnonzero(problem.places == i)
            kept = rivals[np.argmax(curves.value[rivals] * whole[rivals])]
            whole[rivals[rivals != kept]] = 0.0
        found = [int(count) for count in whole]
        if problem.keeps(found):
            return found
    return None


def _least_tax(problem: LotProblem) -> float:
    """What no plan has less of, weighed; 0 or less."""
    lowest: dict[int, float] = {}
    for j, curve in problem.curves.taxes.items():
        place = int(problem.places[j])
        lowest[place] = min(lowest.get(place, 0.0), float(curve.amounts.min()))
    return problem.tax_aversion * math.fsum(lowest.values())


def _floor(problem: LotProblem) -> float:
    """The deviation is 0 or more, and so are costs."""
    least, most = _least_tax(problem), _most_cost(problem)
    if least == 0.0:
        return 0.0
    return least / (1.0 - most) if most < 1.0 else -math.inf


def _most_cost(problem: LotProblem) -> float:
    """What all trades cost at most."""
    curves = problem.curves
    allowed = curves.most >= curves.least
    cost = np.where(allowed, curves.cost(problem.orders, np.where(allowed, curves.most, 0.0)), 0.0)
    by_asset = np.zeros(len(problem.values))
    np.maximum.at(by_asset, problem.places, cost)
    return min(float(by_asset.sum()), problem.limits.cost)


def _costs(problem: LotProblem, known: Sequence[int]) -> CostRange:
    """The costs of plans that are no worse than a known one."""
    theta, usual = problem(known), problem.cost(known)
    least, most = 0.0, _most_cost(problem)
    spare = theta - _least_tax(problem)
    if problem.cost_aversion > 0.0 and problem.cost_aversion + theta > 0.0:
        most = min(most, max(spare, 0.0) / (problem.cost_aversion + theta))
    curves = problem.curves
    if problem.factor is None and not curves.impact.any() and not curves.permanent.any():
        # Two plans with drifts of at most theta differ by no more than both distances in what they trade.
        rate = float((curves.spread + curves.commission + curves.per_lot / curves.value).max(initial=0.0))
        fees = len(np.unique(problem.places)) * (curves.fixed + curves.least_commission)
        if rate < 1.0:
            reach = (4.0 * max(spare, 0.0) * rate + fees) / (1.0 - rate)
            least, most = max(least, usual - reach), min(most, usual + reach)
    return CostRange(min(least, usual), max(most, usual), usual)
