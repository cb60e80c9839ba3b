"""What results have used, and since when they are stale, for a copy of the store.

Numbers of corrections are those of one database: a result that comes from another one is compared with corrections from
its copy on, and one that is stale there has a correction of its own here, under a name that no symbol has.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Final, get_args

from server.ports.transfer import Place, UsedByResult
from server.storage.embedded.correction_rows import LAST_CORRECTION, Table, stale_micros
from server.storage.texts import kept_text, text_of_kept

COPY: Final = "COPY"
"""Field of the correction of a copied result."""

_TABLES: Final[dict[str, Table]] = {table: table for table in get_args(Table)}


def used_results(connection: sqlite3.Connection, table: str, after: Place, limit: int) -> list[UsedByResult]:
    """Results after a place that have used something stored."""
    known = _TABLES[table]
    statement = (
        f"SELECT owner, id, {stale_micros(known)}, (SELECT json_group_array(json_array(field, first_day, last_day, "  # noqa: S608  # constants
        f"symbol)) FROM {known}_used WHERE result = {known}.key AND field <> '{COPY}') FROM {known} "
        f"WHERE (owner, id) > (?, ?) AND EXISTS (SELECT 1 FROM {known}_used WHERE result = {known}.key) "
        "ORDER BY owner, id LIMIT ?"
    )
    return [
        UsedByResult((owner, name), _ranges(ranges), stale)
        for owner, name, stale, ranges in connection.execute(statement, (*after, limit)).fetchall()
    ]


def _ranges(text: str) -> tuple[tuple[str, int, int, str], ...]:
    # SQLite may hand on an array inside another one as its text.
    rows = [json.loads(row) if isinstance(row, str) else row for row in json.loads(text)]
    return tuple(sorted((field, first, last, text_of_kept(symbol)) for field, first, last, symbol in rows))


def put_used_results(connection: sqlite3.Connection, table: str, results: Sequence[UsedByResult]) -> None:
    """Keeps what results have used that are there, and that they are stale."""
    known = _TABLES[table]
    find = (
        f"SELECT key, (SELECT last_correction FROM {known}_used WHERE result = {known}.key LIMIT 1), "  # noqa: S608  # constants
        f"{stale_micros(known)} FROM {known} WHERE (owner, id) = (?, ?)"
    )
    for one in results:
        row = connection.execute(find, one.place).fetchone()
        if row is None:
            continue
        key, last, stale = row
        if last is None:
            (last,) = connection.execute(LAST_CORRECTION).fetchone()
            ranges = [(key, kept_text(symbol), *days, last) for *days, symbol in one.ranges]
            _keep(connection, known, ranges)
        if one.stale is not None and (stale is None or stale > one.stale):
            name = f"{known}/{key}"
            statement = "INSERT INTO corrections (micros, symbol, field, first_day, last_day) VALUES (?, ?, ?, 0, 0)"
            connection.execute(statement, (one.stale, name, COPY))
            _keep(connection, known, [(key, name, COPY, 0, 0, last)])


def _keep(connection: sqlite3.Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    statement = f"INSERT INTO {table}_used VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608  # a constant
    connection.executemany(statement, rows)
