"""What the record of a strategy says about each date: positions, exposures, contributions, costs and turnover."""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.record import RecordPart
from domain.checks import Matrix, Vector

EXPOSURES = ("long", "short", "gross", "net", "cash")
"""Columns of `exposures`, as fractions of the net asset value."""


def units_held(record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Units after trading on dates first to last - 1, (K, N); `opening` (N,) are those at the start."""
    held = np.vstack([opening, record.units])
    result: Matrix = held[np.searchsorted(record.indices, np.arange(first, last), side="right")]
    return result


def net_asset_values(prices: Matrix, record: RecordPart, first: int, last: int) -> Vector:
    """Net asset values after trading on dates first to last - 1, (K,)."""
    nav = record.nav[first:last].copy()
    # The first net asset value is that before the cost of a purchase on that date.
    changes = int(np.searchsorted(record.indices, 0, side="right"))
    if first == 0 and changes:
        nav[0] = float((record.units[changes - 1] * prices[0]).sum()) + record.cash[changes - 1]
    return nav


def cash_held(prices: Matrix, record: RecordPart, opening: Vector, first: int, last: int) -> Vector:
    """Cash after trading on dates first to last - 1 in money, (K,), dividends that are not paid yet included.

    Nothing once the net asset value is used up.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of positions held until the net asset value was used up
        values = (units_held(record, opening, first, last) * prices[first:last]).sum(axis=1)
    nav = net_asset_values(prices, record, first, last)
    result: Vector = np.where(nav > 0.0, nav, 0.0)
    result[nav > 0.0] -= values[nav > 0.0]
    return result


def weights(prices: Matrix, record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Weights after trading on dates first to last - 1, (K, N); 0 once the net asset value is used up."""
    with np.errstate(over="ignore"):  # of positions held until the net asset value was used up
        values = units_held(record, opening, first, last) * prices[first:last]
    nav = net_asset_values(prices, record, first, last)
    solvent = nav > 0.0
    result: Matrix = np.where(solvent[:, None], values / np.where(solvent, nav, 1.0)[:, None], 0.0)
    return result


def exposures(weights_held: Matrix) -> Matrix:
    """Sums of positive and of negative weights (K, N), of their absolute values, of all, and 1 less that: (K, 5)."""
    long = np.maximum(weights_held, 0.0).sum(axis=1)
    short = np.minimum(weights_held, 0.0).sum(axis=1)
    return np.column_stack([long, short, long - short, long + short, 1.0 - (long + short)])


def contributions(
    prices: Matrix, total_return: Matrix, record: RecordPart, opening: Vector, first: int, last: int
) -> Matrix:
    """What each position adds to the return of dates first to last - 1, (K, N); nothing on the first of all dates.

    The value of the position after trading on the date before, times its total return to the date, over the net asset
    value that the return of the account is of. Costs, fees, interest, and fills at another price than the close are in
    none.
    """
    result = np.zeros((last - first, prices.shape[1]))
    start = max(first, 1)
    if start >= last:
        return result
    solvent = (record.nav[start - 1 : last - 1] > 0.0) & (record.capital[start - 1 : last - 1] > 0.0)
    capital = np.where(solvent, record.capital[start - 1 : last - 1], 1.0)
    before = total_return[start - 1 : last - 1]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values = units_held(record, opening, start - 1, last - 1) * prices[start - 1 : last - 1]
        returns = total_return[start:last] / before - 1.0
        added = values * returns / capital[:, None]
    result[start - first :] = np.where(solvent[:, None] & np.isfinite(added), added, 0.0)
    return result


def total_contributions(prices: Matrix, total_return: Matrix, record: RecordPart, opening: Vector) -> Vector:
    """What each asset adds to the total return, (N,): contributions to each date, on the value of 1 unit before it.

    Together with what costs, fees, interest and fills add, likewise, they sum to the total return without a residual.
    """
    total = np.zeros(prices.shape[1])
    grown = record.unit_values / record.unit_values[0]
    for first in range(1, len(record.nav), BLOCK):
        last = min(first + BLOCK, len(record.nav))
        total += grown[first - 1 : last - 1] @ contributions(prices, total_return, record, opening, first, last)
    return total


BLOCK = 1000
"""Dates computed with at once, so that memory does not grow with all of them."""


def trading_costs(record: RecordPart, first: int, last: int) -> Vector:
    """Cost of the trades on dates first to last - 1 as fractions of the net asset value before them, (K,)."""
    return _summed(record, record.cost_fractions, first, last)


def turnovers(record: RecordPart, first: int, last: int) -> Vector:
    """One-way turnover of dates first to last - 1 as fractions of the net asset value, (K,)."""
    return _summed(record, record.turnovers, first, last)


def gross_unit_values(record: RecordPart) -> Vector:
    """Value of a unit had its trades cost nothing, (K,), at the same weights: each cost is given back where it is paid.

    The net asset value before a trade that costs a fraction c is that after it over 1 - c. Fees, borrow and financing
    are taken off all the same. The cost of a purchase on the first date is in the return to the second one.
    """
    kept = 1.0 - np.minimum(trading_costs(record, 0, len(record.nav)), 1.0)
    if len(kept) > 1:
        kept[1] *= kept[0]
        kept[0] = 1.0
    result: Vector = record.unit_values / np.where(kept > 0.0, kept, 1.0).cumprod()
    return result


def _summed(record: RecordPart, values: Vector, first: int, last: int) -> Vector:
    inside: NDArray[np.bool_] = (record.indices >= first) & (record.indices < last)
    found = np.zeros(last - first)
    np.add.at(found, record.indices[inside] - first, values[inside])
    return found
