"""Value of positions."""

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
