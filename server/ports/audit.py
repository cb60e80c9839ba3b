"""The audit log: who called what, on what, and how it ended. Nothing in it is ever changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.records import dataclass
from server.ports.scope import Scope


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A call that ended, or a stream that has begun to answer. It has names alone, nothing else of what was sent."""

    owner: str  # whose things the call could change; empty where nobody knows who called
    caller: str  # the key that was used, else the owner
    method: str  # "absfinance.v1.PortfolioService/UpdatePortfolio"; empty where nobody knows who called
    resource: str  # "portfolios/main"; empty where the call concerns none
    code: str  # name of the status code; empty for a stream that has begun
    reason: str  # of a failure
    call_id: str
    time: datetime
    count: int = 1  # of calls that are alike


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A stored event."""

    sequence: int  # in the log of its owner, from 1 without gaps
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What a list shows; empty shows everything."""

    caller: str = ""
    method: str = ""
    resource: str = ""
    since: datetime | None = None  # inclusive
    before: datetime | None = None  # exclusive


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first; the token is empty at the end."""

    records: tuple[AuditRecord, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class AuditRetention:
    """How long events stay: neither older than so many days nor more than so many; 0 sets no limit."""

    days: float = 365.0
    events: int = 1_000_000


class AuditStore(Protocol):
    """Keeps the audit log."""

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Stores events in their order, all or none. Raises StorageFull, StorageUnavailable."""
        ...

    async def list(self, scope: Scope, token: str, limit: int, filters: AuditFilter) -> AuditPage:
        """A page of events, newest first. Raises InvalidInput for a token of another list."""
        ...
