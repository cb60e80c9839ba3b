"""The gain budget, and the tax that is weighed, in the program of whole lots.

The lots that an order sells are the sum of what it takes from each tax lot, sum_k x_k with 0 <= x_k <= w_k. The gain is
sum_k g_k x_k and the tax sum_k r_k g_k x_k, r_k being the rate. Where none of the two that counts falls per unit in the
order of sale, its least is that of this order. Where one falls from a tax lot to the next, a yes or no says that those
before are sold in full: x_i >= w_i y for those since the last fall, and x_i <= w_i y for those until the next one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.exact import ratio
from domain.optimization.programs.mixed_integer import LinearModel
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lots import Budgets, LotOrder


@dataclass(frozen=True, slots=True)
class _Sale:
    """One order, (K,): columns of the tax lots, and widths in lots, gains and tax per lot.

    For each fall there is a column of its yes or no, and the place of the last tax lot before it.
    """

    order: int
    columns: Sequence[int]
    choices: Sequence[int]
    falls: Sequence[int]
    widths: Vector
    gains: Vector
    taxes: Vector


class GainColumns:
    """Columns from a first one on, after those of the orders; none without a gain budget or a tax that is weighed."""

    def __init__(self, orders: Sequence[LotOrder], budgets: Budgets, first: int, scale: float) -> None:
        self._sales: list[_Sale] = []
        self._first, self._budget = first, math.inf
        self._widths: list[float] = []  # upper bounds of all columns
        self._whole: list[bool] = []
        if budgets.gain.is_finite():
            self._budget = float(budgets.gain) / scale
        for j, order in enumerate(orders):
            counts = (budgets.gain.is_finite() and order.curve is not None) or order.tax is not None
            if counts and order.curve is not None and order.curve.units:
                self._add_sale(j, order.curve, order, scale)

    @property
    def upper(self) -> Vector:
        """The upper bound of each column; the lower bound is 0."""
        return np.array(self._widths, dtype=np.float64)

    @property
    def integer(self) -> NDArray[np.bool_]:
        """Which columns are whole numbers."""
        return np.array(self._whole, dtype=np.bool_)

    @property
    def taxes(self) -> Vector:
        """The tax of a lot in each column, in units of the scale."""
        found = np.zeros(len(self._widths))
        for sale in self._sales:
            found[np.array(sale.columns) - self._first] = sale.taxes
        return found

    def point(self, lots: Sequence[int]) -> Vector:
        """The columns of a number of lots of each order."""
        values = np.zeros(len(self._widths))
        for sale in self._sales:
            before = np.concatenate([[0.0], np.cumsum(sale.widths)[:-1]])
            taken = np.clip(lots[sale.order] - before, 0.0, sale.widths)
            values[np.array(sale.columns) - self._first] = taken
            for k, column in zip(sale.falls, sale.choices, strict=True):
                values[column - self._first] = float(taken[k] >= sale.widths[k])
        return values

    def add_rows(self, model: LinearModel) -> None:
        """The lots of each order, their sequence, and the budget."""
        for sale in self._sales:
            model.add_row([sale.order, *sale.columns], [1.0] + [-1.0] * len(sale.columns), 0.0, 0.0)
            ends = [-1, *sale.falls, len(sale.columns) - 1]
            for n, choice in enumerate(sale.choices):
                for i in range(ends[n] + 1, ends[n + 1] + 1):
                    model.add_row([sale.columns[i], choice], [1.0, -float(sale.widths[i])], 0.0, math.inf)
                for i in range(ends[n + 1] + 1, ends[n + 2] + 1):
                    model.add_row([sale.columns[i], choice], [1.0, -float(sale.widths[i])], -math.inf, 0.0)
        if self._sales and math.isfinite(self._budget):
            columns = [column for sale in self._sales for column in sale.columns]
            gains = [gain for sale in self._sales for gain in sale.gains.tolist()]
            model.add_row(columns, gains, -math.inf, self._budget)

    def _add_sale(self, j: int, curve: GainCurve, order: LotOrder, scale: float) -> None:
        widths = [ratio(units, order.units) for units in curve.units]
        gains, taxes = _per_lot(curve, order.units, scale), np.zeros(len(widths))
        falls = set() if math.isinf(self._budget) else _falls(curve)
        if order.tax is not None:
            taxes, falls = _per_lot(order.tax, order.units, scale), falls | _falls(order.tax)
        columns, choices = self._new(widths, whole=False), self._new([1.0] * len(falls), whole=True)
        self._sales.append(_Sale(j, columns, choices, sorted(falls), np.array(widths), gains, taxes))

    def _new(self, upper: Sequence[float], *, whole: bool) -> list[int]:
        start = self._first + len(self._widths)
        self._widths.extend(upper)
        self._whole.extend([whole] * len(upper))
        return list(range(start, start + len(upper)))


def _falls(curve: GainCurve) -> set[int]:
    """Places of tax lots after which the amount per unit is lower."""
    return {k for k, (one, other) in enumerate(pairwise(curve.gain_per_unit)) if other < one}


def _per_lot(curve: GainCurve, lot: Decimal, scale: float) -> Vector:
    return np.array([float(gain * lot) / scale for gain in curve.gain_per_unit])
