"""Bars and quotes that are published, in SQLite, each in the transaction of its changes."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from domain.market_data.panel import civil_date
from server.ports.changes import PriceChange, Quote
from server.ports.market_data import PriceField
from server.ports.published import Bar, Outcome, Rejection
from server.storage.chunks import MOST_YEARS, DailyValues, Merge, digest, merge
from server.storage.corrections import Correction, corrections_of
from server.storage.embedded.change_rows import record_price_changes, record_quotes
from server.storage.embedded.correction_rows import record_corrections
from server.storage.embedded.database import Database
from server.storage.embedded.imports import ChunkRow, Imports, newest_day, price_change
from server.storage.embedded.job_rows import now_micros
from server.storage.embedded.price_rows import visible_chunks
from server.storage.published_rules import refused_bars, refused_quotes

BAR_BYTES = 24 << 10
"""What the prices of a year take for the five figures of a bar, with the bar itself, at most about."""

QUOTE_BYTES = 256

SYMBOLS_AT_ONCE = 100
"""Whose bars one transaction stores: with five figures each it takes some tenths of a second."""

Placed = list[tuple[int, Bar]]
"""Bars with their places in the batch."""

_FIGURES = "close, open, high, low, volume"


class EmbeddedPublished:
    """What becomes of bars and quotes on one machine."""

    def __init__(self, database: Database, imports: Imports) -> None:
        self._database = database
        self._imports = imports

    async def publish_bars(self, bars: Sequence[Bar]) -> Outcome:
        """Stores bars among the prices of their symbols, in transactions of so many symbols each."""
        rejected = refused_bars(bars, now_micros())
        by_symbol: dict[str, Placed] = {}
        for place, bar in enumerate(bars):
            if place not in rejected:
                by_symbol.setdefault(bar.symbol, []).append((place, bar))
        symbols = sorted(by_symbol)
        for start in range(0, len(symbols), SYMBOLS_AT_ONCE):
            placed = [one for symbol in symbols[start : start + SYMBOLS_AT_ONCE] for one in by_symbol[symbol]]
            async with self._imports.merging:  # an import that merges again and again comes to its end
                work = partial(_publish_bars, placed=placed)
                rejected |= await self._database.write(work, BAR_BYTES * len(placed))
        return Outcome(len(bars) - len(rejected), rejected)

    async def publish_quotes(self, quotes: Sequence[Quote]) -> Outcome:
        """Stores the latest quote of each symbol."""
        return await self._database.write(partial(_publish_quotes, quotes=quotes), QUOTE_BYTES * len(quotes))

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quotes of those symbols that have one."""
        return await self._database.read(partial(_quotes, symbols=symbols))


def _publish_bars(connection: sqlite3.Connection, placed: Placed) -> dict[int, Rejection]:
    """Stores bars that are new; those that are not stored, by their places."""
    rejected: dict[int, Rejection] = {}
    known = _known(connection, (bar.symbol for _, bar in placed))
    statement = f"SELECT revision, {_FIGURES} FROM bars WHERE symbol = ? AND day = ?"  # noqa: S608  # constants
    new: list[Bar] = []
    for place, bar in placed:
        if bar.symbol not in known:
            rejected[place] = Rejection.UNKNOWN_SYMBOL
            continue
        stored = connection.execute(statement, (bar.symbol, bar.day)).fetchone()
        if stored is None or stored[0] < bar.revision:
            new.append(bar)
        elif stored[0] > bar.revision:
            rejected[place] = Rejection.STALE_REVISION
        elif stored[1:] != _figures(bar):
            rejected[place] = Rejection.CONFLICTING_REVISION
    if new:
        _store(connection, new)
    return rejected


