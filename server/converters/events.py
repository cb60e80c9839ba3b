"""Events on the wire: members of WatchEventsResponse as the event log keeps them, and as a stream sends them."""

from collections.abc import Mapping
from typing import Any

from absfinance.v1 import portfolio_pb2
from absfinance.v1.event_service_pb2 import Notification, WatchEventsResponse
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status

from domain.monitoring.events import ToldAlarm
from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Phase, Severity, Signal, Subject
from server.converters.portfolios import NAME as PORTFOLIO
from server.converters.status import internal_error, status_from_error
from server.ports.errors import Refused
from server.ports.events import EventType, NotificationRecord, NotificationState, Recomputation, StoredEvent
from server.ports.stale_results import StaleResult

NAME = "notifications/"

EVENT_KINDS: Mapping[int, EventKind] = {
    number: EventKind(name.removeprefix("EVENT_KIND_"))
    for name, number in portfolio_pb2.EventKind.items()
    if number != portfolio_pb2.EVENT_KIND_UNSPECIFIED
}
"""By the number on the wire."""

SEVERITIES: Mapping[int, Severity] = {
    portfolio_pb2.SEVERITY_UNSPECIFIED: Severity.INFO,
    portfolio_pb2.SEVERITY_INFO: Severity.INFO,
    portfolio_pb2.SEVERITY_WARNING: Severity.WARNING,
    portfolio_pb2.SEVERITY_CRITICAL: Severity.CRITICAL,
}
"""By the number on the wire."""

NOTIFICATION_STATES: Mapping[int, NotificationState] = {
    number: NotificationState(name.removeprefix("STATE_"))
    for name, number in Notification.State.items()
    if number != Notification.STATE_UNSPECIFIED
}
"""By the number on the wire."""

# Numbers of enums, which generated types do not accept as plain integers.
_KIND_NUMBERS: Mapping[EventKind, Any] = {kind: number for number, kind in EVENT_KINDS.items()}
_SEVERITY_NUMBERS: Mapping[Severity, Any] = {severity: number for number, severity in SEVERITIES.items() if number}
_STATE_NUMBERS: Mapping[NotificationState, Any] = {state: number for number, state in NOTIFICATION_STATES.items()}
_PHASES = {
    Phase.RAISED: WatchEventsResponse.Signal.PHASE_RAISED,
    Phase.CLEARED: WatchEventsResponse.Signal.PHASE_CLEARED,
}
_ACTIONS: Mapping[Action, Any] = {action: portfolio_pb2.Trigger.Action.Value(f"ACTION_{action}") for action in Action}


def signal_to_bytes(signal: Signal, portfolio_id: str, result: str = "") -> bytes:
    """A signal of a portfolio, "" where it concerns none; `result` names the stored result that it concerns."""
    message = WatchEventsResponse.Signal(
        kind=_KIND_NUMBERS[signal.kind],
        portfolio=_portfolio(portfolio_id),
        symbol=signal.subject.symbol,
        value=signal.figure,
        threshold=signal.threshold,
        message=signal.message,
        severity=_SEVERITY_NUMBERS[signal.severity],
        group=signal.subject.group,
        measure=signal.subject.measure,
        lot_id=signal.subject.lot_id,
        phase=_PHASES[signal.phase],
        since_time=timestamp_to_proto(signal.since),
        dedupe_key=signal.dedupe_key,
        result=result,
    )
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def told_alarm_from_bytes(portfolio: str, payload: bytes) -> ToldAlarm:
    """A stored signal of a portfolio, by the name that the monitor has for it."""
    message = WatchEventsResponse.Signal.FromString(payload)
    subject = Subject(message.symbol, message.group, message.measure, message.lot_id)
    is_raised = message.phase == WatchEventsResponse.Signal.PHASE_RAISED
    return ToldAlarm(
        portfolio,
        EVENT_KINDS[message.kind],
        subject,
        message.threshold,
        Phase.RAISED if is_raised else Phase.CLEARED,
        message.since_time.ToMicroseconds(),
    )


