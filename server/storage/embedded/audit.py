"""The audit log in SQLite; triggers refuse to change it."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

from server.ports.audit import AuditEvent, AuditFilter, AuditPage, AuditRecord, AuditRetention
from server.ports.scope import Scope
from server.storage.audit_tokens import place_of_token, token_of_place
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import now_micros
from server.storage.pages import micros_of, time_of

MICROS_PER_DAY = 86_400_000_000

BATCH = 1_000
"""Events removed in one transaction: others write in between."""

_COLUMNS = "owner, caller, method, resource, code, reason, call_id, micros, count"

_CONDITIONS = {
    "owner": "owner = :owner",
    "caller": "caller = :caller",
    "method": "method = :method",
    "resource": "resource = :resource AND resource <> ''",
    "since": "micros >= :since",
    "before": "micros < :before",
}


class EmbeddedAudit:
    """The audit log of one data folder."""

    def __init__(self, database: Database, retention: AuditRetention) -> None:
        self._database = database
        self._retention = retention

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Stores events in their order, all or none. A limit on room does not apply: deletions are logged too."""
        await self._database.write(partial(append_events, events=events))

    async def list(self, scope: Scope, token: str, limit: int, filters: AuditFilter) -> AuditPage:
        """A page of events, newest first: by the numbers of the owner, or by key where everybody's are listed."""
        after = place_of_token(token, scope, filters)
        rows = await self._database.read(partial(_list, scope=scope, after=after, limit=limit, filters=filters))
        records = tuple(_record(row) for row in rows[:limit])
        if len(rows) <= limit:
            return AuditPage(records, "")
        place = rows[limit - 1][0] if scope.everyone else records[-1].sequence
        return AuditPage(records, token_of_place(place, scope, filters))

    async def sweep(self) -> int:
        """Removes the oldest events beyond what is retained; how many."""
        removed = 0
        while count := await self._database.write(partial(_remove, retention=self._retention)):
            removed += count
        return removed


def append_events(connection: sqlite3.Connection, events: Sequence[AuditEvent]) -> None:
    """Stores events in their order, in the transaction of what they tell of."""
    for event in events:
        (number,) = connection.execute(
            "INSERT INTO audit_owners VALUES (?, 1) ON CONFLICT (owner) DO UPDATE SET last = last + 1 RETURNING last",
            (event.owner,),
        ).fetchone()
        names = (event.owner, event.caller, event.method, event.resource, event.code, event.reason, event.call_id)
        connection.execute(
            f"INSERT INTO audit_events ({_COLUMNS}, number) "  # noqa: S608  # constant columns
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*names, micros_of(event.time), event.count, number),
        )


def _list(
    connection: sqlite3.Connection, scope: Scope, after: int | None, limit: int, filters: AuditFilter
) -> list[tuple[Any, ...]]:
    values: dict[str, object] = {
        "owner": None if scope.everyone else scope.owner,
        "caller": filters.caller or None,
        "method": filters.method or None,
        "resource": filters.resource or None,
        "since": None if filters.since is None else micros_of(filters.since),
        "before": None if filters.before is None else micros_of(filters.before),
    }
    given = {name: value for name, value in values.items() if value is not None}
    order = "key" if scope.everyone else "number"
    conditions = [_CONDITIONS[name] for name in given]
    if after is not None:
        conditions.append(f"{order} < :after")
        given["after"] = after
    statement = (
        f"SELECT key, number, {_COLUMNS} FROM audit_events "  # noqa: S608  # constant texts
        f"WHERE {' AND '.join(conditions) or 'TRUE'} ORDER BY {order} DESC LIMIT :limit"
    )
    return connection.execute(statement, {**given, "limit": limit + 1}).fetchall()


def _record(row: tuple[Any, ...]) -> AuditRecord:
    _, number, owner, caller, method, resource, code, reason, call_id, micros, count = row
    event = AuditEvent(owner, caller, method, resource, code, reason, call_id, time_of(micros), count)
    return AuditRecord(number, event)


def _remove(connection: sqlite3.Connection, retention: AuditRetention) -> int:
    """The oldest without a gap, so that what is left of each owner is without one too."""
    oldest = now_micros() - round(retention.days * MICROS_PER_DAY) if retention.days else 0
    (newest,) = connection.execute("SELECT coalesce(max(key), 0) FROM audit_events").fetchone()
    last_beyond = newest - retention.events if retention.events else 0
    end = 0
    for key, micros in connection.execute("SELECT key, micros FROM audit_events ORDER BY key LIMIT ?", (BATCH,)):
        if key > last_beyond and micros >= oldest:
            break
        end = key
    if not end:
        return 0
    connection.execute("UPDATE audit_log SET removed = ?", (end,))
    return connection.execute("DELETE FROM audit_events WHERE key <= ?", (end,)).rowcount
