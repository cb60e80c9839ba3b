"""All that may be traded of each asset, with its figures: no trade first, then every number of lots of every order."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.lot_search.curves import Counts, Orders
from domain.reallocation.lot_search.priced_terms import CostRange, PricedTerms
from domain.reallocation.lot_search.problem import LotProblem
from domain.records import dataclass

MOST_OPTIONS = 500_000
"""Of all assets together; of more the best are found without a list."""

ROUNDING = 1e-12
"""A bound that is so much above theta leaves nothing better."""

STEEPNESS = (0.1, 1.0, 10.0, 100.0, 1e3)
"""How much a term weighs against cost where the range of costs is bounded."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options (n,), those of one asset next to one another and no trade (order -1) first among them."""

    assets: NDArray[np.intp]
    orders: Orders
    counts: Counts
    traded: Vector  # money, negative to sell
    cost: Vector
    tax: Vector
    usage: NDArray[np.float64]  # (R, n)

    @classmethod
    def of(cls, problem: LotProblem) -> "Options | None":
        """Every option; None where there are too many."""
        curves = problem.curves
        numbers = np.maximum(curves.most - curves.least + 1.0, 0.0)
        if numbers.sum() > MOST_OPTIONS:
            return None
        orders = np.repeat(problem.orders, numbers.astype(np.intp))
        counts = np.concatenate([np.zeros(0), *map(np.arange, curves.least, curves.most + 1.0)])
        return cls.some(problem, orders, counts)

    @classmethod
    def some(cls, problem: LotProblem, orders: Orders, counts: Counts) -> "Options":
        """Some options, and no trade of each asset."""
        traded = problem.trade[orders] * counts
        cost, tax = problem.curves.cost(orders, counts), problem.curves.tax(orders, counts)
        usage = problem.usage(orders, counts)
        everyone, none = np.arange(len(problem.values)), np.zeros(len(problem.values))
        assets = np.concatenate([everyone, problem.places[orders]])
        place = np.argsort(assets, kind="stable")
        return cls(
            assets[place],
            np.concatenate([np.full(len(everyone), -1), orders])[place],
            np.concatenate([none, counts])[place],
            np.concatenate([none, traded])[place],
            np.concatenate([none, cost])[place],
            np.concatenate([none, tax])[place],
            np.concatenate([np.zeros((len(usage), len(everyone))), usage], axis=1)[:, place],
        )

    def at(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Options":
        """Some of them."""
        return Options(
            self.assets[chosen],
            self.orders[chosen],
            self.counts[chosen],
            self.traded[chosen],
            self.cost[chosen],
            self.tax[chosen],
            self.usage[:, chosen],
        )

    def terms(self, priced: PricedTerms) -> Vector:
        """The term of each option, (n,)."""
        found = priced.untraded[self.assets]
        trades = self.orders >= 0
        found[trades] = priced(self.orders[trades], self.counts[trades])
        return found

    def least(self, figures: Vector, assets: int) -> Vector:
        """The least figure of each asset, (P,)."""
        found = np.full(assets, np.inf)
        np.minimum.at(found, self.assets, figures)
        return found


def cost_range(options: Options, priced: PricedTerms) -> CostRange:
    """Bounds of the cost of plans below theta: of no multiple of the terms can the sum with the cost be more."""
    terms, assets = options.terms(priced), len(priced.problem.values)
    room = priced.theta - priced.start
    least, most = priced.costs.least, priced.costs.most
    for steepness in STEEPNESS:
        largest = -options.least(steepness * terms - options.cost, assets).sum() + steepness * room
        smallest = options.least(steepness * terms + options.cost, assets).sum() - steepness * room
        least, most = max(least, smallest), min(most, largest)
    usual = priced.costs.usual
    return CostRange(min(least, usual), max(most, usual), usual)


def worth_looking_at(options: Options, priced: PricedTerms) -> tuple[Options, Vector, Vector]:
    """The options that a plan below theta can have, their terms, and the least term of each asset."""
    terms = options.terms(priced)
    least = options.least(terms, len(priced.problem.values))
    room = priced.theta - priced.start - least.sum() + ROUNDING
    kept = terms - least[options.assets] <= room
    return options.at(kept), terms[kept], least
