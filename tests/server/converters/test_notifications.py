"""Notifications: what callers watch and list, the events of their delivery, and what a webhook gets."""

import json
from dataclasses import replace
from typing import Any

import pytest
from absfinance.v1 import portfolio_pb2
from absfinance.v1.event_service_pb2 import ListNotificationsRequest, Notification, WatchEventsRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.monitoring.signals import EventKind, Severity
from server.converters import notifications as converters
from server.converters.events import notification_to_proto
from server.ports.events import (
    EventFilter,
    EventType,
    NotificationFilter,
    NotificationPage,
    NotificationRecord,
    NotificationState,
)

RECORD = NotificationRecord(
    owner="owner",
    id="n",
    kind=EventKind.DRIFT,
    severity=Severity.WARNING,
    portfolio="p",
    symbol="A",
    message="zu viel für A",
    state=NotificationState.DELIVERED,
    attempts=4,
    last_error="",
    signal_sequence=3,
    created=2_000_000,
    acknowledged=None,
    next_attempt=None,
)


def watched(**fields: Any) -> EventFilter:
    return converters.event_filter_from_proto(json_format.ParseDict(fields, WatchEventsRequest()))


def listed(**fields: Any) -> NotificationFilter:
    return converters.notification_filter_from_proto(json_format.ParseDict(fields, ListNotificationsRequest()))


def test_what_is_watched() -> None:
    kinds = ["EVENT_KIND_DRIFT", "EVENT_KIND_PRICES", "EVENT_KIND_DRIFT"]
    found = watched(portfolios=["portfolios/p", "portfolios/q"], kinds=kinds, minSeverity="SEVERITY_CRITICAL")
    assert found == EventFilter(
        frozenset({"p", "q"}), frozenset({EventKind.DRIFT, EventKind.PRICES}), Severity.CRITICAL
    )
    assert watched() == EventFilter(frozenset(), frozenset(), Severity.INFO)


def test_what_is_listed() -> None:
    found = listed(
        portfolio="portfolios/p",
        state="STATE_FAILED",
        minSeverity="SEVERITY_WARNING",
        startCreateTime="1970-01-01T00:00:00Z",
        endCreateTime="1970-01-01T00:00:00.000001Z",
    )
    assert found == NotificationFilter("p", NotificationState.FAILED, Severity.WARNING, 0, 1)
    assert listed() == NotificationFilter("", None, Severity.INFO, None, None)


@pytest.mark.parametrize("state", Notification.State.values())
def test_states_have_their_names_on_the_wire(state: int) -> None:
    name = Notification.State.Name(state).removeprefix("STATE_")
    assert listed(state=state).state == (None if name == "UNSPECIFIED" else NotificationState(name))


@pytest.mark.parametrize("severity", portfolio_pb2.Severity.values())
def test_severities_have_their_names_on_the_wire(severity: int) -> None:
    name = portfolio_pb2.Severity.Name(severity).removeprefix("SEVERITY_")
    wanted = Severity.INFO if name == "UNSPECIFIED" else Severity[name]
    assert (listed(minSeverity=severity).min_severity, watched(minSeverity=severity).min_severity) == (wanted, wanted)


def test_times_are_in_microseconds_and_a_part_of_one_is_left_out() -> None:
    assert listed(startCreateTime="2001-09-09T01:46:40.123456789Z").created_from == 1_000_000_000_123_456
    assert listed(endCreateTime="1969-12-31T23:59:59Z").created_before == -1_000_000


@pytest.mark.parametrize("end", ["1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z"])
def test_an_empty_range_of_times(end: str) -> None:
    with pytest.raises(InvalidInput, match="later than start_create_time") as raised:
        listed(startCreateTime="1970-01-01T00:00:02Z", endCreateTime=end)
    assert raised.value.field == "end_create_time"


@pytest.mark.parametrize("name", ["start_create_time", "end_create_time"])
@pytest.mark.parametrize("seconds", [253_402_300_800, -62_135_596_801, 2**62])
def test_a_time_that_no_calendar_has(name: str, seconds: int) -> None:
    request = ListNotificationsRequest()
    getattr(request, name).seconds = seconds
    with pytest.raises(InvalidInput, match="between the years 1 and 9999") as raised:
        converters.notification_filter_from_proto(request)
    assert raised.value.field == name


def test_a_page() -> None:
    found = converters.notifications_to_proto(NotificationPage((RECORD,), "next"))
    assert (list(found.notifications), found.next_page_token) == ([notification_to_proto(RECORD)], "next")


def test_the_id_in_a_name() -> None:
    assert converters.notification_id_of("notifications/n") == "n"
    assert converters.notification_id_of(notification_to_proto(RECORD).name) == RECORD.id


def in_state(state: NotificationState) -> NotificationRecord:
    return replace(RECORD, state=state)


def test_the_event_of_a_delivery() -> None:
    found = converters.notification_event(RECORD, 5)
    assert (found.type, found.owner, found.time) == (EventType.NOTIFICATION, "owner", 5)
    assert (found.kind, found.severity, found.portfolio, found.symbol) == (EventKind.DRIFT, Severity.WARNING, "p", "A")
    assert Notification.FromString(found.payload) == notification_to_proto(RECORD)
    assert found.notify is None


def test_each_delivery_is_an_event_and_the_first_look_is_the_only_one() -> None:
    def keys(state: NotificationState) -> set[str]:
        return {converters.notification_event(in_state(state), time).dedupe_key for time in (5, 6)}

    assert len(keys(NotificationState.ACKNOWLEDGED)) == 1
    assert len(keys(NotificationState.DELIVERED) | keys(NotificationState.FAILED)) == 4


def test_what_a_webhook_gets() -> None:
    body = converters.delivery_body(RECORD, 2)
    assert json.loads(body) == {
        "owner": "owner",
        "attempt": 2,
        "notification": json_format.MessageToDict(notification_to_proto(RECORD)),
    }
    assert json.loads(body)["notification"]["message"] == "zu viel für A"
