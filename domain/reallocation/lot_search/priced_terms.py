"""A bound of the objective in which each asset is decided alone, at prices of the limits and of the cost.

Limits become prices on what they limit: any that are not negative prove a bound (Everett 1963). A tracking error is not
below its plane at any point, so each asset adds its own part of that. A drift is a sum already, but for the cost C of
all trades, on which each wish depends: |y_i(C)| is not below its line at a cost C0 on the side on which the asset is
expected to end, and where it ends on the other side the difference is at most what C can move the wish by.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.lot_search.curves import Counts, Orders, least_count
from domain.reallocation.lot_search.problem import LotProblem
from domain.reallocation.lot_search.relaxation import LotRelaxation
from domain.reallocation.lot_search.specific_risk import CurvedRisk
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class CostRange:
    """The costs that plans below theta can have, and the one of the known plan, as fractions of net asset value."""

    least: float
    most: float
    usual: float


@dataclass(frozen=True, slots=True)
class PricedTerms:
    """What each order adds to a bound of `deviation + (cost_aversion + theta) C + tax_aversion T`."""

    problem: LotProblem
    theta: float
    costs: CostRange
    prices: Vector  # (R,), 0 or more
    direction: Vector  # (factors,), at most 1 long: of the tracking error
    sides: Vector  # (P,): 1 where an asset is expected to end above its wish, else -1; of the drift
    marginal: Vector  # what a unit of each asset adds to the plane, (P,); 0 for a drift
    curved: CurvedRisk | None = None  # instead of the plane of a tracking error

    @classmethod
    def of(cls, problem: LotProblem, relaxed: LotRelaxation, theta: float, costs: CostRange) -> "PricedTerms":
        """By the answer of the relaxation."""
        differences = problem.values - problem.target * (1.0 - costs.usual)
        np.add.at(differences, problem.places, problem.trade * relaxed.lots)
        sides = np.where(differences >= 0.0, 1.0, -1.0)
        marginal = (
            np.zeros(len(differences)) if problem.factor is None else np.asarray(problem.factor @ relaxed.direction)
        )
        return cls(problem, theta, costs, relaxed.prices, relaxed.direction, sides, marginal)

    def without_prices(self) -> "PricedTerms":
        """Of costs and taxes alone: then nothing of a tracking error is in the terms."""
        return replace(
            self,
            prices=np.zeros_like(self.prices),
            direction=np.zeros_like(self.direction),
            marginal=np.zeros_like(self.marginal),
            curved=None,
        )

    def with_curves(self, curved: CurvedRisk, prices: Vector) -> "PricedTerms":
        """By the squares of a tracking error, at other prices."""
        return replace(self, curved=curved, prices=prices, marginal=curved.slopes)

    @property
    def of_cost(self) -> float:
        """What a unit of cost adds."""
        weight = self.problem.cost_aversion + self.theta
        if self.problem.factor is None:
            return weight + 0.5 * float(self.sides @ self.problem.target)
        return weight + float(self.marginal @ self.problem.target) + self._squares_of_cost

    @property
    def _squares_of_cost(self) -> float:
        """What a unit of cost adds to the squares of a tracking error, at the point they were made at."""
        if self.curved is None:
            return 0.0
        return 2.0 * float((self.curved.squares * self.curved.point) @ self.problem.target)

    @property
    def start(self) -> float:
        """What is there without a term of any asset."""
        given = -float(self.prices @ self.problem.right)
        if self.problem.factor is None:
            return given - 0.5 * float(self.sides @ self.problem.target) * self.costs.usual
        constant = 0.0 if self.curved is None else self.curved.constant - self._squares_of_cost * self.costs.usual
        return given + constant + float(self.marginal @ (self.problem.values - self.problem.target))

    @property
    def untraded(self) -> Vector:
        """The term of each asset without a trade, (P,)."""
        return self._distance(np.arange(len(self.problem.values)), np.zeros(len(self.problem.values)))

    def __call__(self, orders: Orders, counts: Counts) -> Counts:
        """The terms of lots of orders, each instead of that of its asset without a trade, (n,)."""
        problem = self.problem
        found = self._distance(problem.places[orders], problem.trade[orders] * counts)
        found += self.of_cost * problem.curves.cost(orders, counts)
        if problem.tax_aversion:
            found += problem.tax_aversion * problem.curves.tax(orders, counts)
        if self.prices.any():
            found += self.prices @ problem.usage(orders, counts)
        return found

    def _distance(self, assets: NDArray[np.intp], traded: Counts) -> Counts:
        problem = self.problem
        differences = problem.values[assets] - problem.target[assets] * (1.0 - self.costs.usual) + traded
        if problem.factor is not None:
            linear = self.marginal[assets] * traded
            return np.asarray(
                linear if self.curved is None else linear + self._squares(self.curved, assets, differences)
            )
        moved = np.where(
            self.sides[assets] > 0.0, self.costs.most - self.costs.usual, self.costs.usual - self.costs.least
        )
        other_side = differences * self.sides[assets] < 0.0
        lost = np.where(other_side, np.minimum(problem.target[assets] * moved, np.abs(differences)), 0.0)
        return np.asarray(0.5 * np.abs(differences) - lost)

    def _squares(self, curved: CurvedRisk, assets: NDArray[np.intp], differences: Counts) -> Counts:
        """The least of the squares at any cost of the range; `differences` d are those at the usual one.

        With y = d + w c, where c is what the cost is above the usual one, and e = d - p, where p is the point:
        y^2 = d^2 - e^2 + 2 p w c + (e + w c)^2. The term in c alone is in `of_cost`, and the last one is nothing near
        the point, where a better plan is.
        """
        target, costs = self.problem.target[assets], self.costs
        error = differences - curved.point[assets]
        low = error - target * (costs.usual - costs.least)
        high = error + target * (costs.most - costs.usual)
        least = np.maximum(np.maximum(low, -high), 0.0)
        return np.asarray(curved.squares[assets] * (differences * differences - error * error + least * least))

    def least_by_asset(self) -> tuple[Vector, list[tuple[int, float]]]:
        """The least term of each asset, (P,), and the order and lots that have it; order -1 for no trade."""
        problem = self.problem
        least = self.untraded
        chosen = [(-1, 0.0)] * len(least)
        curves = problem.curves
        late = (curves.sign < 0.0) & (curves.usable < curves.most)
        if curves.impact.any() and (self.of_cost < 0.0 or late.any()):
            return np.full(len(least), -math.inf), chosen  # not convex between kinks
        for j, i in enumerate(problem.places.tolist()):
            wish = -float(problem.values[i] - problem.target[i] * (1.0 - self.costs.usual)) / float(problem.trade[j])
            around = [wish] if math.isfinite(wish) else []

            def values(counts: Counts, j: int = j) -> Counts:
                return self(np.full(len(counts), j), counts)

            found, at = least_count(values, problem.curves.kinks(j, *around))
            if found < least[i]:
                least[i], chosen[i] = found, (j, at)
        return least, chosen

    def bound(self, least: Vector) -> float:
        """What the objective of no plan is below, at most theta."""
        excess = self.start + float(least.sum()) - self.theta
        if self.costs.most >= 1.0:
            return -math.inf
        return self.theta + min(excess, 0.0) / (1.0 - self.costs.most)

    def within(self, costs: CostRange) -> "PricedTerms":
        """With another range of costs."""
        return replace(self, costs=costs)
