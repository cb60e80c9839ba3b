"""A drift that no choice of whole lots is below, for accounts of thousands of assets, by Lagrange's multiplier of cash.

The limit on cash is replaced by a price on it. Then every order is decided alone, and the best of those of one asset is
taken, among six numbers of lots: none, the least, the two next to the wish, the most, of sales the most that settle
within the horizon, and where tax is weighed the two next to each number at which the tax of a lot changes. Any price
proves a bound; the best is found by bisection. The cost of all trades, on which every wish depends, is bounded by how
far two plans of at most the known drift can differ.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.drift import Drift
from domain.reallocation.lots import Budgets, LotOrder, usable_lots

DEAREST_CASH = 0.5
"""The highest price: up to it, no sale away from the target pays for the distance that it adds, so none is needed."""

ROUNDS = 60
"""Halvings of the interval of prices."""


def least_drift(
    drift: Drift,
    orders: Sequence[LotOrder],
    budgets: Budgets,
    known: Sequence[int],
    check_cancelled: Callable[[], None],
) -> float:
    """A bound from a known plan that keeps the budgets; O(J) for each of `ROUNDS` prices."""
    theta, floor = drift(known), drift.floor(float(budgets.cash))
    dearest = float(drift.cost_rates.max(initial=0.0))
    # A cash below its floor need not be raised where nothing is bought, so it has no price.
    if dearest >= 1.0 or budgets.cash < 0:
        return floor
    cost = float(drift.costs @ np.array(known, dtype=np.float64))
    # No plan of an objective of theta has more than this as half of its distances: a tax benefit can pay for some.
    furthest = max(theta, 0.0) * drift.worth - drift.taxes.least
    reach = 4.0 * furthest * dearest / (1.0 - dearest)
    if cost + reach >= drift.worth:
        return floor
    check_cancelled()
    terms = Terms(drift, orders, theta, cost)
    if not terms.known:
        return floor
    low, high, best = 0.0, DEAREST_CASH, -math.inf
    for _ in range(ROUNDS):
        check_cancelled()
        price = 0.5 * (low + high)
        value, used = terms.least(price)
        best = max(best, value - price * float(budgets.cash))
        low, high = (price, high) if used > float(budgets.cash) else (low, price)
    best = max(best, terms.least(0.0)[0])
    excess = terms.untraded + best - 0.5 * float(np.abs(drift.target).sum()) * reach - drift.allowance(theta)
    excess += min(drift.cost_aversion + theta, 0.0) * (cost + reach)
    return max(theta + min(excess, 0.0) / (drift.worth - cost - reach), floor)


class Terms:
    """Half the distance, (aversion + theta) cost and weighed tax of each order, in money, at lots that can be the best,
    (6, J) or more. A negative aversion + theta counts as 0 here."""

    def __init__(self, drift: Drift, orders: Sequence[LotOrder], theta: float, cost: float) -> None:
        away = drift.values - drift.target * (drift.worth - cost)
        traded = np.zeros(len(away), dtype=np.bool_)
        traded[drift.places] = True
        self.untraded = 0.5 * float(np.abs(away[~traded]).sum())
        self._assets, self._first, self._asset = np.unique(drift.places, return_index=True, return_inverse=True)
        counts = _counts(-away[drift.places] / drift.trade, orders)
        more = drift.taxes.counts(counts.max(axis=0, initial=0.0))
        self.known = more is not None
        self.counts = counts if more is None else np.concatenate([counts, _from_least(more, orders)])
        moved = away[drift.places] + drift.trade * self.counts
        self.values = 0.5 * np.abs(moved) + max(drift.cost_aversion + theta, 0.0) * drift.costs * self.counts
        self.values += drift.taxes.terms(self.counts)
        signs = np.array([1.0 if order.buys else -1.0 for order in orders])
        usable = np.array([usable_lots(order) for order in orders])
        moved_cash = np.where(signs > 0.0, self.counts, np.minimum(self.counts, usable))
        self.paid = signs * np.array([float(order.cash) for order in orders]) * moved_cash

    def least(self, price: float) -> tuple[float, float]:
        """The least sum at a price of cash, and the cash that it uses."""
        values = self.values + price * self.paid
        choice = np.argmin(values, axis=0)[None, :]
        value = np.take_along_axis(values, choice, axis=0)[0]
        paid = np.take_along_axis(self.paid, choice, axis=0)[0]
        # Of the orders of one asset, the one that is best beside none of them.
        change = value - values[0]
        best = np.zeros(len(self._assets))
        np.minimum.at(best, self._asset, change)
        chosen = np.zeros(len(self._assets), dtype=np.intp)
        is_best = change == best[self._asset]
        chosen[self._asset[is_best][::-1]] = np.flatnonzero(is_best)[::-1]
        return float(values[0][self._first].sum() + best.sum()), float(paid[chosen].sum())


def _counts(wish: Vector, orders: Sequence[LotOrder]) -> NDArray[np.float64]:
    least = np.array([float(order.least) for order in orders])
    most = np.array([float(order.most) for order in orders])
    most = np.where(most >= least, most, 0.0)
    usual = np.floor(np.maximum(wish, 0.0))
    # An order without a limit is never the better for more than its wish, and a lot.
    furthest = np.where(most < 2.0**62, most, np.maximum(usual + 1.0, least))
    usable = np.array([0.0 if order.buys or order.usable < order.least else float(order.usable) for order in orders])
    rows = [np.zeros(len(wish)), usable, least, np.maximum(usual, least), np.maximum(usual + 1.0, least), furthest]
    counts: NDArray[np.float64] = np.minimum(np.stack(rows), most[None, :])
    return counts


def _from_least(counts: NDArray[np.float64], orders: Sequence[LotOrder]) -> NDArray[np.float64]:
    """Without numbers below the least trade, which are none."""
    least = np.array([float(order.least) for order in orders])
    return np.where(counts >= least[None, :], counts, 0.0)
