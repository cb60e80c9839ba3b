"""Rows of events with their notifications, written in the transaction of whoever noticed them."""

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from domain.monitoring.signals import EventKind, Severity
from server.ports.events import EventDraft, EventType, NotificationDraft, NotificationState, StoredEvent
from server.storage.embedded.job_rows import now_micros

COLUMNS = "sequence, type, owner, micros, kind, severity, dedupe_key, payload, portfolio, symbol"

ROW_BYTES = 512
"""What an event takes beside its payload and message, at most about."""


def size_of(drafts: Iterable[EventDraft]) -> int:
    """About how many bytes events take."""
    return sum(len(one.payload) + (len(one.notify.message) if one.notify else 0) + ROW_BYTES for one in drafts)


def append_events(connection: sqlite3.Connection, drafts: Iterable[EventDraft]) -> tuple[StoredEvent, ...]:
    """Stores those events whose keys their owner does not have, each with its notification."""
    stored: list[StoredEvent] = []
    now = now_micros()
    for draft in drafts:
        row = connection.execute(
            "INSERT INTO events (owner, dedupe_key, type, micros, kind, severity, portfolio, symbol, payload, "
            "stored_micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING sequence",
            (
                draft.owner,
                draft.dedupe_key,
                draft.type,
                draft.time,
                draft.kind,
                int(draft.severity),
                draft.portfolio,
                draft.symbol,
                draft.payload,
                now,
            ),
        ).fetchone()
        if row is None:
            continue
        if draft.notify is not None:
            _notify(connection, draft, draft.notify, row[0], now)
        stored.append(StoredEvent(row[0], replace(draft, notify=None)))
    return tuple(stored)


def sequence_of(connection: sqlite3.Connection, owner: str, dedupe_key: str) -> int:
    """The sequence of an event by its key; 0 where there is none."""
    statement = "SELECT sequence FROM events WHERE owner = ? AND dedupe_key = ?"
    row = connection.execute(statement, (owner, dedupe_key)).fetchone()
    return int(row[0]) if row else 0


def event_of(
    sequence: int,
    type_: str,
    owner: str,
    micros: int,
    kind: str,
    severity: int,
    dedupe_key: str,
    payload: bytes,
    portfolio: str,
    symbol: str,
) -> StoredEvent:
    """A row of `COLUMNS`."""
    draft = EventDraft(
        EventType(type_), owner, micros, EventKind(kind), Severity(severity), dedupe_key, payload, portfolio, symbol
    )
    return StoredEvent(sequence, draft)


def _notify(
    connection: sqlite3.Connection, about: EventDraft, draft: NotificationDraft, sequence: int, now: int
) -> None:
    state = NotificationState.PENDING if draft.deliver else NotificationState.DELIVERED
    connection.execute(
        "INSERT INTO notifications (owner, id, created_micros, kind, severity, portfolio, symbol, message, delivery, "
        "signal_sequence, next_micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            about.owner,
            secrets.token_hex(10),
            now,
            about.kind,
            int(about.severity),
            about.portfolio,
            about.symbol,
            draft.message,
            state,
            sequence,
            now if draft.deliver else None,
        ),
    )
