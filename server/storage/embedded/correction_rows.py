"""Corrections of prices and corporate actions, and what results have used, as rows of SQLite.

A correction is written in the transaction of what it corrects. Whether a result is stale is not stored: it is compared
with the corrections whenever it is read, so that none can be missed, however many results there are.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import Literal

from server.ports.used_data import UsedData
from server.storage.corrections import Correction
from server.storage.texts import kept_text

Table = Literal["optimizations", "reallocations", "backtests"]

ROW_BYTES = 128
"""What a symbol of a result takes, at most about."""

LAST_CORRECTION = "SELECT coalesce(max(number), 0) FROM corrections"


def record_corrections(connection: sqlite3.Connection, corrections: Iterable[Correction]) -> None:
    """Corrections of one moment."""
    now = time.time_ns() // 1000
    connection.executemany(
        "INSERT INTO corrections (micros, symbol, field, first_day, last_day) VALUES (?, ?, ?, ?, ?)",
        [(now, kept_text(one.symbol), one.field, one.first, one.last) for one in corrections],
    )


def record_used(connection: sqlite3.Connection, table: Table, key: int, used: UsedData | None) -> None:
    """What a result has used, in the transaction that stores it."""
    if used is None:
        return
    connection.execute(f"UPDATE {table} SET last_correction = ? WHERE key = ?", (used.last_correction, key))  # noqa: S608  # a constant
    connection.executemany(
        f"INSERT INTO {table}_used VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608  # a constant
        _rows(key, used),
    )


def size_of_used(used: UsedData | None) -> int:
    """Bytes that `record_used` adds, at most about."""
    return 0 if used is None else sum(len(one.symbols) for one in used.ranges) * ROW_BYTES


def stale_micros(table: Table) -> str:
    """An expression for when a row of a table became stale, NULL where it is not."""
    return (
        f"CASE WHEN {table}.last_correction < ({LAST_CORRECTION}) THEN ("  # noqa: S608  # constants
        f"SELECT min(c.micros) FROM {table}_used u CROSS JOIN corrections c ON c.symbol = u.symbol "
        f"AND c.field = u.field AND c.number > {table}.last_correction "
        f"AND c.first_day <= u.last_day AND c.last_day >= u.first_day WHERE u.result = {table}.key) END"
    )


def _rows(key: int, used: UsedData) -> Iterator[tuple[int, str, str, int, int]]:
    for one in used.ranges:
        for symbol in one.symbols:
            yield key, kept_text(symbol), one.field, one.first, one.last
