"""The problem of whole lots: an objective and limits, both functions of the lots of all orders.

With y = values + trades - target (1 - C) and C the cost of all trades, the objective is
    (deviation(y) + cost_aversion C + tax_aversion T) / (1 - C),
where the deviation is sum |y_i| / 2, or sqrt(y' S y) with S the covariance per year. It is below theta exactly where
    deviation(y) + (cost_aversion + theta) C + tax_aversion T
is below theta, as the fraction of Dinkelbach (1967).
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.reallocation.lot_search.curves import Counts, Curves, Orders
from domain.reallocation.lot_search.specific_risk import Covariance
from domain.records import dataclass

ROUNDING = 1e-12
"""By how much, as a fraction of net asset value, a limit may seem to be exceeded and be kept exactly."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What limits the sums of all orders, in fractions of net asset value; infinite for no limit."""

    cash: float  # above the floor
    raised: float  # cash that sales must raise, less what there is; minus infinity where none must be
    turnover: float = math.inf
    cost: float = math.inf
    purchases: float = math.inf
    gain: float = math.inf


@dataclass(frozen=True, slots=True)
class LotProblem:
    """P assets and J orders; orders of one asset exclude one another. `keeps` says exactly what is allowed."""

    values: Vector  # of the assets, as fractions of net asset value, (P,)
    target: Vector  # weights, (P,)
    places: NDArray[np.intp]  # asset of each order, (J,)
    curves: Curves
    limits: Limits
    keeps: Callable[[Sequence[int]], bool]
    covariance: Covariance | None = None  # None measures the drift
    cost_aversion: float = 0.0
    tax_aversion: float = 0.0

    @property
    def factor(self) -> Matrix | None:
        """(P, R) Its product with its transpose is the covariance."""
        return None if self.covariance is None else self.covariance.factor

    @property
    def orders(self) -> Orders:
        """All order numbers, (J,)."""
        return np.arange(len(self.places))

    @property
    def trade(self) -> Vector:
        """Value of a lot, negative to sell, (J,)."""
        return self.curves.sign * self.curves.value

    def deviation(self, differences: Vector) -> float:
        """Of differences to the target, (P,)."""
        if self.factor is None:
            return 0.5 * float(np.abs(differences).sum())
        return float(np.linalg.norm(differences @ self.factor))

    def cost(self, lots: Sequence[int]) -> float:
        """Of all orders."""
        return float(self.curves.cost(self.orders, np.array(lots, dtype=np.float64)).sum())

    def differences(self, lots: Sequence[int], cost: float) -> Vector:
        """Differences to the target, (P,)."""
        traded = self.values - self.target * (1.0 - cost)
        np.add.at(traded, self.places, self.trade * np.array(lots, dtype=np.float64))
        return traded

    def __call__(self, lots: Sequence[int]) -> float:
        """The objective; infinite where costs leave nothing."""
        cost = self.cost(lots)
        if cost >= 1.0:
            return math.inf
        tax = 0.0
        if self.tax_aversion:
            tax = self.tax_aversion * float(self.curves.tax(self.orders, np.array(lots, dtype=np.float64)).sum())
        return (self.deviation(self.differences(lots, cost)) + self.cost_aversion * cost + tax) / (1.0 - cost)

    @property
    def right(self) -> Vector:
        """What each limited sum is at most, (R,): see `usage`."""
        limits = self.limits
        return np.array([max(limits.cash, 0.0), *(each for each in self._others() if math.isfinite(each))])

    def usage(self, orders: Orders, counts: Counts) -> NDArray[np.float64]:
        """What lots add to each limited sum, (R, n).

        Costs that the proceeds of a sale do not cover are left out of that of cash, as without purchases they are no
        reason against it.
        """
        curves, finite = self.curves, [math.isfinite(each) for each in self._others()]
        buys = curves.sign[orders] > 0.0
        paid = -curves.funds(orders, counts)
        rows = [np.where(buys, paid, np.minimum(paid, 0.0))]
        if finite[0]:
            rows.append(-curves.raised(orders, counts))
        if finite[1]:
            rows.append(curves.value[orders] * counts)
        if finite[2]:
            rows.append(curves.cost(orders, counts))
        if finite[3]:
            rows.append(np.where(buys, paid, 0.0))
        if finite[4]:
            rows.append(curves.gain(orders, counts))
        return np.stack(rows)

    def _others(self) -> tuple[float, float, float, float, float]:
        limits = self.limits
        return -limits.raised, limits.turnover, limits.cost, limits.purchases, limits.gain
