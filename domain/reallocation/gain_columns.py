"""The gain budget, and the tax that is weighed, in the program of whole lots.

The lots that an order sells are the sum of what it takes from each tax lot, sum_k x_k with 0 <= x_k <= w_k. The gain is
sum_k g_k x_k and the tax sum_k r_k g_k x_k, r_k being the rate. Where none of the two that counts falls per unit in the
order of sale, its least is that of this order. Where one falls, a yes or no y says that all before the fall are sold in
full: x_k >= w_k y there, and x_k <= w_k y after it, up to the next fall (incremental formulation, Markowitz and Manne
1957).

Alone, the relaxation of these rows takes the gain as low as on any line between two points of the curve, far beyond the
wish too. Where the distance to the target is written in the same columns, such a line pays for its distance: tax lots
are cut at the whole numbers beside the wish, so that the distance is linear in each column.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.exact import ratio
from domain.optimization.programs.mixed_integer import LinearModel
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lots import Budgets, LotOrder
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class SaleColumns:
    """One order, (K,): columns of the parts of tax lots in the order of sale, widths in lots, gains and tax per lot."""

    order: int
    columns: Sequence[int]
    widths: Vector
    gains: Vector
    taxes: Vector
    runs: Sequence[Sequence[int]]  # places of the columns between two falls
    choices: Sequence[int]  # the column of each fall

    @property
    def ends(self) -> Vector:
        """Lots that are sold at the end of each part, (K,)."""
        return np.cumsum(self.widths)


class GainColumns:
    """Columns from a first one on, after those of the orders; none without a gain budget or a tax that is weighed.

    `cuts` are the numbers of lots beside the wish, by order.
    """

    def __init__(
        self,
        orders: Sequence[LotOrder],
        budgets: Budgets,
        first: int,
        scale: float,
        cuts: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        self._sales: dict[int, SaleColumns] = {}
        self._first, self._budget = first, math.inf
        self._widths: list[float] = []  # upper bounds of all columns
        self._whole: list[bool] = []
        if budgets.gain.is_finite():
            self._budget = float(budgets.gain) / scale
        for j, order in enumerate(orders):
            counts = budgets.gain.is_finite() or order.tax is not None
            if counts and order.curve is not None and order.curve.units:
                self._add_sale(j, order, order.curve, scale, (cuts or {}).get(j, ()))

    def sale(self, order: int) -> SaleColumns | None:
        """The columns of an order whose gain or tax per unit falls somewhere."""
        found = self._sales.get(order)
        return found if found is not None and found.choices else None

    def add_rows_of_choice(self, model: LinearModel, order: int, choice: int) -> None:
        """No tax lot of an order is sold in part by more than the order is chosen."""
        if found := self._sales.get(order):
            for column, width in zip(found.columns, found.widths.tolist(), strict=True):
                model.add_row([column, choice], [1.0, -width], -math.inf, 0.0)

    @property
    def choices_by_order(self) -> list[NDArray[np.intp]]:
        """The columns of the falls of each order that has any."""
        return [np.array(sale.choices, dtype=np.intp) for sale in self._sales.values() if sale.choices]

    @property
    def choices(self) -> NDArray[np.intp]:
        """The columns of all falls."""
        return np.concatenate([np.zeros(0, dtype=np.intp), *self.choices_by_order])

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
        for sale in self._sales.values():
            found[np.array(sale.columns) - self._first] = sale.taxes
        return found

    def point(self, lots: Sequence[int]) -> Vector:
        """The columns of a number of lots of each order."""
        values = np.zeros(len(self._widths))
        for sale in self._sales.values():
            taken = np.clip(lots[sale.order] - (sale.ends - sale.widths), 0.0, sale.widths)
            values[np.array(sale.columns) - self._first] = taken
            for run, column in zip(sale.runs, sale.choices, strict=False):
                values[column - self._first] = float(taken[run[-1]] >= sale.widths[run[-1]])
        return values

    def add_rows(self, model: LinearModel) -> None:
        """The lots of each order, their sequence, and the budget."""
        for sale in self._sales.values():
            model.add_row([sale.order, *sale.columns], [1.0] + [-1.0] * len(sale.columns), 0.0, 0.0)
            for before, after, choice in zip(sale.runs[:-1], sale.runs[1:], sale.choices, strict=True):
                for k in before:
                    model.add_row([sale.columns[k], choice], [1.0, -float(sale.widths[k])], 0.0, math.inf)
                for k in after:
                    model.add_row([sale.columns[k], choice], [1.0, -float(sale.widths[k])], -math.inf, 0.0)
        if self._sales and math.isfinite(self._budget):
            columns = [column for sale in self._sales.values() for column in sale.columns]
            gains = [gain for sale in self._sales.values() for gain in sale.gains.tolist()]
            model.add_row(columns, gains, -math.inf, self._budget)

    def _add_sale(self, j: int, order: LotOrder, curve: GainCurve, scale: float, cuts: Sequence[int]) -> None:
        lot, tax = order.units, order.tax
        if order.most == 1:  # none or one: nothing is between
            parts = [(1.0, float(curve.gain(lot)) / scale, float(tax.gain(lot)) / scale if tax else 0.0)]
        else:
            gains, taxes = _per_lot(curve, lot, scale), _per_lot(tax, lot, scale) if tax else [0.0] * len(curve.units)
            parts = _cut(zip((ratio(units, lot) for units in curve.units), gains, taxes, strict=True), cuts)
        counted = [(gain if math.isfinite(self._budget) else 0.0, tax) for _, gain, tax in parts]
        falls = [k for k in range(1, len(parts)) if any(b < a for a, b in zip(*counted[k - 1 : k + 1], strict=True))]
        runs = [list(range(start, end)) for start, end in itertools.pairwise([0, *falls, len(parts)])]
        widths, gains_of, taxes_of = (np.array(figures) for figures in zip(*parts, strict=True))
        columns = self._new(widths.tolist(), whole=False)
        choices = self._new([1.0] * len(falls), whole=True)
        self._sales[j] = SaleColumns(j, columns, widths, gains_of, taxes_of, runs, choices)

    def _new(self, upper: Sequence[float], *, whole: bool) -> list[int]:
        start = self._first + len(self._widths)
        self._widths.extend(upper)
        self._whole.extend([whole] * len(upper))
        return list(range(start, start + len(upper)))


def _per_lot(curve: GainCurve, lot: Decimal, scale: float) -> list[float]:
    return [float(gain * lot) / scale for gain in curve.gain_per_unit]


def _cut(parts: Iterable[tuple[float, float, float]], cuts: Sequence[int]) -> list[tuple[float, float, float]]:
    """Widths, gains and taxes where each part that has a cut within it is two."""
    found, start = [], 0.0
    for width, gain, tax in parts:
        end = start + width
        for cut in cuts:
            if start < cut < end:
                found.append((cut - start, gain, tax))
                start = float(cut)
        found.append((end - start, gain, tax))
        start = end
    return found
