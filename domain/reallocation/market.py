"""The market of a reallocation from stored prices: last price, average daily volume, lots, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.costs.impact import Liquidity
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio

VOLUME_DAYS = 21
"""Dates with a volume that the average daily volume is taken over: the last month of trading."""


@dataclass(frozen=True, slots=True)
class TradingTerms:
    """How an asset is traded. An asset that is not listed has no quote; one that is halted has one, for its value."""

    lot_size: float = 1.0
    listed: bool = True
    halted: bool = False


USUAL_TERMS = TradingTerms()


def snapshot_of(prices: PricePanel, volumes: PricePanel | None, terms: Mapping[str, TradingTerms]) -> Snapshot:
    """Quotes at the last price of each asset.

    `prices` and `volumes` are (T, N) with NaN where there is none; `volumes`, in units, may have other dates and
    symbols. An asset without any price gets no quote, and one without terms trades one unit at a time.
    """
    average_volumes = {} if volumes is None else average_daily_volumes(volumes)
    quotes: dict[str, Quote] = {}
    for j, symbol in enumerate(prices.symbols):
        known = prices.values[:, j][~np.isnan(prices.values[:, j])]
        own = terms.get(symbol, USUAL_TERMS)
        if own.listed and len(known):
            quotes[symbol] = Quote(
                float(known[-1]), average_volumes.get(symbol), lot_size=own.lot_size, halted=own.halted
            )
    return Snapshot(quotes)


def average_daily_volumes(volumes: PricePanel) -> dict[str, float]:
    """Mean of the last `VOLUME_DAYS` volumes of each asset, in units; an asset without any is left out."""
    averages: dict[str, float] = {}
    for j, symbol in enumerate(volumes.symbols):
        known = volumes.values[:, j][~np.isnan(volumes.values[:, j])][-VOLUME_DAYS:]
        if len(known):
            averages[symbol] = float(known.mean())
    return averages


def net_asset_value(portfolio: Portfolio, market: Snapshot) -> float:
    """Cash and the holdings that have a quote, in the currency of the prices."""
    priced = ((symbol, units) for symbol, units in portfolio.quantities.items() if symbol in market.quotes)
    return portfolio.cash + sum(units * market.quotes[symbol].price for symbol, units in priced)


def liquidity_of(market: Snapshot, symbols: tuple[str, ...]) -> dict[str, Liquidity]:
    """Average daily value and volatility of those of the symbols whose volume is known and above 0."""
    wanted = set(symbols)
    return {
        symbol: Liquidity(quote.price * quote.average_daily_volume, quote.volatility_annual)
        for symbol, quote in market.quotes.items()
        if quote.average_daily_volume and symbol in wanted
    }
