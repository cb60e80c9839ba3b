"""Lines of the server's log about notifications; with what else the line has, a collector can act on them."""

from domain.monitoring.signals import EventKind, Severity
from server.observability import logger
from server.ports.events import EventDraft, NotificationRecord, NotificationState


def log_notified(event: EventDraft) -> None:
    """That somebody is told of a signal; of an event with a notification."""
    if event.notify is None:
        return
    fields = _fields(event.owner, event.portfolio, event.symbol, event.kind, event.severity)
    logger.info("notification", extra={**fields, "text": event.notify.message, "event": event.dedupe_key})


def log_attempt(record: NotificationRecord) -> None:
    """How an attempt to deliver a notification ended."""
    fields = _fields(record.owner, record.portfolio, record.symbol, record.kind, record.severity)
    more = {"notification": record.id, "state": record.state, "attempts": record.attempts}
    if record.state is NotificationState.DELIVERED:
        logger.info("a notification is delivered", extra={**fields, **more})
    else:
        given_up = record.state is NotificationState.FAILED
        said = "a notification cannot be delivered" if given_up else "a notification was not delivered yet"
        logger.warning(said, extra={**fields, **more, "why": record.last_error})


def _fields(owner: str, portfolio: str, symbol: str, kind: EventKind, severity: Severity) -> dict[str, str]:
    return {
        "owner": owner,
        "portfolio": portfolio,
        "symbol": symbol,
        "kind": kind.value,
        "severity": severity.name,
    }
