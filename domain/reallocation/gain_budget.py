"""A start for the search of whole lots that keeps the gain budget."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from domain.exact import ZERO
from domain.reallocation.lots import LotOrder

HALVINGS = 30
"""Of the interval of the fraction by which sales are reduced."""


def within_gain_budget(orders: Sequence[LotOrder], budget: Decimal) -> list[LotOrder]:
    """The orders with fewer lots at most, all sales reduced by one fraction, so that any choice keeps the budget.

    Losses do not make room for gains here; the search that begins with such a choice lets them.
    """
    if not budget.is_finite() or _largest_gain(orders) <= budget:
        return list(orders)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _largest_gain(_reduced(orders, middle)) <= budget:
            low = middle
        else:
            high = middle
    return _reduced(orders, low)


def _largest_gain(orders: Sequence[LotOrder]) -> Decimal:
    gains = (order.curve.largest(min(order.most, _reach(order)) * order.units) for order in orders if order.curve)
    return sum(gains, ZERO)


def _reach(order: LotOrder) -> int:
    """The most lots that a plan sells: up to the next lot above what is wanted; any where only cash is wanted."""
    return max(order.enough, order.least) if order.wanted > 0.0 else order.most


def _reduced(orders: Sequence[LotOrder], fraction: float) -> list[LotOrder]:
    found: list[LotOrder] = []
    for order in orders:
        if order.curve is not None:
            most = math.floor(fraction * min(order.most, _reach(order)))
            order = replace(order, most=most, scalable=min(order.scalable, float(most)))
        found.append(order)
    return found
