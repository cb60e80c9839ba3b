"""Runs jobs that nobody runs: claims them, keeps their leases, and brings them to an end."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from domain.errors import Cancelled, DomainError, SolverFailed
from server.execution.process_pool import ProcessPool
from server.jobs.progress import Progress
from server.jobs.walking import Job, MappedPanel, Ran, Saved
from server.observability import logger, request_id
from server.ports import (
    BacktestStore,
    Claim,
    JobEnd,
    JobRecord,
    JobState,
    JobTick,
    JobView,
    LostClaim,
    NotFound,
    Refused,
    WorkerDied,
)

LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 1.0
LOOK_SECONDS = 1.0
"""How often jobs are looked for that no submission of this process announces."""

MAX_CRASHES = 3


class Runner:
    """As many jobs at once as there are worker processes for them."""

    def __init__(
        self,
        store: BacktestStore,
        progress: Progress,
        pool: ProcessPool,
        worker: str,
        slots: int,
        *,
        run: Callable[..., Ran],
        encode_error: Callable[[Exception], bytes],
    ) -> None:
        self._store = store
        self._progress = progress
        self._pool = pool
        self._worker = worker
        self._slots = slots
        self._run_job = run
        self._encode_error = encode_error
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to look for jobs."""
        self._loops = [asyncio.create_task(self._claiming()), asyncio.create_task(self._beating())]

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    async def cancel(self, job_id: str) -> JobRecord:
        """Ends a job; the processor it had is free a moment later. Raises NotFound."""
        view: JobView = await self._store.cancel(job_id)
        await self._progress.refresh(job_id)
        self._stop(job_id)
        return view.record

    async def close(self, grace_seconds: float) -> None:
        """Gives running jobs back; another process, or this one after a restart, goes on with them."""
        tasks = [*self._loops, *self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        await self._pool.close(grace_seconds)

    def _stop(self, job_id: str) -> None:
        task = self._running.get(job_id)
        if task is not None:
            task.cancel()

    async def _claiming(self) -> None:
        while True:
            self._wake.clear()
            try:
                while len(self._running) < self._slots:
                    claim = await self._store.claim(self._worker, LEASE_SECONDS)
                    if claim is None:
                        break
                    task = asyncio.create_task(self._run(claim))
                    self._running[claim.record.id] = task
                    task.add_done_callback(partial(self._done, claim.record.id))
            except Exception:
                logger.exception("jobs could not be claimed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            running = list(self._running)
            if not running:
                continue
            try:
                held = await self._store.heartbeat(self._worker, running, LEASE_SECONDS, self._progress.ticks())
            except Exception:
                logger.exception("leases could not be renewed")
                continue
            for job_id in set(running) - held:
                await self._stop_if_lost(job_id)

    async def _stop_if_lost(self, job_id: str) -> None:
        """A job may be cancelled through another process, or taken over while this one was away."""
        try:
            record = await self._store.get(job_id)
        except NotFound:
            self._stop(job_id)
            return
        if record.state is JobState.CANCELLED or record.worker not in (None, self._worker):
            self._stop(job_id)

    def _done(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._running.pop(job_id, None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("a job ended unexpectedly", extra={"job": job_id}, exc_info=task.exception())

    async def _run(self, claim: Claim) -> None:
        record = claim.record
        request_id.set(record.id)  # log lines of a job, and an error without text of its own, carry its id
        self._progress.begins(record)
        await self._progress.refresh(record.id)
        try:
            await self._walk(claim)
        except LostClaim:
            logger.info("a job was taken over or cancelled", extra={"job": record.id})
        except asyncio.CancelledError:
            with contextlib.suppress(LostClaim):
                await asyncio.shield(self._store.release(record, crashed=False))
            raise
        except WorkerDied as error:
            # It may have died of what else the machine does: the job gets another chance from its checkpoint.
            logger.warning("the process of a job died", extra={"job": record.id, "how": str(error)})
            with contextlib.suppress(LostClaim):
                await self._store.release(record, crashed=True)
        except Exception as error:
            await self._failed(record, error)
        finally:
            # First, so that followers look for themselves whatever happens to the look below.
            self._progress.ends(record.id)
            await self._progress.refresh(record.id)

    async def _walk(self, claim: Claim) -> None:
        record = claim.record
        if record.crashes >= MAX_CRASHES:
            raise SolverFailed(f"its worker process died {record.crashes} times; it may need too much memory")
        job = await self._job(claim)
        saves = Saves(self._store, self._progress, record)
        saving = asyncio.create_task(saves.run())
        try:
            work = partial(self._run_job, job, record.request, record.fingerprint)
            ran = await self._pool.run(work, None, saves.take)
        except BaseException:
            saving.cancel()
            raise
        await saves.all_done(saving)
        await self._store.finish(record, JobEnd(JobState.SUCCEEDED, ran.result, series=ran.series), ran.news)

    async def _job(self, claim: Claim) -> Job:
        inputs = claim.record.inputs
        return Job(
            data=MappedPanel.of(await self._store.panel(inputs.data)),
            kind=inputs.kind,
            benchmarks={s: MappedPanel.of(await self._store.panel(name)) for s, name in inputs.benchmarks.items()},
            groups=inputs.groups,
            checkpoint=claim.checkpoint,
            parts=claim.parts,
        )

    async def _failed(self, record: JobRecord, error: Exception) -> None:
        if isinstance(error, Cancelled):
            return
        if not isinstance(error, DomainError | Refused):
            logger.error("a job failed unexpectedly", extra={"job": record.id}, exc_info=error)
        with contextlib.suppress(LostClaim):
            await self._store.finish(record, JobEnd(JobState.FAILED, error=self._encode_error(error)), ())


class Saves:
    """Takes what a worker reports: ticks at once, checkpoints one after the other."""

    def __init__(self, store: BacktestStore, progress: Progress, record: JobRecord) -> None:
        self._store = store
        self._progress = progress
        self._record = record
        self._waiting: asyncio.Queue[Saved | None] = asyncio.Queue()

    def take(self, reported: object) -> None:
        """A report of the worker."""
        if isinstance(reported, JobTick):
            self._progress.ticked(self._record.id, reported)
        elif isinstance(reported, Saved):
            self._waiting.put_nowait(reported)

    async def run(self) -> None:
        """Stores checkpoints until there are no more. Raises LostClaim."""
        while (saved := await self._waiting.get()) is not None:
            await self._store.save(self._record, saved.checkpoint, saved.part, saved.tick, saved.news)
            await self._progress.refresh(self._record.id)

    async def all_done(self, saving: asyncio.Task[None]) -> None:
        """Waits until everything reported is stored."""
        self._waiting.put_nowait(None)
        await saving
