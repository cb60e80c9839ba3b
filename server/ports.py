"""What the services need from the outside, as protocols; `bootstrap` chooses who answers.

Every method is asynchronous: a store may be a file on this machine or a database far away.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import MissingMarketData
from domain.market_data.panel import Panel, PricePanel
from domain.warnings import ResultWarning


class NotFound(Exception):
    """Nothing is stored under that name."""

    def __init__(self, kind: str, name: str, text: str = "") -> None:
        super().__init__(text or f"there is no {kind} {name}")
        self.kind = kind
        self.name = name


class RequestIdReused(Exception):
    """An id that belongs to another request."""

    def __init__(self, field: str, request_id: str) -> None:
        super().__init__(f"{request_id!r} was used before, with another content")
        self.field = field
        self.request_id = request_id


class Overloaded(Exception):
    """There is more work than can be done in time; later it may go."""


class StorageFull(Exception):
    """There is no room to store more; the message says what to delete."""


class StorageUnavailable(Exception):
    """The store cannot be used now: it is busy, unreadable or damaged."""


class JobTimeBudgetExceeded(Exception):
    """A job has run for longer than any job may."""


class Draining(Exception):
    """The server is about to stop: it takes no new calls, and ends those that are not over in time."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down")


class StreamIdle(Exception):
    """A caller opened a stream and sent nothing for too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no message came for {seconds:g} s; open the stream when there is something to send")


class WorkerDied(Exception):
    """The process of a worker is gone, though the server did not end it."""

    def __init__(self, message: str = "the worker process died; the request may need too much memory") -> None:
        super().__init__(message)  # told to the worker that answers instead, so it must survive pickling


class Refused(Exception):
    """An error that a worker has written down as a google.rpc.Status already."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status)
        self.status = status


class PriceField(StrEnum):
    """A figure of a trading day."""

    CLOSE = "CLOSE"
    OPEN = "OPEN"
    HIGH = "HIGH"
    LOW = "LOW"
    VOLUME = "VOLUME"


@dataclass(frozen=True, slots=True)
class PriceSelection:
    """Stored prices as a request names them: symbols, or all instruments with a label."""

    symbols: tuple[str, ...] = ()
    universe: str | None = None  # "kind=name"
    start: int | None = None  # first day since 1970-01-01, inclusive
    end: int | None = None  # last day, inclusive
    field: PriceField = PriceField.CLOSE
    symbols_path: str = dataclasses.field(default="symbols", compare=False)  # in the request, of what names the symbols

    @property
    def path(self) -> str:
        """Of the whole selection; of the naming field itself where that is no part of a MarketDataSelection."""
        return self.symbols_path.removesuffix(".symbols").removesuffix(".universe")

    def under(self, prefix: str) -> "PriceSelection":
        """The same selection with its field seen from one level further out."""
        return dataclasses.replace(self, symbols_path=f"{prefix}.{self.symbols_path}")


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """Stored prices as a store is asked for them."""

    symbols: tuple[str, ...]
    start: int | None = None
    end: int | None = None
    field: PriceField = PriceField.CLOSE


@dataclass(frozen=True, slots=True)
class StoredPanel:
    """A panel of stored prices over a read-only file that other processes can open too."""

    panel: PricePanel
    path: Path  # values as .npy, (T, N)
    fingerprint: str  # names the content
    seal: "Seal | None" = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file of values was when it was verified, so that a later reader can see that it still is."""

    sha256: str  # of the whole file
    inode: int
    size: int
    mtime_ns: int


def open_values(path: Path, seal: Seal | None) -> NDArray[np.float64]:
    """Maps a file of values, (T, N). Raises MissingMarketData where it was removed or changed since it was sealed."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            known = seal is None or (seal.inode, seal.size, seal.mtime_ns) == (
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
            )
            if not known and seal is not None and hashlib.file_digest(file, "sha256").hexdigest() != seal.sha256:
                raise MissingMarketData("the stored panel was changed while it was in use; try again")
        values: NDArray[np.float64] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        raise MissingMarketData("the stored panel was removed while it was in use; try again") from None
    return values


