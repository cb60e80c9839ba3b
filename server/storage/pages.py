"""Tokens of the pages of lists, of every store: by time, newest first, or by id.

Rows of one time are by their ids. A token has those two and no number of a row, which would tell an owner how much
others store.
"""

import hashlib
import re
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from domain.errors import InvalidInput
from domain.records import dataclass
from server.ports.events import NotificationFilter
from server.ports.list_filter import ListFilter
from server.ports.scope import Scope

MAX_DIGITS = 18
HASH_DIGITS = 16

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LAST_MICROS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""The end of the year 9999, as late as a row can be."""

_DIGITS = rf"(\d{{1,{MAX_DIGITS}}})"
_TOKEN = re.compile(rf"{_DIGITS}\.([A-Za-z0-9_-]{{1,64}})\.{_DIGITS}\.([0-9a-f]{{{HASH_DIGITS}}})", re.ASCII)
_PLACE_TOKEN = re.compile(rf"([A-Za-z0-9_-]{{1,64}})\.([0-9a-f]{{{HASH_DIGITS}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """A row in the order of a list. The key tells apart what two owners stored under one id at one time."""

    micros: int
    id: str
    key: int = 0  # 0 in the list of one owner, where time and id say all


def token_of(position: Position, kind: str, scope: Scope, filters: ListFilter | NotificationFilter) -> str:
    """The token of the page that follows a row."""
    key = position.key if scope.everyone else 0
    return f"{position.micros}.{position.id}.{key}.{hash_of(kind, scope, *astuple(filters))}"


def position_of(token: str, kind: str, scope: Scope, filters: ListFilter | NotificationFilter) -> Position | None:
    """The row a page follows, None for the first page.

    Raises InvalidInput for a token that is not ours, or that belongs to another list, other filters or another owner.
    """
    if not token:
        return None
    parts = _TOKEN.fullmatch(token)
    if parts is None or int(parts[1]) > LAST_MICROS:
        raise foreign_token()
    if parts[4] != hash_of(kind, scope, *astuple(filters)):
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    return Position(int(parts[1]), parts[2], int(parts[3]))


def foreign_token() -> InvalidInput:
    """The refusal of a token that was never given out."""
    return InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")


def place_token(place: str, kind: str, scope: Scope) -> str:
    """The token of the page that follows a row in a list that is by id, or by key where everybody's are listed."""
    return f"{place}.{hash_of(kind, scope)}"


def place_of(token: str, kind: str, scope: Scope) -> str:
    """The id that a page follows, or the key where everybody's are listed; empty for the first page.

    Raises InvalidInput for a token that is not ours, or that belongs to another list or another owner.
    """
    if not token:
        return ""
    parts = _PLACE_TOKEN.fullmatch(token)
    if parts is None or parts[2] != hash_of(kind, scope):
        raise foreign_token()
    if scope.everyone and not (parts[1].isdigit() and len(parts[1]) <= MAX_DIGITS):
        raise foreign_token()
    return parts[1]


def micros_of(time: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (time - EPOCH) // timedelta(microseconds=1)


def time_of(micros: int) -> datetime:
    """The time that lies so many microseconds after 1970 UTC, exactly."""
    return EPOCH + timedelta(microseconds=micros)


def hash_of(kind: str, scope: Scope, *filters: object) -> str:
    """What binds a token to a list: of what, whose, and with which filters."""
    whose = None if scope.everyone else scope.owner
    return hashlib.sha256(repr((kind, whose, *filters)).encode()).hexdigest()[:HASH_DIGITS]
