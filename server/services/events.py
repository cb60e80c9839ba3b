"""Events and notifications: callers follow the log of events from any place, and say what they have seen."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from domain.errors import InvalidInput, NotSupported
from domain.records import dataclass
from server.converters.notifications import notification_event
from server.ports.errors import Draining, EventsCompacted
from server.ports.events import (
    EventFilter,
    EventLog,
    EventPage,
    NotificationFilter,
    NotificationPage,
    NotificationRecord,
    NotificationState,
    NotificationStore,
    StoredEvent,
)
from server.ports.scope import Scope
from server.services.event_feed import PAGE_EVENTS, EventFeed, epoch_changed

LAST_SEQUENCE = 2**63 - 1
"""The last number that a store can hold."""


@dataclass(frozen=True, slots=True)
class LogSnapshot:
    """Where the log stands as a caller begins to watch."""

    oldest: int
    newest: int


class Heartbeat:
    """Sent where nothing happened for a while."""


@dataclass(frozen=True, slots=True)
class WatchMessage:
    """One message to a caller who watches."""

    sequence: int  # of an event its own, else the place up to which the caller has everything
    epoch: str
    time: int  # microseconds since 1970-01-01
    content: LogSnapshot | StoredEvent | Heartbeat


class Events:
    """Watches the log for callers, and keeps their notifications."""

    def __init__(
        self, log: EventLog, notifications: NotificationStore, feed: EventFeed, *, deliver: Callable[[], None] | None
    ) -> None:
        """`deliver` says that a notification is to be delivered; None where this server has no webhook."""
        self._log = log
        self._notifications = notifications
        self._feed = feed
        self._deliver = deliver
        self._draining = False

    def drain(self) -> None:
        """Ends the stream of everybody who watches."""
        self._draining = True
        self._feed.drain()

    async def watch(
        self, owner: str, after: int, epoch: str, filters: EventFilter, heartbeat_interval: float
    ) -> AsyncGenerator[WatchMessage]:
        """A snapshot, all retained events of an owner after a sequence, and then what happens.

        Raises EpochChanged, EventsCompacted, InvalidInput for a sequence that was never given out, and Draining.
        """
        scope = Scope(owner)
        # A store has no number beyond the last; one is refused below, as any place that was never sent.
        page = await self._log.since(scope, min(after, LAST_SEQUENCE), PAGE_EVENTS, filters)
        _check_place(page, after, epoch)
        watcher = Watcher(owner, filters, page.epoch, heartbeat_interval, after, time.monotonic())
        yield watcher.message(LogSnapshot(page.oldest, page.newest))
        while True:  # ends with the call
            for event in page.events:
                yield watcher.event(event)
            moved = page.scanned > watcher.position or bool(page.events)
            watcher.position = max(watcher.position, page.scanned)
            if self._draining:
                raise Draining
            # A page may end early, where its filters let few events pass.
            if page.scanned >= page.newest or not moved:
                async with aclosing(self._follow(watcher)) as messages:
                    async for message in messages:
                        yield message
            page = await self._log.since(scope, watcher.position, PAGE_EVENTS, filters)
            if page.epoch != watcher.epoch:
                raise epoch_changed(page.epoch)
            _check_retained(page, watcher.position)

    async def _follow(self, watcher: "Watcher") -> AsyncGenerator[WatchMessage]:
        """What happens, as long as the caller reads no more slowly than the feed forgets."""
        feed = self._feed
        with feed.followed(watcher.position, watcher.epoch):
            while feed.covers(watcher.position):
                feed.check(watcher.epoch)
                events = feed.after(watcher.position)
                for event in events:
                    if watcher.wants(event):
                        yield watcher.event(event)
                watcher.position = max(watcher.position, events[-1].sequence if events else feed.end)
                remaining = watcher.heartbeat_due - time.monotonic()
                if remaining <= 0.0:
                    yield watcher.message(Heartbeat())
                else:
                    await feed.advanced(0.0 if events else remaining)  # others come in between

    async def list(self, scope: Scope, token: str, size: int, filters: NotificationFilter) -> NotificationPage:
        """A page of notifications, newest first. Raises InvalidInput."""
        return await self._notifications.list(scope, token, size, filters)

    async def acknowledge(self, owner: str, notification_id: str) -> NotificationRecord:
        """Marks a notification as seen; one that is so stays as it is. Raises NotFound."""
        record = await self._notifications.get(owner, notification_id)
        if record.acknowledged is not None:
            return record
        now = _now()
        seen = replace(record, state=NotificationState.ACKNOWLEDGED, acknowledged=now)
        record = await self._notifications.acknowledge(owner, notification_id, notification_event(seen, now))
        self._feed.notice()
        return record

    async def redeliver(self, owner: str, notification_id: str) -> NotificationRecord:
        """Delivers a notification again. Raises NotFound, and NotSupported without a webhook."""
        await self._notifications.get(owner, notification_id)
        if self._deliver is None:
            raise NotSupported("this server has no webhook to deliver notifications to: set ABSFIN_WEBHOOK_URL")
        record = await self._notifications.redeliver(owner, notification_id, _now())
        self._deliver()
        return record


@dataclass(slots=True)
class Watcher:
    """Who watches, and how far they are."""

    owner: str
    filters: EventFilter
    epoch: str
    heartbeat_interval: float  # seconds
    position: int  # they have all events up to this sequence that they watch
    last_sent: float  # of the monotonic clock

    @property
    def heartbeat_due(self) -> float:
        """When a heartbeat is due, by the monotonic clock."""
        return self.last_sent + self.heartbeat_interval

    def wants(self, event: StoredEvent) -> bool:
        """Whether they watch an event: what the store decides where it reads the log."""
        draft, filters = event.draft, self.filters
        return (
            draft.owner == self.owner
            and draft.severity >= filters.min_severity
            and (not filters.portfolios or draft.portfolio in filters.portfolios)
            and (not filters.kinds or draft.kind in filters.kinds)
        )

    def event(self, event: StoredEvent) -> WatchMessage:
        """The message of an event, which is sent now."""
        self.position, self.last_sent = event.sequence, time.monotonic()
        return WatchMessage(event.sequence, self.epoch, event.draft.time, event)

    def message(self, content: LogSnapshot | Heartbeat) -> WatchMessage:
        """Another message, which is sent now."""
        self.last_sent = time.monotonic()
        return WatchMessage(self.position, self.epoch, _now(), content)


def _check_place(page: EventPage, after: int, epoch: str) -> None:
    if epoch and epoch != page.epoch:
        raise epoch_changed(page.epoch)
    if after > max(page.newest, page.oldest - 1):
        raise InvalidInput(
            "after_sequence", "is above every sequence that was sent; send one of a message you have received, or 0"
        )
    if after > 0:
        _check_retained(page, after)


def _check_retained(page: EventPage, after: int) -> None:
    if after > 0 and after < page.oldest - 1:
        raise EventsCompacted(page.oldest)


def _now() -> int:
    return time.time_ns() // 1000
