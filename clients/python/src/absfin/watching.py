"""Follows a stream that resumes: after a broken connection or a restart of the server, after its last sequence number.

Of the progress of a job events are received at once, however slowly the caller reads them: only the latest tick is
kept, and all milestones in order. Of the log of events no more is received than the caller will soon read.
"""

import random
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

import grpc
from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest, BacktestProgressResponse
from google.protobuf.duration_pb2 import Duration

from absfin.choices import plain_name
from absfin.errors import AbsFinanceError, error_from_call
from absfin.results import optional_figure

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 2.0

_RESUMED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}


@dataclass(frozen=True, slots=True)
class SweepStanding:
    """How many trials of a sweep are over, and the best of them."""

    finished_count: int
    failed_count: int
    trial_count: int
    best_label: str  # empty while no trial has a score
    best_score: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Progress of a backtest, or of a sweep."""

    fraction: float
    date: date | None  # last simulated date
    nav: float | None
    eta_seconds: float | None
    time: datetime  # UTC, when the server sent it
    sweep: SweepStanding | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """An event that is never left out: stage, rebalance, rebalance_failed, warning or resumed.

    Of a sweep: trial_failed, best_trial, warning or resumed.
    """

    kind: str
    message: str
    date: date | None
    reason: str
    time: datetime  # UTC, when it was stored
    benefit_annual: float | None = None  # of a rebalance by the cost-benefit trigger, as the next one
    cost_annual: float | None = None
    sequence: int = field(default=0, compare=False)  # place in the log of the job: increases, with gaps
    epoch: str = field(default="", compare=False)  # the log that `sequence` belongs to


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a job: succeeded, failed or cancelled. `error` says why there is no result."""

    state: str
    error: str


News = Tick | Milestone | Finished
N = TypeVar("N")


class Resuming(ABC, Generic[N]):
    """State of a stream that resumes: where, and what was not read yet. Both clients share it."""

    def __init__(self, patience: float, after: int = 0, epoch: str = "") -> None:
        self._patience = patience
        self._after = after  # highest sequence number received, after which the next attempt resumes
        self._epoch = epoch
        self._wait = FIRST_WAIT_SECONDS
        self._answered = False  # whether this attempt has brought anything
        self._heard = time.monotonic()
        self.error: AbsFinanceError | None = None

    @property
    def over(self) -> bool:
        """Whether the stream has ended for good."""
        return self.error is not None

    @property
    def has_room(self) -> bool:
        """Whether more may be received before the caller has read."""
        return True

    def has_been_read(self) -> None:
        """There is room again: the time that the caller took to read is not silence of the server."""
        self._heard = time.monotonic()

    @abstractmethod
    def request(self) -> Any:
        """The request that resumes the stream."""

    @abstractmethod
    def take(self, notice: Any) -> None:
        """Stores what was received."""

    @abstractmethod
    def next(self) -> N | None:
        """What the caller gets next; None if there is nothing yet."""

    def is_last(self, news: N) -> bool:
        """Whether nothing follows."""
        return False

    def pause(self, failure: grpc.RpcError | None) -> float:
        """Seconds to wait before the next attempt; sets `error` where another attempt cannot help."""
        if failure is not None:
            error = error_from_call(failure)
            answered, self._answered = self._answered, False
            if error.reason == "TOKEN_EXPIRED" and answered:
                pass  # the token of this attempt has ended while it was read; the next one takes a new token
            elif error.code not in _RESUMED or time.monotonic() - self._heard > self._patience:
                self.error = error
                return 0.0
        self._wait, now = min(self._wait * 2.0, LONGEST_WAIT_SECONDS), self._wait
        return now * random.uniform(0.5, 1.0)  # noqa: S311  # spreads the attempts of many clients

    def _heard_of(self, epoch: str) -> None:
        """The server has answered."""
        self._answered = True
        self._heard, self._wait = time.monotonic(), FIRST_WAIT_SECONDS
        self._epoch = epoch


class Follower(Resuming[News]):
    """The progress of a job."""

    def __init__(self, name: str, min_interval: float, patience: float, after: int = 0, epoch: str = "") -> None:
        super().__init__(patience, after, epoch)
        self._name = name
        self._interval = Duration()
        self._interval.FromNanoseconds(round(min_interval * 1e9))
        self._milestones: deque[Milestone] = deque()
        self._tick: Tick | None = None
        self._finished: Finished | None = None

    @property
    def over(self) -> bool:
        """Whether the stream has ended for good."""
        return self._finished is not None or self.error is not None

    def request(self) -> BacktestProgressRequest:
        """The request that resumes the stream."""
        return BacktestProgressRequest(
            backtest=self._name, after_sequence=self._after, epoch=self._epoch, min_interval=self._interval
        )

    def take(self, notice: BacktestProgressResponse) -> None:
        """Stores an event for the caller."""
        self._heard_of(notice.epoch)
        kind = notice.WhichOneof("event")
        if kind == "snapshot":
            if notice.snapshot.HasField("tick"):
                self._tick = _tick(notice.snapshot.tick, notice)
            return
        if notice.sequence <= self._after:
            return  # received before
        self._after = notice.sequence
        if kind == "tick":
            self._tick = _tick(notice.tick, notice)
        elif kind == "milestone":
            self._milestones.append(_milestone(notice))
        elif kind == "finished":
            state = plain_name(BacktestState, notice.finished.state)
            self._finished = Finished(state, notice.finished.error.message)

    def next(self) -> News | None:
        """The next event: milestones in order, then the latest tick, then the end. None if there is none yet."""
        if self._milestones:
            return self._milestones.popleft()
        if self._finished is not None:
            return self._finished
        tick, self._tick = self._tick, None
        return tick

    def is_last(self, news: News) -> bool:
        """Whether it is the end of the job."""
        return isinstance(news, Finished)


def _tick(tick: Any, notice: BacktestProgressResponse) -> Tick:
    return Tick(
        tick.fraction,
        _date(tick, "simulated_date"),
        tick.nav if tick.HasField("nav") else None,
        tick.eta.ToTimedelta().total_seconds() if tick.HasField("eta") else None,
        notice.event_time.ToDatetime(UTC),
        _standing(tick) if tick.HasField("sweep") else None,
    )


def _standing(tick: Any) -> SweepStanding:
    found = tick.sweep
    score = optional_figure(found, "best_score")
    return SweepStanding(found.finished_count, found.failed_count, tick.stage_count, found.best_label, score)


def _milestone(notice: BacktestProgressResponse) -> Milestone:
    milestone = notice.milestone
    kind = plain_name(BacktestProgressResponse.Milestone.Kind, milestone.kind)
    day = _date(milestone, "simulated_date")
    return Milestone(
        kind,
        milestone.message,
        day,
        milestone.reason,
        notice.event_time.ToDatetime(UTC),
        optional_figure(milestone, "benefit_annual"),
        optional_figure(milestone, "cost_annual"),
        notice.sequence,
        notice.epoch,
    )


def _date(message: Any, name: str) -> date | None:
    if not message.HasField(name):
        return None
    value = getattr(message, name)
    return date(value.year, value.month, value.day)
