"""Following a backtest: the wire is drained as fast as it comes, whatever the reader's own pace.

Of ticks only the latest is kept; milestones are all kept, in order. When the connection breaks, the server drains or
starts again, following goes on from the last sequence by itself.
"""

import random
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import grpc
from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest, BacktestProgressResponse
from google.protobuf.duration_pb2 import Duration

from absfin.choices import plain_name
from absfin.errors import AbsFinanceError, error_from_call

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 2.0

_RESUMED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Tick:
    """How far a backtest is."""

    fraction: float
    date: date | None  # the simulation has reached
    nav: float | None
    eta_seconds: float | None
    time: datetime  # UTC, when the server said so


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something worth keeping: stage, rebalance_failed, warning or resumed."""

    kind: str
    message: str
    date: date | None
    reason: str
    time: datetime  # UTC, when it was stored


@dataclass(frozen=True, slots=True)
class Finished:
    """The end: succeeded, failed or cancelled. `error` says why there is no result."""

    state: str
    error: str


News = Tick | Milestone | Finished


class Follower:
    """Where a reader is, and what waits for him; the same for both twins."""

    def __init__(self, name: str, min_interval: float, patience: float) -> None:
        self._name = name
        self._interval = Duration()
        self._interval.FromNanoseconds(round(min_interval * 1e9))
        self._patience = patience
        self._after = 0  # where the next attempt goes on
        self._seen = 0  # the highest sequence that was taken
        self._epoch = ""
        self._wait = FIRST_WAIT_SECONDS
        self._heard = time.monotonic()
        self._milestones: deque[Milestone] = deque()
        self._tick: Tick | None = None
        self._finished: Finished | None = None
        self.error: AbsFinanceError | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come over the wire."""
        return self._finished is not None or self.error is not None

    def request(self) -> BacktestProgressRequest:
        """Goes on from where this is."""
        return BacktestProgressRequest(
            backtest=self._name, after_sequence=self._after, epoch=self._epoch, min_interval=self._interval
        )

    def take(self, notice: BacktestProgressResponse) -> None:
        """Keeps what a reader wants."""
        self._heard, self._wait = time.monotonic(), FIRST_WAIT_SECONDS
        self._epoch = notice.epoch
        kind = notice.WhichOneof("event")
        if kind == "snapshot":
            if notice.snapshot.HasField("tick"):
                self._tick = _tick(notice.snapshot.tick, notice)
            return
        if notice.sequence <= self._seen:
            return  # taken before the log was followed from its start again
        self._after = self._seen = notice.sequence
        if kind == "tick":
            self._tick = _tick(notice.tick, notice)
        elif kind == "milestone":
            self._milestones.append(_milestone(notice))
        elif kind == "finished":
            state = plain_name(BacktestState, notice.finished.state)
            self._finished = Finished(state, notice.finished.error.message)

    def pause(self, failure: grpc.RpcError | None) -> float:
        """Seconds to wait before the next attempt; sets `error` where another attempt cannot help."""
        if failure is not None:
            error = error_from_call(failure)
            if error.reason == "EVENTS_COMPACTED":
                self._after = 0  # what is retained comes again, and what was taken is left out
            elif error.reason == "EPOCH_CHANGED":
                self._after, self._seen, self._epoch = 0, 0, ""
            elif error.code not in _RESUMED or time.monotonic() - self._heard > self._patience:
                self.error = error
                return 0.0
        self._wait, now = min(self._wait * 2.0, LONGEST_WAIT_SECONDS), self._wait
        return now * random.uniform(0.5, 1.0)  # noqa: S311  # only so that many clients do not come at once

    def next(self) -> News | None:
        """What a reader gets now: milestones in order, then the latest tick, then the end. None to wait."""
        if self._milestones:
            return self._milestones.popleft()
        if self._finished is not None:
            return self._finished
        tick, self._tick = self._tick, None
        return tick


def _tick(tick: Any, notice: BacktestProgressResponse) -> Tick:
    return Tick(
        tick.fraction,
        _date(tick, "simulated_date"),
        tick.nav if tick.HasField("nav") else None,
        tick.eta.ToTimedelta().total_seconds() if tick.HasField("eta") else None,
        notice.event_time.ToDatetime(UTC),
    )


def _milestone(notice: BacktestProgressResponse) -> Milestone:
    milestone = notice.milestone
    kind = plain_name(BacktestProgressResponse.Milestone.Kind, milestone.kind)
    day = _date(milestone, "simulated_date")
    return Milestone(kind, milestone.message, day, milestone.reason, notice.event_time.ToDatetime(UTC))


def _date(message: Any, name: str) -> date | None:
    if not message.HasField(name):
        return None
    value = getattr(message, name)
    return date(value.year, value.month, value.day)
