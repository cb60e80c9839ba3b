"""The stores of jobs, which outlive the calls that start them and the process that runs them.

One implementation may be all of them; each user depends on the one it needs.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.records import dataclass
from server.ports.decisions import DecisionStore
from server.ports.job_queue import QueueSnapshot
from server.ports.jobs import Claim, JobDraft, JobEnd, JobEvent, JobEventDraft, JobPage, JobRecord, JobTick, JobView
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.panels import StoredPanel
from server.ports.scope import Scope
from server.ports.tried_trials import TriedTrials


class JobArchive(Protocol):
    """Jobs as their owners see them, while they run and afterwards. Another owner's is as if it was not there."""

    async def find(self, owner: str, request_id: str, body: bytes) -> JobRecord | None:
        """The job this request started before. Raises RequestIdReused."""
        ...

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """One job. Raises NotFound."""
        ...

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> JobPage:
        """A page of jobs without their results.

        Raises InvalidInput for a token that is not of this list with these filters.
        """
        ...

    async def delete(self, owner: str, job_id: str) -> None:
        """Removes a job with all it has. Raises NotFound, StillRunning."""
        ...

    async def series(self, owner: str, job_id: str, label: str) -> tuple[str, bytes]:
        """Label and record of a strategy, the first one where the label is empty. Raises NotFound."""
        ...


class JobQueue(Protocol):
    """Jobs of everybody that wait for a worker, and who runs them.

    Whoever gives a job back names its worker and attempt by the record it has claimed.
    """

    async def enqueue(self, owner: str, draft: JobDraft) -> JobRecord:
        """Stores a job with its data; of two with one request id the first is kept.

        Raises RequestIdReused, AlreadyExists for an id that is taken, QuotaExceeded where its caller has too many
        jobs that wait, StorageFull.
        """
        ...

    async def cancel(self, owner: str, job_id: str) -> JobView:
        """Ends a job that is not over; the events are those this added. Raises NotFound."""
        ...

    async def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """A job that nobody has, queued or with a worker that is gone or lets its lease run out.

        Callers that run fewer jobs go first, then short jobs, then those that have waited longest. A caller that runs
        as many as the policy allows gets none.
        """
        ...

    async def queue(self, worker: str) -> QueueSnapshot:
        """What waits and what runs."""
        ...

    async def heartbeat(
        self, worker: str, jobs: Sequence[int], lease_seconds: float, ticks: Mapping[int, JobTick]
    ) -> frozenset[int]:
        """Renews the leases of jobs, by their keys, that a worker runs and says how far they are; those it still has.

        A job of its own that it does not name runs nowhere: its lease ends, and somebody claims it again.
        """
        ...

    async def release(self, claim: JobRecord, *, crashed: bool, yielded: bool = False) -> None:
        """Gives a job back to whoever claims it next; it waits behind those that wait already.

        `yielded` says that it made room for others, which is no event of its log.
        """
        ...


class JobLog(Protocol):
    """What happens to a job: written by the worker that runs it, read by its followers.

    Writers name their worker and attempt by the record they have claimed; methods raise LostClaim where those are no
    longer the current ones.
    """

    async def view(self, key: int, after: int) -> JobView:
        """A job with its retained events after a number. Raises NotFound.

        Whoever asks for somebody else has the key from `JobArchive.get`, which tells whose the job is.
        """
        ...

    async def save(
        self, claim: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, events: Sequence[JobEventDraft]
    ) -> tuple[JobEvent, ...]:
        """Keeps where a job stands with what happened, in one transaction."""
        ...

    async def parts(self, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
        """Parts of the output of a job after a number, with their numbers, some at once; empty at the end.

        A sweep has them until it succeeds, another job until it is over. Whoever asks for somebody else has the key
        from `JobArchive.get`.
        """
        ...

    async def compact(self, claim: JobRecord, count: int, part: bytes, skipped: int = 0) -> None:
        """Puts one part, with the number of the last, in the place of `count` parts of a job after `skipped` others."""
        ...

    async def finish(self, claim: JobRecord, end: JobEnd, events: Sequence[JobEventDraft]) -> tuple[JobEvent, ...]:
        """Ends a job, with a last event."""
        ...


class JobInputStore(Protocol):
    """The data of jobs."""

    async def panel(self, name: str) -> StoredPanel:
        """Data of a job over a file that any process can open."""
        ...


@dataclass(frozen=True, slots=True)
class JobStores:
    """All stores of jobs, for what runs them."""

    archive: JobArchive
    queue: JobQueue
    log: JobLog
    inputs: JobInputStore
    decisions: DecisionStore | None = None  # None where the backend keeps none: remote strategies do not decide
    tried: TriedTrials | None = None  # None where the backend does not count: sweeps know of themselves alone
