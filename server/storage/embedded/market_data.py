"""Prices and instruments in SQLite."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from domain.errors import MissingMarketData
from server.ports.changes import ChangeKind
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
from server.storage.chunks import DailyValues, in_range, years_of
from server.storage.embedded.change_rows import EVERYBODY, record_changes
from server.storage.embedded.correction_rows import LAST_CORRECTION
from server.storage.embedded.database import Database
from server.storage.embedded.imports import EmbeddedImport, Imports
from server.storage.embedded.price_rows import VISIBLE, visible_chunks
from server.storage.missing_prices import empty_range, unknown_symbols
from server.storage.panels import PanelFiles
from server.storage.whole_imports import import_whole
from server.storage.workers import WorkerLocks

SHOWN_SYMBOLS = 10

_SELECT_INSTRUMENTS = (
    "SELECT symbol, display_name, currency, groups, lot_size, state, "  # noqa: S608  # constants
    f"EXISTS (SELECT 1 FROM price_chunks p WHERE p.symbol = i.symbol AND {VISIBLE}) FROM instruments i"
)


class EmbeddedMarketData:
    """The market-data store of one machine."""

    def __init__(self, database: Database, panels: PanelFiles, workers: WorkerLocks | None = None) -> None:
        self._database = database
        self._panels = panels
        self.imports = Imports(database, workers)

    async def begin_import(self, import_id: str, field: PriceField, source: str) -> EmbeddedImport:
        """An import in parts."""
        return await self.imports.begin(import_id, field, source)

    async def import_prices(self, prices: PriceImport) -> ImportReceipt:
        """Stores all of it or nothing."""
        session = await self.begin_import(prices.import_id, prices.field, prices.source)
        return await import_whole(session, prices)

    async def sweep(self) -> int:
        """Removes what is left of imports that nobody goes on with; how many there were."""
        return await self.imports.sweep()

    async def prices(self, query: PriceQuery) -> StoredPanel:
        """The panel of a query, over a file that is derived on first use."""
        return await self._database.read(partial(self._panel, query=query))

    async def list_instruments(self, after: str, limit: int, group: str | None) -> InstrumentPage:
        """A page of instruments by symbol."""
        return await self._database.read(partial(_list, after=after, limit=limit, group=group))

    async def instruments(self, symbols: Sequence[str]) -> Mapping[str, Instrument]:
        """Those of the symbols that are stored."""
        return await self._database.read(partial(_named, symbols=symbols))

    async def having(self, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
        """Those of the symbols that have values of a field."""
        return await self._database.read(partial(_having, field=field, symbols=symbols))

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments with their labels."""
        return await self._database.write(partial(_upsert, instruments=instruments))

    async def last_correction(self) -> int:
        """Number of the last correction that is visible."""
        return await self._database.read(lambda connection: int(connection.execute(LAST_CORRECTION).fetchone()[0]))

    def _panel(self, connection: sqlite3.Connection, query: PriceQuery) -> StoredPanel:
        chunks = _hashes(connection, query)
        fingerprint = _fingerprint(query, chunks)
        known = self._panels.open(fingerprint, query.symbols)
        if known:
            return known
        series = [_series(connection, query, symbol) for symbol in query.symbols]
        if not any(len(one.days) for one in series):
            raise _empty(connection, query)
        return self._panels.create(fingerprint, query.symbols, series)


def _hashes(connection: sqlite3.Connection, query: PriceQuery) -> list[tuple[str, int, bytes]]:
    """Every stored chunk of the symbols; raises MissingMarketData naming those that have none at all."""
    statement = (
        f"SELECT year, sha256 FROM price_chunks p WHERE symbol = ? AND field = ? AND {VISIBLE} "  # noqa: S608  # constant
        "ORDER BY year, import"
    )
    found: list[tuple[str, int, bytes]] = []
    unknown: list[str] = []
    for symbol in query.symbols:
        rows = dict(connection.execute(statement, (symbol, query.field)))  # of a year, the latest import
        found.extend((symbol, year, sha256) for year, sha256 in rows.items())
        if not rows:
            unknown.append(symbol)
    if unknown:
        raise unknown_symbols(query.field, unknown)
    return found


