"""Notifications on the wire, and what callers ask of them and of the log of events."""

import json
from datetime import UTC, datetime, timedelta
from typing import Literal

from absfinance.v1.event_service_pb2 import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    WatchEventsRequest,
)
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from domain.errors import InvalidInput
from server.converters.events import (
    EVENT_KINDS,
    NAME,
    NOTIFICATION_STATES,
    SEVERITIES,
    notification_to_bytes,
    notification_to_proto,
)
from server.converters.portfolios import id_of as portfolio_id_of
from server.ports.events import (
    EventDraft,
    EventFilter,
    EventType,
    NotificationFilter,
    NotificationPage,
    NotificationRecord,
    NotificationState,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def notification_id_of(name: str) -> str:
    """The id in a resource name."""
    return name.removeprefix(NAME)


def event_filter_from_proto(request: WatchEventsRequest) -> EventFilter:
    """What a caller watches."""
    return EventFilter(
        frozenset(portfolio_id_of(name) for name in request.portfolios),
        frozenset(EVENT_KINDS[kind] for kind in request.kinds),
        SEVERITIES[request.min_severity],
    )


def notification_filter_from_proto(request: ListNotificationsRequest) -> NotificationFilter:
    """What a list shows. Raises InvalidInput for a time that is none, or an empty range of times."""
    start = _microseconds(request, "start_create_time")
    end = _microseconds(request, "end_create_time")
    if start is not None and end is not None and start >= end:
        raise InvalidInput("end_create_time", "must be later than start_create_time")
    return NotificationFilter(
        portfolio_id_of(request.portfolio),
        NOTIFICATION_STATES.get(request.state),
        SEVERITIES[request.min_severity],
        start,
        end,
    )


def notifications_to_proto(page: NotificationPage) -> ListNotificationsResponse:
    """A page of notifications."""
    return ListNotificationsResponse(
        notifications=[notification_to_proto(record) for record in page.records], next_page_token=page.next_token
    )


def notification_event(record: NotificationRecord, time: int) -> EventDraft:
    """The event that tells what has become of a notification, at a time in microseconds since 1970-01-01."""
    # It is seen once; delivered, or given up, again after each redelivery.
    occasion = "" if record.state is NotificationState.ACKNOWLEDGED else f"/{time}"
    return EventDraft(
        EventType.NOTIFICATION,
        record.owner,
        time,
        record.kind,
        record.severity,
        f"{NAME}{record.id}/{record.state}{occasion}",
        notification_to_bytes(record),
        record.portfolio,
        record.symbol,
    )


def delivery_body(record: NotificationRecord, attempt: int) -> bytes:
    """What is posted to a webhook: JSON, with the notification as the contract has it."""
    content = {
        "owner": record.owner,
        "attempt": attempt,
        "notification": MessageToDict(notification_to_proto(record)),
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _microseconds(
    request: ListNotificationsRequest, name: Literal["start_create_time", "end_create_time"]
) -> int | None:
    if not request.HasField(name):
        return None
    value: Timestamp = getattr(request, name)
    try:
        return (value.ToDatetime(UTC) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise InvalidInput(name, "must be a time between the years 1 and 9999") from None
