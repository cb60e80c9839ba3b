"""Events that callers watch, notifications, and what recomputations leave: the results of listening to changes."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Severity
from domain.records import dataclass
from server.ports.scope import Scope


class EventType(StrEnum):
    """Which member of WatchEventsResponse an event is."""

    SIGNAL = "SIGNAL"
    RECOMPUTATION = "RECOMPUTATION"
    NOTIFICATION = "NOTIFICATION"


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it has its number."""

    type: EventType
    owner: str
    time: int  # microseconds since 1970-01-01
    kind: EventKind
    severity: Severity
    dedupe_key: str  # of an owner each is stored once
    payload: bytes  # the member of WatchEventsResponse, as a converter wrote it
    portfolio: str = ""  # its id; empty where it concerns none
    symbol: str = ""
    notify: "NotificationDraft | None" = None  # a notification that is stored with it


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the log."""

    sequence: int  # increases strictly; gaps are allowed
    draft: EventDraft  # without `notify`


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What a caller watches; empty is everything."""

    portfolios: frozenset[str] = frozenset()  # ids
    kinds: frozenset[EventKind] = frozenset()
    min_severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and where the log stands."""

    events: tuple[StoredEvent, ...]
    oldest: int  # lowest sequence that is retained, of everybody; newest + 1 where none is
    newest: int  # highest sequence that was given out, of everybody, also where it was removed since; 0 where none was
    epoch: str
    scanned: int  # all events up to this sequence have been looked at: where to go on


class EventLog(Protocol):
    """The log of events of everybody, each seen by its owner."""

    async def since(self, scope: Scope, after: int, limit: int, filters: EventFilter) -> EventPage:
        """Events after a sequence that an owner watches.

        None that becomes visible later comes before one that was returned. The caller compares `after` with `oldest`,
        and its own epoch with that of the page.
        """
        ...

    async def append(self, drafts: Sequence[EventDraft]) -> tuple[StoredEvent, ...]:
        """Stores events with their notifications in one transaction; those that are new by their keys."""
        ...


class NotificationState(StrEnum):
    """How far the delivery of a notification is."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    ACKNOWLEDGED = "ACKNOWLEDGED"


@dataclass(frozen=True, slots=True)
class NotificationDraft:
    """A notification before it is stored; what it is about is said by its event."""

    message: str
    deliver: bool  # to webhooks; without, it is DELIVERED as it is stored


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """A stored notification."""

    owner: str
    id: str
    kind: EventKind
    severity: Severity
    portfolio: str
    symbol: str
    message: str
    state: NotificationState
    attempts: int
    last_error: str
    signal_sequence: int
    created: int  # microseconds since 1970-01-01
    acknowledged: int | None
    next_attempt: int | None  # when it is delivered next; None where it is not


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications a list shows; empty is everything."""

    portfolio: str = ""
    state: NotificationState | None = None
    min_severity: Severity = Severity.INFO
    created_from: int | None = None  # microseconds, inclusive
    created_before: int | None = None


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Notifications, newest first; `next_token` is empty at the end."""

    records: tuple[NotificationRecord, ...]
    next_token: str


