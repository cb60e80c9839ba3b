"""Removes changes that have been read, and events, notifications and recomputations that are old."""

import sqlite3
from functools import partial

from server.storage.embedded.changes import EmbeddedChanges
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import now_micros
from server.storage.embedded.listener import EmbeddedListener

MICROS_PER_DAY = 86_400_000_000
CHANGE_DAYS = 7
"""How long changes stay that the listener has read, for whoever wants to know what happened."""

MOST_DAYS = 30
"""How long everything else stays, and changes that nobody reads: a listener that comes later reads all data anew."""

BATCH = 1_000


class EventRetention:
    """Keeps the logs of changes and events from growing without end."""

    def __init__(self, database: Database, changes: EmbeddedChanges, listener: EmbeddedListener) -> None:
        self._database = database
        self._changes = changes
        self._listener = listener

    async def sweep(self) -> int:
        """Removes what is too old; how many rows."""
        now = now_micros()
        state = await self._listener.load()
        removed = await self._changes.forget(state.cursor, now - CHANGE_DAYS * MICROS_PER_DAY)
        old = now - MOST_DAYS * MICROS_PER_DAY
        removed += await self._changes.forget(await self._changes.newest(), old)
        for remove in (_remove_events, _remove_notifications, _remove_recomputations):
            while count := await self._database.write(partial(remove, before=old)):
                removed += count
        return removed


def _remove_events(connection: sqlite3.Connection, before: int) -> int:
    """The oldest, without a gap: whoever goes on from a place is told whether events after it are gone."""
    statement = "SELECT sequence, stored_micros FROM events ORDER BY sequence LIMIT ?"
    end = 0
    for sequence, stored in connection.execute(statement, (BATCH,)):
        if stored >= before:
            break
        end = sequence
    if not end:
        return 0
    connection.execute("UPDATE logs SET forgotten_events = ?", (end,))
    return connection.execute("DELETE FROM events WHERE sequence <= ?", (end,)).rowcount


def _remove_notifications(connection: sqlite3.Connection, before: int) -> int:
    """Those that are to be delivered stay: their attempts end by themselves."""
    statement = (
        "DELETE FROM notifications WHERE key IN "
        "(SELECT key FROM notifications WHERE created_micros < ? AND next_micros IS NULL LIMIT ?)"
    )
    return connection.execute(statement, (before, BATCH)).rowcount


def _remove_recomputations(connection: sqlite3.Connection, before: int) -> int:
    """With their causes, which no change that is still retained can bring again."""
    statement = (
        "DELETE FROM recomputations WHERE key IN (SELECT key FROM recomputations WHERE finished_micros < ? LIMIT ?)"
    )
    return connection.execute(statement, (before, BATCH)).rowcount
