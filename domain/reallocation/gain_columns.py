"""The gain budget in the program of whole lots.

The lots that an order sells are the sum of what it takes from each tax lot, sum_k x_k with 0 <= x_k <= w_k, and the
gain is sum_k g_k x_k. Where the gain per unit never falls in the order of sale, a budget alone takes the tax lots in
this order. Where it falls, a yes or no for each tax lot says that it is sold in full: x_k >= w_k y_k and
x_(k+1) <= w_(k+1) y_k.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.exact import ratio
from domain.optimization.programs.mixed_integer import LinearModel
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lots import Budgets, LotOrder


@dataclass(frozen=True, slots=True)
class _Sale:
    """One order, (K,): columns of the tax lots and of their yes or no, widths in lots, gains per lot."""

    order: int
    columns: Sequence[int]
    choices: Sequence[int]
    widths: Vector
    gains: Vector


class GainColumns:
    """Columns from a first one on, after those of the orders; none without a gain budget."""

    def __init__(self, orders: Sequence[LotOrder], budgets: Budgets, first: int, scale: float) -> None:
        self._sales: list[_Sale] = []
        self._first, self._budget = first, math.inf
        self._widths: list[float] = []  # upper bounds of all columns
        self._whole: list[bool] = []
        if budgets.gain.is_finite():
            self._budget = float(budgets.gain) / scale
            for j, order in enumerate(orders):
                if order.curve is not None and order.curve.units:
                    self._add_sale(j, order, order.curve, scale)

    @property
    def upper(self) -> Vector:
        """The upper bound of each column; the lower bound is 0."""
        return np.array(self._widths, dtype=np.float64)

    @property
    def integer(self) -> NDArray[np.bool_]:
        """Which columns are whole numbers."""
        return np.array(self._whole, dtype=np.bool_)

    def point(self, lots: Sequence[int]) -> Vector:
        """The columns of a number of lots of each order."""
        values = np.zeros(len(self._widths))
        for sale in self._sales:
            before = np.concatenate([[0.0], np.cumsum(sale.widths)[:-1]])
            taken = np.clip(lots[sale.order] - before, 0.0, sale.widths)
            values[np.array(sale.columns) - self._first] = taken
            for k, column in enumerate(sale.choices):
                values[column - self._first] = float(taken[k] >= sale.widths[k])
        return values

    def add_rows(self, model: LinearModel) -> None:
        """The lots of each order, their sequence, and the budget."""
        for sale in self._sales:
            model.add_row([sale.order, *sale.columns], [1.0] + [-1.0] * len(sale.columns), 0.0, 0.0)
            for k, choice in enumerate(sale.choices):
                model.add_row([sale.columns[k], choice], [1.0, -float(sale.widths[k])], 0.0, math.inf)
                model.add_row([sale.columns[k + 1], choice], [1.0, -float(sale.widths[k + 1])], -math.inf, 0.0)
        if self._sales:
            columns = [column for sale in self._sales for column in sale.columns]
            gains = [gain for sale in self._sales for gain in sale.gains.tolist()]
            model.add_row(columns, gains, -math.inf, self._budget)

    def _add_sale(self, j: int, order: LotOrder, curve: GainCurve, scale: float) -> None:
        lot, most = order.units, order.most
        widths = [ratio(units, lot) for units in curve.units]
        gains = [float(gain * lot) / scale for gain in curve.gain_per_unit]
        if most == 1:  # none or one: nothing is between
            widths, gains = [1.0], [float(curve.gain(lot)) / scale]
        columns = self._new(widths, whole=False)
        choices = [] if curve.convex or most == 1 else self._new([1.0] * (len(widths) - 1), whole=True)
        self._sales.append(_Sale(j, columns, choices, np.array(widths), np.array(gains)))

    def _new(self, upper: Sequence[float], *, whole: bool) -> list[int]:
        start = self._first + len(self._widths)
        self._widths.extend(upper)
        self._whole.extend([whole] * len(upper))
        return list(range(start, start + len(upper)))
