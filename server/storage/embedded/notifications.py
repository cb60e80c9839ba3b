"""Notifications in SQLite: lists of them, and their delivery by workers with leases."""

import sqlite3
from functools import partial

from domain.monitoring.signals import EventKind, Severity
from server.ports.errors import NotFound
from server.ports.events import (
    EventDraft,
    NotificationFilter,
    NotificationPage,
    NotificationRecord,
    NotificationState,
)
from server.ports.scope import Scope
from server.storage.delivery_attempts import after_attempt
from server.storage.embedded.database import Database
from server.storage.embedded.event_rows import append_events, size_of
from server.storage.embedded.pages import ORDER
from server.storage.pages import Position, position_of, token_of

STATE = "CASE WHEN acknowledged_micros IS NULL THEN delivery ELSE 'ACKNOWLEDGED' END"
"""The state of a notification. Its delivery goes on when somebody has seen it."""

_COLUMNS = (
    f"owner, id, kind, severity, portfolio, symbol, message, {STATE}, attempts, last_error, signal_sequence, "
    "created_micros, acknowledged_micros, next_micros"
)
_CONDITIONS = {
    "owner": "owner = :owner",
    "portfolio": "portfolio = :portfolio",
    "state": f"{STATE} = :state",
    "severity": "severity >= :severity",
    "created_from": "created_micros >= :created_from",
    "created_before": "created_micros < :created_before",
}
_AFTER = "(created_micros, id, key) < (:after_micros, :after_id, :after_key)"
_DUE = (
    "SELECT key FROM notifications INDEXED BY notifications_due WHERE next_micros IS NOT NULL AND next_micros <= :now "
    "AND (worker IS NULL OR lease_micros < :now) ORDER BY next_micros, key LIMIT :limit"
)


class EmbeddedNotifications:
    """The notifications of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, scope: Scope, token: str, limit: int, filters: NotificationFilter) -> NotificationPage:
        """A page of notifications, newest first."""
        after = position_of(token, "notification", scope, filters)
        work = partial(_list, scope=scope, after=after, limit=limit, filters=filters)
        return await self._database.read(work)

    async def get(self, owner: str, notification_id: str) -> NotificationRecord:
        """One notification."""
        return await self._database.read(partial(_get, owner=owner, notification_id=notification_id))

    async def acknowledge(self, owner: str, notification_id: str, event: EventDraft) -> NotificationRecord:
        """Marks it as seen at the time of the event, which is stored the first time."""

        def work(connection: sqlite3.Connection) -> NotificationRecord:
            changed = connection.execute(
                "UPDATE notifications SET acknowledged_micros = ? "
                "WHERE owner = ? AND id = ? AND acknowledged_micros IS NULL",
                (event.time, owner, notification_id),
            ).rowcount
            if changed:
                append_events(connection, [event])
            return _get(connection, owner, notification_id)

        return await self._database.write(work, size_of([event]))

    async def redeliver(self, owner: str, notification_id: str, now: int) -> NotificationRecord:
        """Puts it back to be delivered; a worker that has it in hand loses it."""

        def work(connection: sqlite3.Connection) -> NotificationRecord:
            connection.execute(
                "UPDATE notifications SET delivery = ?, attempts = 0, last_error = '', next_micros = ?, "
                "worker = NULL, lease_micros = NULL WHERE owner = ? AND id = ?",
                (NotificationState.PENDING, now, owner, notification_id),
            )
            return _get(connection, owner, notification_id)

        return await self._database.write(work)

    async def claim_due(
        self, worker: str, now: int, lease_seconds: float, limit: int
    ) -> tuple[NotificationRecord, ...]:
        """Those whose delivery is due, the longest due first."""
        values = {"now": now, "limit": limit}
        if not await self._database.read(lambda connection: connection.execute(_DUE, values).fetchone()):
            return ()

        def work(connection: sqlite3.Connection) -> tuple[NotificationRecord, ...]:
            keys = [key for (key,) in connection.execute(_DUE, values)]
            until = now + round(lease_seconds * 1e6)
            connection.executemany(
                "UPDATE notifications SET worker = ?, lease_micros = ? WHERE key = ?",
                [(worker, until, key) for key in keys],
            )
            statement = f"SELECT {_COLUMNS} FROM notifications WHERE key = ?"  # noqa: S608  # constants
            return tuple(_record(*connection.execute(statement, (key,)).fetchone()) for key in keys)

        return await self._database.write(work)

    async def attempted(
        self, worker: str, record: NotificationRecord, error: str, next_attempt: int | None, event: EventDraft | None
    ) -> bool:
        """Says how an attempt ended."""
        delivery, following = after_attempt(error, next_attempt)

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE notifications SET delivery = ?, attempts = attempts + 1, last_error = ?, next_micros = ?, "
                "worker = NULL, lease_micros = NULL WHERE owner = ? AND id = ? AND worker = ? AND attempts = ?",
                (delivery, error, following, record.owner, record.id, worker, record.attempts),
            ).rowcount
            if changed and event is not None:
                append_events(connection, [event])
            return bool(changed)

        return await self._database.write(work, size_of([event] if event else []))


def _list(
    connection: sqlite3.Connection, scope: Scope, after: Position | None, limit: int, filters: NotificationFilter
) -> NotificationPage:
    values: dict[str, object] = {
        "owner": None if scope.everyone else scope.owner,
        "portfolio": filters.portfolio or None,
        "state": filters.state,
        "severity": int(filters.min_severity) if filters.min_severity > Severity.INFO else None,
        "created_from": filters.created_from,
        "created_before": filters.created_before,
    }
    given = {name: value for name, value in values.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in given]
    if after is not None:
        conditions.append(_AFTER)
        given |= {"after_micros": after.micros, "after_id": after.id, "after_key": after.key}
    statement = (
        f"SELECT key, {_COLUMNS} FROM notifications WHERE {' AND '.join(conditions) or 'TRUE'} "  # noqa: S608  # constants
        f"ORDER BY {ORDER} LIMIT :limit"
    )
    rows = connection.execute(statement, {**given, "limit": limit + 1}).fetchall()
    records = tuple(_record(*row[1:]) for row in rows[:limit])
    if len(rows) <= limit:
        return NotificationPage(records, "")
    position = Position(records[-1].created, records[-1].id, rows[limit - 1][0])
    return NotificationPage(records, token_of(position, "notification", scope, filters))


def _get(connection: sqlite3.Connection, owner: str, notification_id: str) -> NotificationRecord:
    statement = f"SELECT {_COLUMNS} FROM notifications WHERE owner = ? AND id = ?"  # noqa: S608  # constants
    row = connection.execute(statement, (owner, notification_id)).fetchone()
    if row is None:
        raise NotFound("notification", f"notifications/{notification_id}")
    return _record(*row)


def _record(
    owner: str,
    notification_id: str,
    kind: str,
    severity: int,
    portfolio: str,
    symbol: str,
    message: str,
    state: str,
    attempts: int,
    last_error: str,
    signal_sequence: int,
    created: int,
    acknowledged: int | None,
    next_attempt: int | None,
) -> NotificationRecord:
    return NotificationRecord(
        owner,
        notification_id,
        EventKind(kind),
        Severity(severity),
        portfolio,
        symbol,
        message,
        NotificationState(state),
        attempts,
        last_error,
        signal_sequence,
        created,
        acknowledged,
        next_attempt,
    )
