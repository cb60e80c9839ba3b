"""The log of events: signals, recomputations and notifications, as they happen."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from absfinance.v1.event_service_pb2 import Notification, WatchEventsRequest, WatchEventsResponse
from absfinance.v1.portfolio_pb2 import EventKind as EventKindProto
from absfinance.v1.portfolio_pb2 import Severity as SeverityProto

from absfin.choices import EventKind, Severity, choice
from absfin.watching import Resuming

MOST_UNREAD = 1000
"""Events that are received before the caller reads them; the server keeps the others."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. With `sequence` and `epoch` a later `watch_events` goes on after it."""

    sequence: int
    epoch: str
    time: datetime  # UTC
    content: WatchEventsResponse.Signal | WatchEventsResponse.Recomputation | Notification
    proto: WatchEventsResponse = field(repr=False)

    @property
    def type(self) -> str:
        """signal, recomputation or notification."""
        return str(self.proto.WhichOneof("event"))

    @property
    def message(self) -> str:
        """Explanation for people; of a recomputation the name of its result, or why there is none."""
        if isinstance(self.content, WatchEventsResponse.Recomputation):
            return self.content.result or self.content.error.message
        return self.content.message


class EventFollower(Resuming[Event]):
    """The log of events."""

    def __init__(
        self,
        portfolios: Iterable[str],
        kinds: Iterable[EventKind],
        min_severity: Severity,
        after: int,
        epoch: str,
        patience: float,
    ) -> None:
        """Raises UnknownChoice."""
        super().__init__(patience, after, epoch)
        self._portfolios = list(portfolios)
        self._kinds = [choice(EventKindProto, "kinds", kind) for kind in kinds]
        self._min_severity = choice(SeverityProto, "min_severity", min_severity)
        self._unread: deque[Event] = deque()

    @property
    def has_room(self) -> bool:
        """Whether more may be received before the caller has read."""
        return len(self._unread) < MOST_UNREAD

    def request(self) -> WatchEventsRequest:
        """The request that resumes the stream."""
        return WatchEventsRequest(
            portfolios=self._portfolios,
            kinds=self._kinds,
            min_severity=self._min_severity,
            after_sequence=self._after,
            epoch=self._epoch,
        )

    def take(self, notice: WatchEventsResponse) -> None:
        """Stores an event for the caller."""
        self._heard_of(notice.epoch)
        member = notice.WhichOneof("event")
        if member == "snapshot" or notice.sequence <= self._after:
            return
        self._after = notice.sequence  # of a heartbeat too: nothing before it is missing
        if member is not None and member != "heartbeat":
            moment = notice.event_time.ToDatetime(UTC)
            self._unread.append(Event(notice.sequence, notice.epoch, moment, getattr(notice, member), notice))

    def next(self) -> Event | None:
        """The next event; None if there is none yet."""
        return self._unread.popleft() if self._unread else None