def stale_result_to_bytes(result: StaleResult, portfolio_id: str) -> bytes:
    """The signal that a stored result is stale; of a portfolio where it is that of a mandate."""
    message = WatchEventsResponse.Signal(
        kind=_KIND_NUMBERS[EventKind.RESULT_STALE],
        portfolio=_portfolio(portfolio_id),
        message=stale_message(result),
        severity=_SEVERITY_NUMBERS[Severity.WARNING],
        phase=_PHASES[Phase.RAISED],
        since_time=timestamp_to_proto(result.since),
        dedupe_key=stale_key(result),
        result=result.name,
    )
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def stale_message(result: StaleResult) -> str:
    """For people."""
    return f"Prices or corporate actions that {result.name} was computed from have been corrected since."


def stale_key(result: StaleResult) -> str:
    """The same for the same result and correction, however often it is noticed."""
    return f"stale-{result.name}-{result.since}"


def recomputation_to_bytes(done: Recomputation, outcome: str | Exception, log_id: str = "") -> bytes:
    """How a recomputation ended: the name of its result, or an error.

    The log has an error that no recomputation should cause under `log_id`.
    """
    message = WatchEventsResponse.Recomputation(
        portfolio=_portfolio(done.portfolio),
        signal_sequence=done.signal_sequence,
        action=_ACTIONS[done.action],
        causes=done.causes,
    )
    if isinstance(outcome, str):
        message.result = outcome
    else:
        message.error.CopyFrom(_status(outcome, log_id))
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def signal_message(payload: bytes) -> str:
    """What a stored signal says to people."""
    message: str = WatchEventsResponse.Signal.FromString(payload).message
    return message


def message_of(error: Exception, log_id: str = "") -> str:
    """What an error says to people; nothing of one that no recomputation should cause."""
    message: str = _status(error, log_id).message
    return message


def notification_to_proto(record: NotificationRecord) -> Notification:
    """A stored notification."""
    message = Notification(
        name=NAME + record.id,
        kind=_KIND_NUMBERS[record.kind],
        severity=_SEVERITY_NUMBERS[record.severity],
        portfolio=_portfolio(record.portfolio),
        symbol=record.symbol,
        message=record.message,
        state=_STATE_NUMBERS[record.state],
        attempt_count=record.attempts,
        last_error=record.last_error,
        signal_sequence=record.signal_sequence,
        create_time=timestamp_to_proto(record.created),
    )
    if record.acknowledged is not None:
        message.acknowledge_time.CopyFrom(timestamp_to_proto(record.acknowledged))
    return message


def notification_to_bytes(record: NotificationRecord) -> bytes:
    """A stored notification as the event log keeps it."""
    encoded: bytes = notification_to_proto(record).SerializeToString(deterministic=True)
    return encoded


def event_to_proto(event: StoredEvent, epoch: str) -> WatchEventsResponse:
    """An event of the log as a stream sends it."""
    draft = event.draft
    response = WatchEventsResponse(sequence=event.sequence, epoch=epoch, event_time=timestamp_to_proto(draft.time))
    match draft.type:
        case EventType.SIGNAL:
            response.signal.MergeFromString(draft.payload)
        case EventType.RECOMPUTATION:
            response.recomputation.MergeFromString(draft.payload)
        case EventType.NOTIFICATION:
            response.notification.MergeFromString(draft.payload)
    return response


def timestamp_to_proto(time: int) -> Timestamp:
    """A time in microseconds since 1970-01-01."""
    message = Timestamp()
    message.FromMicroseconds(time)
    return message


def _portfolio(portfolio_id: str) -> str:
    return PORTFOLIO + portfolio_id if portfolio_id else ""


def _status(error: Exception, log_id: str) -> Status:
    if isinstance(error, Refused):
        return Status.FromString(error.status)
    return status_from_error(error) or internal_error(log_id)
