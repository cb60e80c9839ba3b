"""EventService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.event_service_pb2 import (
    AcknowledgeNotificationRequest,
    ListNotificationsRequest,
    ListNotificationsResponse,
    Notification,
    RedeliverNotificationRequest,
    WatchEventsRequest,
    WatchEventsResponse,
)
from absfinance.v1.event_service_pb2_grpc import EventServiceServicer

from server.converters.events import event_to_proto, notification_to_proto, timestamp_to_proto
from server.converters.notifications import (
    event_filter_from_proto,
    notification_filter_from_proto,
    notification_id_of,
    notifications_to_proto,
)
from server.identity.current import owner, scope
from server.ports.events import StoredEvent
from server.servicers.reading import Context, Requests
from server.services.events import Events, LogSnapshot, WatchMessage

DEFAULT_PAGE = 50
DEFAULT_HEARTBEAT = 15.0


class EventServicer(EventServiceServicer):
    """Maps the wire to the event service and back."""

    def __init__(self, events: Events, requests: Requests) -> None:
        self._events = events
        self._requests = requests

    async def WatchEvents(self, request: bytes, context: Context) -> AsyncIterator[WatchEventsResponse]:
        """What happens to the caller's portfolios, from a snapshot on."""
        message = await self._requests.message(WatchEventsRequest, request, context)
        heartbeat = message.heartbeat_interval.ToTimedelta().total_seconds()
        watched = self._events.watch(
            owner(),
            message.after_sequence,
            message.epoch,
            event_filter_from_proto(message),
            heartbeat if message.HasField("heartbeat_interval") else DEFAULT_HEARTBEAT,
        )
        async with aclosing(watched):
            async for one in watched:
                yield _to_proto(one)

    async def ListNotifications(self, request: bytes, context: Context) -> ListNotificationsResponse:
        """A page of notifications."""
        message = await self._requests.message(ListNotificationsRequest, request, context)
        filters = notification_filter_from_proto(message)
        whose = scope("ListNotifications", everyone=False)
        page = await self._events.list(whose, message.page_token, message.page_size or DEFAULT_PAGE, filters)
        return await asyncio.to_thread(notifications_to_proto, page)

    async def AcknowledgeNotification(self, request: bytes, context: Context) -> Notification:
        """The notification, which has been seen."""
        message = await self._requests.message(AcknowledgeNotificationRequest, request, context)
        return notification_to_proto(await self._events.acknowledge(owner(), notification_id_of(message.name)))

    async def RedeliverNotification(self, request: bytes, context: Context) -> Notification:
        """The notification, which is to be delivered."""
        message = await self._requests.message(RedeliverNotificationRequest, request, context)
        return notification_to_proto(await self._events.redeliver(owner(), notification_id_of(message.name)))


def _to_proto(sent: WatchMessage) -> WatchEventsResponse:
    content = sent.content
    if isinstance(content, StoredEvent):
        return event_to_proto(content, sent.epoch)
    message = WatchEventsResponse(sequence=sent.sequence, epoch=sent.epoch, event_time=timestamp_to_proto(sent.time))
    if isinstance(content, LogSnapshot):
        message.snapshot.CopyFrom(
            WatchEventsResponse.Snapshot(oldest_sequence=content.oldest, newest_sequence=content.newest)
        )
    else:
        message.heartbeat.SetInParent()
    return message
