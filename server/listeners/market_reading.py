"""Prices, instruments and corporate actions of watched assets, as events of the monitor."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.corporate_actions import ActionKind, CorporateAction, PriceBasis
from domain.market_data.panel import PricePanel
from domain.market_data.quoted import quoted_price, quoted_spread_bps
from domain.monitoring.events import (
    FUTURE_DAYS,
    ActionAnnounced,
    ClosingPrice,
    Event,
    HistoryLoaded,
    InstrumentChanged,
    PriceSeries,
    PricesObserved,
    QuotedPrice,
    TradingState,
)
from domain.monitoring.timestamps import day_of
from domain.reallocation.market_metrics import VOLUME_DAYS
from server.listeners.memory import Memory
from server.ports.changes import Change, Quote
from server.ports.corporate_actions import ActionFilter, CorporateActionStore
from server.ports.market_data import Instrument, MarketDataStore, PriceField, PriceQuery, TradableState
from server.ports.published import PublishedPrices

T = TypeVar("T")

HISTORY_DAYS = 400
"""Calendar days that hold the prices that are kept: 253 dates of trading."""

SYMBOLS = 500
"""Assets whose prices are read together."""

WHOLE_SERIES = 50
"""Assets without recent prices, of which all dates are read together."""

BASIS = PriceBasis.ADJUSTED
"""What stored prices are taken to be adjusted for, as by requests that do not say. Then splits and dividends are in
the prices already, and only the end of an asset is news."""

_ANNOUNCED: Mapping[PriceBasis, frozenset[ActionKind]] = {
    PriceBasis.ADJUSTED: frozenset({ActionKind.DELISTING}),
    PriceBasis.SPLIT_ADJUSTED: frozenset({ActionKind.DELISTING, ActionKind.CASH_DIVIDEND}),
    PriceBasis.UNADJUSTED: frozenset(ActionKind),
}

_STATES = {
    TradableState.TRADABLE: TradingState.TRADABLE,
    TradableState.HALTED: TradingState.HALTED,
    TradableState.DELISTED: TradingState.DELISTED,
    TradableState.NOT_LISTED: TradingState.HALTED,
}


class MarketReadings:
    """Reads what the monitor is to know of assets."""

    def __init__(
        self,
        market_data: MarketDataStore,
        actions: CorporateActionStore,
        published: PublishedPrices | None,
        basis: PriceBasis = BASIS,
    ) -> None:
        self._market_data = market_data
        self._corporate_actions = actions
        self._published = published
        self._announced = _ANNOUNCED[basis]

    async def histories(self, symbols: Sequence[str], time: int) -> list[Event]:
        """Past closes of assets that become watched; they raise no jump."""
        last = day_of(time) + FUTURE_DAYS
        found: list[Event] = []
        for page in in_pages(symbols, SYMBOLS):
            for panel in await self._recent(page, last, PriceField.CLOSE):
                found.append(HistoryLoaded(time, await asyncio.to_thread(_series, panel)))
        return found

    async def missed(self, memory: Memory, symbols: Sequence[str], time: int) -> list[Event]:
        """Closes of assets that are held again, as they are stored now: before they are held, they raise nothing."""
        last = day_of(time) + FUTURE_DAYS
        found: list[Event] = []
        for page in in_pages(symbols, SYMBOLS):
            ranges = dict.fromkeys(page, (last - HISTORY_DAYS, last))
            panel = await self._panel(page, last - HISTORY_DAYS, last, PriceField.CLOSE)
            if panel is not None:
                found += await asyncio.to_thread(_observed, memory, panel, ranges, time)
        return found

    async def closes(self, memory: Memory, changes: Sequence[Change], time: int) -> list[Event]:
        """Closes of the dates that changed."""
        last = day_of(time) + FUTURE_DAYS
        ranges: dict[str, tuple[int, int]] = {}
        for change in changes:
            if change.prices is not None and change.prices.first <= last:
                first, end = ranges.get(change.name, (change.prices.first, change.prices.last))
                ranges[change.name] = min(first, change.prices.first), min(max(end, change.prices.last), last)
        found: list[Event] = []
        prices: list[ClosingPrice] = []
        for page in in_pages(sorted(ranges), SYMBOLS):
            start, end = min(ranges[one][0] for one in page), max(ranges[one][1] for one in page)
            panel = await self._panel(page, max(start, end - HISTORY_DAYS), end, PriceField.CLOSE)
            if panel is None:
                continue
            history, closes = await asyncio.to_thread(_split, memory, panel, ranges)
            if history:
                found.append(HistoryLoaded(time, history))
            prices += closes
        if prices:
            found.append(PricesObserved(time, tuple(prices)))
        return found

    async def quotes(self, symbols: Sequence[str], time: int) -> list[Event]:
        """The latest quotes; those that are older than what the monitor knows change nothing there."""
        found: list[QuotedPrice] = []
        for page in in_pages(symbols, SYMBOLS):
            stored = {} if self._published is None else await self._published.quotes(page)
            prices = (price_observed(stored[symbol], time) for symbol in page if symbol in stored)
            found += [price for price in prices if price is not None]
        return [PricesObserved(time, tuple(found))] if found else []

    async def stored(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """What is stored of assets beside their prices."""
        found: dict[str, Instrument] = {}
        for page in in_pages(list(symbols), SYMBOLS):
            found.update(await self._market_data.instruments(page))
        return found

    async def instruments(self, memory: Memory, stored: Sequence[Instrument], time: int) -> list[Event]:
        """Trading state and average volume of assets."""
        found: list[Event] = []
        for page in in_pages(stored, SYMBOLS):
            volumes: dict[str, float] = {}
            symbols = [one.symbol for one in page]
            for panel in await self._recent(symbols, day_of(time) + FUTURE_DAYS, PriceField.VOLUME):
                volumes |= await asyncio.to_thread(_average_volumes, panel)
            found += [_changed(memory, one, volumes.get(one.symbol), time) for one in page]
        return found

    async def actions(self, symbols: Iterable[str], time: int) -> list[Event]:
        """Corporate actions that prices are not adjusted for."""
        named = tuple(symbols)
        if not named:
            return []
        actions: tuple[CorporateAction, ...] = await self._corporate_actions.all(ActionFilter(named))
        return [ActionAnnounced(time, action) for action in actions if action.kind in self._announced]

    async def _recent(self, symbols: Sequence[str], last: int, field: PriceField) -> list[PricePanel]:
        """The newest stored values of each symbol that has any, mostly of the last dates."""
        panel = await self._panel(symbols, last - HISTORY_DAYS, last, field)
        found = [] if panel is None else [panel]
        known = set() if panel is None else await asyncio.to_thread(_with_values, panel)
        for page in in_pages([symbol for symbol in symbols if symbol not in known], WHOLE_SERIES):
            whole = await self._panel(page, None, last, field)
            if whole is not None:
                found.append(whole)
        return found

    async def _panel(
        self, symbols: Sequence[str], first: int | None, last: int, field: PriceField
    ) -> PricePanel | None:
        """Stored values of those symbols that have any; None where none has."""
        having = await self._market_data.having(field, symbols) if symbols else ()
        if not having:
            return None
        try:
            return (await self._market_data.prices(PriceQuery(tuple(having), first, last, field))).panel
        except MissingMarketData:
            return None  # none in this range


def in_pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Parts of a sequence, each as long as is read together."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _with_values(panel: PricePanel) -> set[str]:
    """Symbols that have any value."""
    return {symbol for i, symbol in enumerate(panel.symbols) if np.isfinite(panel.values[:, i]).any()}


def _series(panel: PricePanel) -> tuple[PriceSeries, ...]:
    """The prices of each asset that has any, up to its last one."""
    found = (_series_of(symbol, panel.dates, panel.values[:, i]) for i, symbol in enumerate(panel.symbols))
    return tuple(_ending(one) for one in found if len(one.days))


def _ending(series: PriceSeries) -> PriceSeries:
    """The last dates of a series."""
    first = int(np.searchsorted(series.days, int(series.days[-1]) - HISTORY_DAYS))
    return PriceSeries(series.symbol, series.days[first:], series.prices[first:])


def _series_of(symbol: str, days: NDArray[np.int32], values: NDArray[np.float64]) -> PriceSeries:
    known = np.isfinite(values) & (values > 0.0)
    return PriceSeries(symbol, days[known], values[known])


def _split(
    memory: Memory, panel: PricePanel, ranges: Mapping[str, tuple[int, int]]
) -> tuple[tuple[PriceSeries, ...], list[ClosingPrice]]:
    """Prices of dates before all that are known, as history, and the others, as they are observed."""
    history: list[PriceSeries] = []
    closes: list[ClosingPrice] = []
    for i, symbol in enumerate(panel.symbols):
        first, last = ranges[symbol]
        inside = (panel.dates >= first) & (panel.dates <= last)
        one = _series_of(symbol, panel.dates[inside], panel.values[inside, i])
        known = memory.monitor.instruments.by_symbol.get(symbol)
        if known is not None and len(known.history.days):
            start = int(known.history.days[0])
        else:  # of an asset without prices only the last date is news
            start = int(one.days[-1]) if len(one.days) else 0
        old = one.days < start
        if old.any():
            history.append(PriceSeries(symbol, one.days[old], one.prices[old]))
        pairs = zip(one.days[~old].tolist(), one.prices[~old].tolist(), strict=True)
        closes += [ClosingPrice(symbol, day, price, memory.revision) for day, price in pairs]
    return tuple(history), closes


def _observed(memory: Memory, panel: PricePanel, ranges: Mapping[str, tuple[int, int]], time: int) -> list[Event]:
    """The prices of a panel as events."""
    history, closes = _split(memory, panel, ranges)
    found: list[Event] = [HistoryLoaded(time, history)] if history else []
    return [*found, PricesObserved(time, tuple(closes))] if closes else found


def _average_volumes(panel: PricePanel) -> dict[str, float]:
    """Mean units traded on the last dates with a volume."""
    found = {}
    for i, symbol in enumerate(panel.symbols):
        values = panel.values[:, i]
        known = values[np.isfinite(values)][-VOLUME_DAYS:]
        if len(known):
            found[symbol] = float(known.mean())
    return found


def _changed(memory: Memory, one: Instrument, volume: float | None, time: int) -> InstrumentChanged:
    """New figures of an asset; its spread is that of its last quote."""
    known = memory.monitor.instruments.by_symbol.get(one.symbol)
    spread = None if known is None else known.spread_bps
    return InstrumentChanged(time, one.symbol, memory.revision, _STATES[one.state], volume, spread)


def price_observed(quote: Quote, time: int) -> QuotedPrice | None:
    """A published quote as the monitor takes it, not after the time of its change; None where it has no price."""
    price = quoted_price(quote.bid, quote.ask, quote.last)
    if price is None:
        return None
    try:
        return QuotedPrice(quote.symbol, min(quote.time, time), price, quoted_spread_bps(quote.bid, quote.ask))
    except InvalidInput:
        return None
