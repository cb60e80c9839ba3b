"""A sweep over worker processes that die, stop early, or take their time: every trial ends once."""

import asyncio
import gc
import os
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.sweep.ranking import Score
from server.jobs.backtest_run import MANY_PARTS, Compacted, EncodedBacktest, Saved, Unwritten
from server.jobs.checkpoint_writer import Yielded
from server.jobs.sweep_run import MOST_DEATHS, SweepOutput, SweepRoom, SweepRun, SweepTasks
from server.jobs.sweep_state import SAVE_SECONDS, TrialDone, trials_to_bytes
from server.ports.errors import ClusterLost, MemoryLimitExceeded, WorkerDied
from server.ports.jobs import JobInputs, JobRecord, JobState
from server.storage.panels import PanelFiles

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
                report((done(trial),))
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
    stored: Sequence[bytes] = (),
    data: object = None,
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
        attempt=1 if not stored else 2,
        crashes=0,
        worker=None,
    )

    async def parts(after: int) -> Sequence[tuple[int, bytes]]:
        assert stored, "a first attempt has no parts"
        return [(number, stored[number - 1]) for number in range(after + 1, min(after + 8, len(stored) + 1))]

    tasks = SweepTasks(lambda: None, failed, lambda: None, lambda request: Score.SHARPE, new_file, write)  # type: ignore[arg-type]
    return SweepRun(record, (data,), pool, SweepRoom(workers, freed), tasks, SweepOutput(parts, told.append))  # type: ignore[arg-type]


def saved(told: list[object]) -> list[Saved]:
    written = [one.write() for one in told if isinstance(one, Unwritten)]
    return [one for one in written if isinstance(one, Saved)]


def compacted(told: list[object]) -> list[Compacted]:
    written = [one.write() for one in told if isinstance(one, Unwritten)]
    return [one for one in written if isinstance(one, Compacted)]


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
    assert [one.tick.fraction for one in saved(told)][-1:] == [len(begun) / COUNT]
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
    first, *_ = saved(told)
    assert first.tick.fraction == 1 / COUNT
    assert [event.stage.index for event in first.events if event.stage is not None] == [0]


async def test_a_sweep_goes_on_from_its_parts_and_joins_them() -> None:
    stored = [trials_to_bytes([done(trial % 20)]) for trial in range(MANY_PARTS + 1)]
    told: list[object] = []
    pool = Pool()
    await sweep_over(pool, told, stored=stored).run()
    assert [one.index for one in pool.concluded] == list(range(COUNT))
    assert min(trial for trials in pool.ran for trial in trials) == 20, "what is stored does not run again"
    (joined,) = compacted(told)
    assert (joined.count, joined.skipped) == (MANY_PARTS + 1, 0)
    again, told = Pool(), []
    await sweep_over(again, told, stored=[joined.part]).run()
    assert again.concluded == pool.concluded
    assert min(trial for trials in again.ran for trial in trials) == 20
    assert compacted(told) == []


async def test_panels_that_a_sweep_uses_are_not_those_that_make_room(tmp_path: Path) -> None:
    """Each task maps them anew for as long as the sweep runs; the store opens them only at its beginning."""
    days, values = np.arange(10, dtype=np.int32), np.ones((10, 2))
    panels = PanelFiles(tmp_path, max_bytes=500)
    used, other = (panels.keep(name, ("A", "B"), days, values) for name in ("used", "other"))
    for age, panel in ((200, used), (100, other)):
        status = panel.path.stat()
        os.utime(panel.path, ns=(status.st_atime_ns - age * 10**9, status.st_mtime_ns))
    await sweep_over(Pool(), [], data=used.path).run()
    panels.keep("new", ("A", "B"), days, values)
    assert panels.open("used", ("A", "B")) is not None, "it is whole, and what was written"
    assert panels.open("other", ("A", "B")) is None