def _store(connection: sqlite3.Connection, bars: Sequence[Bar]) -> None:
    """Stores bars and what they change of the prices, as an import would that is finished at once."""
    connection.executemany(
        f"INSERT OR REPLACE INTO bars (symbol, day, revision, {_FIGURES}) "  # noqa: S608  # constants
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(bar.symbol, bar.day, bar.revision, *_figures(bar)) for bar in bars],
    )
    inserted = connection.execute("INSERT INTO import_numbers (finished, cleaned) VALUES (1, 1)")
    number = inserted.lastrowid or 0
    changes: list[tuple[str, PriceChange]] = []
    corrections: list[Correction] = []
    for symbol, field, new in _series(bars):
        old = visible_chunks(connection, symbol, field, civil_date(new.days[0]).year, MOST_YEARS)
        merges: list[tuple[int, Merge]] = []
        for year, part in new.by_year():
            outcome = merge(DailyValues.decode(old[year]) if year in old else None, part)
            if outcome.days is None:
                continue
            merges.append((year, outcome))
            data = outcome.merged.encode()
            _replace(connection, (symbol, field, year, number, digest(data), data))
        if merges:
            newest = newest_day(old)
            changes.append((symbol, price_change(field, merges, newest)))
            corrections += corrections_of(symbol, field, merges, newest)
    record_price_changes(connection, changes)
    record_corrections(connection, corrections)


def _replace(connection: sqlite3.Connection, row: ChunkRow) -> None:
    # An import that is not at its end loses its chunk too: it merges its symbols anew, since a number was finished.
    symbol, field, year, number, *_ = row
    connection.execute(
        "DELETE FROM price_chunks WHERE symbol = ? AND field = ? AND year = ? AND import < ?",
        (symbol, field, year, number),
    )
    connection.execute("INSERT INTO price_chunks VALUES (?, ?, ?, ?, ?, ?)", row)


def _series(bars: Sequence[Bar]) -> Iterator[tuple[str, PriceField, DailyValues]]:
    """The figures of bars by symbol and field, in the order of days; a bar is the only one of its symbol and day."""
    found: dict[tuple[str, PriceField], list[tuple[int, float]]] = {}
    for bar in sorted(bars, key=lambda bar: (bar.symbol, bar.day)):
        for field, value in zip(_FIELDS, _figures(bar), strict=True):
            if value is not None:
                found.setdefault((bar.symbol, field), []).append((bar.day, value))
    for (symbol, field), values in found.items():
        days, figures = zip(*values, strict=True)
        yield symbol, field, DailyValues(np.array(days, np.int32), np.array(figures, np.float64))


_FIELDS = (PriceField.CLOSE, PriceField.OPEN, PriceField.HIGH, PriceField.LOW, PriceField.VOLUME)


def _figures(bar: Bar) -> tuple[float | None, ...]:
    return bar.close, bar.open, bar.high, bar.low, bar.volume


def _publish_quotes(connection: sqlite3.Connection, quotes: Sequence[Quote]) -> Outcome:
    rejected = refused_quotes(quotes, now_micros())
    known = _known(connection, (quote.symbol for quote in quotes))
    stored = _quotes(connection, [quote.symbol for quote in quotes])
    new: list[Quote] = []
    for place, quote in enumerate(quotes):
        if place in rejected:
            continue
        before = stored.get(quote.symbol)
        if quote.symbol not in known:
            rejected[place] = Rejection.UNKNOWN_SYMBOL
        elif before is not None and before.time > quote.time:
            rejected[place] = Rejection.STALE_QUOTE
        elif before != quote:
            new.append(quote)
    connection.executemany(
        "INSERT OR REPLACE INTO quotes VALUES (?, ?, ?, ?, ?)",
        [(one.symbol, one.time, one.bid, one.ask, one.last) for one in new],
    )
    record_quotes(connection, new)
    return Outcome(len(quotes) - len(rejected), rejected)


def _known(connection: sqlite3.Connection, symbols: Iterable[str]) -> set[str]:
    statement = "SELECT 1 FROM instruments WHERE symbol = ?"
    return {symbol for symbol in dict.fromkeys(symbols) if connection.execute(statement, (symbol,)).fetchone()}


def _quotes(connection: sqlite3.Connection, symbols: Sequence[str]) -> dict[str, Quote]:
    found: dict[str, Quote] = {}
    for symbol in dict.fromkeys(symbols):
        statement = "SELECT symbol, micros, bid, ask, last FROM quotes WHERE symbol = ?"
        row = connection.execute(statement, (symbol,)).fetchone()
        if row is not None:
            found[symbol] = Quote(*row)
    return found