class NotificationStore(Protocol):
    """Notifications. Another owner's is as if it was not there."""

    async def list(self, scope: Scope, token: str, limit: int, filters: NotificationFilter) -> NotificationPage:
        """A page. Raises InvalidInput for a token that is not of this list with these filters."""
        ...

    async def get(self, owner: str, notification_id: str) -> NotificationRecord:
        """One notification. Raises NotFound."""
        ...

    async def acknowledge(self, owner: str, notification_id: str, event: EventDraft) -> NotificationRecord:
        """Marks it as seen, with an event the first time. Raises NotFound."""
        ...

    async def redeliver(self, owner: str, notification_id: str, now: int) -> NotificationRecord:
        """Puts it back to be delivered from `now` on, with no attempt made. Raises NotFound.

        That it was acknowledged stays.
        """
        ...

    async def claim_due(
        self, worker: str, now: int, lease_seconds: float, limit: int
    ) -> tuple[NotificationRecord, ...]:
        """Those whose delivery is due and that nobody else has in hand; they are this worker's for the lease."""
        ...

    async def attempted(
        self, worker: str, record: NotificationRecord, error: str, next_attempt: int | None, event: EventDraft | None
    ) -> bool:
        """Says how an attempt ended, with an event where the state is now final.

        It is delivered where there is no error, and has failed where there is one and no next attempt. False, and
        nothing is stored, where the worker no longer has it.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecomputationDraft:
    """An action that a mandate wants, for causes that none has answered yet."""

    owner: str
    portfolio: str  # its id
    action: Action
    causes: tuple[str, ...]
    signal_sequence: int = 0  # of the first cause that is a stored signal
    signal_key: str = ""  # its dedupe key, from which the store finds the sequence


@dataclass(frozen=True, slots=True)
class Recomputation:
    """A recomputation that is to be done, in the hands of one worker."""

    key: int  # tells them all apart; also makes the request id of what it stores
    owner: str
    portfolio: str
    action: Action
    causes: tuple[str, ...]
    signal_sequence: int
    created: int  # microseconds since 1970-01-01
    attempt: int  # from 1


class RecomputationQueue(Protocol):
    """Recomputations, each done once however many servers share the work and whoever dies."""

    async def enqueue(self, drafts: Sequence[RecomputationDraft]) -> int:
        """Stores those with causes that no earlier one of the portfolio and action has; how many.

        Of a draft whose causes are known in part, the others are kept. Where one of the same portfolio and action waits
        that nobody has claimed, the causes are added to it instead: a burst is one recomputation.
        """
        ...

    async def claim(self, worker: str, lease_seconds: float) -> Recomputation | None:
        """The oldest that nobody has, or whose lease has run out; never two of one portfolio and action at once."""
        ...

    async def renew(self, worker: str, claims: Sequence[Recomputation], lease_seconds: float) -> frozenset[int]:
        """Renews the leases of those a worker runs, by key; those that it still has."""
        ...

    async def finish(self, worker: str, claim: Recomputation, event: EventDraft) -> bool:
        """Ends one with its event, in one transaction. False, and nothing is stored, where the worker lost it."""
        ...

    async def release(self, worker: str, claim: Recomputation, delay_seconds: float) -> None:
        """Gives one back, to be claimed again after a while."""
        ...


@dataclass(frozen=True, slots=True)
class ListenerClaim:
    """The one server that listens, and since when: a later claim has a higher number."""

    worker: str
    number: int


@dataclass(frozen=True, slots=True)
class ListenerState:
    """Where the listener stood when it last stored its state."""

    cursor: str  # empty where it never did
    state: bytes  # as the listener wrote it; empty where it never did


class ListenerStore(Protocol):
    """Of one listener for all servers of a store: who it is, and where it stands."""

    async def claim(self, worker: str, lease_seconds: float) -> ListenerClaim | None:
        """Makes this worker the listener, or renews its claim; None while another one is."""
        ...

    async def load(self) -> ListenerState:
        """What was stored last."""
        ...

    async def cursor(self) -> str:
        """Where the listener stood when it last stored its state; empty where it never did."""
        ...

    async def store(self, claim: ListenerClaim, state: ListenerState) -> bool:
        """Stores where the listener stands; False, and nothing is stored, where it is no longer this one."""
        ...

    async def record(
        self, claim: ListenerClaim, events: Sequence[EventDraft], recomputations: Sequence[RecomputationDraft]
    ) -> tuple[StoredEvent, ...] | None:
        """Stores what was noticed and what it starts, in one transaction; the events that are new by their keys.

        None, and nothing is stored, where the listener is no longer this one.
        """
        ...

    async def release(self, claim: ListenerClaim) -> None:
        """Lets another one listen at once."""
        ...


@dataclass(frozen=True, slots=True)
class EventStores:
    """All stores of events, for what listens and what tells."""

    log: EventLog
    notifications: NotificationStore
    recomputations: RecomputationQueue
    listener: ListenerStore
