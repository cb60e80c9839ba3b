"""Settings of the audit log, from texts."""

import math

from server.identity_settings import Value, Wrong
from server.ports.audit import AuditRetention

LEAST_EVENTS, MOST_EVENTS = 1_000, 1_000_000_000
MOST_DAYS = 36_500.0


def audit_from(value: Value, wrong: Wrong) -> AuditRetention:
    """How long the audit log is kept; 0 sets no limit. Raises what `wrong` raises."""
    days, events = value("audit_days"), value("audit_events")
    if not (days == "0" or 1.0 <= _number(days) <= MOST_DAYS):
        wrong("audit_days", f"must be 0 or a number from 1 to {MOST_DAYS:g}, is {days!r}")
    if not (events == "0" or (events.isascii() and events.isdigit() and LEAST_EVENTS <= int(events) <= MOST_EVENTS)):
        wrong("audit_events", f"must be 0 or a whole number from {LEAST_EVENTS} to {MOST_EVENTS}, is {events!r}")
    return AuditRetention(float(days), int(events))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
