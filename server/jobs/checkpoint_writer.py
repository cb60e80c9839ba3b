"""Stores what a worker reports about its job: ticks go to followers at once, checkpoints to the store in order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.jobs.backtest_run import Compacted, Saved, Unwritten
from server.jobs.progress import Progress
from server.observability import logger
from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.job_stores import JobLog
from server.ports.jobs import JobRecord, JobTick

T = TypeVar("T")

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0, 30.0, 30.0, 30.0)
"""What cannot be stored is tried again for three minutes: somebody may free the disk."""


class Yielded(Exception):
    """A job made room for others and waits at its last checkpoint."""


class CheckpointWriter:
    """Stores the checkpoints of one job."""

    def __init__(self, log: JobLog, progress: Progress, record: JobRecord) -> None:
        self._log = log
        self._progress = progress
        self._record = record
        self._waiting: asyncio.Queue[Saved | Unwritten | Compacted | None] = asyncio.Queue()
        self._yielding = False

    def submit(self, reported: object) -> None:
        """Takes a report of the worker; what must be stored waits for `run`."""
        if isinstance(reported, JobTick):
            self._progress.ticked(self._record.key, reported)
        elif isinstance(reported, Saved | Unwritten | Compacted):
            self._waiting.put_nowait(reported)

    def yield_at_next(self) -> None:
        """Ends `run` by Yielded after the next checkpoint."""
        self._yielding = True

    async def run(self) -> None:
        """Stores checkpoints until there are no more. Raises LostClaim, Yielded, StorageFull, StorageUnavailable."""
        while (reported := await self._waiting.get()) is not None:
            if isinstance(reported, Unwritten):
                reported = await asyncio.to_thread(reported.write)
            await until_stored(lambda kept=reported: self._store(kept), self._record.id)  # type: ignore[misc]
            with contextlib.suppress(StorageFull, StorageUnavailable):  # the next one tells followers of this one too
                await self._progress.refresh(self._record.key)
            if self._yielding and isinstance(reported, Saved):
                raise Yielded

    async def flush(self, writing: asyncio.Task[None]) -> None:
        """Waits until everything reported is stored."""
        self._yielding = False  # it is done: what is left to store is less than to go on again
        self._waiting.put_nowait(None)
        await writing

    async def _store(self, reported: Saved | Compacted) -> None:
        if isinstance(reported, Compacted):
            await self._log.compact(self._record, reported.count, reported.part, reported.skipped)
        else:
            await self._log.save(self._record, reported.checkpoint, reported.part, reported.tick, reported.events)


async def until_stored(store: Callable[[], Awaitable[T]], job_id: str) -> T:
    """Tries again while the store is full or cannot be used, and raises that in the end."""
    for seconds in RETRY_SECONDS:
        try:
            return await store()
        except (StorageFull, StorageUnavailable) as error:
            logger.warning("a job cannot be stored now", extra={"job": job_id, "why": str(error)})
            await asyncio.sleep(seconds)
    return await store()


async def while_writing(work: Awaitable[T], writer: CheckpointWriter) -> T:
    """What comes of work, once everything it reported is stored; ends it where something cannot be stored."""
    working: asyncio.Future[T] = asyncio.ensure_future(work)
    writing = asyncio.create_task(writer.run())
    tasks: set[asyncio.Future[T] | asyncio.Future[None]] = {working, writing}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            writing.result()  # it ends before the work only by an error
        try:
            found = working.result()
        except Exception:  # what is over by then is not done again, or is listed
            await writer.flush(writing)
            raise
        await writer.flush(writing)
        return found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # a second error says nothing new, and asyncio would complain
