"""The tax of a choice of lots, where it is weighed beside the distance to the target.

The tax of a sale is piecewise linear in its size. A loss that a purchase may disallow counts as 0, as it does for the
gain budget.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.exact import ratio
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lots import LotOrder
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class TaxCurve:
    """Lots at which the tax per lot changes, from 0, and the tax in money of so many, (K + 1,) each."""

    lots: Vector
    tax: Vector

    @classmethod
    def of(cls, order: LotOrder) -> "TaxCurve | None":
        """That of an order; None where no tax is weighed."""
        return None if order.tax is None else cls.along(order.tax, order.units)

    @classmethod
    def along(cls, curve: GainCurve, units: Decimal) -> "TaxCurve":
        """That of lots of so many units."""
        widths = np.array([ratio(each, units) for each in curve.units])
        rates = np.array([float(each * units) for each in curve.gain_per_unit])
        start = np.zeros(1)
        return cls(np.concatenate([start, np.cumsum(widths)]), np.concatenate([start, np.cumsum(widths * rates)]))

    def __call__(self, lots: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """The tax of numbers of lots, of any shape."""
        return np.asarray(np.interp(lots, self.lots, self.tax))

    @property
    def near_kinks(self) -> Vector:
        """The whole numbers next to each change: of those between two others none has less tax for its distance."""
        return np.unique(np.concatenate([np.floor(self.lots), np.ceil(self.lots)]))


@dataclass(frozen=True, slots=True)
class WeighedTax:
    """Aversion to tax / net asset value after costs, and the tax of some orders by their lots (J,)."""

    aversion: float = 0.0
    curves: Mapping[int, TaxCurve] = field(default_factory=dict)  # by the place of the order
    fixed: float = 0.0  # tax of orders that are done
    symbols: Mapping[int, str] = field(
        default_factory=dict
    )  # of the same orders; those of one asset exclude one another

    @classmethod
    def of(cls, aversion: float, orders: Sequence[tuple[str, LotOrder]], fixed: float) -> "WeighedTax":
        """That of orders by their assets; nothing is weighed at an aversion of 0."""
        if aversion == 0.0:
            return cls()
        found = {j: curve for j, (_, order) in enumerate(orders) if (curve := TaxCurve.of(order)) is not None}
        return cls(aversion, found, fixed, {j: orders[j][0] for j in found})

    def tax(self, lots: Sequence[int]) -> float:
        """Tax of the orders that are free, in money."""
        return math.fsum(float(curve(float(lots[j]))) for j, curve in self.curves.items())

    def weighed(self, lots: Sequence[int]) -> float:
        """Tax of all orders, times the aversion."""
        return self.aversion * (self.fixed + self.tax(lots)) if self.aversion else 0.0

    @property
    def least(self) -> float:
        """What no choice of lots has less than, times the aversion; 0 or less."""
        lowest: dict[str, float] = {}
        for j, curve in self.curves.items():
            symbol = self.symbols[j]
            lowest[symbol] = min(lowest.get(symbol, 0.0), float(curve.tax.min()))
        return min(self.aversion * (self.fixed + math.fsum(lowest.values())), 0.0) if self.aversion else 0.0


PRICES_OF_CASH = (0.0, 0.25, 0.5)
"""Per unit: of no use, or for a purchase that lowers half the distance by as much as it pays."""


def alone(order: LotOrder, curve: TaxCurve, tax_aversion: float, cost_weight: float, price_of_cash: float) -> LotOrder:
    """A sale that wants what is the best for it alone: distance, weighed cost and tax, and what its cash buys."""
    most = float(min(order.most, max(order.enough, curve.lots[-1])))
    numbers = [0.0, float(order.least), np.floor(order.wanted), float(order.enough), *curve.near_kinks.tolist()]
    counts = np.unique(np.clip(numbers, 0.0, most))
    counts = counts[(counts == 0.0) | (counts >= order.least)]
    values = 0.5 * order.weight * np.abs(counts - order.wanted) + tax_aversion * curve(counts)
    per_lot = cost_weight * float(order.cost) - price_of_cash * float(order.cash)
    best = float(counts[np.argmin(values + per_lot * counts)])
    if best == np.floor(order.wanted) or best == order.enough:
        return order
    return replace(order, wanted=best, scalable=min(best, float(order.most)))
