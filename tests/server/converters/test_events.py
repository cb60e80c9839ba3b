"""Events of the log: signals, recomputations and notifications as their messages, and as a stream sends them."""

from typing import Any

import pytest
from absfinance.v1 import portfolio_pb2
from absfinance.v1.event_service_pb2 import Notification, WatchEventsResponse
from google.protobuf import json_format
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from domain.errors import InvalidInput
from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Phase, Severity, Signal, Subject
from server.converters import events as converters
from server.ports.errors import Refused
from server.ports.events import (
    EventDraft,
    EventType,
    NotificationRecord,
    NotificationState,
    Recomputation,
    StoredEvent,
)
from server.ports.stale_results import StaleResult

MICROSECOND, TWO_SECONDS = 1, 2_000_000
STALE = StaleResult("owner", "optimizations/o", "mine", None, since=TWO_SECONDS)


def signal(**changes: Any) -> Signal:
    fields = {
        "kind": EventKind.LIMIT,
        "phase": Phase.RAISED,
        "severity": Severity.CRITICAL,
        "portfolio": "p",
        "subject": Subject("A", "tech", "days_to_liquidate", "lot"),
        "figure": 0.0,
        "threshold": -0.5,
        "time": TWO_SECONDS,
        "since": MICROSECOND,
        "message": "too much",
    }
    return Signal(**{**fields, **changes})  # type: ignore[arg-type]


def sent(one: Signal, *more: str) -> WatchEventsResponse.Signal:
    return WatchEventsResponse.Signal.FromString(converters.signal_to_bytes(one, *more))


def test_all_of_a_signal() -> None:
    found = json_format.MessageToDict(sent(signal(), "p", "optimizations/o"))
    assert found == {
        "kind": "EVENT_KIND_LIMIT",
        "portfolio": "portfolios/p",
        "symbol": "A",
        "value": 0.0,
        "threshold": -0.5,
        "message": "too much",
        "severity": "SEVERITY_CRITICAL",
        "group": "tech",
        "measure": "days_to_liquidate",
        "lotId": "lot",
        "phase": "PHASE_RAISED",
        "sinceTime": "1970-01-01T00:00:00.000001Z",
        "dedupeKey": signal().dedupe_key,
        "result": "optimizations/o",
    }
    assert len(found) == len(WatchEventsResponse.Signal.DESCRIPTOR.fields)


def test_a_signal_of_no_portfolio() -> None:
    found = sent(signal(portfolio=""), "")
    assert (found.portfolio, found.result) == ("", "")


@pytest.mark.parametrize("kind", EventKind)
def test_kinds_have_their_names_on_the_wire(kind: EventKind) -> None:
    number = sent(signal(kind=kind), "p").kind
    assert portfolio_pb2.EventKind.Name(number) == f"EVENT_KIND_{kind}"
    assert converters.EVENT_KINDS[number] is kind


@pytest.mark.parametrize("severity", Severity)
def test_severities_have_their_names_on_the_wire(severity: Severity) -> None:
    number = sent(signal(severity=severity), "p").severity
    assert portfolio_pb2.Severity.Name(number) == f"SEVERITY_{severity.name}"
    assert converters.SEVERITIES[number] is severity


def test_every_kind_severity_and_state_of_the_contract_is_known() -> None:
    assert converters.EVENT_KINDS.keys() == set(portfolio_pb2.EventKind.values()) - {0}
    assert converters.SEVERITIES.keys() == set(portfolio_pb2.Severity.values())
    assert converters.SEVERITIES[portfolio_pb2.SEVERITY_UNSPECIFIED] is Severity.INFO
    assert converters.NOTIFICATION_STATES.keys() == set(Notification.State.values()) - {0}


@pytest.mark.parametrize("phase", Phase)
def test_phases_have_their_names_on_the_wire(phase: Phase) -> None:
    assert WatchEventsResponse.Signal.Phase.Name(sent(signal(phase=phase), "p").phase) == f"PHASE_{phase}"


def test_a_stale_result_is_a_warning() -> None:
    found = WatchEventsResponse.Signal.FromString(converters.stale_result_to_bytes(STALE, "p"))
    assert json_format.MessageToDict(found) == {
        "kind": "EVENT_KIND_RESULT_STALE",
        "portfolio": "portfolios/p",
        "message": converters.stale_message(STALE),
        "severity": "SEVERITY_WARNING",
        "phase": "PHASE_RAISED",
        "sinceTime": "1970-01-01T00:00:02Z",
        "dedupeKey": converters.stale_key(STALE),
        "result": "optimizations/o",
    }
    assert "optimizations/o" in found.message
    bare = WatchEventsResponse.Signal.FromString(converters.stale_result_to_bytes(STALE, ""))
    assert bare.portfolio == ""


def test_a_result_is_stale_anew_with_each_correction() -> None:
    again = StaleResult("owner", "optimizations/o", "other", "r", since=TWO_SECONDS)
    later = StaleResult("owner", "optimizations/o", "mine", None, since=TWO_SECONDS + 1)
    other = StaleResult("owner", "optimizations/q", "mine", None, since=TWO_SECONDS)
    assert converters.stale_key(again) == converters.stale_key(STALE)
    assert len({converters.stale_key(one) for one in (STALE, later, other)}) == 3


