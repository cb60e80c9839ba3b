"""A start for the search of whole lots that keeps the gain budget."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.exact import ZERO
from domain.reallocation.lots import Budgets, LotOrder, Score, choose_lots, keeps

HALVINGS = 30
"""Of the interval of the fraction by which sales are reduced."""

ATTEMPTS = 4
"""At sales of the least gain: a choice that takes fewer losses than it may can exceed the budget."""


def first_lots(
    orders: Sequence[LotOrder], budgets: Budgets, score: Score, check_cancelled: Callable[[], None]
) -> list[int]:
    """Lots of each order; with a gain budget the better of two choices that keep it.

    One sells the tax lots with the least gain for their value first, and lets losses make room for gains. The other
    reduces all sales by one fraction, so that any part of what is left keeps the budget.
    """
    if not budgets.gain.is_finite() or _largest_gain(orders) <= budgets.gain:
        return choose_lots(orders, budgets, score, check_cancelled)
    best = choose_lots(_evenly_reduced(orders, budgets.gain), budgets, score, check_cancelled)
    room = budgets.gain
    for _ in range(ATTEMPTS):
        lots = choose_lots(_least_gain_first(orders, room), budgets, score, check_cancelled)
        if keeps(orders, budgets, lots):
            return min(best, lots, key=score) if keeps(orders, budgets, best) else lots
        gain = sum((order.gain(count) for order, count in zip(orders, lots, strict=True)), ZERO)
        room -= max(gain - budgets.gain, ZERO)
    return best


def _largest_gain(orders: Iterable[LotOrder]) -> Decimal:
    gains = (order.curve.largest(_reach(order) * order.units) for order in orders if order.curve)
    return sum(gains, ZERO)


def _reach(order: LotOrder) -> int:
    """The most lots that a plan sells: up to the next lot above what is wanted; any where only cash is wanted."""
    return min(order.most, max(order.enough, order.least)) if order.wanted > 0.0 else order.most


def _evenly_reduced(orders: Sequence[LotOrder], budget: Decimal) -> list[LotOrder]:
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _largest_gain(_reduced(orders, middle)) <= budget:
            low = middle
        else:
            high = middle
    return _reduced(orders, low)


def _reduced(orders: Sequence[LotOrder], fraction: float) -> list[LotOrder]:
    most = {j: math.floor(fraction * _reach(order)) for j, order in enumerate(orders) if order.curve is not None}
    return _limited(orders, most)


def _least_gain_first(orders: Sequence[LotOrder], budget: Decimal) -> list[LotOrder]:
    """What is sold of each order where the pieces of all curves are taken by gain / value until the budget is used."""
    pieces: list[tuple[float, int, float, float]] = []  # gain / value, order, lots, gain of a lot
    taken: dict[int, float] = {}
    cut: set[int] = set()  # orders of which a piece was not taken in full
    for j, order in enumerate(orders):
        if order.curve is not None:
            taken[j] = 0.0
            pieces += [(gain / order.weight, j, lots, gain) for lots, gain in _convex_pieces(order)]
    room = float(budget)
    for _, j, lots, gain in sorted(pieces):
        within = lots if gain <= 0.0 else min(lots, max(room, 0.0) / gain)
        curve = orders[j].curve
        if j in cut:
            continue
        if within < lots:
            cut.add(j)
            if curve is not None and not curve.convex:
                continue  # within a piece of it the gain may be above that of the piece
        taken[j] += within
        room -= within * gain
    return _limited(orders, {j: math.floor(lots + 1e-9) for j, lots in taken.items()})


def _convex_pieces(order: LotOrder) -> list[tuple[float, float]]:
    """Lots and gain of a lot of each piece of the largest convex curve that is not above the gain, up to the reach."""
    curve, reach = order.curve, float(_reach(order))
    hull: list[tuple[float, float]] = []
    if curve is None:
        return hull
    for units, gain_per_unit in zip(curve.units, curve.gain_per_unit, strict=True):
        lots = min(float(units) / float(order.units), reach)
        if lots <= 0.0:
            break
        reach -= lots
        gain = float(gain_per_unit * order.units)
        while hull and hull[-1][1] > gain:
            before, earlier = hull.pop()
            gain = (before * earlier + lots * gain) / (before + lots)
            lots += before
        hull.append((lots, gain))
    return hull


def _limited(orders: Sequence[LotOrder], most: Mapping[int, int]) -> list[LotOrder]:
    return [
        replace(order, most=most[j], scalable=min(order.scalable, float(most[j]))) if j in most else order
        for j, order in enumerate(orders)
    ]