def _fingerprint(query: PriceQuery, chunks: list[tuple[str, int, bytes]]) -> str:
    content = hashlib.sha256(f"{query.field}\0{query.start}\0{query.end}".encode())
    for symbol, year, sha256 in chunks:
        content.update(f"\0{symbol}\0{year}\0".encode())
        content.update(sha256)
    return content.hexdigest()


def _series(connection: sqlite3.Connection, query: PriceQuery, symbol: str) -> DailyValues:
    first, last = years_of(query.start, query.end)
    chunks = visible_chunks(connection, symbol, query.field, first, last)
    return in_range(chunks.values(), query.start, query.end)


def _empty(connection: sqlite3.Connection, query: PriceQuery) -> MissingMarketData:
    everything = [_series(connection, PriceQuery((symbol,), field=query.field), symbol) for symbol in query.symbols]
    first = min(int(one.days[0]) for one in everything)
    last = max(int(one.days[-1]) for one in everything)
    return empty_range(first, last)


def _upsert(connection: sqlite3.Connection, instruments: Sequence[Instrument]) -> int:
    statement = (
        "INSERT INTO instruments VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET "
        "display_name = excluded.display_name, currency = excluded.currency, groups = excluded.groups, "
        "lot_size = excluded.lot_size, state = excluded.state WHERE "
        "(display_name, currency, groups, lot_size, state) IS NOT "
        "(excluded.display_name, excluded.currency, excluded.groups, excluded.lot_size, excluded.state)"
    )
    changed: list[str] = []
    for one in instruments:
        groups = json.dumps(dict(one.groups), sort_keys=True)
        values = (one.symbol, one.display_name, one.currency, groups, one.lot_size, one.state)
        if not connection.execute(statement, values).rowcount:
            continue  # it is the same already
        changed.append(one.symbol)
        connection.execute("DELETE FROM instrument_labels WHERE symbol = ?", (one.symbol,))
        labels = [(f"{kind}={name}", one.symbol) for kind, name in one.groups.items()]
        connection.executemany("INSERT INTO instrument_labels VALUES (?, ?)", labels)
    record_changes(connection, ChangeKind.INSTRUMENT, EVERYBODY, dict.fromkeys(changed))
    return len(instruments)


def _list(connection: sqlite3.Connection, after: str, limit: int, group: str | None) -> InstrumentPage:
    statement = (
        f"{_SELECT_INSTRUMENTS} WHERE symbol > :after "  # noqa: S608  # constant
        "AND (:label IS NULL OR symbol IN (SELECT symbol FROM instrument_labels WHERE label = :label)) "
        "ORDER BY symbol LIMIT :limit"
    )
    rows = connection.execute(statement, {"after": after, "label": group, "limit": limit + 1}).fetchall()
    page = tuple(_instrument(*row) for row in rows[:limit])
    return InstrumentPage(page, page[-1].symbol if len(rows) > limit else "")


def _named(connection: sqlite3.Connection, symbols: Sequence[str]) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for symbol in symbols:
        row = connection.execute(f"{_SELECT_INSTRUMENTS} WHERE symbol = ?", (symbol,)).fetchone()
        if row is not None:
            found[symbol] = _instrument(*row)
    return found


def _having(connection: sqlite3.Connection, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
    statement = f"SELECT 1 FROM price_chunks p WHERE symbol = ? AND field = ? AND {VISIBLE} LIMIT 1"  # noqa: S608  # constant
    return tuple(symbol for symbol in symbols if connection.execute(statement, (symbol, field)).fetchone())


def _instrument(
    symbol: str, name: str, currency: str, groups: str, lot: float | None, state: str, priced: int
) -> Instrument:
    return Instrument(symbol, name, currency, json.loads(groups), lot, TradableState(state), bool(priced))
