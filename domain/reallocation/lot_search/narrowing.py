"""How far a plan that is better than a known one can be from the target, asset by asset, and what it can cost."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.reallocation.lot_search.priced_terms import CostRange
from domain.reallocation.lot_search.problem import LotProblem

ROUNDS = 3
"""Of lots and costs, each of which limits the other."""

ROUNDING = 1e-9
"""In lots and in fractions of net asset value, what a limit is widened by."""


def narrowed(problem: LotProblem, known: Sequence[int]) -> tuple[LotProblem, CostRange]:
    """The problem without lots that no plan below the known one has, and the costs that these plans can have."""
    costs = cost_range(problem, known)
    reach = _reach(problem, problem(known))
    found = problem
    for _ in range(ROUNDS):
        found = _within(problem, reach, costs)
        most = min(costs.most, most_cost(found))
        costs = CostRange(costs.least, max(most, costs.usual), costs.usual)
    return found, costs


def least_tax(problem: LotProblem) -> float:
    """What no plan has less of, weighed; 0 or less."""
    lowest: dict[int, float] = {}
    for j, curve in problem.curves.taxes.items():
        place = int(problem.places[j])
        lowest[place] = min(lowest.get(place, 0.0), float(curve.amounts.min()))
    return problem.tax_aversion * math.fsum(lowest.values())


def most_deviation(problem: LotProblem, theta: float) -> float:
    """What the deviation of a plan below theta is at most."""
    if theta + problem.cost_aversion < 0.0:
        return math.inf
    return max(theta - least_tax(problem), max(theta, 0.0))


def most_cost(problem: LotProblem) -> float:
    """What all trades cost at most."""
    curves = problem.curves
    allowed = curves.most >= curves.least
    cost = np.where(allowed, curves.cost(problem.orders, np.where(allowed, curves.most, 0.0)), 0.0)
    by_asset = np.zeros(len(problem.values))
    np.maximum.at(by_asset, problem.places, cost)
    return min(float(by_asset.sum()), problem.limits.cost)


def cost_range(problem: LotProblem, known: Sequence[int]) -> CostRange:
    """The costs of plans that are no worse than a known one."""
    theta, usual = problem(known), problem.cost(known)
    least, most = 0.0, most_cost(problem)
    spare = theta - least_tax(problem)
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


def _reach(problem: LotProblem, theta: float) -> Vector:
    """The most that each asset of a plan below theta differs from its target, (P,).

    A sum of absolute differences is twice a drift. With y' S y at most d^2, y_i^2 is at most d^2 (S^-1)_ii.
    """
    most = most_deviation(problem, theta)
    if problem.covariance is None:
        return np.full(len(problem.values), 2.0 * most)
    furthest = problem.covariance.furthest
    found: Vector = np.where(np.isfinite(furthest), most * furthest, math.inf)
    return found


def _within(problem: LotProblem, reach: Vector, costs: CostRange) -> LotProblem:
    curves, i = problem.curves, problem.places
    below = problem.values - problem.target * (1.0 - costs.least)
    above = problem.values - problem.target * (1.0 - costs.most)
    low = (-reach - above)[i]
    high = (reach - below)[i]
    buys = curves.sign > 0.0
    fewest = np.where(buys, low, -high) / curves.value
    most = np.where(buys, high, -low) / curves.value
    slack = ROUNDING * (1.0 + np.abs(np.where(np.isfinite(most), most, 0.0)))
    least = np.maximum(curves.least, np.ceil(np.where(np.isfinite(fewest), fewest, 0.0) - slack))
    return replace(problem, curves=replace(curves, least=least, most=np.minimum(curves.most, np.floor(most + slack))))
