"""Stored results of Optimize and Reallocate, and the store that has them."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.records import dataclass
from server.ports.audit import AuditEvent
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.scope import Scope
from server.ports.used_data import UsedData


class ResultState(StrEnum):
    """What has become of a stored reallocation."""

    CURRENT = "CURRENT"
    PARTLY_FILLED = "PARTLY_FILLED"
    FILLED = "FILLED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A stored result."""

    owner: str
    id: str
    created: datetime  # UTC
    request_id: str | None
    payload: bytes  # the response as a converter wrote it; empty in a list where there is a summary
    input_fingerprint: str
    label: str = ""
    summary: bytes = b""  # what a list shows of it, as a converter wrote it
    state: ResultState = ResultState.CURRENT  # of a reallocation
    superseded: datetime | None = None  # UTC
    superseded_by: str = ""  # id of a later reallocation; empty for none
    stale_since: datetime | None = None  # UTC; when stored data that it used was corrected first


@dataclass(frozen=True, slots=True)
class ResultDraft:
    """A result before it is stored."""

    payload: bytes
    input_fingerprint: str
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    subject: str = ""  # what it is about, such as a portfolio
    id: str | None = None  # the caller's choice
    label: str = ""
    summary: bytes = b""  # what a list shows of it; without one a list reads the payload
    subject_digest: bytes = b""  # SHA-256 of the content of the portfolio it was planned for; empty for none
    used: UsedData | None = None  # None where it used nothing stored


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Results, newest first; `next_token` is empty at the end."""

    records: tuple[StoredResult, ...]
    next_token: str


EventOf = Callable[[str], AuditEvent]
"""The audit event of the call that stores an answer, by the answer's id."""


class ResultStore(Protocol):
    """The stored results of one service. Another owner's is as if it was not there."""

    async def find(self, owner: str, request_id: str, body: bytes) -> StoredResult | None:
        """The answer this request was given before. Raises RequestIdReused where the id belongs to another body."""
        ...

    async def save(self, owner: str, draft: ResultDraft) -> StoredResult:
        """Stores an answer; of two with one request id the first is kept and returned to both.

        A reallocation supersedes the earlier ones of its portfolio, and is superseded itself where that has changed
        since it was planned.
        Raises RequestIdReused, AlreadyExists for an id that is taken, StorageFull.
        """
        ...

    def save_at_once(self, owner: str, draft: ResultDraft, audit: EventOf | None = None) -> StoredResult | None:
        """As `save`, in the thread that calls, which is not the event loop's; None where `save` would wait.

        Together with the audit event that `audit` makes of the answer's id.
        """
        ...

    async def get(self, owner: str, answer_id: str) -> StoredResult:
        """One answer. Raises NotFound."""
        ...

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> ResultPage:
        """A page of answers. Raises InvalidInput for a token that is not of this list with these filters."""
        ...

    async def delete(self, owner: str, answer_id: str) -> None:
        """Removes an answer. Raises NotFound."""
        ...
