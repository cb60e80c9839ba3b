"""Pages that are ordered by a sequence, newest first: their tokens, and what a list shows."""

import hashlib
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from domain.errors import InvalidInput
from server.ports.list_filter import ListFilter
from server.storage.embedded.reallocation_states import STATE

MAX_DIGITS = 18
HASH_DIGITS = 16

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CONDITIONS = {
    "before": "sequence < :before",
    "label": "label = :label",
    "subject": "subject = :subject",
    "state": "state = :state",
    "result_state": f"{STATE} = :result_state",
    "created_from": "created_micros >= :created_from",
    "created_before": "created_micros < :created_before",
}


def token_of(sequence: int, kind: str, filters: ListFilter) -> str:
    """The token of the page that ends before a sequence."""
    return f"{sequence}.{_hash_of(kind, filters)}"


def sequence_of(token: str, kind: str, filters: ListFilter) -> int | None:
    """The sequence a page ends before, None for the first page.

    Raises InvalidInput for a token that is not ours, or that belongs to another list or other filters.
    """
    if not token:
        return None
    digits, _, hashed = token.partition(".")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS and len(hashed) == HASH_DIGITS):
        raise InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")
    if hashed != _hash_of(kind, filters):
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    return int(digits)


def condition_of(before: int | None, filters: ListFilter) -> tuple[str, dict[str, object]]:
    """A condition on rows for WHERE, of what is set alone so that an index can serve it, and its parameters."""
    values: dict[str, object] = {
        "before": before,
        "label": filters.label or None,
        "subject": filters.subject or None,
        "state": filters.state,
        "result_state": filters.result_state or None,
        "created_from": None if filters.created_from is None else micros_of(filters.created_from),
        "created_before": None if filters.created_before is None else micros_of(filters.created_before),
    }
    given = {name: value for name, value in values.items() if value is not None}
    return " AND ".join(_CONDITIONS[name] for name in given) or "TRUE", given


def micros_of(time: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (time - EPOCH) // timedelta(microseconds=1)


def time_of(micros: int) -> datetime:
    """The time that lies so many microseconds after 1970 UTC, exactly."""
    return EPOCH + timedelta(microseconds=micros)


def _hash_of(kind: str, filters: ListFilter) -> str:
    return hashlib.sha256(repr((kind, *astuple(filters))).encode()).hexdigest()[:HASH_DIGITS]
