"""Pages by time, newest first: their tokens, and what a list shows.

Rows of one time are by their ids. A token has those two and no number of a row, which would tell an owner how much
others store.
"""

import hashlib
import re
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from domain.errors import InvalidInput
from server.ports.list_filter import ListFilter
from server.ports.scope import Scope
from server.storage.embedded.reallocation_states import STATE

MAX_DIGITS = 18
HASH_DIGITS = 16

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ORDER = "created_micros DESC, id DESC, key DESC"

_DIGITS = rf"(\d{{1,{MAX_DIGITS}}})"
_TOKEN = re.compile(rf"{_DIGITS}\.([A-Za-z0-9_-]{{1,64}})\.{_DIGITS}\.([0-9a-f]{{{HASH_DIGITS}}})", re.ASCII)

_CONDITIONS = {
    "owner": "owner = :owner",
    "label": "label = :label",
    "subject": "subject = :subject",
    "state": "state = :state",
    "result_state": f"{STATE} = :result_state",
    "created_from": "created_micros >= :created_from",
    "created_before": "created_micros < :created_before",
}


@dataclass(frozen=True, slots=True)
class Position:
    """A row in the order of a list. The key tells apart what two owners stored under one id at one time."""

    micros: int
    id: str
    key: int = 0  # 0 in the list of one owner, where time and id say all


def token_of(position: Position, kind: str, scope: Scope, filters: ListFilter) -> str:
    """The token of the page that follows a row."""
    key = position.key if scope.everyone else 0
    return f"{position.micros}.{position.id}.{key}.{hash_of(kind, scope, *astuple(filters))}"


def position_of(token: str, kind: str, scope: Scope, filters: ListFilter) -> Position | None:
    """The row a page follows, None for the first page.

    Raises InvalidInput for a token that is not ours, or that belongs to another list, other filters or another owner.
    """
    if not token:
        return None
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise foreign_token()
    if parts[4] != hash_of(kind, scope, *astuple(filters)):
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    return Position(int(parts[1]), parts[2], int(parts[3]))


def foreign_token() -> InvalidInput:
    """The refusal of a token that was never given out."""
    return InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")


def condition_of(after: Position | None, scope: Scope, filters: ListFilter) -> tuple[str, dict[str, object]]:
    """A condition on rows for WHERE, of what is set alone so that an index can serve it, and its parameters."""
    values: dict[str, object] = {
        "owner": None if scope.everyone else scope.owner,
        "label": filters.label or None,
        "subject": filters.subject or None,
        "state": filters.state,
        "result_state": filters.result_state or None,
        "created_from": None if filters.created_from is None else micros_of(filters.created_from),
        "created_before": None if filters.created_before is None else micros_of(filters.created_before),
    }
    given = {name: value for name, value in values.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in given]
    if after is not None:
        conditions.append("(created_micros, id, key) < (:after_micros, :after_id, :after_key)")
        given |= {"after_micros": after.micros, "after_id": after.id, "after_key": after.key}
    return " AND ".join(conditions) or "TRUE", given


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
