"""A sweep over worker processes that die, stop early, or take their time: every trial ends once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.sweep.ranking import Score
from server.jobs.backtest_run import EncodedBacktest, Unwritten
from server.jobs.sweep_run import MOST_DEATHS, SweepRun, SweepTasks
from server.jobs.sweep_state import SAVE_SECONDS, TrialDone
from server.ports.errors import WorkerDied
from server.ports.jobs import Claim, JobInputs, JobRecord, JobState

COUNT = 30


def done(trial: int) -> TrialDone:
    return TrialDone(trial, f"t{trial}", bytes([trial]), float(trial))


def failed(request: bytes, trial: int) -> TrialDone:
    return TrialDone(trial, f"t{trial}", b"", None, ("SOLVER_FAILED", "died"))


@dataclass
class Pool:
    """Runs two trials of a task and reports them; its process dies of some trials, and takes long with others."""

    deadly: frozenset[int] = frozenset()
    endless: frozenset[int] = frozenset()
    ran: list[tuple[int, ...]] = field(default_factory=list)
    concluded: tuple[TrialDone, ...] = ()

    async def run(
        self, work: Any, deadline: float | None, report: Callable[[Any], None] | None = None, *, caller: str = ""
    ) -> Any:
        if report is None:
            return EncodedBacktest(b"", (), (), None)
        trials = work.args[3]
        self.ran.append(trials)
        for trial in trials[:2]:
            if trial in self.endless:
                await asyncio.Event().wait()
            if trial in self.deadly:
                raise WorkerDied
            report(done(trial))
        return None


@asynccontextmanager
async def new_file() -> AsyncIterator[Path]:
    yield Path("unused")


def sweep_over(pool: Pool, told: list[object]) -> SweepRun:
    def write(path: Path, trials: Any) -> None:
        pool.concluded = trials

    inputs = JobInputs("x", "prices", trial_count=COUNT, sets=(JobInputs("x", "prices"),))
    record = JobRecord(
        key=1,
        owner="",
        id="sweeps/x",
        state=JobState.RUNNING,
        label="",
        epoch="e",
        request=b"",
        inputs=inputs,
        fingerprint="",
        created=datetime.now(UTC),
        finished=None,
        tick=None,
        last_event=0,
        dropped_event=0,
        attempt=1,
        crashes=0,
        worker=None,
    )
    tasks = SweepTasks(lambda: None, failed, lambda: None, lambda request: Score.SHARPE, new_file, write)  # type: ignore[arg-type]
    return SweepRun(Claim(record, None, ()), (None,), pool, 2, tasks, told.append)  # type: ignore[arg-type]


async def test_a_task_that_gives_its_process_back_is_sent_again_with_what_is_left() -> None:
    pool = Pool()
    await sweep_over(pool, []).run()
    assert [one.index for one in pool.concluded] == list(range(COUNT))
    assert max(map(len, pool.ran)) == 2


async def test_a_trial_that_no_process_survives_fails_and_its_neighbours_do_not() -> None:
    pool = Pool(deadly=frozenset({4, 29}))
    await sweep_over(pool, []).run()
    assert [one.index for one in pool.concluded] == list(range(COUNT))
    assert [one.index for one in pool.concluded if one.error is not None] == [4, 29]
    assert pool.ran.count((4,)) == pool.ran.count((29,)) == MOST_DEATHS


async def test_a_trial_is_stored_in_time_though_no_other_ends() -> None:
    told: list[object] = []
    pool = Pool(endless=frozenset(range(1, COUNT)))
    running = asyncio.create_task(sweep_over(pool, told).run())
    async with asyncio.timeout(60):
        while not any(isinstance(one, Unwritten) for one in told):  # noqa: ASYNC110  # what is waited for is the list
            await asyncio.sleep(SAVE_SECONDS / 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    first, *_ = [one.write() for one in told if isinstance(one, Unwritten)]
    assert (first.tick.fraction, [event.stage.index for event in first.events]) == (1 / COUNT, [0])
