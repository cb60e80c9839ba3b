"""Jobs: what they are made of, how far they are and how they end."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from domain.market_data.corporate_actions import CorporateAction
from domain.market_data.panel import Panel
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.ports.used_data import UsedData

BACKTESTS = "backtests/"
SWEEPS = "sweeps/"
"""A sweep is a job whose id is its whole resource name, which no id of a backtest can be: ids have no slash."""

SWEEP_REQUESTS = SWEEPS.ljust(129, "/")
"""Stands before the request id of a sweep, which is another one than that of a backtest: with it the id is longer than
any that a caller may send."""


def is_sweep(job_id: str) -> bool:
    """Whether the id of a job is that of a sweep."""
    return job_id.startswith(SWEEPS)


def resource_name(job_id: str) -> str:
    """The name of a job on the wire."""
    return job_id if is_sweep(job_id) else BACKTESTS + job_id


def kind_of(job_id: str) -> str:
    """What a job is called where it is not there."""
    return "sweep" if is_sweep(job_id) else "backtest"


class JobState(StrEnum):
    """State of a job; the last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class EventKind(StrEnum):
    """What a job's log holds."""

    STAGE = "STAGE"
    REBALANCE_FAILED = "REBALANCE_FAILED"
    WARNING = "WARNING"
    RESUMED = "RESUMED"
    REBALANCE = "REBALANCE"
    TRIAL_FAILED = "TRIAL_FAILED"
    BEST_TRIAL = "BEST_TRIAL"
    FINISHED = "FINISHED"


@dataclass(frozen=True, slots=True)
class Stage:
    """One strategy of a job, benchmarks included, among all of them."""

    label: str
    index: int  # from 0
    count: int


@dataclass(frozen=True, slots=True)
class Weighing:
    """Why a trade was worth its cost: both figures per year, of the variance of tracking and of net asset value."""

    benefit_annual: float
    cost_annual: float


@dataclass(frozen=True, slots=True)
class JobEventDraft:
    """An event of a job before it has its number in the log."""

    kind: EventKind
    message: str
    day: int | None = None  # in the simulation, since 1970-01-01
    reason: str = ""
    stage: Stage | None = None  # the strategy it is about
    weighing: Weighing | None = None  # of a REBALANCE


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job; numbers count from 1."""

    number: int
    time: datetime  # UTC
    content: JobEventDraft


@dataclass(frozen=True, slots=True)
class JobTick:
    """How far a job is.

    Of a backtest: the day that is reached and the net asset value on it. Of a sweep: the number of trials that failed
    and the best score so far, of which `stage` is the trial; without a best one that score is 0, the label of `stage`
    is empty and its index that of no trial, -1.
    """

    fraction: float
    day_or_failed_count: int
    nav_or_best_score: float
    stage: Stage | None = None  # the strategy that is simulated
    # Days and net asset values of that strategy since the tick before, thinned where there are many; not stored.
    points: tuple[tuple[int, float], ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class JobInputs:
    """What the draft of a job found: the names of its stored data, the groups its constraints name, warnings."""

    data: str
    kind: str  # "prices" or "returns"
    benchmarks: Mapping[str, str] = field(default_factory=dict)  # symbol -> name
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[ResultWarning, ...] = ()  # about what was asked
    opens: str | None = None  # name of the opening prices
    actions: tuple[CorporateAction, ...] = ()  # stored ones that take effect; a list of jobs leaves them out
    volumes: str | None = None  # name of the volumes that an impact depends on
    earlier: str | None = None  # name of closing prices before the data, likewise
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # "kind=name" of instruments, to attribute by
    sets: Sequence["JobInputs"] = ()  # of a sweep: what its trials run on, each once
    set_of: tuple[int, ...] = ()  # which of these each trial has; empty where there is one
    trial_count: int = 0  # of a sweep


@dataclass(frozen=True, slots=True)
class JobDraft:
    """A job before it is stored, with its data."""

    request: bytes  # as a converter wrote it, without data
    body: bytes  # hash of the request without its id
    label: str
    fingerprint: str
    inputs: JobInputs
    panels: Mapping[str, Panel]  # by the names in inputs
    request_id: str | None = None
    id: str | None = None  # the caller's choice
    caller: str = ""  # who shares the workers with others
    cost_estimate: float = 0.0  # seconds it may run; 0 where nobody knows
    used: UsedData | None = None  # None where it uses nothing stored
    traceparent: str = ""  # of the call that makes it; empty where that is not traced


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job without its data."""

    key: int  # tells jobs of all owners apart
    owner: str
    id: str  # tells those of an owner apart
    state: JobState
    label: str
    epoch: str
    request: bytes
    inputs: JobInputs
    fingerprint: str
    created: datetime
    finished: datetime | None
    tick: JobTick | None
    last_event: int
    dropped_event: int  # events up to this one are no longer retained
    attempt: int
    crashes: int  # worker processes that died of it, as far as is known
    worker: str | None
    request_id: str | None = None
    caller: str = ""  # who shares the workers with others
    cost_estimate: float = 0.0  # seconds, 0 where nobody knows
    run_seconds: float = 0.0  # in all attempts so far
    result: bytes | None = None
    error: bytes | None = None
    stale_since: datetime | None = None  # UTC; when stored data that it uses was corrected first
    traceparent: str = ""  # of the call that made it; empty where that was not traced

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep."""
        return is_sweep(self.id)

    @property
    def sent_request_id(self) -> str:
        """The id of the request as the caller sent it; empty where there was none."""
        return (self.request_id or "").removeprefix(SWEEP_REQUESTS)

    @property
    def kind(self) -> str:
        """What it is called where it is not there."""
        return kind_of(self.id)

    @property
    def name(self) -> str:
        """Its name on the wire."""
        return resource_name(self.id)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; `next_token` is empty at the end."""

    records: tuple[JobRecord, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker has, until its lease runs out or somebody takes it.

    Parts of its output are read from its log, page by page: by then its lease is kept.
    """

    record: JobRecord
    checkpoint: bytes | None
    waited_seconds: float = 0.0  # since it was stored or given back


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended."""

    state: JobState
    result: bytes | None = None
    error: bytes | None = None
    series: Sequence[tuple[str, bytes]] = ()  # label and record of each strategy
    tick: JobTick | None = None  # how far it came; if None, that stays what was recorded last


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its followers see it."""

    record: JobRecord
    events: tuple[JobEvent, ...]
