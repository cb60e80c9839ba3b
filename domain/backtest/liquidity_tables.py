"""Daily values and volatilities by date: those that are given, and those of the dates before for the others."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from domain.backtest.liquidity import rows_of
from domain.backtest.market import Market
from domain.checks import Matrix, Vector
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date


def daily_values(model: CostModel, market: Market, reason: str) -> Matrix:
    """Money traded in a day, (T, N) or (1, N); NaN where it is not known, 0 where nothing was traded.

    Raises InvalidInput, with the reason, for an asset whose daily value is neither given nor stored.
    """
    symbols, past = market.panel.symbols, market.liquidity
    values = _none(symbols) if past is None else past.daily_values[:-1]
    given = _given(model, symbols)[0]
    for j, symbol in enumerate(symbols):
        if np.isnan(given[j]) and np.isnan(values[:, j]).all():
            raise InvalidInput(
                "costs.liquidity", f"must give the daily_value of {symbol}, of which no volume is stored: {reason}"
            )
    return rows_of(values, given)


def volatilities(model: CostModel, market: Market) -> Matrix:
    """Volatilities per year, (T, N) or (1, N); NaN where they are not known."""
    symbols, past = market.panel.symbols, market.liquidity
    return rows_of(
        _none(symbols) if past is None else past.volatilities_annual[:-1],
        _given(model, symbols)[1],
    )


def has_given_volatility(model: CostModel, symbols: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether the volatility of an asset is given, (N,)."""
    result: NDArray[np.bool_] = ~np.isnan(_given(model, symbols)[1])
    return result


def can_be_traded(market: Market) -> NDArray[np.bool_]:
    """Whether an asset has a price at which it can be traded, (T, N)."""
    priced: NDArray[np.bool_] = market.panel.values > 0.0
    return priced if market.tradable is None else priced & market.tradable


def spans(market: Market, first: int, found: NDArray[np.bool_], most: int) -> str:
    """The assets with a true entry from date number `first` on, (T - first, N), each with its first and last date."""
    assets = np.flatnonzero(found.any(axis=0)).tolist()
    days = market.panel.dates[first:]
    named = [f"{market.panel.symbols[j]} {_span(days[found[:, j]])}" for j in assets[:most]]
    return ", ".join(named) + (f" and {len(assets) - most} others" if len(assets) > most else "")


def _span(days: NDArray[np.int32]) -> str:
    first, last = civil_date(int(days[0])), civil_date(int(days[-1]))
    return f"on {first}" if first == last else f"from {first} to {last}"


def _none(symbols: Collection[str]) -> Matrix:
    return np.full((1, len(symbols)), np.nan)


def _given(model: CostModel, symbols: tuple[str, ...]) -> tuple[Vector, Vector]:
    values, deviations = np.full(len(symbols), np.nan), np.full(len(symbols), np.nan)
    for j, symbol in enumerate(symbols):
        known = model.liquidity.get(symbol)
        if known is not None:
            values[j] = known.daily_value
            deviations[j] = np.nan if known.volatility_annual is None else known.volatility_annual
    return values, deviations
