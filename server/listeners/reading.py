"""Reads what changed anew: changes say what, the stores say how it is now."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.corporate_actions import ActionKind, CorporateAction, PriceBasis
from domain.market_data.panel import PricePanel
from domain.monitoring.events import (
    FUTURE_DAYS,
    ActionAnnounced,
    ClosingPrice,
    Event,
    HistoryLoaded,
    HoldingsChange,
    InstrumentChanged,
    MandateChange,
    PortfoliosChanged,
    PriceSeries,
    PricesObserved,
    QuotedPrice,
    TradingState,
)
from domain.monitoring.mandate import TargetKind
from domain.monitoring.timestamps import day_of
from domain.reallocation.market_metrics import VOLUME_DAYS
from server.converters.mandates import UNWATCHED, WatchedMandate, Weights, watched_mandate_from_bytes
from server.converters.portfolios import watched_holdings_from_bytes
from server.converters.recomputations import is_of_a_recomputation, mandate_label, optimal_weights, portfolio_of_label
from server.listeners.memory import Followed, Memory, name_of, owner_and_id
from server.listeners.noticing import Reading
from server.ports.changes import Change, ChangeKind, Quote
from server.ports.corporate_actions import ActionFilter, CorporateActionStore
from server.ports.errors import NotFound
from server.ports.list_filter import ListFilter
from server.ports.market_data import Instrument, MarketDataStore, PriceField, PriceQuery, TradableState
from server.ports.portfolios import PortfolioRecord, PortfolioStore
from server.ports.results import ResultStore
from server.ports.scope import Scope
from server.ports.stale_results import StaleResult, StaleResults

T = TypeVar("T")

PAGE = 200
"""Portfolios that are read together."""

HISTORY_DAYS = 400
"""Calendar days that hold the prices that are kept: 253 dates of trading."""

SYMBOLS = 500
"""Assets whose prices are read together."""

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

MOST_STALE = 1000
"""Results of each kind that watchers are told of after one correction, the newest ones; all of them are stale."""

OF_PORTFOLIOS = frozenset({ChangeKind.PORTFOLIO, ChangeKind.OPTIMIZATION})
WATCHED = frozenset(ChangeKind) - {ChangeKind.REALLOCATION, ChangeKind.BACKTEST}
"""Changes that can move what is watched: a plan and a backtest change neither holdings nor target nor prices."""


@dataclass(frozen=True, slots=True)
class WatchedStores:
    """The stores that what is watched comes from."""

    market_data: MarketDataStore
    corporate_actions: CorporateActionStore
    portfolios: PortfolioStore
    optimizations: ResultStore
    stale_results: StaleResults | None = None  # None where a store does not keep what results have used


@dataclass(frozen=True, slots=True)
class _Watched:
    """A portfolio as it was read."""

    name: str
    followed: Followed
    changes: tuple[HoldingsChange | MandateChange, ...]
    symbols: frozenset[str]
    problem: str = ""


def _may_correct(change: Change) -> bool:
    """Whether a change may be one of what results have used; new dates alone correct nothing."""
    if change.kind is ChangeKind.PRICES:
        return change.prices is not None and change.prices.replaced
    return change.kind is ChangeKind.CORPORATE_ACTION


class Readings:
    """Reads for changes that were written together, and everything where nothing is known."""

    def __init__(self, stores: WatchedStores, basis: PriceBasis = BASIS) -> None:
        self._stores = stores
        self._announced = _ANNOUNCED[basis]

    async def of_changes(self, memory: Memory, changes: Sequence[Change]) -> Reading:
        """What was read for changes of one time."""
        time, cause = changes[-1].time, f"changes/{changes[-1].cursor}"
        by_kind: dict[ChangeKind, list[Change]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, []).append(change)
        portfolios = await self._changed_portfolios(memory, by_kind, time, cause)
        held = [one for one in by_kind.get(ChangeKind.PRICES, ()) if memory.monitor.holders(one.name)]
        closes = [one for one in held if one.prices is not None and one.prices.field is PriceField.CLOSE]
        events: list[Event] = list(await self._closes(memory, closes, time))
        quotes = [one.quote for one in by_kind.get(ChangeKind.QUOTE, ()) if one.quote is not None]
        quoted = [price for one in quotes if memory.monitor.holders(one.symbol) and (price := _quoted(one, time))]
        if quoted:
            events.append(PricesObserved(time, tuple(quoted)))
        traded = [one.name for one in held if one.prices is not None and one.prices.field is PriceField.VOLUME]
        changed = [one.name for one in by_kind.get(ChangeKind.INSTRUMENT, ()) if memory.monitor.holders(one.name)]
        events += await self._instruments(memory, dict.fromkeys([*traded, *changed]), time)
        acted = [one.name for one in by_kind.get(ChangeKind.CORPORATE_ACTION, ()) if memory.monitor.holders(one.name)]
        events += await self._actions(dict.fromkeys(acted), time)
        priced = frozenset([*(one.name for one in closes), *(price.symbol for price in quoted)])
        stale = await self._stale(changes)
        return replace(portfolios, events=(*portfolios.events, *events), priced=priced, stale=stale)

    async def _stale(self, changes: Sequence[Change]) -> tuple[StaleResult, ...]:
        """Stored results that corrections among the changes have made stale."""
        corrected = sorted({one.name for one in changes if _may_correct(one)})
        if not corrected or self._stores.stale_results is None:
            return ()
        return tuple(await self._stores.stale_results.since(corrected, changes[0].time, MOST_STALE))

    async def of_everything(self, memory: Memory, time: int) -> Reading:
        """All portfolios with their assets; those that the memory has and the store has not are deleted."""
        found: list[PortfolioRecord] = []
        token = ""
        while True:  # ends with the last page
            page = await self._stores.portfolios.list(Scope("", everyone=True), token, PAGE)
            found.extend(page.records)
            if not page.next_token:
                break
            token = page.next_token
        gone = set(memory.portfolios) - {name_of(one.owner, one.id) for one in found}
        optimal = {name: one.optimal for name, one in memory.portfolios.items()}
        return await self._of_portfolios(memory, found, gone, optimal, time, "everything")

    async def _changed_portfolios(
        self, memory: Memory, by_kind: Mapping[ChangeKind, Sequence[Change]], time: int, cause: str
    ) -> Reading:
        optimal = {name: one.optimal for name, one in memory.portfolios.items()}
        wanted = {(change.owner, change.name) for change in by_kind.get(ChangeKind.PORTFOLIO, ())}
        optimizing = {
            owner_and_id(name)[0] for name, one in memory.portfolios.items() if one.target is TargetKind.OPTIMIZATION
        }
        for change in by_kind.get(ChangeKind.OPTIMIZATION, ()):
            if change.owner not in optimizing:
                continue
            adopted = await self._adopted(change)
            if adopted is not None:
                portfolio_id, weights = adopted
                if name_of(change.owner, portfolio_id) in memory.portfolios:
                    wanted.add((change.owner, portfolio_id))
                    optimal[name_of(change.owner, portfolio_id)] = weights
        found: list[PortfolioRecord] = []
        gone: set[str] = set()
        for owner, portfolio_id in sorted(wanted):
            try:
                found.append(await self._stores.portfolios.get(owner, portfolio_id))
            except NotFound:
                gone.add(name_of(owner, portfolio_id))
        return await self._of_portfolios(memory, found, gone, optimal, time, cause)

    async def _adopted(self, change: Change) -> tuple[str, Weights] | None:
        """The portfolio whose mandate an optimisation was done for, and its weights; None for any other one."""
        try:
            record = await self._stores.optimizations.get(change.owner, change.name)
        except NotFound:
            return None
        portfolio_id = portfolio_of_label(record.label)
        if portfolio_id is None or not is_of_a_recomputation(record.request_id):
            return None
        return portfolio_id, await asyncio.to_thread(optimal_weights, record.payload)

    async def _last_optimal(self, owner: str, portfolio_id: str) -> Weights | None:
        """The weights that a mandate's last optimisation gave."""
        filters = ListFilter(label=mandate_label(portfolio_id))
        page = await self._stores.optimizations.list(Scope(owner), "", 1, filters)
        for one in page.records:
            if is_of_a_recomputation(one.request_id):
                record = await self._stores.optimizations.get(owner, one.id)
                return await asyncio.to_thread(optimal_weights, record.payload)
        return None

    async def _of_portfolios(
        self,
        memory: Memory,
        records: Sequence[PortfolioRecord],
        gone: Iterable[str],
        optimal: dict[str, Weights | None],
        time: int,
        cause: str,
    ) -> Reading:
        watched = [one for page in _pages(records) for one in await asyncio.to_thread(_read, memory, page, optimal)]
        for i, one in enumerate(watched):
            if one.followed.target is TargetKind.OPTIMIZATION and one.followed.optimal is None:
                record = records[i]
                weights = await self._last_optimal(record.owner, record.id)
                if weights is not None:
                    optimal[one.name] = weights
                    watched[i] = (await asyncio.to_thread(_read, memory, [record], optimal))[0]
        known = memory.monitor.instruments.by_symbol
        symbols = sorted({symbol for one in watched for symbol in one.symbols})
        fresh = [symbol for symbol in symbols if symbol not in known or not len(known[symbol].history.days)]
        revision = memory.revision
        ends = [
            change
            for name in sorted(gone)
            for change in (HoldingsChange(name, revision, None), MandateChange(name, revision, None))
        ]
        changes = (*ends, *(change for one in watched for change in one.changes))
        events: list[Event] = [*await self._histories(fresh, time), *await self._instruments(memory, fresh, time)]
        events += await self._actions(fresh, time)
        if changes:
            events.append(PortfoliosChanged(time, changes))
        followed: dict[str, Followed | None] = dict.fromkeys(gone)
        followed.update({one.name: one.followed for one in watched})
        problems = {one.name: one.problem for one in watched if one.problem}
        return Reading(time, cause, tuple(events), followed, problems=problems)

    async def _histories(self, symbols: Sequence[str], time: int) -> list[Event]:
        """Past closes of assets that become watched; they raise no jump."""
        last = day_of(time) + FUTURE_DAYS
        found: list[Event] = []
        for page in _pages(symbols, SYMBOLS):
            for panel in await self._recent(page, last, PriceField.CLOSE):
                found.append(HistoryLoaded(time, await asyncio.to_thread(_series, panel)))
        return found

    async def _closes(self, memory: Memory, changes: Sequence[Change], time: int) -> list[Event]:
        """Closes of the dates that changed."""
        last = day_of(time) + FUTURE_DAYS
        ranges: dict[str, tuple[int, int]] = {}
        for change in changes:
            if change.prices is not None and change.prices.first <= last:
                first, end = ranges.get(change.name, (change.prices.first, change.prices.last))
                ranges[change.name] = min(first, change.prices.first), min(max(end, change.prices.last), last)
        found: list[Event] = []
        prices: list[ClosingPrice] = []
        for page in _pages(sorted(ranges), SYMBOLS):
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

    async def _instruments(self, memory: Memory, symbols: Iterable[str], time: int) -> list[Event]:
        """Trading state and average volume of assets."""
        found: list[Event] = []
        for page in _pages(list(symbols), SYMBOLS):
            stored = await self._stores.market_data.instruments(page)
            volumes: dict[str, float] = {}
            for panel in await self._recent(page, day_of(time) + FUTURE_DAYS, PriceField.VOLUME):
                volumes |= await asyncio.to_thread(_average_volumes, panel)
            found += [
                _changed(memory, stored[symbol], volumes.get(symbol), time) for symbol in page if symbol in stored
            ]
        return found

    async def _actions(self, symbols: Iterable[str], time: int) -> list[Event]:
        """Corporate actions that prices are not adjusted for."""
        named = tuple(symbols)
        if not named:
            return []
        actions: tuple[CorporateAction, ...] = await self._stores.corporate_actions.all(ActionFilter(named))
        return [ActionAnnounced(time, action) for action in actions if action.kind in self._announced]

    async def _recent(self, symbols: Sequence[str], last: int, field: PriceField) -> list[PricePanel]:
        """The newest stored values of each symbol that has any, mostly of the last dates."""
        panel = await self._panel(symbols, last - HISTORY_DAYS, last, field)
        found = [] if panel is None else [panel]
        known = set() if panel is None else await asyncio.to_thread(_with_values, panel)
        for symbol in symbols:
            if symbol not in known and (whole := await self._panel([symbol], None, last, field)) is not None:
                found.append(await asyncio.to_thread(_ending, whole))
        return found

    async def _panel(
        self, symbols: Sequence[str], first: int | None, last: int, field: PriceField
    ) -> PricePanel | None:
        """Stored values of those symbols that have any; None where none has."""
        having = await self._stores.market_data.having(field, symbols) if symbols else ()
        if not having:
            return None
        try:
            return (await self._stores.market_data.prices(PriceQuery(tuple(having), first, last, field))).panel
        except MissingMarketData:
            return None  # none in this range


