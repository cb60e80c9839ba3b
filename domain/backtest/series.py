"""Series of one strategy, recomputed from its record and the prices: a series is never stored."""

from enum import StrEnum

import numpy as np

from domain.backtest.record import RecordPart
from domain.checks import Matrix, Vector
from domain.risk.measures.drawdown import level_drawdowns


class Series(StrEnum):
    """The series of a strategy, by the names of the contract."""

    EQUITY = "EQUITY"  # (T, 1), unit value: net asset value with external cash flows taken out
    NAV = "NAV"  # (T, 1), in money
    DRAWDOWN = "DRAWDOWN"  # (T, 1), positive, of the unit value
    WEIGHTS = "WEIGHTS"  # (T, N), after trading
    TRADES = "TRADES"  # (T, N), in units

    @property
    def by_asset(self) -> bool:
        """Whether it has a column for each asset."""
        return self in (Series.WEIGHTS, Series.TRADES)


def rows(series: Series, prices: Matrix, record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Rows first to last - 1 of a series, (K, 1 or N).

    `prices` (T, N) are those of the simulation's dates, `opening` (N,) the units held at the start.
    """
    match series:
        case Series.EQUITY:
            return record.unit_values[first:last, None]
        case Series.NAV:
            return record.nav[first:last, None]
        case Series.DRAWDOWN:
            return level_drawdowns(record.unit_values)[first:last, None]
        case Series.TRADES:
            return _trades(record, opening, first, last)
    return _weights(prices, record, opening, first, last)


def _weights(prices: Matrix, record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    held = np.vstack([opening, record.units])
    latest = np.searchsorted(record.indices, np.arange(first, last), side="right")
    with np.errstate(over="ignore"):  # of positions held until the net asset value was used up
        values = held[latest] * prices[first:last]
    nav = record.nav[first:last].copy()
    # The first net asset value is that before the cost of a purchase on that date.
    if first == 0 and latest[0]:
        nav[0] = values[0].sum() + record.cash[latest[0] - 1]
    solvent = nav > 0.0
    result: Matrix = np.where(solvent[:, None], values / np.where(solvent, nav, 1.0)[:, None], 0.0)
    return result


def _trades(record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Changes of units by fills alone, not by splits and other events."""
    changes = np.diff(np.vstack([opening, record.units]), axis=0)
    inside = (record.indices >= first) & (record.indices < last) & record.fills
    found = np.zeros((last - first, record.units.shape[1]))
    np.add.at(found, record.indices[inside] - first, changes[inside])
    return found
