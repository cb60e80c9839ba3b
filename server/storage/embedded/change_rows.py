"""Rows of the change log, written in the transaction of the data that they are about."""

import sqlite3
import time
from collections.abc import Iterable

from server.ports.changes import ChangeKind, PriceChange, Quote
from server.ports.market_data import PriceField

EVERYBODY = ""
"""The owner of market data."""

COLUMNS = "cursor, micros, kind, owner, name, field, first_day, last_day, replaced, quote_micros, bid, ask, last"

_INSERT = f"INSERT INTO changes ({COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants


def record_change(connection: sqlite3.Connection, kind: ChangeKind, owner: str, name: str) -> None:
    """A change of one thing."""
    record_changes(connection, kind, owner, (name,))


def record_changes(connection: sqlite3.Connection, kind: ChangeKind, owner: str, names: Iterable[str]) -> None:
    """Changes of several things of one kind."""
    _write(connection, kind, owner, ((name, *_NO_PRICES, *_NO_QUOTE) for name in names))


def record_price_changes(connection: sqlite3.Connection, changes: Iterable[tuple[str, PriceChange]]) -> None:
    """Changes of prices by symbol."""
    rows = ((name, one.field, one.first, one.last, int(one.replaced), *_NO_QUOTE) for name, one in changes)
    _write(connection, ChangeKind.PRICES, EVERYBODY, rows)


def record_quotes(connection: sqlite3.Connection, quotes: Iterable[Quote]) -> None:
    """Quotes that are new."""
    rows = ((one.symbol, *_NO_PRICES, one.time, one.bid, one.ask, one.last) for one in quotes)
    _write(connection, ChangeKind.QUOTE, EVERYBODY, rows)


def price_change_of(field: str | None, first: int, last: int, replaced: int) -> PriceChange | None:
    """As a row has it."""
    return None if field is None else PriceChange(PriceField(field), first, last, replaced=bool(replaced))


_NO_PRICES = (None, None, None, None)
_NO_QUOTE = (None, None, None, None)


def _write(connection: sqlite3.Connection, kind: ChangeKind, owner: str, rows: Iterable[tuple[object, ...]]) -> None:
    now = time.time_ns() // 1000
    connection.executemany(_INSERT, [(now, kind, owner, *row) for row in rows])
