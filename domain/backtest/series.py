"""Series of one strategy, recomputed from its record and the prices: a series is never stored."""

from enum import StrEnum

import numpy as np

from domain.backtest.record import RecordPart
from domain.checks import Matrix
from domain.risk.measures.drawdown import level_drawdowns


class Series(StrEnum):
    """The series of a strategy, by the names of the contract."""

    EQUITY = "EQUITY"  # (T, 1)
    DRAWDOWN = "DRAWDOWN"  # (T, 1), positive
    WEIGHTS = "WEIGHTS"  # (T, N), after trading
    TRADES = "TRADES"  # (T, N), in units

    @property
    def by_asset(self) -> bool:
        """Whether it has a column for each asset."""
        return self in (Series.WEIGHTS, Series.TRADES)


def rows(series: Series, prices: Matrix, record: RecordPart, first: int, last: int) -> Matrix:
    """Rows first to last - 1 of a series, (K, 1 or N); `prices` (T, N) are those of the simulation's dates."""
    match series:
        case Series.EQUITY:
            return record.nav[first:last, None]
        case Series.DRAWDOWN:
            return level_drawdowns(record.nav)[first:last, None]
        case Series.TRADES:
            return _trades(record, first, last)
    return _weights(prices, record, first, last)


def _weights(prices: Matrix, record: RecordPart, first: int, last: int) -> Matrix:
    last_fill = np.searchsorted(record.fill_indices, np.arange(first, last), side="right") - 1
    invested = last_fill >= 0
    values = np.zeros((last - first, prices.shape[1]))
    with np.errstate(over="ignore"):  # of positions held until the net asset value was used up
        values[invested] = record.units[last_fill[invested]] * prices[first:last][invested]
    nav = record.nav[first:last].copy()
    # The first net asset value is the initial capital, before the cost of a purchase on that date.
    if first == 0 and invested[0]:
        nav[0] = values[0].sum() + record.cash[0]
    solvent = nav > 0.0
    result: Matrix = np.where(solvent[:, None], values / np.where(solvent, nav, 1.0)[:, None], 0.0)
    return result


def _trades(record: RecordPart, first: int, last: int) -> Matrix:
    units = np.vstack([np.zeros(record.units.shape[1]), record.units])
    inside = (record.fill_indices >= first) & (record.fill_indices < last)
    found = np.zeros((last - first, record.units.shape[1]))
    found[record.fill_indices[inside] - first] = np.diff(units, axis=0)[inside]
    return found