def _with_values(panel: PricePanel) -> set[str]:
    """Symbols that have any value."""
    return {symbol for i, symbol in enumerate(panel.symbols) if np.isfinite(panel.values[:, i]).any()}


def _ending(panel: PricePanel) -> PricePanel:
    """The last dates of a panel."""
    first = int(np.searchsorted(panel.dates, int(panel.dates[-1]) - HISTORY_DAYS))
    return PricePanel.of(panel.symbols, panel.dates[first:], panel.values[first:])


def _pages(items: Sequence[T], size: int = PAGE) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _read(memory: Memory, records: Sequence[PortfolioRecord], optimal: Mapping[str, Weights | None]) -> list[_Watched]:
    return [_read_one(memory, record, optimal.get(name_of(record.owner, record.id))) for record in records]


def _read_one(memory: Memory, record: PortfolioRecord, optimal: Weights | None) -> _Watched:
    """A portfolio. What is wrong with it is said in its signal, and does not keep others from being watched."""
    name, revision, problem = name_of(record.owner, record.id), memory.revision, ""
    watched: WatchedMandate = UNWATCHED
    day = day_of(int(record.updated.timestamp()) * 1_000_000)
    changes: list[HoldingsChange | MandateChange] = []
    symbols: set[str] = set()
    try:
        holdings = watched_holdings_from_bytes(record.payload, day)
        changes.append(HoldingsChange(name, revision, holdings))
        symbols.update(holdings.portfolio.quantities)
        watched = watched_mandate_from_bytes(record.payload, optimal)
    except InvalidInput as error:
        problem = f"{error.field} {error.rule}"
    changes.append(MandateChange(name, revision, watched.mandate))
    symbols.update(watched.mandate.target or ())
    followed = memory.portfolios.get(name, Followed()).with_mandate(watched.triggers, watched.target)
    followed = replace(followed, optimal=optimal if watched.target is TargetKind.OPTIMIZATION else None)
    return _Watched(name, followed, tuple(changes), frozenset(symbols), problem)


def _series(panel: PricePanel) -> tuple[PriceSeries, ...]:
    """The prices of each asset that has any."""
    found = (_series_of(symbol, panel.dates, panel.values[:, i]) for i, symbol in enumerate(panel.symbols))
    return tuple(one for one in found if len(one.days))


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


def _quoted(quote: Quote, time: int) -> QuotedPrice | None:
    """The last trade, or the middle of bid and ask; None where there is neither."""
    both = quote.bid is not None and quote.ask is not None and 0.0 < quote.bid <= quote.ask
    middle = (quote.bid + quote.ask) / 2.0 if both and quote.bid is not None and quote.ask is not None else None
    spread = None
    if middle is not None and quote.bid is not None and quote.ask is not None:
        spread = (quote.ask - quote.bid) / middle * 10_000.0
    price = quote.last if quote.last is not None else middle
    try:
        return None if price is None else QuotedPrice(quote.symbol, min(quote.time, time), price, spread)
    except InvalidInput:
        return None
