"""Reads what changed anew: changes say what, the stores say how it is now."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.market_data.corporate_actions import PriceBasis
from domain.monitoring.events import Event, PricesObserved
from domain.monitoring.mandate import TargetKind
from domain.records import dataclass
from server.listeners.market_reading import BASIS, MarketReadings, price_observed
from server.listeners.memory import Followed, Memory, name_of, owner_and_id
from server.listeners.noticing import Reading
from server.listeners.portfolio_reading import PAGE, PortfolioReadings
from server.listeners.unconverted import followed_assets, touched_by_currencies
from server.ports.changes import Change, ChangeKind
from server.ports.corporate_actions import CorporateActionStore
from server.ports.market_data import Instrument, MarketDataStore, PriceField
from server.ports.portfolios import PortfolioRecord, PortfolioStore
from server.ports.published import PublishedPrices
from server.ports.results import ResultStore
from server.ports.scope import Scope
from server.ports.stale_results import StaleResult, StaleResults

MOST_STALE = 1000
"""Results of each kind that watchers are told of after one correction, the newest ones; all of them are stale."""

WATCHED = frozenset(ChangeKind) - {ChangeKind.REALLOCATION, ChangeKind.BACKTEST}
"""Kinds of changes that can move what is watched: a plan and a backtest move neither holdings nor target nor prices."""


@dataclass(frozen=True, slots=True)
class WatchedStores:
    """The stores that what is watched comes from."""

    market_data: MarketDataStore
    corporate_actions: CorporateActionStore
    portfolios: PortfolioStore
    optimizations: ResultStore
    published: PublishedPrices | None = None  # None where a store keeps no quotes
    stale_results: StaleResults | None = None  # None where a store does not keep what results have used


def _may_correct(change: Change) -> bool:
    """Whether a change may be one of what results have used; new dates alone correct nothing."""
    if change.kind is ChangeKind.PRICES:
        return change.prices is not None and change.prices.replaced
    return change.kind is ChangeKind.CORPORATE_ACTION


class Readings:
    """Reads for changes that were written together, and everything where nothing is known."""

    def __init__(self, stores: WatchedStores, basis: PriceBasis = BASIS) -> None:
        market = MarketReadings(stores.market_data, stores.corporate_actions, stores.published, basis)
        self._market = market
        self._stores = stores
        self._portfolios = PortfolioReadings(stores.portfolios, stores.optimizations, market)
        self._optimizing: tuple[Mapping[str, Followed], frozenset[str]] = ({}, frozenset())

    def watched(self, memory: Memory, changes: Sequence[Change]) -> list[Change]:
        """Those that can move what is watched: an optimisation only where its owner has a mandate that optimises.

        Every Optimize stores one, and most of them cost no look at a store and no work that grows with portfolios.
        """
        found = [change for change in changes if change.kind in WATCHED]
        if all(change.kind is not ChangeKind.OPTIMIZATION for change in found):
            return found
        owners = self._optimizing_owners(memory.portfolios)
        return [change for change in found if change.kind is not ChangeKind.OPTIMIZATION or change.owner in owners]

    def _optimizing_owners(self, portfolios: Mapping[str, Followed]) -> frozenset[str]:
        """Found once for the same portfolios."""
        if self._optimizing[0] is not portfolios:
            optimizing = (name for name, one in portfolios.items() if one.target is TargetKind.OPTIMIZATION)
            self._optimizing = portfolios, frozenset(owner_and_id(name)[0] for name in optimizing)
        return self._optimizing[1]

    async def of_changes(self, memory: Memory, changes: Sequence[Change]) -> Reading:
        """What was read for changes of one time."""
        time, cause = changes[-1].time, f"changes/{changes[-1].cursor}"
        by_kind: dict[ChangeKind, list[Change]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, []).append(change)
        changed, again = await self._instruments(memory, by_kind.get(ChangeKind.INSTRUMENT, ()))
        portfolios = await self._portfolios.of_changes(memory, by_kind, time, cause, again)
        held = [one for one in by_kind.get(ChangeKind.PRICES, ()) if memory.monitor.holders(one.name)]
        closes = [one for one in held if one.prices is not None and one.prices.field is PriceField.CLOSE]
        events: list[Event] = list(await self._market.closes(memory, closes, time))
        quotes = [one.quote for one in by_kind.get(ChangeKind.QUOTE, ()) if one.quote is not None]
        quoted = [
            price for one in quotes if memory.monitor.holders(one.symbol) and (price := price_observed(one, time))
        ]
        if quoted:
            events.append(PricesObserved(time, tuple(quoted)))
        traded = [one.name for one in held if one.prices is not None and one.prices.field is PriceField.VOLUME]
        stored = {**await self._market.stored(dict.fromkeys(traded)), **changed}
        followed = [one for symbol, one in stored.items() if memory.monitor.holders(symbol)]
        events += await self._market.instruments(memory, followed, time)
        acted = [one.name for one in by_kind.get(ChangeKind.CORPORATE_ACTION, ()) if memory.monitor.holders(one.name)]
        events += await self._market.actions(dict.fromkeys(acted), time)
        priced = frozenset([*(one.name for one in closes), *(price.symbol for price in quoted)])
        stale = await self._stale(changes)
        return replace(portfolios, events=(*portfolios.events, *events), priced=priced, stale=stale)

    async def _instruments(
        self, memory: Memory, changes: Sequence[Change]
    ) -> tuple[Mapping[str, Instrument], frozenset[str]]:
        """Followed instruments that changed, and the portfolios that their currencies touch."""
        if not changes:  # a price is followed without delay
            return {}, frozenset()
        named = dict.fromkeys(change.name for change in changes)
        changed = await self._market.stored(await asyncio.to_thread(followed_assets, memory, named))
        return changed, await asyncio.to_thread(touched_by_currencies, memory, changed)

    async def _stale(self, changes: Sequence[Change]) -> tuple[StaleResult, ...]:
        """Stored results that corrections among the changes have made stale."""
        corrected = sorted({one.name for one in changes if _may_correct(one)})
        if not corrected or self._stores.stale_results is None:
            return ()
        return tuple(await self._stores.stale_results.since(corrected, changes[0].time, MOST_STALE))

    async def of_everything(self, memory: Memory, time: int) -> Reading:
        """All portfolios with their assets; those that the memory has and the store has not are deleted.

        Quotes of all assets are read: which of them the memory has not seen is not known.
        """
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
        reading = await self._portfolios.of_records(memory, found, gone, optimal, time, "everything")
        held = [one for one in memory.monitor.instruments.by_symbol if memory.monitor.holders(one)]
        return replace(reading, events=(*reading.events, *await self._market.quotes(held, time)))
