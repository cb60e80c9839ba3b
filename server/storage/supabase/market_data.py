"""Prices and instruments in PostgreSQL, with panels in files of this machine."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domain.errors import MissingMarketData
from domain.records import dataclass
from server.ports.errors import StorageUnavailable
from server.ports.market_data import (
    ImportReceipt,
    Instrument,
    InstrumentPage,
    PriceField,
    PriceImport,
    PriceQuery,
    TradableState,
)
from server.ports.panels import StoredPanel
from server.storage.chunks import in_range, years_of
from server.storage.missing_prices import empty_range, unknown_symbols
from server.storage.panels import PanelFiles
from server.storage.supabase.concurrent_calls import at_most
from server.storage.supabase.imports import Imports, SupabaseImport
from server.storage.supabase.price_frames import Key, chunks_of, digest_of
from server.storage.supabase.rpc import Rpc
from server.storage.texts import kept_text, kept_texts, text_of_kept
from server.storage.whole_imports import import_whole

CALL_BYTES = 8 << 20
"""Of prices in one call, about."""

CALLS_AT_ONCE = 3

ATTEMPTS = 8
"""Each that fails means that an import was stored while its symbols were read."""


class SupabaseMarketData:
    """The market data of one project."""

    def __init__(self, rpc: Rpc, panels: PanelFiles, staging: Path) -> None:
        self._rpc = rpc
        self._panels = panels
        self._imports = Imports(rpc, staging)

    async def begin_import(self, import_id: str, field: PriceField, source: str) -> SupabaseImport:
        """An import in parts."""
        return await self._imports.begin(import_id, field, source)

    async def import_prices(self, prices: PriceImport) -> ImportReceipt:
        """Stores all of it or nothing."""
        session = await self.begin_import(prices.import_id, prices.field, prices.source)
        return await import_whole(session, prices)

    async def sweep(self) -> int:
        """Removes what is left of imports that nobody goes on with; how many there were."""
        return await self._imports.sweep()

    async def prices(self, query: PriceQuery) -> StoredPanel:
        """The panel of a query, over a file that is derived on first use."""
        for _ in range(ATTEMPTS):
            stored = await self._describe(query)
            fingerprint = _fingerprint(query, stored.digest)
            known = await asyncio.to_thread(self._panels.open, fingerprint, query.symbols)
            if known:
                return known
            chunks = await self._read(query, stored.size)
            if await asyncio.to_thread(chunks.digest) == stored.digest:
                return await self._derived(query, fingerprint, chunks)
        raise StorageUnavailable("imports of the same prices were stored all the time; try again")

    async def list_instruments(self, after: str, limit: int, group: str | None) -> InstrumentPage:
        """A page of instruments by symbol."""
        label = None if group is None else kept_text(group)
        rows = await self._rpc.call("list_instruments", p_after=kept_text(after), p_limit=limit + 1, p_label=label)
        page = tuple(await asyncio.to_thread(_instruments, rows[:limit]))
        return InstrumentPage(page, page[-1].symbol if len(rows) > limit else "")

    async def instruments(self, symbols: Sequence[str]) -> Mapping[str, Instrument]:
        """Those of the symbols that are stored."""
        rows = await self._rpc.call("find_instruments", p_symbols=kept_texts(symbols))
        found = {one.symbol: one for one in await asyncio.to_thread(_instruments, rows)}
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    async def having(self, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
        """Those of the symbols that have values of a field."""
        found = await self._rpc.call("find_priced_symbols", p_symbols=kept_texts(symbols), p_field=field.value)
        return tuple(map(text_of_kept, found))

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments with their labels."""
        rows = await asyncio.to_thread(_rows_of, instruments)
        return int(await self._rpc.call("upsert_instruments", p_instruments=rows))

    async def last_correction(self) -> int:
        """Number of the last correction that is visible."""
        return int(await self._rpc.call("find_last_correction"))

    async def _describe(self, query: PriceQuery) -> "_Description":
        first, last = years_of(query.start, query.end)
        found = await self._rpc.call(
            "describe_prices",
            p_symbols=kept_texts(query.symbols),
            p_field=query.field.value,
            p_first_year=first,
            p_last_year=last,
        )
        if found["unknown"]:
            raise unknown_symbols(query.field, [text_of_kept(symbol) for symbol in found["unknown"]])
        return _Description(found["digest"], found["size"])

    async def _read(self, query: PriceQuery, size: int) -> "_Chunks":
        """All chunks of a query, in as many calls as their size needs."""
        step = max(1, len(query.symbols) * CALL_BYTES // max(size, 1))
        found = _Chunks({}, {})

        async def read(start: int) -> None:
            content = await self._call(query, query.symbols[start : start + step])
            await asyncio.to_thread(found.add, start, content)

        async with at_most(CALLS_AT_ONCE) as calls:
            for start in range(0, len(query.symbols), step):
                await calls.room()
                calls.start(read(start))
        return found

    async def _call(self, query: PriceQuery, symbols: tuple[str, ...]) -> bytes:
        first, last = years_of(query.start, query.end)
        return await self._rpc.read_bytes(
            "read_prices",
            p_symbols=kept_texts(symbols),
            p_field=query.field.value,
            p_first_year=first,
            p_last_year=last,
        )

    async def _derived(self, query: PriceQuery, fingerprint: str, chunks: "_Chunks") -> StoredPanel:
        panel = await asyncio.to_thread(self._create, query, fingerprint, chunks)
        if panel is None:
            raise await self._empty(query)
        return panel

    def _create(self, query: PriceQuery, fingerprint: str, chunks: "_Chunks") -> StoredPanel | None:
        series = [in_range(parts, query.start, query.end) for parts in chunks.by_place(len(query.symbols))]
        if not any(len(one.days) for one in series):
            return None
        return self._panels.create(fingerprint, query.symbols, series)

    async def _empty(self, query: PriceQuery) -> MissingMarketData:
        symbols = kept_texts(query.symbols)
        first, last = await self._rpc.call("find_price_range", p_symbols=symbols, p_field=query.field.value)
        return empty_range(first, last)


@dataclass(frozen=True, slots=True)
class _Description:
    """What the database says of the chunks of a query."""

    digest: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Chunks by the place of their symbol in the query and their year."""

    hashes: dict[Key, bytes]
    data: dict[Key, bytes]

    def add(self, start: int, content: bytes) -> None:
        """Adds the chunks of one call, whose first symbol has the place `start`."""
        for (place, year), sha256, data in chunks_of(content):
            self.hashes[start + place, year] = sha256
            self.data[start + place, year] = data

    def digest(self) -> str:
        """As the database computes it."""
        return digest_of(self.hashes)

    def by_place(self, count: int) -> list[list[bytes]]:
        """The data of each symbol by year."""
        found: list[list[bytes]] = [[] for _ in range(count)]
        for place, year in sorted(self.data):
            found[place].append(self.data[place, year])
        return found


def _fingerprint(query: PriceQuery, digest: str) -> str:
    content = hashlib.sha256(f"{query.field}\0{query.start}\0{query.end}\0{digest}".encode())
    for symbol in query.symbols:
        content.update(f"\0{symbol}".encode())
    return content.hexdigest()


def _rows_of(instruments: Sequence[Instrument]) -> list[dict[str, object]]:
    return [
        {
            "symbol": kept_text(one.symbol),
            "display_name": kept_text(one.display_name),
            "currency": one.currency,
            "groups": {kept_text(kind): kept_text(name) for kind, name in one.groups.items()},
            "lot_size": one.lot_size,
            "state": one.state.value,
        }
        for one in instruments
    ]


def _instruments(rows: Sequence[Mapping[str, Any]]) -> list[Instrument]:
    return [_instrument(row) for row in rows]


def _instrument(row: Mapping[str, Any]) -> Instrument:
    return Instrument(
        text_of_kept(row["symbol"]),
        text_of_kept(row["display_name"]),
        row["currency"],
        {text_of_kept(kind): text_of_kept(name) for kind, name in row["groups"].items()},
        None if row["lot_size"] is None else float(row["lot_size"]),  # it comes without a point where it is whole
        TradableState(row["state"]),
        row["has_prices"],
    )
