"""Runs a sweep on all worker processes: each task runs some trials, and every trial that ends is stored and told."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path

from domain.records import dataclass
from domain.sweep.ranking import Score
from server.execution.executor import JobExecutor
from server.jobs.backtest_run import EncodedBacktest, Job
from server.jobs.checkpoint_writer import Yielded
from server.jobs.sweep_inputs import Paths, sweep_inputs
from server.jobs.sweep_state import SAVE_SECONDS, SweepState, TrialDone, chunks_of
from server.observability import logger
from server.ports.errors import MemoryLimitExceeded, WorkerDied
from server.ports.jobs import JobRecord

MOST_DEATHS = 3
"""A trial whose process died so often has failed."""


@dataclass(frozen=True, slots=True)
class SweepTasks:
    """What workers do for a sweep. They are arguments because tasks are a layer above jobs."""

    run: Callable[..., None]  # runs some trials, one at least, and reports all of them, some at a time
    died: Callable[[bytes, int, Exception | None], TrialDone]  # a trial that no process survives, and why if known
    conclude: Callable[..., EncodedBacktest]  # statistics over all trials, and how they are stored
    score_of: Callable[[bytes], Score]
    new_file: Callable[[], AbstractAsyncContextManager[Path]]  # has what tasks read
    write: Callable[[Path, object], None]


@dataclass(frozen=True, slots=True)
class SweepRoom:
    """The processes that a sweep may use, and who wants to know that it uses fewer."""

    workers: Callable[[], int]  # a cluster grows and shrinks
    freed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class SweepOutput:
    """The trials of a sweep in the store: those of earlier attempts, and where new ones go."""

    parts: Callable[[int], Awaitable[Sequence[tuple[int, bytes]]]]  # some after a number, with their numbers
    submit: Callable[[object], None]


class SweepRun:
    """One sweep, from its beginning or from the trials that are stored.

    Nothing that depends on the size of its request is done on the event loop.
    """

    def __init__(
        self,
        record: JobRecord,
        sets: tuple[Job, ...],
        pool: JobExecutor,
        room: SweepRoom,
        tasks: SweepTasks,
        output: SweepOutput,
    ) -> None:
        self._record = record
        self._sets = sets
        self._pool = pool
        self._room = room
        self._tasks = tasks
        self._output = output
        self._state = SweepState(record.inputs.trial_count, Score.SHARPE)
        self._paths: tuple[Paths, ...] = ()
        self._saving: asyncio.TimerHandle | None = None
        self._makes_room = False
        self._has_begun = False
        self._busy = 0

    @property
    def has_freed(self) -> bool:
        """Whether it makes room for others and one of its processes is free for them already."""
        return self._makes_room and self._busy < self._workers

    def make_room(self) -> None:
        """Ends `run` by Yielded once the trials that run now are over: none is begun twice for that."""
        self._makes_room = True

    async def run(self) -> EncodedBacktest:
        """Runs every trial that is not over, then what is said about all of them. Raises Yielded."""
        async with self._tasks.new_file() as inputs:
            await self._restore()
            chunks = await asyncio.to_thread(self._prepare, inputs)
            try:
                await self._run_trials(chunks, inputs)
            finally:
                self._save()
            if len(self._state.done) < self._state.count:
                raise Yielded
            async with self._tasks.new_file() as path:
                await asyncio.to_thread(self._write_trials, path)
                work = partial(self._tasks.conclude, inputs, path)
                return await self._pool.run(work, None, caller=self._record.id)

    @property
    def _workers(self) -> int:
        return max(self._room.workers(), 1)

    async def _restore(self) -> None:
        """Takes the trials that are stored, page by page, and joins their parts where there are many."""
        self._state.score = await asyncio.to_thread(self._tasks.score_of, self._record.request)
        if self._record.attempt <= 1:
            return
        after = 0
        while page := await self._output.parts(after):
            await asyncio.to_thread(self._state.restore, [part for _, part in page])
            after = page[-1][0]
        for joined in self._state.joined_parts():
            self._output.submit(joined)

    def _prepare(self, inputs: Path) -> Iterator[tuple[int, ...]]:
        """Writes what tasks share; the trials that are left, in chunks."""
        record = self._record
        shared, self._paths = sweep_inputs(record.request, record.inputs.set_of, self._sets)
        self._sets = ()
        self._tasks.write(inputs, shared)
        return iter(chunks_of(self._pending(range(self._state.count)), self._workers))

    def _write_trials(self, path: Path) -> None:
        """All trials in order; their returns are up to 100 MB."""
        self._tasks.write(path, tuple(self._state.done[trial] for trial in range(self._state.count)))

    async def _run_trials(self, chunks: Iterator[tuple[int, ...]], inputs: Path) -> None:
        """As many tasks at once as there are processes, until all trials are over or others need room."""
        running: set[asyncio.Task[None]] = set()
        try:
            while running := running | set(self._begun(chunks, inputs, self._workers - len(running))):
                self._busy = len(running)
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                self._busy = len(running)
                errors = [error for one in done if (error := one.exception()) is not None]
                if errors:  # all of them are looked at, or asyncio complains of the others
                    raise errors[0]
                if self._makes_room:
                    self._room.freed()
        finally:
            for one in running:
                one.cancel()
            if running:
                await asyncio.gather(*running, return_exceptions=True)

    def _begun(self, chunks: Iterator[tuple[int, ...]], inputs: Path, count: int) -> Iterator[asyncio.Task[None]]:
        # One at least in each attempt, or a sweep that is always asked for room would never get on.
        for _ in range(count if not self._makes_room else int(not self._has_begun)):
            if (chunk := next(chunks, None)) is None:
                return
            self._has_begun = True
            yield asyncio.create_task(self._together(chunk, inputs))

    async def _together(self, chunk: tuple[int, ...], inputs: Path) -> None:
        """Runs the trials of a chunk; where a process dies of one, each of those that are left by itself."""
        rest = chunk
        while rest:
            try:
                await self._run(rest, inputs)
            except (WorkerDied, MemoryLimitExceeded):
                for trial in self._pending(rest):
                    if not self._makes_room:
                        await self._alone(trial, inputs)
            left = self._pending(rest)
            if len(left) == len(rest) and not self._makes_room:
                raise RuntimeError("a task of a sweep reported none of its trials")
            if self._makes_room:
                return
            rest = left

    async def _alone(self, trial: int, inputs: Path) -> None:
        cause: Exception | None = None
        for _ in range(MOST_DEATHS):
            try:
                return await self._run((trial,), inputs)
            except MemoryLimitExceeded as error:  # it would be again
                cause = error
                break
            except WorkerDied:
                logger.warning("a worker process died of a trial", extra={"job": self._record.id, "trial": trial})
        self._take((await asyncio.to_thread(self._tasks.died, self._record.request, trial, cause),))
        return None

    def _pending(self, trials: Iterable[int]) -> tuple[int, ...]:
        return tuple(trial for trial in trials if trial not in self._state.done)

    async def _run(self, trials: tuple[int, ...], inputs: Path) -> None:
        set_of = self._record.inputs.set_of
        used = {set_of[trial] if set_of else 0 for trial in trials}
        paths = {number: self._paths[number] for number in used}
        await asyncio.to_thread(_use, [path for found in paths.values() for path in found])
        work = partial(self._tasks.run, inputs, paths, trials)
        await self._pool.run(work, None, self._take, caller=self._record.id)

    def _take(self, ended: tuple[TrialDone, ...]) -> None:
        """Trials have ended: followers hear of it at once, and they are stored with others that end in a moment."""
        for one in ended:
            self._state.add(one)
        self._output.submit(self._state.tick())
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self._state.new:
            self._output.submit(self._state.saved())


def _use(paths: Iterable[Path]) -> None:
    """Panels are in use: those that nobody has opened for the longest time are removed where others need room."""
    for path in paths:
        with suppress(OSError):  # whoever opens one that is gone says so
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
