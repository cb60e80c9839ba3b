"""Whole lots near the best, by trying all combinations of the orders that are nearly indifferent.

At the price of cash where purchases use what there is, most orders are clearly best at one number of lots; only for a
few is another number nearly as good. These few, the core of the knapsack problem (Balas and Zemel 1980), decide how
well the cash is used up: all their combinations are tried at once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.drift import Drift
from domain.reallocation.lot_bound import DEAREST_CASH, Terms
from domain.reallocation.lots import Budgets, LotOrder, keeps

CORE = 13
"""Orders of which all combinations of two numbers of lots are tried."""

ROUNDS = 30
"""Halvings of the interval of prices."""

BEST = 8
"""Combinations that are looked at exactly."""


def lots_by_core(drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int]) -> list[int]:
    """Lots of each order that keep the budgets; the known ones where none better are found."""
    theta, cost = drift(known), float(drift.costs @ np.array(known, dtype=np.float64))
    terms = Terms(drift, orders, theta, cost)
    cash = float(budgets.cash)
    low, high = 0.0, DEAREST_CASH
    for _ in range(ROUNDS):
        price = 0.5 * (low + high)
        low, high = (price, high) if terms.least(price)[1] > cash else (low, price)
    values = terms.values + high * terms.paid
    towards = np.zeros(len(orders), dtype=np.bool_)
    towards[np.unique(drift.places, return_index=True)[1]] = True
    every = np.arange(len(orders))
    best = np.where(towards, np.argmin(values, axis=0), 0)
    least = values[best, every]
    others = np.where(terms.counts == terms.counts[best, every][None, :], np.inf, values)
    second = np.argmin(others, axis=0)
    regret = np.where(towards, others[second, every] - least, np.inf)
    core = np.argsort(regret, kind="stable")[:CORE]
    core = core[np.isfinite(regret[core])]
    mask = (np.arange(2 ** len(core))[:, None] >> np.arange(len(core))[None, :]) & 1

    def sums(figures: NDArray[np.float64]) -> Vector:
        first = figures[best, every]
        total: Vector = float(first.sum()) + mask @ (figures[second[core], core] - first[core])
        return total

    allowed = sums(terms.paid) <= cash * (1.0 + 1e-12)
    allowed &= sums(terms.counts * np.abs(drift.trade)) <= float(budgets.turnover)
    allowed &= sums(terms.counts * drift.costs) <= float(budgets.cost)
    objective = np.where(allowed, sums(terms.values), np.inf)
    found = list(known)
    for row in np.argsort(objective, kind="stable")[:BEST]:
        if not np.isfinite(objective[row]):
            break
        choice = best.copy()
        choice[core] = np.where(mask[row] > 0, second[core], best[core])
        lots = [int(count) for count in terms.counts[choice, every]]
        if drift(lots) < theta and keeps(orders, budgets, lots):
            found, theta = lots, drift(lots)
    return found