DONE = Recomputation(7, "owner", "p", Action.OPTIMIZE, ("x", "y"), 3, MICROSECOND, 1)


def ended(outcome: str | Exception, log_id: str = "") -> WatchEventsResponse.Recomputation:
    encoded = converters.recomputation_to_bytes(DONE, outcome, log_id)
    return WatchEventsResponse.Recomputation.FromString(encoded)


def test_a_recomputation_that_has_a_result() -> None:
    assert json_format.MessageToDict(ended("optimizations/o")) == {
        "portfolio": "portfolios/p",
        "result": "optimizations/o",
        "signalSequence": "3",
        "action": "ACTION_OPTIMIZE",
        "causes": ["x", "y"],
    }


@pytest.mark.parametrize("action", Action)
def test_actions_have_their_names_on_the_wire(action: Action) -> None:
    done = Recomputation(7, "owner", "", action, (), 0, MICROSECOND, 1)
    found = WatchEventsResponse.Recomputation.FromString(converters.recomputation_to_bytes(done, ""))
    assert portfolio_pb2.Trigger.Action.Name(found.action) == f"ACTION_{action}"
    assert found.portfolio == ""


REFUSED = Status(code=code_pb2.NOT_FOUND, message="not there").SerializeToString()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InvalidInput("holdings", "must not be empty"), code_pb2.INVALID_ARGUMENT, "holdings: must not be empty"),
        (Refused(REFUSED), code_pb2.NOT_FOUND, "not there"),
        (ZeroDivisionError("a secret"), code_pb2.INTERNAL, "internal error, id log-1"),
    ],
)
def test_a_recomputation_that_failed(error: Exception, code: int, message: str) -> None:
    found = ended(error, "log-1")
    assert (found.WhichOneof("outcome"), found.error.code, found.error.message) == ("error", code, message)
    assert (list(found.causes), found.signal_sequence) == (["x", "y"], 3)
    assert converters.message_of(error, "log-1") == message


def record(**changes: Any) -> NotificationRecord:
    fields = {
        "owner": "owner",
        "id": "n",
        "kind": EventKind.DRIFT,
        "severity": Severity.WARNING,
        "portfolio": "p",
        "symbol": "A",
        "message": "too much",
        "state": NotificationState.FAILED,
        "attempts": 4,
        "last_error": "no answer",
        "signal_sequence": 3,
        "created": TWO_SECONDS,
        "acknowledged": TWO_SECONDS + 1,
        "next_attempt": TWO_SECONDS,
    }
    return NotificationRecord(**{**fields, **changes})  # type: ignore[arg-type]


def test_all_of_a_notification() -> None:
    found = json_format.MessageToDict(converters.notification_to_proto(record()))
    assert found == {
        "name": "notifications/n",
        "kind": "EVENT_KIND_DRIFT",
        "severity": "SEVERITY_WARNING",
        "portfolio": "portfolios/p",
        "symbol": "A",
        "message": "too much",
        "state": "STATE_FAILED",
        "attemptCount": 4,
        "lastError": "no answer",
        "signalSequence": "3",
        "createTime": "1970-01-01T00:00:02Z",
        "acknowledgeTime": "1970-01-01T00:00:02.000001Z",
    }
    assert len(found) == len(Notification.DESCRIPTOR.fields)
    encoded = converters.notification_to_bytes(record())
    assert Notification.FromString(encoded) == converters.notification_to_proto(record())


def test_a_notification_that_nobody_has_seen() -> None:
    found = converters.notification_to_proto(record(acknowledged=None, portfolio=""))
    assert (found.HasField("acknowledge_time"), found.portfolio) == (False, "")


@pytest.mark.parametrize("state", NotificationState)
def test_states_have_their_names_on_the_wire(state: NotificationState) -> None:
    number = converters.notification_to_proto(record(state=state)).state
    assert Notification.State.Name(number) == f"STATE_{state}"
    assert converters.NOTIFICATION_STATES[number] is state


PAYLOADS = {
    EventType.SIGNAL: converters.signal_to_bytes(signal(), "p"),
    EventType.RECOMPUTATION: converters.recomputation_to_bytes(DONE, "optimizations/o"),
    EventType.NOTIFICATION: converters.notification_to_bytes(record()),
}


@pytest.mark.parametrize("kind", EventType)
def test_an_event_of_the_log_is_the_member_of_its_type(kind: EventType) -> None:
    draft = EventDraft(kind, "owner", TWO_SECONDS, EventKind.DRIFT, Severity.INFO, "key", PAYLOADS[kind])
    found = converters.event_to_proto(StoredEvent(5, draft), "epoch")
    assert (found.sequence, found.epoch, found.event_time.ToMicroseconds()) == (5, "epoch", TWO_SECONDS)
    assert found.WhichOneof("event") == kind.lower()
    assert getattr(found, kind.lower()).SerializeToString(deterministic=True) == PAYLOADS[kind]


def test_what_a_stored_signal_says() -> None:
    assert converters.signal_message(PAYLOADS[EventType.SIGNAL]) == "too much"