@dataclass(frozen=True, slots=True)
class PriceImport:
    """Everything of one import; NaN carries no value and overwrites none."""

    import_id: str
    field: PriceField
    source: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What an import changed, in values."""

    import_id: str
    inserted: int
    changed: int
    unchanged: int
    symbols: int


class TradableState(StrEnum):
    """Whether an asset can be traded."""

    TRADABLE = "TRADABLE"
    HALTED = "HALTED"
    DELISTED = "DELISTED"
    NOT_LISTED = "NOT_LISTED"


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is known about an asset beside its prices."""

    symbol: str
    display_name: str = ""
    currency: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    lot_size: float | None = None
    state: TradableState = TradableState.TRADABLE
    has_prices: bool = False


@dataclass(frozen=True, slots=True)
class InstrumentPage:
    """Instruments by symbol; `next_token` is empty at the end."""

    instruments: tuple[Instrument, ...]
    next_token: str


class ImportSession(Protocol):
    """An import under way. Nothing of it is visible before `finish`, and everything after."""

    async def add(self, panel: Panel) -> None:
        """Stages a panel. Raises StorageFull, and StorageUnavailable where the import was idle for too long."""
        ...

    async def finish(self, value_count: int) -> ImportReceipt:
        """Makes the import visible, all of it or nothing.

        Raises InvalidInput where another number of values has come or a day has two, and RequestIdReused.
        """
        ...

    async def abandon(self) -> None:
        """Drops what was staged."""
        ...


