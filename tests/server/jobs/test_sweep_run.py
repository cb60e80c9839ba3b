"""A sweep over worker processes that die, stop early, or take their time: every trial ends once."""

import asyncio
import gc
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.sweep.ranking import Score
from server.jobs.backtest_run import EncodedBacktest, Unwritten
from server.jobs.checkpoint_writer import Yielded
from server.jobs.sweep_run import MOST_DEATHS, SweepRoom, SweepRun, SweepTasks
from server.jobs.sweep_state import SAVE_SECONDS, TrialDone
from server.ports.errors import ClusterLost, MemoryLimitExceeded, WorkerDied
from server.ports.jobs import Claim, JobInputs, JobRecord, JobState

COUNT = 30


def done(trial: int) -> TrialDone:
    return TrialDone(trial, f"t{trial}", bytes([trial]), float(trial))


def failed(request: bytes, trial: int, cause: Exception | None = None) -> TrialDone:
    reason = "SOLVER_FAILED" if cause is None else type(cause).__name__
    return TrialDone(trial, f"t{trial}", b"", None, (reason, "died"))


@dataclass
class Pool:
    """Runs two trials of a task and reports them; its process dies of some trials, and takes long with others."""

    deadly: frozenset[int] = frozenset()
    hungry: frozenset[int] = frozenset()
    endless: frozenset[int] = frozenset()
    seconds: float = 0.0
    slow: frozenset[int] = frozenset()
    lost: bool = False
    ran: list[tuple[int, ...]] = field(default_factory=list)
    concluded: tuple[TrialDone, ...] = ()
    sent: list[int] = field(default_factory=list)  # bytes for each task
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0  # tasks at once

    async def run(
        self, work: Any, deadline: float | None, report: Callable[[Any], None] | None = None, *, caller: str = ""
    ) -> Any:
        if report is None:
            return EncodedBacktest(b"", (), (), None)
        trials = work.args[2]
        self.sent.append(len(pickle.dumps(work.args)))
        self.ran.append(trials)
        self.begun.set()
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for trial in trials[:2]:
                if trial in self.endless:
                    await asyncio.Event().wait()
                await asyncio.sleep(self.seconds * (5.0 if trial in self.slow else 1.0))
                if self.lost:
                    raise ClusterLost
                if trial in self.deadly:
                    raise WorkerDied
                if trial in self.hungry:
                    raise MemoryLimitExceeded(1 << 30)
                report(done(trial))
        finally:
            self.running -= 1


@asynccontextmanager
async def new_file() -> AsyncIterator[Path]:
    yield Path("unused")


def sweep_over(
    pool: Pool,
    told: list[object],
    freed: Callable[[], None] = lambda: None,
    workers: Callable[[], int] = lambda: 2,
    request: bytes = b"",
) -> SweepRun:
    def write(path: Path, written: Any) -> None:
        if isinstance(written, tuple):
            pool.concluded = written

    inputs = JobInputs("x", "prices", trial_count=COUNT, sets=(JobInputs("x", "prices"),))
    record = JobRecord(
        key=1,
        owner="",
        id="sweeps/x",
        state=JobState.RUNNING,
        label="",
        epoch="e",
        request=request,
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
    return SweepRun(Claim(record, None, ()), (None,), pool, SweepRoom(workers, freed), tasks, told.append)  # type: ignore[arg-type]


async def test_a_task_that_gives_its_process_back_is_sent_again_with_what_is_left() -> None:
    pool = Pool()
    await sweep_over(pool, []).run()
    assert [one.index for one in pool.concluded] == list(range(COUNT))
    assert max(map(len, pool.ran)) == 2


async def test_what_a_task_is_sent_does_not_grow_with_the_request() -> None:
    """It is made on the event loop, for each task; what tasks share is in a file."""
    pool = Pool()
    await sweep_over(pool, [], request=bytes(1_000_000)).run()
    assert max(pool.sent) < 1000


async def test_a_trial_that_no_process_survives_fails_and_its_neighbours_do_not() -> None:
    pool = Pool(deadly=frozenset({4, 29}))
    await sweep_over(pool, []).run()
    assert [one.index for one in pool.concluded] == list(range(COUNT))
    assert [one.index for one in pool.concluded if one.error is not None] == [4, 29]
    assert pool.ran.count((4,)) == pool.ran.count((29,)) == MOST_DEATHS


async def test_a_trial_with_too_much_memory_is_not_tried_again() -> None:
    pool = Pool(hungry=frozenset({4}))
    await sweep_over(pool, []).run()
    assert {one.index: one.error for one in pool.concluded if one.error is not None} == {
        4: ("MemoryLimitExceeded", "died")
    }
    assert pool.ran.count((4,)) == 1


async def test_a_sweep_that_makes_room_ends_no_trial() -> None:
    """Its first process is free once one trial is over, whatever the others do; what runs then is stored."""
    told: list[object] = []
    freed: list[bool] = []
    pool = Pool(seconds=0.05, slow=frozenset({2, 3}))
    run = sweep_over(pool, told, lambda: freed.append(run.has_freed))
    running = asyncio.create_task(run.run())
    await pool.begun.wait()
    run.make_room()
    assert not run.has_freed
    with pytest.raises(Yielded):
        await running
    assert freed == [True, True]
    begun = [trial for trials in pool.ran for trial in trials[:2]]
    saved = [one.write() for one in told if isinstance(one, Unwritten)]
    assert [one.tick.fraction for one in saved][-1:] == [len(begun) / COUNT]
    assert len(pool.ran) == 2


async def test_a_sweep_that_is_asked_for_room_before_it_begins_gets_on() -> None:
    """Or it would never, where somebody asks again each time."""
    pool = Pool()
    run = sweep_over(pool, [])
    run.make_room()
    with pytest.raises(Yielded):
        await run.run()
    assert len(pool.ran) == 1


async def test_tasks_that_fail_together_are_all_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    pool = Pool(seconds=0.01, lost=True)
    with pytest.raises(ClusterLost):
        await sweep_over(pool, [], workers=lambda: 8).run()
    del pool
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text


async def test_a_sweep_uses_the_processes_that_there_are() -> None:
    """A cluster may grow while it runs."""
    pool = Pool(seconds=0.01)
    most = []

    def workers() -> int:
        most.append(pool.most)
        return 1 if len(pool.ran) < 3 else 3

    await sweep_over(pool, [], workers=workers).run()
    assert 1 in most
    assert pool.most == 3


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
