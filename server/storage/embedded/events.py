"""The log of events in SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from functools import partial

from server.ports.events import EventDraft, EventFilter, EventPage, StoredEvent
from server.ports.scope import Scope
from server.storage.embedded.database import Database
from server.storage.embedded.event_rows import COLUMNS, append_events, event_of, size_of

LOOKED_AT_ONCE = 10_000
"""Events of an owner that one page looks at: filters that almost nothing passes make a read no longer than this."""

_MATCHING = (
    f"SELECT {COLUMNS} FROM events WHERE ({{whose}}) AND sequence > :after AND sequence <= :end "  # noqa: S608  # constants
    "AND severity >= :severity AND (:portfolios IS NULL OR portfolio IN (SELECT value FROM json_each(:portfolios))) "
    "AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY sequence LIMIT :limit"
)
_LOOKED = (
    "SELECT count(*), max(sequence) FROM "
    "(SELECT sequence FROM events WHERE ({whose}) AND sequence > :after ORDER BY sequence LIMIT :most)"
)


class EmbeddedEvents:
    """The log of events of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, scope: Scope, after: int, limit: int, filters: EventFilter) -> EventPage:
        """Events after a sequence that an owner watches."""
        return await self._database.read(partial(_since, scope=scope, after=after, limit=limit, filters=filters))

    async def append(self, drafts: Sequence[EventDraft]) -> tuple[StoredEvent, ...]:
        """Stores those that are new by their keys."""
        return await self._database.write(partial(append_events, drafts=tuple(drafts)), size_of(drafts))


def _since(connection: sqlite3.Connection, scope: Scope, after: int, limit: int, filters: EventFilter) -> EventPage:
    epoch, forgotten = connection.execute("SELECT epoch, forgotten_events FROM logs").fetchone()
    (first,) = connection.execute("SELECT min(sequence) FROM events").fetchone()
    (last,) = connection.execute("SELECT max(sequence) FROM events").fetchone()
    newest = last or forgotten
    whose = "TRUE" if scope.everyone else "owner = :owner"
    values: dict[str, object] = {"owner": scope.owner, "after": after, "most": LOOKED_AT_ONCE}
    looked, end = connection.execute(_LOOKED.format(whose=whose), values).fetchone()
    if looked < LOOKED_AT_ONCE:
        end = newest
    values |= {
        "end": end,
        "severity": int(filters.min_severity),
        "portfolios": json.dumps(sorted(filters.portfolios)) if filters.portfolios else None,
        "kinds": json.dumps(sorted(filters.kinds)) if filters.kinds else None,
        "limit": limit + 1,
    }
    rows = connection.execute(_MATCHING.format(whose=whose), values).fetchall()
    events = tuple(event_of(*row) for row in rows[:limit])
    scanned = events[-1].sequence if len(rows) > limit else max(after, end)
    return EventPage(events, newest + 1 if first is None else first, newest, epoch, scanned)
