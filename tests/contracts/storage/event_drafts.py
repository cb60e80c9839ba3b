"""Events, notifications and recomputations that tests of stores store."""

from dataclasses import replace

from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Severity
from server.ports.changes import Change, ChangeLog
from server.ports.events import EventDraft, EventStores, EventType, NotificationDraft, RecomputationDraft
from server.ports.published import PublishedPrices
from server.ports.storage import Storage
from tests.owners import OWNER

LEASE_SECONDS = 30.0
TIME = 1_700_000_000_000_000
"""Of events, in microseconds since 1970-01-01."""


def event(key: str, **more: object) -> EventDraft:
    """A signal of a portfolio."""
    made = EventDraft(EventType.SIGNAL, OWNER, TIME, EventKind.DRIFT, Severity.WARNING, key, b"payload", "main", "A")
    return replace(made, **more)  # type: ignore[arg-type]


def notice(key: str, deliver: bool = True, **more: object) -> EventDraft:
    """A signal with a notification."""
    return event(key, notify=NotificationDraft(f"told of {key}", deliver=deliver), **more)


def recomputation(*causes: str, **more: object) -> RecomputationDraft:
    """A recomputation of a portfolio."""
    return replace(RecomputationDraft(OWNER, "main", Action.OPTIMIZE, causes), **more)  # type: ignore[arg-type]


def events_of(storage: Storage) -> EventStores:
    """The stores of events, which are there."""
    assert storage.events is not None
    return storage.events


def changes_of(storage: Storage) -> ChangeLog:
    """The log of changes, which is there."""
    assert storage.changes is not None
    return storage.changes


def published_of(storage: Storage) -> PublishedPrices:
    """The published prices, which are there."""
    assert storage.published is not None
    return storage.published


async def all_changes(log: ChangeLog, after: str = "", limit: int = 1_000) -> list[Change]:
    """Everything that is visible after a place, page by page."""
    found: list[Change] = []
    while True:
        page = await log.changes_since(after, limit)
        assert len(page.changes) <= limit
        assert page.next_cursor == (page.changes[-1].cursor if page.changes else page.next_cursor)
        found.extend(page.changes)
        after = page.next_cursor
        if page.is_last:
            return found
