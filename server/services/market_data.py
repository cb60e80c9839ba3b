"""Stored prices, instruments and corporate actions: what requests name instead of sending."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from domain.errors import InvalidInput, MissingMarketData, NotSupported
from domain.market_data.corporate_actions import CorporateAction
from domain.market_data.panel import civil_date
from server.commands.stored import DataRequest, StoredData
from server.ports.changes import Quote
from server.ports.corporate_actions import ActionFilter, ActionPage, CorporateActionStore
from server.ports.market_data import (
    ImportSession,
    Instrument,
    InstrumentPage,
    MarketDataStore,
    PriceField,
    PriceQuery,
    PriceSelection,
)
from server.ports.panels import StoredPanel, StoredPanelRef
from server.ports.published import Bar, Outcome, PublishedPrices

PAGE = 1000


class MarketData:
    """Reads and writes the stores of market data and of corporate actions."""

    def __init__(
        self, store: MarketDataStore, actions: CorporateActionStore, published: PublishedPrices | None = None
    ) -> None:
        self._store = store
        self._actions = actions
        self._published = published

    @asynccontextmanager
    async def importing(self, import_id: str, field: PriceField, source: str) -> AsyncIterator[ImportSession]:
        """An import in parts, dropped where it is left without `finish`."""
        session = await self._store.begin_import(import_id, field, source)
        try:
            yield session
        except BaseException:
            await session.abandon()
            raise

    async def collect(self, request: DataRequest, known: StoredData | None) -> StoredData:
        """Adds the requested prices, groups, instruments and corporate actions to those already collected."""
        known = known or StoredData()
        last_correction = known.last_correction
        if last_correction is None and request.reads_prices:
            # Before anything is read: what is corrected meanwhile counts as corrected afterwards.
            last_correction = await self._store.last_correction()
        panels = {selection: await self.stored(selection) for selection in request.panels}
        volumes = {selection: await self._known(selection, PriceField.VOLUME) for selection in request.volumes}
        actions = {selection: await self._actions_of(selection) for selection in request.actions}
        ranges = {selection: await self._highs_and_lows(selection) for selection in request.highs_and_lows}
        return replace(
            known,
            panels={**known.panels, **panels},
            volumes={**known.volumes, **volumes},
            groups={**known.groups, **await self.groups(request.groups)},
            instruments={**known.instruments, **await self._store.instruments(request.instruments)},
            quotes={**known.quotes, **await self._quotes(request.quotes)},
            actions={**known.actions, **actions},
            highs_and_lows={**known.highs_and_lows, **ranges},
            groups_requested=known.groups_requested or bool(request.groups),
            instruments_requested=known.instruments_requested or bool(request.instruments),
            last_correction=last_correction,
        )

    async def stored(self, selection: PriceSelection) -> StoredPanelRef:
        """The file of stored prices. Raises MissingMarketData where there are none."""
        return StoredPanelRef.of(await self.prices(selection))

    async def prices(self, selection: PriceSelection) -> StoredPanel:
        """The stored panel of a selection. Raises MissingMarketData where there is none."""
        symbols = await self._symbols(selection)
        try:
            return await self._store.prices(PriceQuery(symbols, selection.start, selection.end, selection.field))
        except MissingMarketData as error:
            field = selection.symbols_path if error.metadata.get("field") == "symbols" else selection.path
            raise MissingMarketData(error.message, **{**error.metadata, "field": field}) from None

    async def groups(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Members of stored groups, written as "kind=name"; a name that no instrument carries is left out."""
        found = {name: await self._labelled(name) for name in names}
        return {name: members for name, members in found.items() if members}

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments; returns how many."""
        return await self._store.upsert_instruments(instruments)

    async def list_instruments(self, after: str, size: int, group: str | None) -> InstrumentPage:
        """A page of instruments by symbol."""
        return await self._store.list_instruments(after, size, group)

    async def upsert_corporate_actions(self, actions: Sequence[CorporateAction]) -> int:
        """Stores corporate actions; returns how many.

        Raises InvalidInput for a symbol that is not stored, and for an action before its first price.
        """
        first_days = await self._actions.first_days([action.symbol for action in actions])
        await asyncio.to_thread(_require_listed, actions, first_days)
        return await self._actions.upsert(actions)

    async def list_corporate_actions(self, token: str, size: int, filters: ActionFilter) -> ActionPage:
        """A page of corporate actions by symbol and date."""
        return await self._actions.page(token, size, filters)

    async def publish_bars(self, bars: Sequence[Bar]) -> Outcome:
        """Stores bars of days that have ended."""
        return await self._required.publish_bars(bars)

    async def publish_quotes(self, quotes: Sequence[Quote]) -> Outcome:
        """Stores the latest quotes."""
        return await self._required.publish_quotes(quotes)

    @property
    def _required(self) -> PublishedPrices:
        if self._published is None:
            raise NotSupported("this store keeps no published prices yet")
        return self._published

    async def _quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        return await self._published.quotes(symbols) if self._published is not None and symbols else {}

    async def _actions_of(self, selection: PriceSelection) -> tuple[CorporateAction, ...]:
        symbols = await self._symbols(selection)
        return await self._actions.all(ActionFilter(symbols, selection.start, selection.end))

    async def _known(self, selection: PriceSelection, field: PriceField) -> StoredPanelRef | None:
        """Values of a field of those symbols that have any in the range of a selection."""
        known = await self._store.having(field, await self._symbols(selection))
        if not known:
            return None
        try:
            return await self.stored(PriceSelection(known, None, selection.start, selection.end, field))
        except MissingMarketData:
            return None  # none in this range: it is not known

    async def _highs_and_lows(self, selection: PriceSelection) -> tuple[StoredPanelRef | None, StoredPanelRef | None]:
        return await self._known(selection, PriceField.HIGH), await self._known(selection, PriceField.LOW)

    async def _symbols(self, selection: PriceSelection) -> tuple[str, ...]:
        if selection.symbols:
            return selection.symbols
        universe = selection.universe or ""
        members = await self._labelled(universe)
        if not members:
            raise MissingMarketData(
                f"no stored instrument with prices has the label {universe!r}",
                field=selection.symbols_path,
                symbols=universe,
            )
        return members

    async def _labelled(self, label: str) -> tuple[str, ...]:
        found: list[str] = []
        after = ""
        while True:  # ends with the last page
            page = await self._store.list_instruments(after, PAGE, label)
            found.extend(instrument.symbol for instrument in page.instruments if instrument.has_prices)
            if not page.next_token:
                return tuple(found)
            after = page.next_token


def _require_listed(actions: Sequence[CorporateAction], first_days: Mapping[str, int | None]) -> None:
    for i, action in enumerate(actions):
        path = f"corporate_actions[{i}]"
        if action.symbol not in first_days:
            rule = f"{action.symbol} is not stored; import its prices or upsert the instrument first"
            raise InvalidInput(f"{path}.symbol", rule)
        first = first_days[action.symbol]
        if first is not None and action.day < first:
            rule = f"is before the first stored price of {action.symbol}, {civil_date(first)}"
            raise InvalidInput(f"{path}.ex_date", rule)
