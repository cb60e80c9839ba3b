"""Value of positions."""

import numpy as np

from domain.backtest.simulation.arrays import Floats
from domain.backtest.simulation.compiled import compiled


@compiled
def value_of(units: Floats, prices: Floats) -> float:
    """Sum of units times prices, both (N,)."""
    # Four sums: a single one waits for each addition before it begins the next.
    a = b = c = d = 0.0
    count = len(units)
    whole = count - count % 4
    for i in range(0, whole, 4):
        a += units[i] * prices[i]
        b += units[i + 1] * prices[i + 1]
        c += units[i + 2] * prices[i + 2]
        d += units[i + 3] * prices[i + 3]
    for i in range(whole, count):
        a += units[i] * prices[i]
    return (a + b) + (c + d)


@compiled
def value_at(t: int, units: Floats, prices: Floats) -> float:
    """The same at date t of prices (T, N)."""
    a = b = c = d = 0.0
    count = len(units)
    whole = count - count % 4
    for i in range(0, whole, 4):
        a += units[i] * prices[t, i]
        b += units[i + 1] * prices[t, i + 1]
        c += units[i + 2] * prices[t, i + 2]
        d += units[i + 3] * prices[t, i + 3]
    for i in range(whole, count):
        a += units[i] * prices[t, i]
    return (a + b) + (c + d)


@compiled
def values_at(t: int, units: Floats, prices: Floats, values: Floats) -> float:
    """The same; writes the value of each position, (N,)."""
    a = b = c = d = 0.0
    count = len(units)
    for i in range(count):
        values[i] = units[i] * prices[t, i]
    whole = count - count % 4
    for i in range(0, whole, 4):
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
    for i in range(whole, count):
        a += values[i]
    return (a + b) + (c + d)


@compiled
def mark_dates(first: int, last: int, units: Floats, prices: Floats, cash: float, navs: Floats, at: int) -> bool:
    """Writes the net asset values of dates first to last to `navs` from an index on; False where one is no wealth.

    Each is the sum of `value_at` and cash.
    """
    count = len(units)
    whole = count - count % 4
    is_wealth = True
    for t in range(first, last, 2):  # two dates at a time: units are read once for both
        a = b = c = d = 0.0
        e = f = g = h = 0.0
        for i in range(0, whole, 4):
            q, r, s, u = units[i], units[i + 1], units[i + 2], units[i + 3]
            a += q * prices[t, i]
            b += r * prices[t, i + 1]
            c += s * prices[t, i + 2]
            d += u * prices[t, i + 3]
            e += q * prices[t + 1, i]
            f += r * prices[t + 1, i + 1]
            g += s * prices[t + 1, i + 2]
            h += u * prices[t + 1, i + 3]
        for i in range(whole, count):
            a += units[i] * prices[t, i]
            e += units[i] * prices[t + 1, i]
        one, two = (a + b) + (c + d) + cash, (e + f) + (g + h) + cash
        navs[at + t - first], navs[at + t - first + 1] = one, two
        is_wealth &= (one > 0.0) & (one < np.inf) & (two > 0.0) & (two < np.inf)
    if (last - first) % 2 == 0:
        one = value_at(last, units, prices) + cash
        navs[at + last - first] = one
        is_wealth &= (one > 0.0) & (one < np.inf)
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
