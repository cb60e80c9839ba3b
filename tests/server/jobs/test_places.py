"""A runner over a real store: who keeps a place and who makes room, as work begins and ends in the order of a test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.sweep.ranking import Score
from server.jobs import runner
from server.jobs.backtest_run import EncodedBacktest, Saved
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.jobs.sweep_run import SweepTasks
from server.jobs.sweep_state import TrialDone, trials_to_bytes
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.jobs import JobDraft, JobInputs, JobRecord, JobState, JobTick
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.contracts.storage.job_drafts import draft
from tests.owners import OWNER

HOUR = 3600.0
POLICY = QueuePolicy(short_seconds=120.0)
"""A job of a second is short until it has run for 12 s, on a busy machine too."""

PATIENCE_SECONDS = 60.0
DONE = EncodedBacktest(b"done", (), (), None)


class HeldWork:
    """Runs what it is given for as long as the test wants; work has the name of its request or of its trial."""

    def __init__(self) -> None:
        self.reports: dict[str, Callable[[Any], Any]] = {}
        self.ends: dict[str, asyncio.Event] = {}
        self.holds = True

    async def run(
        self, work: Any, deadline: float | None, on_report: Callable[[Any], Any] | None = None, *, caller: str = ""
    ) -> Any:
        if on_report is None:  # what is said about all trials
            return DONE
        trials: Sequence[int] = work.args[2] if caller else ()
        name = f"trial {trials[0]}" if caller else work.args[1].decode()
        self.reports[name] = on_report
        if self.holds:
            await self.ends.setdefault(name, asyncio.Event()).wait()
        for trial in trials:
            on_report((done(trial),))
        return DONE

    def end(self, name: str) -> None:
        self.ends.setdefault(name, asyncio.Event()).set()

    def end_all(self) -> None:
        self.holds = False
        for name in self.ends:
            self.end(name)

    async def close(self, grace_seconds: float) -> None:
        """Nothing is left: the runner has cancelled what waits."""


def done(trial: int) -> TrialDone:
    return TrialDone(trial, f"t{trial}", b"", 1.0)


@asynccontextmanager
async def new_file() -> AsyncIterator[Path]:
    yield Path("unused")


def unused(*arguments: object, **named: object) -> Any:
    raise AssertionError("work that is held calls no task")


SWEEP = SweepTasks(unused, unused, unused, lambda request: Score.SHARPE, new_file, lambda path, written: None)


def job(name: str, cost_estimate: float) -> JobDraft:
    return draft(id=name, request=name.encode(), cost_estimate=cost_estimate)


def sweep(trials: int) -> JobDraft:
    inputs = JobInputs(draft().inputs.data, "prices", sets=(draft().inputs,), trial_count=trials)
    return draft(id="sweeps/s", inputs=inputs, cost_estimate=HOUR)


class House:
    """A runner, its store, and what it runs."""

    def __init__(self, store: EmbeddedBacktests, worker: str, slots: int) -> None:
        self.store = store
        self.work = HeldWork()
        self.runner = Runner(
            JobStores(archive=store, queue=store, log=store, inputs=store),
            Progress(store, store),
            self.work,
            worker,
            slots,
            run=unused,
            sweep=SWEEP,
            encode_error=lambda error: repr(error).encode(),
            policy=POLICY,
        )

    async def submit(self, job: JobDraft) -> None:
        await self.store.enqueue(OWNER, job)
        self.runner.wake()

    async def begun(self, *names: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not set(names) <= set(self.work.reports):  # noqa: ASYNC110  # what is waited for is the work
                await asyncio.sleep(0.01)

    async def ended(self, job_id: str) -> JobRecord:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (record := await self.store.get(OWNER, job_id)).state.is_final:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
        return record


Open = Callable[..., House]


@pytest.fixture
async def open_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    monkeypatch.setattr(runner, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.05)
    database, locks = Database(tmp_path / "x.sqlite3"), WorkerLocks(tmp_path / "workers")
    houses: list[House] = []

    def opened(slots: int, kind: type[EmbeddedBacktests] = EmbeddedBacktests) -> House:
        store = kind(database, PanelFiles(tmp_path / "panels"), locks, 100, POLICY)
        houses.append(House(store, locks.own, slots))
        return houses[-1]

    yield opened
    for house in houses:
        await house.runner.close(PATIENCE_SECONDS)
    locks.close()
    database.close()


async def test_a_sweep_that_has_freed_its_place_keeps_no_other_job_from_making_room(open_house: Open) -> None:
    """Its last trial may take hours: the next short job gets the place of the other long job meanwhile."""
    house = open_house(2)
    house.runner.start()
    await house.submit(job("long", HOUR))
    await house.begun("long")
    await house.submit(sweep(100_000))
    await house.begun("trial 0", "trial 100")
    await house.submit(job("short", 1.0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "short" not in house.work.reports:  # it gets the place of the sweep, which has run for less time
            for name in {name for name in house.work.reports if name.startswith("trial")} - {"trial 100"}:
                house.work.end(name)  # until the sweep is asked, it begins others
            await asyncio.sleep(0.1)
    await house.submit(job("another", 1.0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "another" not in house.work.reports:
            house.work.reports["long"](Saved(b"c", b"p", JobTick(0.1, 1, 1.0), ()))  # it makes room at its next one
            house.runner.wake()
            await asyncio.sleep(0.05)
    assert not house.work.ends["trial 100"].is_set()
    await house.runner.cancel(OWNER, "sweeps/s")
    house.work.end_all()
    for job_id, attempts in (("another", 1), ("short", 1), ("long", 2)):
        record = await house.ended(job_id)
        assert (record.state, record.attempt) == (JobState.SUCCEEDED, attempts)


class ReadAfterBeat(EmbeddedBacktests):
    """Reads parts for as long as it takes until the lease of their job was renewed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._reading: set[int] = set()
        self._renewed = asyncio.Event()

    async def heartbeat(
        self, worker: str, jobs: Sequence[int], lease_seconds: float, ticks: Mapping[int, JobTick]
    ) -> frozenset[int]:
        held = await super().heartbeat(worker, jobs, lease_seconds, ticks)
        if self._reading & held:
            self._renewed.set()
        return held

    async def parts(self, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
        self._reading.add(key)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._renewed.wait()
        return await super().parts(key, after)


@pytest.mark.parametrize("is_sweep", [False, True])
async def test_a_lease_is_kept_while_parts_are_read(open_house: Open, is_sweep: bool) -> None:
    """On a large sweep that takes longer than a lease."""
    house = open_house(1, ReadAfterBeat)
    record = await house.store.enqueue(OWNER, sweep(3) if is_sweep else job("long", HOUR))
    claim = await house.store.claim("earlier", 30.0)
    assert claim is not None
    part = trials_to_bytes([done(0), done(1)]) if is_sweep else b"p"
    await house.store.save(claim.record, b"", part, JobTick(0.5, 0, 1.0), ())
    await house.store.release(claim.record, crashed=False)
    house.runner.start()
    name = "trial 2" if is_sweep else "long"
    await house.begun(name)
    assert set(house.work.reports) == {name}, "what is stored does not run again"
    house.work.end(name)
    assert (await house.ended(record.id)).state is JobState.SUCCEEDED
