"""Runs a sweep on all worker processes: each task runs some trials, and every trial that ends is stored and told."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from domain.sweep.ranking import Score
from server.execution.executor import JobExecutor
from server.jobs.backtest_run import EncodedBacktest, Job
from server.jobs.sweep_state import SAVE_SECONDS, SweepState, TrialDone, chunks_of
from server.observability import logger
from server.ports.errors import MemoryLimitExceeded, WorkerDied
from server.ports.jobs import Claim

MOST_DEATHS = 3
"""A trial whose process died so often has failed."""


@dataclass(frozen=True, slots=True)
class SweepTasks:
    """What workers do for a sweep. They are arguments because tasks are a layer above jobs."""

    run: Callable[..., None]  # runs some trials, one at least, and reports each
    died: Callable[[bytes, int, Exception | None], TrialDone]  # a trial that no process survives, and why if known
    conclude: Callable[..., EncodedBacktest]  # statistics over all trials, and how they are stored
    score_of: Callable[[bytes], Score]
    new_file: Callable[[], AbstractAsyncContextManager[Path]]  # has the trials on their way to `conclude`
    write: Callable[[Path, object], None]


class SweepRun:
    """One sweep, from its beginning or from the trials that are stored."""

    def __init__(
        self,
        claim: Claim,
        sets: tuple[Job, ...],
        pool: JobExecutor,
        workers: int,
        tasks: SweepTasks,
        submit: Callable[[object], None],
    ) -> None:
        record = claim.record
        self._record = record
        self._sets = sets
        self._pool = pool
        self._workers = workers
        self._tasks = tasks
        self._submit = submit
        self._state = SweepState(record.inputs.trial_count, tasks.score_of(record.request))
        self._parts = claim.parts
        self._saving: asyncio.TimerHandle | None = None

    async def run(self) -> EncodedBacktest:
        """Runs every trial that is not over, then what is said about all of them."""
        await asyncio.to_thread(self._state.restore, self._parts)
        self._parts = ()
        pending = [trial for trial in range(self._state.count) if trial not in self._state.done]
        chunks = iter(chunks_of(pending, self._workers))
        lanes = [asyncio.create_task(self._lane(chunks)) for _ in range(self._workers)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.wait(lanes)
            self._save()
        trials = tuple(self._state.done[trial] for trial in range(self._state.count))
        async with self._tasks.new_file() as path:
            # The returns of all trials are up to 100 MB, which must not be copied on the event loop.
            await asyncio.to_thread(self._tasks.write, path, trials)
            work = partial(self._tasks.conclude, self._record.request, path)
            return await self._pool.run(work, None, caller=self._record.id)

    async def _lane(self, chunks: Iterator[tuple[int, ...]]) -> None:
        for chunk in chunks:  # all lanes take from the same chunks
            await self._together(chunk)

    async def _together(self, chunk: tuple[int, ...]) -> None:
        """Runs the trials of a chunk; where a process dies of one, each of those that are left by itself."""
        rest = chunk
        while rest:
            try:
                await self._run(rest)
            except (WorkerDied, MemoryLimitExceeded):
                for trial in self._pending(rest):
                    await self._alone(trial)
            left = self._pending(rest)
            if len(left) == len(rest):
                raise RuntimeError("a task of a sweep reported none of its trials")
            rest = left

    async def _alone(self, trial: int) -> None:
        cause: Exception | None = None
        for _ in range(MOST_DEATHS):
            try:
                return await self._run((trial,))
            except MemoryLimitExceeded as error:  # it would be again
                cause = error
                break
            except WorkerDied:
                logger.warning("a worker process died of a trial", extra={"job": self._record.id, "trial": trial})
        self._take(await asyncio.to_thread(self._tasks.died, self._record.request, trial, cause))
        return None

    def _pending(self, trials: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(trial for trial in trials if trial not in self._state.done)

    async def _run(self, trials: tuple[int, ...]) -> None:
        inputs = self._record.inputs
        used = sorted({inputs.set_of[trial] if inputs.set_of else 0 for trial in trials})
        sets = {k: self._sets[k] for k in used}
        work = partial(self._tasks.run, sets, inputs.set_of, self._record.request, trials)
        await self._pool.run(work, None, self._take, caller=self._record.id)

    def _take(self, one: TrialDone) -> None:
        """A trial has ended: followers hear of it at once, and it is stored with others that end in a moment."""
        self._state.add(one)
        self._submit(self._state.tick())
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self._state.new:
            self._submit(self._state.saved())
