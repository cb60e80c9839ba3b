"""Claims jobs that nobody runs, keeps their leases, and brings them to an end.

Long jobs make room: where every place is taken and a shorter job or one of another owner waits, a long one is given
back at its next checkpoint and goes on from there later. With two places or more, one of them is only lent to long
jobs: there a short job waits for no checkpoint for longer than `LENT_SECONDS`. A sweep begins no more trials instead:
its place is free once the first of those that run is over, and none is lost.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import field, replace
from functools import partial

from domain.errors import Cancelled, DomainError, SolverFailed
from domain.records import dataclass
from server import tracing
from server.execution.executor import JobExecutor
from server.jobs.backtest_run import EncodedBacktest
from server.jobs.checkpoint_writer import CheckpointWriter, Yielded, until_stored, while_writing
from server.jobs.progress import Progress
from server.jobs.stored_job import stored_backtest, stored_job
from server.jobs.sweep_count import SweepCount
from server.jobs.sweep_run import SweepOutput, SweepRoom, SweepRun, SweepTasks
from server.observability import logger, request_id
from server.ports.errors import (
    ClusterLost,
    JobTimeBudgetExceeded,
    LostClaim,
    MemoryLimitExceeded,
    NotFound,
    Refused,
    StorageFull,
    StorageUnavailable,
    WorkerDied,
)
from server.ports.job_queue import QueuePolicy, WaitingJob, expected_seconds
from server.ports.job_stores import JobStores
from server.ports.jobs import Claim, JobEnd, JobRecord, JobState, JobView, is_sweep

LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 0.5
"""How often leases are renewed and the store learns how far jobs are, for those who follow them on other servers."""

LOOK_SECONDS = 1.0  # how often jobs are looked for that no submission of this process announces

MAX_CRASHES = 3
LEAST_SECONDS = 1.0  # a long job runs at least so long before it makes room for a short one

LENT_SECONDS = 3.0
POLICY = QueuePolicy()


@dataclass(slots=True)
class Run:
    """A job that runs here."""

    claim: Claim
    writer: CheckpointWriter
    protected: bool  # it has waited for long, so that it keeps its whole slice
    started: float = field(default_factory=time.monotonic)
    task: asyncio.Task[None] | None = None
    stop: Exception | None = None  # why this process stopped it
    yielding_since: float | None = None
    for_short: bool = False  # what it makes room for
    sweep: SweepRun | None = None  # where it is one, once its data is there

    @property
    def seconds(self) -> float:
        """Since it was claimed."""
        return time.monotonic() - self.started

    @property
    def seconds_in_all(self) -> float:
        """In all attempts."""
        return self.claim.record.run_seconds + self.seconds

    @property
    def has_freed(self) -> bool:
        """Whether it makes room and another job can begin before it has ended."""
        return self.sweep is not None and self.sweep.has_freed

    def make_room(self, *, for_short: bool) -> None:
        """Gives it back where little is lost: a backtest at its next checkpoint, a sweep between trials."""
        self.yielding_since, self.for_short = time.monotonic(), for_short
        if self.sweep is not None:
            self.sweep.make_room()
        elif not self.claim.record.is_sweep:
            self.writer.yield_at_next()

    def end(self, why: Exception | None) -> None:
        """Stops it where it is."""
        self.stop = why
        if self.task is not None:
            self.task.cancel()


class Runner:
    """Runs as many jobs at once as there are worker processes for them.

    `slots` is that number, or tells it: a cluster grows and shrinks, and has none while it cannot be reached.
    `run` is the task of a worker, `sweep` has those for a sweep, and `encode_error` writes an error of the server's
    own, such as a spent time budget, as the store keeps it. They are arguments because tasks and converters are layers
    above jobs: they read its records.
    """

    def __init__(
        self,
        stores: JobStores,
        progress: Progress,
        pool: JobExecutor,
        worker: str,
        slots: int | Callable[[], int],
        *,
        run: Callable[..., EncodedBacktest],
        sweep: SweepTasks,
        encode_error: Callable[[Exception], bytes],
        policy: QueuePolicy = POLICY,
    ) -> None:
        self._stores = stores
        self._progress = progress
        self.pool = pool
        self._worker = worker
        self._slots_now = slots if callable(slots) else lambda: slots
        self._run_backtest = run
        self._sweep = sweep
        self._encode_error = encode_error
        self._policy = policy
        self._running: dict[int, Run] = {}
        self._wake = asyncio.Event()
        self._draining = False
        self._loops: list[asyncio.Task[None]] = []
        self.ended: Counter[str] = Counter({"SUCCEEDED": 0, "FAILED": 0})  # by the state in which they ended here

    @property
    def running(self) -> int:
        """Jobs that run here."""
        return len(self._running)

    @property
    def _slots(self) -> int:
        return self._slots_now()

    @property
    def _has_place(self) -> bool:
        return sum(not run.has_freed for run in self._running.values()) < self._slots

    def start(self) -> None:
        """Begins to look for jobs."""
        self._loops = [asyncio.create_task(self._claiming()), asyncio.create_task(self._beating())]

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    def drain(self) -> None:
        """From now on no job begins here; those that run go on until `close`."""
        self._draining = True

    async def cancel(self, owner: str, job_id: str) -> JobRecord:
        """Ends a job; the processor it had is free a moment later. Raises NotFound."""
        view: JobView = await self._stores.queue.cancel(owner, job_id)
        await self._progress.refresh(view.record.key)
        self._stop(view.record.key)
        return view.record

    async def close(self, grace_seconds: float) -> None:
        """Gives running jobs back; another process, or this one after a restart, goes on with them."""
        tasks = [*self._loops, *(run.task for run in self._running.values() if run.task is not None)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        await self.pool.close(grace_seconds)

    def _stop(self, key: int) -> None:
        run = self._running.get(key)
        if run is not None:
            run.end(None)

    async def _claiming(self) -> None:
        while True:
            self._wake.clear()
            try:
                while self._has_place and not self._draining:
                    claim = await self._stores.queue.claim(self._worker, LEASE_SECONDS)
                    if claim is None:
                        break
                    self._begin(claim)
                await self._make_room()
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("jobs could not be claimed", extra={"why": str(error)})
            except Exception:
                logger.exception("jobs could not be claimed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    def _begin(self, claim: Claim) -> None:
        protected = claim.waited_seconds >= 10.0 * self._policy.slice_seconds
        run = Run(claim, CheckpointWriter(self._stores.log, self._progress, claim.record), protected)
        self._running[claim.record.key] = run
        run.task = asyncio.create_task(self._run(run))
        run.task.add_done_callback(partial(self._done, run))

    async def _make_room(self) -> None:
        """Where all places are taken, asks one long job to make room for a job that would be next."""
        yielding = [run for run in self._running.values() if run.yielding_since is not None]
        for run in yielding:
            late = time.monotonic() - (run.yielding_since or 0.0) > LENT_SECONDS
            if late and run.for_short and self._slots > 1 and run.stop is None and not run.claim.record.is_sweep:
                run.end(Yielded())
        if any(not run.has_freed for run in yielding) or self._has_place:
            return
        queue = await self._stores.queue.queue(self._worker)
        if not queue.waiting:
            return
        # The one that has run least is in the place that is lent; those that have run longest take turns.
        others = (run for run in self._running.values() if run.yielding_since is None)
        runs = sorted(others, key=lambda run: run.seconds)
        for run in runs if self._slots > 1 else ():
            if self._yields(run, queue.after_yielding(self._as_waiting(run)).best(self._policy), to_short=True):
                return
        for run in reversed(runs):
            if self._yields(run, queue.after_yielding(self._as_waiting(run)).best(self._policy), to_short=False):
                return

    def _yields(self, run: Run, best: WaitingJob | None, *, to_short: bool) -> bool:
        """Asks a long job to make room where another one would be next and it has run for long enough."""
        if best is None or best.key == run.claim.record.key or not self._as_waiting(run).is_long:
            return False
        for_short = not best.is_long and not run.protected
        if (to_short and not for_short) or run.seconds < (LEAST_SECONDS if for_short else self._policy.slice_seconds):
            return False
        run.make_room(for_short=for_short)
        return True

    def _as_waiting(self, run: Run) -> WaitingJob:
        record = run.claim.record
        tick = self._progress.ticks().get(record.key, record.tick)
        expected = expected_seconds(record.cost_estimate, run.seconds_in_all, tick.fraction if tick else 0.0)
        return WaitingJob(record.key, record.caller, expected > self._policy.short_seconds, 0.0)

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            running = list(self._running)
            if not running:
                continue
            self._end_those_over_budget()
            try:
                held = await self._stores.queue.heartbeat(self._worker, running, LEASE_SECONDS, self._progress.ticks())
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("leases could not be renewed", extra={"why": str(error)})
                continue
            except Exception:
                logger.exception("leases could not be renewed")
                continue
            for key in set(running) - held:
                await self._stop_if_lost(key)

    def _end_those_over_budget(self) -> None:
        for run in self._running.values():
            if run.stop is None and self._is_over_budget(run):
                run.end(self._over_budget())

    def _is_over_budget(self, run: Run) -> bool:
        return 0.0 < self._policy.max_job_seconds < run.seconds_in_all

    def _over_budget(self) -> JobTimeBudgetExceeded:
        return JobTimeBudgetExceeded(
            f"the backtest has run for more than {self._policy.max_job_seconds:g} s, which is as long as a job may run "
            "on this server: use fewer strategies or dates, or raise ABSFIN_MAX_JOB_SECONDS"
        )

    async def _stop_if_lost(self, key: int) -> None:
        """A job may be cancelled through another process, or taken over while this one was away."""
        try:
            record = (await self._stores.log.view(key, 0)).record
        except NotFound:
            self._stop(key)
            return
        except (StorageFull, StorageUnavailable):
            return  # the next heartbeat asks again
        if record.state is JobState.CANCELLED or record.worker not in (None, self._worker):
            self._stop(key)

    def _done(self, run: Run, task: asyncio.Task[None]) -> None:
        record = run.claim.record
        if self._running.get(record.key) is run:
            del self._running[record.key]
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("a job ended unexpectedly", extra={"job": record.id}, exc_info=task.exception())

    async def _run(self, run: Run) -> None:
        record = run.claim.record
        request_id.set(record.id)  # log lines of a job, and an error without text of its own, carry its id
        with tracing.root(
            "sweep" if is_sweep(record.id) else "backtest", tracing.Kind.CONSUMER, {"absfin.job.id": record.id}
        ) as span:
            if span is not None and record.traceparent:
                span.link(record.traceparent)
            await self._run_attempt(run)

    async def _run_attempt(self, run: Run) -> None:
        record = run.claim.record
        self._progress.begins(record)
        try:
            await self._progress.refresh(record.key)
            await self._run_job(run)
        except LostClaim:
            logger.info("a job was taken over or cancelled", extra={"job": record.id})
        except Yielded:
            await self._give_back(run, yielded=True)
        except asyncio.CancelledError:
            await self._stopped(run)
        except WorkerDied as error:
            # It may have died of what else the machine does: the job gets another chance from its checkpoint.
            logger.warning("the process of a job died", extra={"job": record.id, "how": str(error)})
            await self._give_back(run, crashed=True)
        except ClusterLost:
            logger.warning("a job waits for the cluster", extra={"job": record.id})
            await self._give_back(run)
        except (StorageFull, StorageUnavailable) as error:
            # Nothing can be written: its lease runs out, and it goes on from its last checkpoint.
            logger.error("a job is given up for now", extra={"job": record.id, "why": str(error)})
        except Exception as error:
            await self._failed(record, error)
        finally:
            if self._running.get(record.key) is run:
                # First, so that followers look for themselves whatever happens to the look below.
                self._progress.ends(record.key)
                with contextlib.suppress(StorageFull, StorageUnavailable):
                    await self._progress.refresh(record.key)

    async def _stopped(self, run: Run) -> None:
        """Ends what this process stopped by itself; anything else is a cancellation, given back and passed on."""
        if isinstance(run.stop, Yielded):
            await self._give_back(run, yielded=True)
        elif run.stop is not None:
            await self._failed(run.claim.record, run.stop)
        else:
            await asyncio.shield(self._give_back(run))
            raise asyncio.CancelledError

    async def _give_back(self, run: Run, *, crashed: bool = False, yielded: bool = False) -> None:
        # What cannot be given back now is free when its lease runs out.
        with contextlib.suppress(LostClaim, StorageFull, StorageUnavailable):
            await self._stores.queue.release(run.claim.record, crashed=crashed, yielded=yielded)

    async def _run_job(self, run: Run) -> None:
        record = run.claim.record
        if record.crashes >= MAX_CRASHES:
            raise SolverFailed(f"its worker process died {record.crashes} times; it may need too much memory")
        if self._is_over_budget(run):
            raise self._over_budget()
        working = self._sweep_of(run) if is_sweep(record.id) else self._backtest_of(run)
        ran = await while_writing(await working, run.writer)
        end = JobEnd(JobState.SUCCEEDED, ran.result, series=ran.series, tick=ran.tick)
        await until_stored(lambda: self._stores.log.finish(record, end, ran.events), record.id)
        self.ended[end.state] += 1

    async def _backtest_of(self, run: Run) -> Coroutine[object, object, EncodedBacktest]:
        job, record = await stored_backtest(self._stores, run.claim), run.claim.record
        work = partial(self._run_backtest, job, record.request, record.fingerprint)
        return self.pool.run(work, None, run.writer.submit)

    async def _sweep_of(self, run: Run) -> Coroutine[object, object, EncodedBacktest]:
        record = run.claim.record
        inputs = await asyncio.to_thread(tuple, record.inputs.sets)  # up to a hundred, which are parsed now
        sets = tuple([await stored_job(self._stores, record, one) for one in inputs])
        count = SweepCount(self._stores.tried, record)
        tasks = replace(self._sweep, conclude=partial(self._sweep.conclude, earlier=await count.begin()))
        room = SweepRoom(self._slots_now, self.wake)
        output = SweepOutput(partial(self._stores.log.parts, record.key), run.writer.submit)
        run.sweep = SweepRun(record, sets, self.pool, room, tasks, output)
        if run.yielding_since is not None:
            run.sweep.make_room()
        return count.scored(run.sweep.run())

    async def _failed(self, record: JobRecord, error: Exception) -> None:
        if isinstance(error, Cancelled):
            return
        if not isinstance(error, DomainError | JobTimeBudgetExceeded | MemoryLimitExceeded | Refused):
            logger.error("a job failed unexpectedly", extra={"job": record.id}, exc_info=error)
        end = JobEnd(JobState.FAILED, error=self._encode_error(error))
        with contextlib.suppress(LostClaim, StorageFull, StorageUnavailable):
            await until_stored(lambda: self._stores.log.finish(record, end, ()), record.id)
            self.ended[end.state] += 1
