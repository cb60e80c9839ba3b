"""The best whole lots that are found, and what no others are below."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_search.curves import Counts
from domain.reallocation.lot_search.enumeration import enumerate_plans
from domain.reallocation.lot_search.exchange import Prices, improved
from domain.reallocation.lot_search.narrowing import least_tax, most_cost, most_deviation, narrowed
from domain.reallocation.lot_search.options import Options, cost_range, worth_looking_at
from domain.reallocation.lot_search.priced_terms import PricedTerms
from domain.reallocation.lot_search.problem import LotProblem
from domain.reallocation.lot_search.relaxation import LotRelaxation, relax, relax_squares
from domain.reallocation.lot_search.specific_risk import SplitRisk
from domain.records import dataclass

ROUNDS = 4
"""Of relaxation, exchanges and bound, each with the objective that the last one has found."""

SETTLED = 1e-12
"""A difference of objectives below which a round has found nothing."""

SQUARES = 3
"""Times that the squares of a tracking error are bounded, each with the bound of the last one."""

NEAR_WHOLE = 1e-6
"""A number of lots that is so near to a whole one is meant as that."""

CLOSER = 1e-3
"""Part of a bound by which the next one must be closer, for one more."""

MOST_SQUARES = 1000
"""Assets of which that is done."""

MANY = 100
"""Assets of a tracking error above which exchanges begin at what is next to its squares."""

NARROWINGS = 3
"""Of the range of costs, which depends on the terms, which depend on it."""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """Lots of each order (J,), and the objective that no plan is below."""

    lots: list[int]
    bound: float


def best_lots(problem: LotProblem, starts: Sequence[Sequence[int]], control: SolverControl) -> Incumbent:
    """From some lots of which at least one keeps the limits; ends with what it has when the time is over."""
    best = _best(problem, [list(lots) for lots in starts if problem.keeps(lots)])
    bound = floor = _floor(problem)
    if not len(problem.places):
        return Incumbent(best, problem(best))
    try:
        for _ in range(ROUNDS):
            found = _round(problem, best, starts, bound, control)
            bound, better = max(bound, found.bound), problem(best) - problem(found.lots)
            best = found.lots
            if better <= SETTLED or problem(best) - floor <= SETTLED:
                break
            if _is_many(problem) and problem(best) - bound <= CLOSER * bound:
                break
    except SolverTimedOut:
        control.check_cancelled()
    return Incumbent(best, min(bound, problem(best)))


def _round(
    problem: LotProblem, known: list[int], starts: Sequence[Sequence[int]], proven: float, control: SolverControl
) -> Incumbent:
    theta = problem(known)
    near, _ = narrowed(problem, known)
    relaxed = relax(near, theta, control)
    hints = [relaxed.lots, *(np.array(lots, dtype=np.float64) for lots in starts)]
    best = _exchanged(problem, known, relaxed, hints, theta, control)
    near, costs = narrowed(problem, best)
    priced = PricedTerms.of(near, relaxed, problem(best), costs)
    control.check_cancelled()
    options = Options.of(near)
    if options is None:
        least, _ = priced.least_by_asset()
        closer = _by_squares(near, None, priced, Incumbent(best, max(proven, priced.bound(least))), control)
        return replace(closer, lots=_changed(problem, best, closer.lots, hints, relaxed, control))
    for _ in range(NARROWINGS):
        priced = priced.within(cost_range(options, priced))
    left, terms, least = worth_looking_at(options, priced)
    closer = _by_squares(near, options, priced, Incumbent(best, max(proven, priced.bound(least))), control)
    best, bound = _changed(problem, best, closer.lots, hints, relaxed, control), closer.bound
    tried = enumerate_plans(near, left, terms, priced, best, control)
    if not tried.complete and near.factor is not None:
        # Where little risk is left at the relaxation, its length says more than its plane.
        plain = priced.without_prices()
        tried = enumerate_plans(near, left, left.terms(plain), plain, tried.lots, control)
    return Incumbent(tried.lots, problem(tried.lots) if tried.complete else bound)


def _is_many(problem: LotProblem) -> bool:
    """Whether a tracking error is of so many assets that a round takes seconds."""
    return problem.factor is not None and len(problem.values) > MANY


def _changed(
    problem: LotProblem,
    before: list[int],
    lots: list[int],
    hints: Sequence[Counts],
    relaxed: LotRelaxation,
    control: SolverControl,
) -> list[int]:
    """What exchanges make of lots of many assets, where squares have found no others."""
    if lots != before or not _is_many(problem):
        return lots
    return improved(problem, lots, hints, Prices(relaxed.prices, problem(lots)), control)


def _by_squares(
    near: LotProblem, options: Options | None, priced: PricedTerms, found: Incumbent, control: SolverControl
) -> Incumbent:
    """A closer bound of a tracking error, and the better of the known lots and of those next to its relaxation."""
    if near.covariance is None or len(near.values) > MOST_SQUARES:
        return found
    best, bound, weighs = found.lots, found.bound, near.cost_aversion > 0.0 or near.tax_aversion > 0.0
    split = SplitRisk.of(near.covariance, 0.0, most_deviation(near, priced.theta))
    if split is None:
        return found
    for _ in range(SQUARES):
        control.check_cancelled()
        # What is weighed beside it may leave less of a tracking error than of the objective.
        split = split.from_least(0.0 if weighs else bound * (1.0 - priced.costs.most))
        relaxed = relax_squares(near, priced.theta, split, near.differences(found.lots, priced.costs.usual), control)
        point = near.differences([0] * len(near.places), priced.costs.usual)
        np.add.at(point, near.places, near.trade * relaxed.lots)
        risk = split.at(point)
        # Of errors that are less than what costs may be, the second is the closer one.
        better = max(
            _bound_of_squares(options, priced.with_curves(curved, relaxed.prices))
            for curved in (risk, risk.at_no_point())
        )
        prices = Prices(relaxed.prices, priced.theta)
        for rounded in (_nearly_rounded(near, relaxed.lots), _rounded(near, relaxed.lots)):
            if rounded is not None:
                best = _best(near, [best, improved(near, rounded, [relaxed.lots], prices, control)])
                break
        before, bound = bound, max(bound, better)
        if better - before <= CLOSER * abs(before):
            break
    return Incumbent(best, bound)


def _bound_of_squares(options: Options | None, priced: PricedTerms) -> float:
    """What no plan is below, by its options where these are few enough to be listed."""
    if options is None:
        return priced.bound(priced.least_by_asset()[0])
    return priced.bound(options.least(options.terms(priced), len(priced.problem.values)))


def _exchanged(
    problem: LotProblem,
    known: list[int],
    relaxed: LotRelaxation,
    hints: Sequence[Counts],
    theta: float,
    control: SolverControl,
) -> list[int]:
    """The better of what exchanges make of the known lots and of those next to the relaxation.

    Of many assets the better of these as they are: exchanges are for what is next to the squares of `_by_squares`.
    """
    prices = Prices(relaxed.prices, theta)
    if _is_many(problem):
        near = (_nearly_rounded(problem, relaxed.lots), _rounded(problem, relaxed.lots))
        return _best(problem, [known, *(lots for lots in near if lots is not None)])
    found = [improved(problem, known, hints, prices, control)]
    rounded = _rounded(problem, relaxed.lots)
    if rounded is not None:
        found.append(improved(problem, rounded, hints, prices, control))
    return _best(problem, found)


def _best(problem: LotProblem, candidates: Sequence[list[int]]) -> list[int]:
    values = [problem(lots) for lots in candidates]
    return candidates[values.index(min(values))]


def _rounded(problem: LotProblem, lots: Vector) -> list[int] | None:
    """Whole lots of a relaxation, one order of each asset: the nearest, or where limits forbid these less of purchases
    and more of sales, or less of both; None where they forbid all."""
    buys = problem.curves.sign > 0.0
    for up, down in ((0.5, 0.5), (0.2, 0.2), (NEAR_WHOLE, NEAR_WHOLE), (NEAR_WHOLE, 1.0 - NEAR_WHOLE)):
        whole = np.where(buys, np.floor(lots + up), np.ceil(lots - down))
        found = [int(count) for count in _of_one_order(problem, whole)]
        if problem.keeps(found):
            return found
    return None


def _nearly_rounded(problem: LotProblem, lots: Vector) -> list[int] | None:
    """The nearest whole lots of a relaxation, but for the fewest that were rounded up most, which are rounded down.

    Sales are rounded the other way. None where that does not keep the limits either.
    """
    buys = problem.curves.sign > 0.0
    nearest = _of_one_order(problem, np.round(lots))
    used = np.where(buys, nearest - lots, lots - nearest) * (lots > NEAR_WHOLE)
    ranked = np.argsort(-used, kind="stable")[: int((used > NEAR_WHOLE).sum())]
    low, high, found = 0, len(ranked), None
    while low <= high:
        changed = ranked[: (low + high) // 2]
        other = nearest.copy()
        other[changed] += np.where(buys[changed], -1.0, 1.0)
        tried = [int(count) for count in _of_one_order(problem, other)]
        if problem.keeps(tried):
            found, high = tried, len(changed) - 1
        else:
            low = len(changed) + 1
    return found


def _of_one_order(problem: LotProblem, whole: Vector) -> Vector:
    """What an order may trade, of one order of each asset."""
    curves = problem.curves
    whole = np.minimum(np.maximum(whole, 0.0), curves.most)
    whole = np.where(whole >= curves.least, whole, 0.0)
    by_asset = np.lexsort((-curves.value * whole, problem.places))  # of an asset the largest trade first
    places = problem.places[by_asset]
    whole[by_asset[1:][places[1:] == places[:-1]]] = 0.0
    return whole


def _floor(problem: LotProblem) -> float:
    """The deviation is 0 or more, and so are costs."""
    least, most = least_tax(problem), most_cost(problem)
    if least == 0.0:
        return 0.0
    return least / (1.0 - most) if most < 1.0 else -math.inf
