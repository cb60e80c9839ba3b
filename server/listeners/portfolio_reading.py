"""Portfolios with their mandates and targets, as events of the monitor and as what is followed of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from domain.errors import InvalidInput
from domain.market_data.currencies import currency_of_portfolio
from domain.monitoring.events import (
    Event,
    HoldingsChange,
    MandateChange,
    PortfoliosChanged,
)
from domain.monitoring.mandate import TargetKind
from domain.monitoring.timestamps import day_of
from domain.records import dataclass
from server.converters.mandates import UNWATCHED, WatchedMandate, Weights, watched_mandate_from_bytes
from server.converters.portfolios import watched_holdings_from_bytes
from server.converters.recomputations import is_of_a_recomputation, mandate_label, optimal_weights, portfolio_of_label
from server.listeners.market_reading import MarketReadings, in_pages
from server.listeners.memory import NOT_FOLLOWED, Followed, Memory, Unconverted, name_of, owner_and_id
from server.listeners.noticing import Reading
from server.listeners.unconverted import unconverted
from server.observability import logger
from server.ports.changes import Change, ChangeKind
from server.ports.errors import NotFound
from server.ports.list_filter import ListFilter
from server.ports.market_data import Instrument
from server.ports.portfolios import PortfolioRecord, PortfolioStore
from server.ports.results import ResultStore, StoredResult
from server.ports.scope import Scope

K = TypeVar("K")
V = TypeVar("V")

PAGE = 200
"""Portfolios that are read together."""

AT_ONCE = 16
"""Portfolios or results that are read at once, one by one."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A portfolio as it was read."""

    name: str
    followed: Followed
    changes: tuple[HoldingsChange | MandateChange, ...]
    symbols: frozenset[str]
    currency: str = ""  # as the portfolio names it
    problem: str = ""
    is_readable: bool = True
    unconverted: Unconverted | None = None

    def with_currencies(self, instruments: Mapping[str, Instrument], revision: int) -> "_Watched":
        """As it is watched with the currencies of its assets: not at all where prices would have to be converted."""
        named = {symbol: instruments[symbol].currency for symbol in self.symbols if symbol in instruments}
        currencies = {**dict.fromkeys(self.symbols, ""), **named}
        found = unconverted(self.currency, currencies)
        if found is None:
            currency = currency_of_portfolio(self.currency, currencies)
            return replace(self, followed=replace(self.followed, currency=currency))
        followed = replace(self.followed.with_mandate((), TargetKind.NONE), optimal=None, currency="")
        changes = HoldingsChange(self.name, revision, None), MandateChange(self.name, revision, None)
        return replace(self, followed=followed, changes=changes, symbols=frozenset(), unconverted=found)


class PortfolioReadings:
    """Reads portfolios, and the assets that become watched with them."""

    def __init__(self, portfolios: PortfolioStore, optimizations: ResultStore, market: MarketReadings) -> None:
        self._portfolios = portfolios
        self._optimizations = optimizations
        self._market = market

    async def of_changes(
        self,
        memory: Memory,
        by_kind: Mapping[ChangeKind, Sequence[Change]],
        time: int,
        cause: str,
        again: Iterable[str] = (),
    ) -> Reading:
        """Portfolios that changed, those whose target by optimisation has new weights, and those to be read again."""
        optimal = {name: one.optimal for name, one in memory.portfolios.items()}
        wanted = {(change.owner, change.name) for change in by_kind.get(ChangeKind.PORTFOLIO, ())}
        wanted.update(owner_and_id(name) for name in again)
        optimized = by_kind.get(ChangeKind.OPTIMIZATION, ())
        for change, adopted in zip(optimized, await _read_all(self._adopted, optimized), strict=True):
            if adopted is not None:
                portfolio_id, weights = adopted
                if name_of(change.owner, portfolio_id) in memory.portfolios:
                    wanted.add((change.owner, portfolio_id))
                    optimal[name_of(change.owner, portfolio_id)] = weights
        keys = sorted(wanted)
        stored = await _read_all(self._stored, keys)
        gone = {name_of(*key) for key, record in zip(keys, stored, strict=True) if record is None}
        found = [record for record in stored if record is not None]
        return await self.of_records(memory, found, gone, optimal, time, cause)

    async def _stored(self, key: tuple[str, str]) -> PortfolioRecord | None:
        """The portfolio of an owner and an id; None where it is gone."""
        try:
            return await self._portfolios.get(*key)
        except NotFound:
            return None

    async def _adopted(self, change: Change) -> tuple[str, Weights] | None:
        """The portfolio whose mandate an optimisation was done for, and its weights; None for any other one."""
        try:
            record = await self._optimizations.get(change.owner, change.name)
        except NotFound:
            return None
        portfolio_id = portfolio_of_label(record.label)
        if portfolio_id is None or not is_of_a_recomputation(record.request_id):
            return None
        weights = await _weights_of(record)
        return None if weights is None else (portfolio_id, weights)

    async def _last_optimal(self, portfolio: PortfolioRecord) -> Weights | None:
        """The weights that a mandate's last optimisation gave."""
        owner, filters = portfolio.owner, ListFilter(label=mandate_label(portfolio.id))
        page = await self._optimizations.list(Scope(owner), "", 1, filters)
        for one in page.records:
            if is_of_a_recomputation(one.request_id):
                record = await self._optimizations.get(owner, one.id)
                return await _weights_of(record)
        return None

    async def of_records(
        self,
        memory: Memory,
        records: Sequence[PortfolioRecord],
        gone: Iterable[str],
        optimal: dict[str, Weights | None],
        time: int,
        cause: str,
    ) -> Reading:
        """What follows from portfolios as they are now, and from those that are gone."""
        ended = sorted(gone)
        if not records and not ended:
            return Reading(time, cause)
        watched: list[_Watched] = []
        for page in in_pages(records, PAGE):
            watched += await asyncio.to_thread(_read, memory, page, optimal)
        without = [
            i
            for i, one in enumerate(watched)
            if one.followed.target is TargetKind.OPTIMIZATION and one.followed.optimal is None
        ]
        last = await _read_all(self._last_optimal, [records[i] for i in without])
        for i, weights in zip(without, last, strict=True):
            if weights is not None:
                optimal[watched[i].name] = weights
                watched[i] = (await asyncio.to_thread(_read, memory, [records[i]], optimal))[0]
        stored = await self._market.stored(sorted({symbol for one in watched for symbol in one.symbols}))
        watched = await asyncio.to_thread(_with_currencies, watched, stored, memory.revision)
        fresh, missed = await asyncio.to_thread(_not_followed, memory, watched)
        revision = memory.revision
        ends = [
            change
            for name in ended
            for change in (HoldingsChange(name, revision, None), MandateChange(name, revision, None))
        ]
        changes = (*ends, *(change for one in watched for change in one.changes))
        events: list[Event] = await self._market.histories(fresh, time)
        events += await self._market.missed(memory, missed, time)
        new = [*fresh, *missed]
        events += await self._market.instruments(memory, [stored[one] for one in new if one in stored], time)
        events += await self._market.actions(new, time)
        events += await self._market.quotes(new, time)
        if changes:
            events.append(PortfoliosChanged(time, changes))
        followed: dict[str, Followed | None] = dict.fromkeys(ended)
        followed.update({one.name: one.followed for one in watched})
        problems = {one.name: one.problem for one in watched if one.problem}
        unreadable = frozenset(one.name for one in watched if not one.is_readable)
        foreign = {one.name: one.unconverted for one in watched if one.unconverted is not None}
        return Reading(
            time, cause, tuple(events), followed, unreadable=unreadable, unconverted=foreign, problems=problems
        )


