"""What the events of this process go through: the feed of callers that follow them, and a webhook."""

from collections.abc import Sequence

from domain.records import dataclass
from server.notifications.log import log_notified
from server.notifications.webhook import Deliverer
from server.ports.events import EventDraft
from server.ports.storage import Storage
from server.services.event_feed import EventFeed
from server.services.events import Events
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """What tells callers and a webhook of events."""

    feed: EventFeed
    events: Events
    deliverer: Deliverer | None

    def stored(self, events: Sequence[EventDraft]) -> None:
        """This process has stored events: they are told at once."""
        for event in events:
            log_notified(event)
        self.feed.notice()
        if self.deliverer:
            self.deliverer.notice()

    async def close(self) -> None:
        """Ends the delivery and the reading of the log."""
        if self.deliverer:
            await self.deliverer.close()
        await self.feed.close()


def event_delivery(settings: Settings, storage: Storage) -> EventDelivery | None:
    """None where the store keeps no events."""
    if storage.events is None:
        return None
    log, notifications = storage.events.log, storage.events.notifications
    feed = EventFeed(log)
    deliverer = None
    if settings.webhook:
        deliverer = Deliverer(notifications, storage.worker, settings.webhook, feed.notice)
    events = Events(log, notifications, feed, deliver=deliverer.notice if deliverer else None)
    return EventDelivery(feed, events, deliverer)
