"""The change log in SQLite, which has one writer at a time: changes become visible in the order of their cursors."""

import sqlite3
from functools import partial

from server.ports.changes import Change, ChangeKind, ChangeLag, ChangePage, Quote
from server.ports.errors import CursorGone
from server.storage.embedded.change_rows import COLUMNS, price_change_of
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import now_micros

MOST_COUNTED = 100_000
FORGOTTEN_AT_ONCE = 5_000
"""Changes removed in one transaction: others write in between."""


class EmbeddedChanges:
    """The change log of one machine; several processes may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes_since(self, cursor: str, limit: int) -> ChangePage:
        """Changes after a place."""
        return await self._database.read(partial(_page, cursor=cursor, limit=limit))

    async def newest(self) -> str:
        """The place after everything that is visible now."""
        return str(await self._database.read(_newest))

    async def lag(self, cursor: str) -> ChangeLag:
        """How far a place is behind."""
        return await self._database.read(partial(_lag, cursor=cursor))

    async def forget(self, cursor: str, before: int) -> int:
        """Removes changes up to a place that were written before a time, in short transactions."""
        last = number_of(cursor) or 0
        count = 0
        while removed := await self._database.write(partial(_forget, last=last, before=before)):
            count += removed
        return count


def number_of(cursor: str) -> int | None:
    """The number of a place, None for the beginning. Raises CursorGone for a place of another log."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < len(str(1 << 63))):
        raise CursorGone(f"{cursor!r} is no place in this log")
    return int(cursor)


def _page(connection: sqlite3.Connection, cursor: str, limit: int) -> ChangePage:
    forgotten = _forgotten(connection)
    after = number_of(cursor)
    if after is None:
        after = forgotten
    elif after < forgotten or after > _newest(connection):
        raise CursorGone(f"changes after {cursor} are no longer retained")
    statement = f"SELECT {COLUMNS} FROM changes WHERE cursor > ? ORDER BY cursor LIMIT ?"  # noqa: S608  # constants
    rows = connection.execute(statement, (after, limit + 1)).fetchall()
    changes = tuple(_change(*row) for row in rows[:limit])
    return ChangePage(changes, changes[-1].cursor if changes else str(after), is_last=len(rows) <= limit)


def _newest(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT coalesce(max(cursor), 0) FROM changes").fetchone()
    return max(int(last), _forgotten(connection))


def _forgotten(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT forgotten_changes FROM logs").fetchone()[0])


def _lag(connection: sqlite3.Connection, cursor: str) -> ChangeLag:
    after = number_of(cursor) or 0
    counted = "SELECT count(*) FROM (SELECT 1 FROM changes WHERE cursor > ? LIMIT ?)"
    (count,) = connection.execute(counted, (after, MOST_COUNTED)).fetchone()
    if not count:
        return ChangeLag(0, 0.0)
    oldest = "SELECT micros FROM changes WHERE cursor > ? ORDER BY cursor LIMIT 1"
    (since,) = connection.execute(oldest, (after,)).fetchone()
    return ChangeLag(count, max(0, now_micros() - since) / 1e6)


def _forget(connection: sqlite3.Connection, last: int, before: int) -> int:
    """Removes the oldest changes without a gap: a place between those that are left would lose some."""
    statement = "SELECT cursor, micros FROM changes WHERE cursor <= ? ORDER BY cursor LIMIT ?"
    end = 0
    for cursor, micros in connection.execute(statement, (last, FORGOTTEN_AT_ONCE)):
        if micros >= before:
            break
        end = cursor
    if not end:
        return 0
    connection.execute("UPDATE logs SET forgotten_changes = ?", (end,))
    return connection.execute("DELETE FROM changes WHERE cursor <= ?", (end,)).rowcount


def _change(
    cursor: int,
    micros: int,
    kind: str,
    owner: str,
    name: str,
    field: str | None,
    first: int,
    last_day: int,
    replaced: int,
    quoted: int | None,
    bid: float | None,
    ask: float | None,
    last: float | None,
) -> Change:
    prices = price_change_of(field, first, last_day, replaced)
    quote = None if quoted is None else Quote(name, quoted, bid, ask, last)
    return Change(str(cursor), ChangeKind(kind), owner, name, micros, cursor, prices, quote)