async def _weights_of(record: StoredResult) -> Weights | None:
    """What a stored optimisation found; None where its bytes cannot be read, so that everything else is."""
    try:
        return await asyncio.to_thread(optimal_weights, record.payload)
    except InvalidInput:
        logger.warning("a stored optimisation cannot be read", extra={"id": record.id})
        return None


async def _read_all(read: Callable[[K], Awaitable[V]], keys: Sequence[K]) -> list[V]:
    """What a store has of each key, in their order; some are read at once, since a store may be far away."""
    found: list[V] = []
    for page in in_pages(keys, AT_ONCE):
        found += await asyncio.gather(*(read(key) for key in page))
    return found


def _with_currencies(
    watched: Sequence[_Watched], instruments: Mapping[str, Instrument], revision: int
) -> list[_Watched]:
    return [one.with_currencies(instruments, revision) for one in watched]


def _not_followed(memory: Memory, watched: Sequence[_Watched]) -> tuple[list[str], list[str]]:
    """Assets without a price that is known, and those whose prices nobody has followed since they were last held."""
    known = memory.monitor.instruments.by_symbol
    symbols = sorted({symbol for one in watched for symbol in one.symbols})
    fresh = [symbol for symbol in symbols if symbol not in known or not len(known[symbol].history.days)]
    others = sorted(set(symbols).difference(fresh))
    return fresh, [symbol for symbol in others if not memory.monitor.holders(symbol)]


def _read(memory: Memory, records: Sequence[PortfolioRecord], optimal: Mapping[str, Weights | None]) -> list[_Watched]:
    return [_read_one(memory, record, optimal.get(name_of(record.owner, record.id))) for record in records]


def _read_one(memory: Memory, record: PortfolioRecord, optimal: Weights | None) -> _Watched:
    """A portfolio. What is wrong with it is said in its signal, and does not keep others from being watched."""
    name, revision, problem, is_readable = name_of(record.owner, record.id), memory.revision, "", True
    currency = ""
    watched: WatchedMandate = UNWATCHED
    day = day_of(int(record.updated.timestamp()) * 1_000_000)
    changes: list[HoldingsChange | MandateChange] = []
    symbols: set[str] = set()
    try:
        held = watched_holdings_from_bytes(record.payload, day)
        currency = held.currency
        changes.append(HoldingsChange(name, revision, held.holdings))
        symbols.update(held.holdings.portfolio.quantities)
        watched = watched_mandate_from_bytes(record.payload, optimal)
    except InvalidInput as error:
        problem = f"{error.field} {error.rule}"
    except Exception:  # whatever it is, it is of these bytes alone: the portfolios of others are watched
        logger.exception("a stored portfolio cannot be read", extra={"owner": record.owner, "portfolio": record.id})
        problem, is_readable = "its stored bytes cannot be read", False
        watched, changes, symbols = UNWATCHED, [HoldingsChange(name, revision, None)], set()
    changes.append(MandateChange(name, revision, watched.mandate))
    symbols.update(watched.mandate.target or ())
    followed = memory.portfolios.get(name, NOT_FOLLOWED).with_mandate(watched.triggers, watched.target)
    followed = replace(followed, optimal=optimal if watched.target is TargetKind.OPTIMIZATION else None)
    return _Watched(name, followed, tuple(changes), frozenset(symbols), currency, problem, is_readable)
