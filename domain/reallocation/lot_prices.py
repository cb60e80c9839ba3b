"""Prices of what limits a plan in sum, at which the best lots of each asset alone prove the most.

Lagrange's multipliers of cash, turnover, cost, purchases and gains: the sum over assets of the least objective at these
prices, less the prices times the limits, is concave in the prices, and no plan is below it (Geoffrion 1974). With many
assets and few limits little is between it and the best plan, whatever the shape of each asset's terms (Shapley and
Folkman, in Starr 1969). One price is found where tangents meet, several by cutting planes (Kelley 1960).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.optimization.programs.mixed_integer import LinearModel
from domain.reallocation.lot_options import LotOptions
from domain.records import dataclass

ROUNDS = 60
"""Prices that are tried."""

CLOSE = 1e-6
"""Part of the bound that further prices can add at most where the search ends."""

WIDER = 8.0
"""By so much a price may be higher where it is at its greatest."""

WIDENINGS = 6
"""Of the highest one price; a limit that no price keeps cannot be kept."""


@dataclass(frozen=True, slots=True)
class LotPrices:
    """Prices (M,), and the bound that they prove."""

    prices: Vector
    bound: float


@dataclass(frozen=True, slots=True)
class _Tangent:
    prices: Vector
    bound: float
    slope: Vector  # of the bound by the prices

    def at(self, prices: Vector) -> float:
        return self.bound + float(self.slope @ (prices - self.prices))


def priced(options: LotOptions, values: Vector, prices: Vector) -> Vector:
    """(T,) The objective of each option, with what it uses of the limits at these prices."""
    total: Vector = values + prices @ options.uses
    return total


def best_prices(options: LotOptions, values: Vector, size: float, check_cancelled: Callable[[], None]) -> LotPrices:
    """The prices that prove most; `values` (T,) is the objective of each option without them, `size` that of a plan."""

    def tangent(prices: Vector) -> _Tangent:
        check_cancelled()
        total = priced(options, values, prices)
        choice = options.of_best(total)
        slope = options.uses[:, choice].sum(axis=1) - options.limits
        return _Tangent(prices, float(total[choice].sum() - prices @ options.limits), slope)

    none = tangent(np.zeros(len(options.limits)))
    if (none.slope <= 0.0).all():
        return LotPrices(none.prices, none.bound)
    if len(options.limits) == 1:
        best = _where_tangents_meet(tangent, none, _dear(tangent, options))
    else:
        best = _by_cutting_planes(tangent, none, options.dearest, options.widens, CLOSE * size)
    return LotPrices(best.prices, best.bound)


def _dear(tangent: Callable[[Vector], _Tangent], options: LotOptions) -> _Tangent:
    """At one price that is as high as it may be, or so high that the limit is kept."""
    found = tangent(options.dearest)
    for _ in range(WIDENINGS if options.widens[0] else 0):
        if found.slope[0] <= 0.0:
            break
        found = tangent(found.prices * WIDER)
    return found


def _where_tangents_meet(tangent: Callable[[Vector], _Tangent], low: _Tangent, high: _Tangent) -> _Tangent:
    """Of one price: the bound has a slope above 0 at the low one."""
    if high.slope[0] >= 0.0:
        return high
    best = max(low, high, key=_bound)
    for _ in range(ROUNDS):
        offsets = [each.bound - each.slope[0] * each.prices[0] for each in (low, high)]
        meeting = np.array([(offsets[1] - offsets[0]) / (low.slope[0] - high.slope[0])])
        if not low.prices[0] < meeting[0] < high.prices[0]:
            break
        found = tangent(meeting)
        best = max(best, found, key=_bound)
        if found.bound >= low.at(meeting) - 1e-12 * abs(found.bound):
            break
        low, high = (found, high) if found.slope[0] > 0.0 else (low, found)
    return best


def _by_cutting_planes(
    tangent: Callable[[Vector], _Tangent],
    none: _Tangent,
    dearest: Vector,
    widens: NDArray[np.bool_],
    close: float,
) -> _Tangent:
    best, upper = none, dearest.copy()
    cuts, scale = [none], float(np.abs(none.slope).max())
    for _ in range(ROUNDS):
        prices, most = _highest(cuts, upper, scale)
        found = tangent(prices)
        cuts.append(found)
        best = max(best, found, key=_bound)
        if most - best.bound <= close:
            at_end = widens & (prices >= upper * (1.0 - 1e-9))
            if not (at_end & (found.slope > 0.0)).any():
                break
            upper = np.where(at_end, upper * WIDER, upper)
    return best


def _highest(cuts: list[_Tangent], upper: Vector, scale: float) -> tuple[Vector, float]:
    """The prices at which the least of the tangents is highest, and that."""
    count = len(upper)
    model = LinearModel(
        cost=np.concatenate([np.zeros(count), [-1.0]]),
        lower=np.concatenate([np.zeros(count), [-np.inf]]),
        upper=np.concatenate([upper, [np.inf]]),
        integer=np.zeros(count + 1, dtype=np.bool_),
    )
    columns = list(range(count + 1))
    for cut in cuts:
        offset = cut.bound - float(cut.slope @ cut.prices)
        model.add_row(columns, [*(-cut.slope / scale).tolist(), 1.0], -np.inf, offset / scale)
    found = model.solve(relaxed=True)
    if found is None:
        return upper, np.inf
    prices: NDArray[np.float64] = np.clip(found.point[:count], 0.0, upper)
    return prices, -found.value * scale


def _bound(tangent: _Tangent) -> float:
    return tangent.bound
