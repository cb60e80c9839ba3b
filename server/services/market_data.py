"""Stored prices and instruments: what requests name instead of sending."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel
from domain.market_data.source import MarketInput
from server.ports import (
    ImportSession,
    Instrument,
    InstrumentPage,
    MarketDataStore,
    PriceField,
    PriceQuery,
    PriceSelection,
    Seal,
    StoredPanel,
    open_values,
)

PAGE = 1000


@dataclass(frozen=True, slots=True)
class StoredInput:
    """Stored prices by their file: small enough to send to a worker, which opens them in place."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]
    path: Path
    fingerprint: str
    seal: Seal | None = None

    @property
    def rows(self) -> int:
        """Number of dates."""
        return len(self.dates)

    def open(self) -> PricePanel:
        """The panel over the mapped file. Raises MissingMarketData where it was removed or changed meanwhile."""
        return PricePanel(self.symbols, self.dates, open_values(self.path, self.seal))


class MarketData:
    """Reads and writes the market-data store."""

    def __init__(self, store: MarketDataStore) -> None:
        self._store = store

    @asynccontextmanager
    async def importing(self, import_id: str, field: PriceField, source: str) -> AsyncIterator[ImportSession]:
        """An import in parts, dropped where it is left without `finish`."""
        session = await self._store.begin_import(import_id, field, source)
        try:
            yield session
        except BaseException:
            await session.abandon()
            raise

    async def load(self, data: MarketInput | PriceSelection) -> MarketInput | StoredInput:
        """Data as the engine takes it: as it is, or by the file of what is stored."""
        return await self.stored(data) if isinstance(data, PriceSelection) else data

    async def stored(self, selection: PriceSelection) -> StoredInput:
        """The file of stored prices."""
        found = await self.prices(selection)
        return StoredInput(found.panel.symbols, found.panel.dates, found.path, found.fingerprint, found.seal)

    async def prices(self, selection: PriceSelection) -> StoredPanel:
        """The stored panel of a selection. Raises MissingMarketData where there is none."""
        symbols = selection.symbols or await self._members(selection.universe or "")
        return await self._store.prices(PriceQuery(symbols, selection.start, selection.end, selection.field))

    async def groups(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Members of stored groups, written as "kind=name"; a name that no instrument carries is left out."""
        found = {name: await self._labelled(name) for name in names}
        return {name: members for name, members in found.items() if members}

    async def instruments(self, symbols: Sequence[str]) -> Mapping[str, Instrument]:
        """What is known of symbols; those that nobody described are left out."""
        return await self._store.instruments(symbols)

    async def having(self, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
        """Those of the symbols that have values of a field."""
        return await self._store.having(field, symbols)

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments; returns how many."""
        return await self._store.upsert_instruments(instruments)

    async def list_instruments(self, after: str, size: int, group: str | None) -> InstrumentPage:
        """A page of instruments by symbol."""
        return await self._store.list_instruments(after, size, group)

    async def _members(self, universe: str) -> tuple[str, ...]:
        members = await self._labelled(universe)
        if not members:
            raise MissingMarketData(
                f"no stored instrument carries the label {universe!r}", field="market_data.universe", symbols=universe
            )
        return members

    async def _labelled(self, label: str) -> tuple[str, ...]:
        found: list[str] = []
        after = ""
        while True:
            page = await self._store.list_instruments(after, PAGE, label)
            found.extend(instrument.symbol for instrument in page.instruments if instrument.has_prices)
            if not page.next_token:
                return tuple(found)
            after = page.next_token
