"""Series of one strategy, recomputed from its record and the prices: a series is never stored."""

from enum import StrEnum

import numpy as np

from domain.backtest.account_series import (
    EXPOSURES,
    cash_held,
    contributions,
    exposures,
    gross_unit_values,
    trading_costs,
    turnovers,
    units_held,
    weights,
)
from domain.backtest.market import Market
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
    HOLDINGS = "HOLDINGS"  # (T, N), in units, after trading
    CASH = "CASH"  # (T, 1), in money, after trading
    EXPOSURES = "EXPOSURES"  # (T, 5), fractions of the net asset value, after trading
    CONTRIBUTIONS = "CONTRIBUTIONS"  # (T, N), to the return of each date
    COSTS = "COSTS"  # (T, 1), of trades, fractions of the net asset value before them
    TURNOVER = "TURNOVER"  # (T, 1), one-way, likewise
    GROSS_EQUITY = "GROSS_EQUITY"  # (T, 1), unit value had the trades cost nothing

    def columns(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Names of its columns, none where it has one alone."""
        if self is Series.EXPOSURES:
            return EXPOSURES
        return symbols if self in _BY_ASSET else ()


_BY_ASSET = frozenset({Series.WEIGHTS, Series.TRADES, Series.HOLDINGS, Series.CONTRIBUTIONS})


def rows(series: Series, market: Market, record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Rows first to last - 1 of a series, (K, columns).

    `market` ends with the dates of the simulation, (T,), and `opening` (N,) are the units held at the start.
    """
    start = len(market.panel.dates) - len(record.nav)
    prices = market.panel.values[start:]
    match series:
        case Series.WEIGHTS:
            return weights(prices, record, opening, first, last)
        case Series.HOLDINGS:
            return units_held(record, opening, first, last)
        case Series.TRADES:
            return _trades(record, opening, first, last)
        case Series.EXPOSURES:
            return exposures(weights(prices, record, opening, first, last))
        case Series.CONTRIBUTIONS:
            return contributions(prices, market.total_return[start:], record, opening, first, last)
    return _of_account(series, prices, record, opening, first, last)[:, None]


def _of_account(series: Series, prices: Matrix, record: RecordPart, opening: Vector, first: int, last: int) -> Vector:
    """A series of one column, (K,)."""
    match series:
        case Series.NAV:
            return record.nav[first:last]
        case Series.DRAWDOWN:
            return level_drawdowns(record.unit_values)[first:last]
        case Series.CASH:
            return cash_held(prices, record, opening, first, last)
        case Series.COSTS:
            return trading_costs(record, first, last)
        case Series.TURNOVER:
            return turnovers(record, first, last)
        case Series.GROSS_EQUITY:
            return gross_unit_values(record)[first:last]
    return record.unit_values[first:last]


def _trades(record: RecordPart, opening: Vector, first: int, last: int) -> Matrix:
    """Changes of units by fills alone, not by splits and other events."""
    changes = np.diff(np.vstack([opening, record.units]), axis=0)
    inside = (record.indices >= first) & (record.indices < last) & record.fills
    found = np.zeros((last - first, record.units.shape[1]))
    np.add.at(found, record.indices[inside] - first, changes[inside])
    return found
