"""The log of events of a server on this machine, written by another process than the server: this one."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from absfinance.v1.event_service_pb2 import WatchEventsResponse

from domain.monitoring.signals import EventKind, Severity
from server.ports.events import EventDraft, EventType, NotificationDraft, StoredEvent
from server.ports.identity import LOCAL
from server.storage.embedded.database import Database
from server.storage.embedded.events import EmbeddedEvents

_numbers = itertools.count()


class WrittenLog:
    """Appends events."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "absfinance.sqlite3"
        self._database = Database(self._path)
        self.log = EmbeddedEvents(self._database)

    def append(self, *drafts: EventDraft) -> list[int]:
        """The sequences of what was new."""
        stored: tuple[StoredEvent, ...] = asyncio.run(self.log.append(drafts))
        return [event.sequence for event in stored]

    def forget(self, up_to: int) -> None:
        """What the retention does with old events."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("DELETE FROM events WHERE sequence <= ?", (up_to,))
            connection.execute("UPDATE logs SET forgotten_events = ?", (up_to,))

    def begin_anew(self) -> None:
        """What a store has that was restored from nothing."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("DELETE FROM events")
            connection.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
            connection.execute("UPDATE logs SET epoch = 'another', forgotten_events = 0")

    def close(self) -> None:
        self._database.close()


@contextmanager
def written_log(folder: Path) -> Iterator[WrittenLog]:
    """The log in a data folder."""
    log = WrittenLog(folder)
    try:
        yield log
    finally:
        log.close()


def signal(
    message: str = "m",
    *,
    owner: str = LOCAL.id,
    portfolio: str = "p",
    kind: EventKind = EventKind.DRIFT,
    severity: Severity = Severity.WARNING,
    notify: bool = False,
    deliver: bool = False,
    **more: Any,
) -> EventDraft:
    """A signal, which may come with a notification."""
    payload = WatchEventsResponse.Signal(
        kind=f"EVENT_KIND_{kind}",
        portfolio=f"portfolios/{portfolio}" if portfolio else "",
        severity=int(severity),  # type: ignore[arg-type]
        message=message,
        **more,
    ).SerializeToString()
    key = f"key-{next(_numbers)}"
    now = time.time_ns() // 1000
    told = NotificationDraft(message, deliver) if notify or deliver else None
    return EventDraft(EventType.SIGNAL, owner, now, kind, severity, key, payload, portfolio, notify=told)
