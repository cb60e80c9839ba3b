"""Series of one strategy, recomputed from its record and the prices: nothing is stored that follows from those."""

from enum import StrEnum

import numpy as np

from domain.backtest.record import RecordPart
from domain.checks import Matrix


class Series(StrEnum):
    """What can be asked for."""

    EQUITY = "EQUITY"  # (T, 1)
    DRAWDOWN = "DRAWDOWN"  # (T, 1), positive
    WEIGHTS = "WEIGHTS"  # (T, N), after trading
    TRADES = "TRADES"  # (T, N), in units

    @property
    def by_asset(self) -> bool:
        """Whether it has a column for each asset."""
        return self in (Series.WEIGHTS, Series.TRADES)


def rows(series: Series, prices: Matrix, record: RecordPart, first: int, last: int) -> Matrix:
    """Rows first to last - 1 of a series; `prices` (T, N) are those of the simulation's dates."""
    if series is Series.EQUITY:
        return record.wealth[first:last, None]
    if series is Series.DRAWDOWN:
        return drawdowns(record)[first:last, None]
    if series is Series.TRADES:
        return _trades(record, first, last)
    places = np.arange(first, last)
    held = np.searchsorted(record.fill_places, places, side="right") - 1
    bought = held >= 0
    values = np.zeros((last - first, prices.shape[1]))
    with np.errstate(over="ignore"):  # of what was held until a ruin
        values[bought] = record.units[held[bought]] * prices[first:last][bought]
    wealth = record.wealth[first:last].copy()
    # On the first date wealth is what was given, before the cost of a purchase on that date.
    if first == 0 and bought[0]:
        wealth[0] = values[0].sum() + record.cash[0]
    alive = wealth > 0.0
    result: Matrix = np.where(alive[:, None], values / np.where(alive, wealth, 1.0)[:, None], 0.0)
    return result


def drawdowns(record: RecordPart) -> Matrix:
    """Loss from the highest wealth so far, (T,)."""
    result: Matrix = 1.0 - record.wealth / np.maximum.accumulate(record.wealth)
    return result


def _trades(record: RecordPart, first: int, last: int) -> Matrix:
    units = np.vstack([np.zeros(record.units.shape[1]), record.units])
    inside = (record.fill_places >= first) & (record.fill_places < last)
    found = np.zeros((last - first, record.units.shape[1]))
    found[record.fill_places[inside] - first] = np.diff(units, axis=0)[inside]
    return found
