"""Value of positions."""

import numpy as np

from domain.backtest.simulation.arrays import Floats
from domain.backtest.simulation.compiled import compiled, inlined
from domain.backtest.simulation.lanes import four_sums_of_products, sum_of_products


@compiled
def value_of(units: Floats, prices: Floats) -> float:
    """Sum of units times prices, both (N,)."""
    return sum_of_products(units, prices, 0)


@inlined
def value_at(t: int, units: Floats, prices: Floats) -> float:
    """The same at date t of prices (T, N)."""
    return sum_of_products(units, prices, t * len(units))


@inlined
def values_at(t: int, units: Floats, prices: Floats, values: Floats) -> float:
    """The same; writes the value of each position, (N,)."""
    for i in range(len(units)):
        values[i] = units[i] * prices[t, i]
    return sum_of_products(units, prices, t * len(units))


@inlined
def mark_dates(first: int, last: int, units: Floats, prices: Floats, cash: float, navs: Floats, at: int) -> bool:
    """Writes the net asset values of dates first to last to `navs` from an index on; False where one is no wealth.

    Each is the sum of `value_at` and cash.
    """
    count, dates = len(units), last - first + 1
    of_four = dates - dates % 4
    for k in range(0, of_four, 4):
        one, two, three, four = four_sums_of_products(units, prices, (first + k) * count)
        navs[at + k], navs[at + k + 1] = one + cash, two + cash
        navs[at + k + 2], navs[at + k + 3] = three + cash, four + cash
    for k in range(of_four, dates):
        navs[at + k] = value_at(first + k, units, prices) + cash
    is_wealth = True
    for k in range(at, at + dates):
        is_wealth &= (navs[k] > 0.0) & (navs[k] < np.inf)
    return is_wealth


@compiled
def short_value_of(units: Floats, prices: Floats, rates: Floats) -> float:
    """Sum of rates times the value of short positions, all (N,)."""
    total = 0.0
    for i in range(len(units)):
        if units[i] < 0.0:
            total -= rates[i] * units[i] * prices[i]
    return total


@compiled
def copy_into(target: Floats, rows: Floats, row: int) -> None:
    """Copies one row of rows (R, N) to the target (N,)."""
    for i in range(len(target)):
        target[i] = rows[row, i]


@compiled
def copy_to_row(source: Floats, rows: Floats, row: int) -> None:
    """Copies the source (N,) to one row of rows (R, N)."""
    for i in range(len(source)):
        rows[row, i] = source[i]