class MarketDataStore(Protocol):
    """Prices and instruments."""

    async def begin_import(self, import_id: str, field: PriceField, source: str) -> ImportSession:
        """An import in parts. The same import again gives the first receipt."""
        ...

    async def import_prices(self, prices: PriceImport) -> ImportReceipt:
        """Stores all of it or nothing. The same import again gives the first receipt.

        Raises RequestIdReused where the id belongs to another content.
        """
        ...

    async def prices(self, query: PriceQuery) -> StoredPanel:
        """The panel over all dates on which any symbol has a value; NaN where one has none.

        Raises MissingMarketData for unknown symbols, with `field` "symbols", and for a range without any value. Only
        the service knows which field of the request named them.
        """
        ...

    async def list_instruments(self, after: str, limit: int, group: str | None) -> InstrumentPage:
        """Instruments whose symbol comes after `after`, or those among them with a label "kind=name"."""
        ...

    async def instruments(self, symbols: Sequence[str]) -> Mapping[str, Instrument]:
        """Those of the symbols that are stored."""
        ...

    async def having(self, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
        """Those of the symbols that have values of a field."""
        ...

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments, replacing those with the same symbol."""
        ...


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list shows; empty shows everything."""

    label: str = ""
    subject: str = ""  # of answers
    state: "JobState | None" = None  # of jobs
    created_from: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive


EVERYTHING = ListFilter()


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A stored answer."""

    id: str
    created: datetime  # UTC
    request_id: str | None
    payload: bytes  # the response as a converter wrote it; empty in a list where there is a summary
    input_fingerprint: str
    label: str = ""
    summary: bytes = b""  # what a list shows of it, as a converter wrote it


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """An answer before it is stored."""

    payload: bytes
    input_fingerprint: str
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    subject: str = ""  # what it is about, such as a portfolio
    id: str | None = None  # the caller's choice
    label: str = ""
    summary: bytes = b""  # what a list shows of it; without one a list reads the payload


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """Answers, newest first; `next_token` is empty at the end."""

    records: tuple[AnswerRecord, ...]
    next_token: str


class AnswerStore(Protocol):
    """Answers of one kind."""

    async def find(self, request_id: str, body: bytes) -> AnswerRecord | None:
        """The answer this request was given before. Raises RequestIdReused where the id belongs to another body."""
        ...

    async def save(self, draft: AnswerDraft) -> AnswerRecord:
        """Stores an answer; of two with one request id the first is kept and returned to both.

        Raises RequestIdReused, AlreadyExists for an id that is taken, StorageFull.
        """
        ...

    async def get(self, answer_id: str) -> AnswerRecord:
        """One answer. Raises NotFound."""
        ...

    async def list(self, token: str, limit: int, filters: ListFilter = EVERYTHING) -> AnswerPage:
        """A page of answers. Raises InvalidInput for a token that is not of this list with these filters."""
        ...

    async def delete(self, answer_id: str) -> None:
        """Removes an answer. Raises NotFound."""
        ...


class AlreadyExists(Exception):
    """Something is stored under that name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{name} exists already: take another id for this {kind}, or read the one that is there")
        self.kind = kind
        self.name = name


class EtagMismatch(Exception):
    """What was read is not what is stored now."""

    def __init__(self, message: str, etag: str) -> None:
        super().__init__(message)
        self.etag = etag  # of what is stored now


@dataclass(frozen=True, slots=True)
class PortfolioDraft:
    """A portfolio before it is stored."""

    payload: bytes  # as a converter wrote it
    body: bytes  # hash of the request without its id
    id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class PortfolioRecord:
    """A stored portfolio."""

    id: str
    payload: bytes
    etag: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class PortfolioPage:
    """Portfolios by id; `next_token` is empty at the end."""

    records: tuple[PortfolioRecord, ...]
    next_token: str


class PortfolioStore(Protocol):
    """Portfolios, each change knowing what it changes."""

    async def create(self, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a portfolio. Raises AlreadyExists, RequestIdReused."""
        ...

    async def get(self, portfolio_id: str) -> PortfolioRecord:
        """One portfolio. Raises NotFound."""
        ...

    async def list(self, after: str, limit: int, prefix: str = "") -> PortfolioPage:
        """Portfolios whose id comes after `after` and begins with a prefix."""
        ...

    async def update(self, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]) -> PortfolioRecord:
        """Changes the payload in one transaction. Raises NotFound, EtagMismatch, and what `change` raises."""
        ...

    async def delete(self, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio, any version where the etag is empty. Raises NotFound, EtagMismatch."""
        ...


class StillRunning(Exception):
    """A job that is not over cannot be deleted."""


class EpochChanged(Exception):
    """The event log that a sequence belongs to is not this one."""

    def __init__(self, message: str, epoch: str) -> None:
        super().__init__(message)
        self.epoch = epoch  # of this log


class EventsCompacted(Exception):
    """Events after a resume point are no longer retained."""

    def __init__(self, oldest_sequence: int) -> None:
        super().__init__(f"events before {oldest_sequence} are no longer retained; follow from 0")
        self.oldest_sequence = oldest_sequence


class LostClaim(Exception):
    """A job belongs to another worker by now, or is over: what this one did no longer counts."""


class JobState(StrEnum):
    """Where a job stands; the last three absorb."""

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
    FINISHED = "FINISHED"


@dataclass(frozen=True, slots=True)
class Stage:
    """One strategy of a job, benchmarks included, among all of them."""

    label: str
    index: int  # from 0
    count: int


@dataclass(frozen=True, slots=True)
class JobNews:
    """Something worth keeping, before it has its place in the log."""

    kind: EventKind
    message: str
    day: int | None = None  # in the simulation, since 1970-01-01
    reason: str = ""
    stage: Stage | None = None  # the strategy it is about


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job; numbers count from 1."""

    number: int
    time: datetime  # UTC
    news: JobNews


@dataclass(frozen=True, slots=True)
class JobTick:
    """How far a job is."""

    fraction: float
    day: int
    wealth: float
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
    owner: str = ""  # who shares the workers with others: a key of the caller
    cost_estimate: float = 0.0  # seconds it may run; 0 where nobody knows


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job without its data."""

    id: str
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
    owner: str = ""
    cost_estimate: float = 0.0  # seconds, 0 where nobody knows
    run_seconds: float = 0.0  # in all attempts so far
    result: bytes | None = None
    error: bytes | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; `next_token` is empty at the end."""

    records: tuple[JobRecord, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker has, until its lease runs out or somebody takes it."""

    record: JobRecord
    checkpoint: bytes | None
    parts: tuple[bytes, ...]
    waited_seconds: float = 0.0  # since it was stored or given back


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How jobs share the workers."""

    short_seconds: float = 60.0  # a job that is expected to run for longer is long
    slice_seconds: float = 30.0  # a long job runs so long before it makes room for others that wait
    max_queued: int = 1000  # waiting jobs of an owner
    max_job_seconds: float = 0.0  # a job may run for so long in all; 0 sets no limit


def expected_seconds(cost_estimate: float, run_seconds: float, fraction: float) -> float:
    """How long a job runs in all: by its pace once it has run for a second, by its estimate before.

    Without a pace a job that has run for t s is taken for one of 10 t s, so that an unknown one becomes a long one.
    """
    if fraction > 0.0 and run_seconds >= 1.0:
        return run_seconds / fraction
    return max(cost_estimate, 10.0 * run_seconds)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """The job of an owner that has waited longest, among the short ones or among the long ones."""

    id: str
    owner: str
    is_long: bool
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs that wait, at most two of each owner and those of workers that are gone, and how many run by owner."""

    waiting: tuple[WaitingJob, ...]
    running: Mapping[str, int]

    def best(self, policy: QueuePolicy) -> WaitingJob | None:
        """The job to run next.

        Owners that run fewer jobs go first, then short jobs and those that have waited for ten slices, then those
        that have waited longest.
        """

        def rank(job: WaitingJob) -> tuple[int, bool, float]:
            later = job.is_long and job.waited_seconds < 10.0 * policy.slice_seconds
            return self.running.get(job.owner, 0), later, -job.waited_seconds

        return min(self.waiting, key=rank, default=None)

    def after_yielding(self, job: WaitingJob) -> "Queue":
        """The queue if a job that runs were given back."""
        running = {**self.running, job.owner: self.running.get(job.owner, 1) - 1}
        return Queue((*self.waiting, job), running)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended."""

    state: JobState
    result: bytes | None = None
    error: bytes | None = None
    series: Sequence[tuple[str, bytes]] = ()  # label and record of each strategy


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its followers see it."""

    record: JobRecord
    events: tuple[JobEvent, ...]


class BacktestStore(Protocol):
    """Jobs that outlive the calls that start them, and the process that runs them.

    Whoever writes to a running job names its worker and attempt; methods raise LostClaim where those are not the
    current ones.
    """

    async def enqueue(self, draft: JobDraft) -> JobRecord:
        """Stores a job with its data; of two with one request id the first is kept.

        Raises RequestIdReused, AlreadyExists for an id that is taken, Overloaded where its owner has too many jobs
        that wait, StorageFull.
        """
        ...

    async def find(self, request_id: str, body: bytes) -> JobRecord | None:
        """The job this request started before. Raises RequestIdReused."""
        ...

    async def get(self, job_id: str) -> JobRecord:
        """One job. Raises NotFound."""
        ...

    async def list(self, token: str, limit: int, filters: ListFilter = EVERYTHING) -> JobPage:
        """A page of jobs without their results.

        Raises InvalidInput for a token that is not of this list with these filters.
        """
        ...

    async def delete(self, job_id: str) -> None:
        """Removes a job with all it has. Raises NotFound, StillRunning."""
        ...

    async def view(self, job_id: str, after: int) -> JobView:
        """A job with its retained events after a number. Raises NotFound."""
        ...

    async def cancel(self, job_id: str) -> JobView:
        """Ends a job that is not over; the events are those this added. Raises NotFound."""
        ...

    async def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """A job that nobody has, queued or with a worker that is gone or lets its lease run out.

        Owners that run fewer jobs go first, then short jobs, then those that have waited longest.
        """
        ...

    async def queue(self, worker: str) -> Queue:
        """What waits and what runs."""
        ...

    async def heartbeat(
        self, worker: str, jobs: Sequence[str], lease_seconds: float, ticks: Mapping[str, JobTick]
    ) -> frozenset[str]:
        """Renews the leases of jobs that a worker runs and says how far they are; those it still has.

        A job of its own that it does not name runs nowhere: its lease ends, and somebody claims it again.
        """
        ...

    async def save(
        self, claim: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, news: Sequence[JobNews]
    ) -> tuple[JobEvent, ...]:
        """Keeps where a job stands with what happened, in one transaction."""
        ...

    async def finish(self, claim: JobRecord, end: JobEnd, news: Sequence[JobNews]) -> tuple[JobEvent, ...]:
        """Ends a job, with a last event."""
        ...

    async def compact(self, claim: JobRecord, count: int, part: bytes) -> None:
        """Puts one part in the place of the first `count` parts of a job."""
        ...

    async def release(self, claim: JobRecord, *, crashed: bool, yielded: bool = False) -> None:
        """Gives a job back to whoever claims it next; it waits behind those that wait already.

        `yielded` says that it made room for others, which is no event of its log.
        """
        ...

    async def panel(self, name: str) -> StoredPanel:
        """Data of a job over a file that any process can open."""
        ...

    async def series(self, job_id: str, label: str) -> tuple[str, bytes]:
        """Label and record of a strategy, the first one where the label is empty. Raises NotFound."""
        ...
