"""Tokens of the pages of the audit log: a place in it, which for one owner is their own number."""

from dataclasses import astuple

from server.ports.audit import AuditFilter
from server.ports.scope import Scope
from server.storage.pages import MAX_DIGITS, foreign_token, hash_of

KIND = "auditEvent"


def token_of_place(place: int, scope: Scope, filters: AuditFilter) -> str:
    """The token of the page that follows an event."""
    return f"{place}.{hash_of(KIND, scope, *astuple(filters))}"


def place_of_token(token: str, scope: Scope, filters: AuditFilter) -> int | None:
    """The place that a page follows, None for the first page.

    Raises InvalidInput for a token that is not ours, or that belongs to another list, other filters or another owner.
    """
    if not token:
        return None
    place, _, hashed = token.partition(".")
    known = place.isascii() and place.isdigit() and len(place) <= MAX_DIGITS
    if not known or hashed != hash_of(KIND, scope, *astuple(filters)):
        raise foreign_token()
    return int(place)
