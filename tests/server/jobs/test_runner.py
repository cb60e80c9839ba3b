"""A real runner, real worker processes, a real store: short jobs do not wait behind long ones, which lose nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.converters.backtests import backtest_command_from_proto, result_to_bytes, specification_from_bytes
from server.execution.process_pool import ProcessPool
from server.execution.template import Template
from server.jobs import backtest_run, checkpoint_writer, runner
from server.jobs.backtest_run import EncodedBacktest, Job, run_backtest
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.jobs.sweep_run import SweepTasks
from server.ports.job_queue import QueuePolicy, QueueSnapshot, WaitingJob, expected_seconds
from server.ports.job_stores import JobStores
from server.ports.jobs import EventKind, JobDraft, JobInputs, JobRecord, JobState
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.families import thinned
from tests.owners import OWNER
from tests.processes import workers_of_this_process
from tests.server.jobs.no_sweeps import no_sweeps

POLICY = QueuePolicy(short_seconds=60.0, slice_seconds=30.0)
HOURS_80 = 80 * 3600.0
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
"""What is given back is stored by then on every machine; nobody waits longer than it takes."""


def panel(days: int, assets: int = 10) -> PricePanel:
    steps = np.random.default_rng(3).normal(0.0003, 0.01, (days, assets))
    return PricePanel.of([f"S{i}" for i in range(assets)], np.arange(days), 100 * np.exp(np.cumsum(steps, axis=0)))


ASKED: dict[str, Any] = {"inverseVolatility": {"lookbackPeriods": 60}}
EQUAL: dict[str, Any] = {"equalWeight": {}}
"""Loads no solver: milliseconds of a processor."""


def draft(days: int, strategies: int = 1, one: dict[str, Any] = ASKED, **more: object) -> JobDraft:
    """Decisions on every date, by so many strategies."""
    data = panel(days)
    request = {
        "prices": {"symbols": data.symbols, "dates": data.dates.tolist(), "values": data.values.ravel().tolist()},
        "strategies": [{**one, "label": f"s{i}"} for i in range(strategies)],
        "rebalancing": {"everyPeriods": {"n": 1}},
    }
    command = backtest_command_from_proto(json_format.ParseDict(request, BacktestRequest()))
    name = fingerprint_of(data)
    made = JobDraft(command.request, command.body, "label", "fp", JobInputs(name, "prices"), {name: data})
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class House:
    """One server's part that runs jobs."""

    store: EmbeddedBacktests
    runner: Runner
    database: Database
    late: float = 0.0
    """Seconds that looks at the store took longer than on a machine with nothing else to do: beats are late by as much.
    """

    async def submit(self, job: JobDraft) -> str:
        record = await self.store.enqueue(OWNER, job)
        self.runner.wake()
        return record.id

    async def until(self, job_id: str, reached: Callable[[JobRecord], bool]) -> JobRecord:
        """Waits for as long as a test may run: how long that takes depends on what else the machine does."""
        while True:
            before = time.monotonic()
            if reached(record := await self.store.get(OWNER, job_id)):
                return record
            await asyncio.sleep(LOOK_SECONDS)
            self.late += time.monotonic() - before - LOOK_SECONDS

    async def end(self, job_id: str) -> JobRecord:
        return await self.until(job_id, lambda record: record.state.is_final)


Open = Callable[..., House]


@pytest.fixture
async def template() -> AsyncIterator[Template]:
    """Loading counts against nobody's time budget: workers have the compiled simulation from the start."""
    made = Template(("server.tasks.compiled_simulation",))
    yield made
    await made.close()


def run(job: Job, request: bytes, fingerprint: str, control: Any, report: Any) -> EncodedBacktest:
    """As the server's task, without the processor time, which differs from run to run."""
    specification = specification_from_bytes(request).with_groups(job.groups)
    completed = run_backtest(job, specification, control, report)
    result = result_to_bytes(replace(completed, cpu_seconds=0.0), fingerprint)
    return EncodedBacktest(result, completed.series, completed.events, completed.tick)


@pytest.fixture
async def open_house(tmp_path: Path, template: Template) -> AsyncIterator[Open]:
    """Opens houses in the same folder, one after the other."""
    closing: list[Callable[[], object]] = []
    runners: list[Runner] = []

    def opened(
        slots: int,
        policy: QueuePolicy = POLICY,
        run: Callable[..., EncodedBacktest] = run,
        sweep: SweepTasks | None = None,
    ) -> House:
        database = Database(tmp_path / "x.sqlite3")
        locks = WorkerLocks(tmp_path / "workers")
        store = EmbeddedBacktests(database, PanelFiles(tmp_path / "panels"), locks, 100, policy)
        stores = JobStores(archive=store, queue=store, log=store, inputs=store)
        progress = Progress(store, store)
        made = Runner(
            stores,
            progress,
            ProcessPool(slots, growth=1, retries=0, template=template),
            locks.own,
            slots,
            run=run,
            sweep=sweep or no_sweeps(),
            encode_error=lambda error: repr(error).encode(),
            policy=policy,
        )
        made.start()
        runners.append(made)
        closing.extend((locks.close, database.close))
        return House(store, made, database)

    yield opened
    for made in runners:
        await made.close(PATIENCE_SECONDS)
    for close in closing:
        close()


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("estimate", thinned([HOURS_80, 0.0], 2), ids=["known", "unknown"])
async def test_a_short_job_does_not_wait_behind_two_long_ones(open_house: Open, slots: int, estimate: float) -> None:
    house = open_house(slots)
    long = [await house.submit(draft(4000, 500, cost_estimate=estimate, id=f"long{i}")) for i in range(2)]
    for job_id in long[:slots]:
        await house.until(job_id, lambda record: record.tick is not None)
    await asyncio.sleep(1.0)
    start, house.late = time.monotonic(), 0.0
    short = await house.end(await house.submit(draft(100, cost_estimate=min(estimate, 1.0))))
    assert short.state is JobState.SUCCEEDED
    took = time.monotonic() - start
    assert took < 25 + house.late, "it takes about three seconds, of which one is the start of a process"
    for job_id in long:
        assert not (await house.store.get(OWNER, job_id)).state.is_final


async def test_on_a_server_that_drains_no_job_begins_and_those_that_run_end(open_house: Open) -> None:
    house = open_house(2)
    running = await house.submit(draft(2000, 5))
    await house.until(running, lambda record: record.tick is not None)
    house.runner.drain()
    waiting = await house.submit(draft(100))
    assert (await house.end(running)).state is JobState.SUCCEEDED
    assert (await house.store.get(OWNER, waiting)).attempt == 0


def run_with_many_checkpoints(job: Job, request: bytes, fingerprint: str, control: Any, report: Any) -> EncodedBacktest:
    """So that a job of a second can make room too."""
    backtest_run.CHECKPOINT_SECONDS = 0.1
    return run(job, request, fingerprint, control, report)


async def test_long_jobs_that_take_turns_end_as_if_undisturbed(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long ones make room for short ones after a tenth of the usual time: on a fast machine they take a second."""
    monkeypatch.setattr(runner, "LEAST_SECONDS", 0.1)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.1)
    house = open_house(1, QueuePolicy(short_seconds=0.1, slice_seconds=1.0), run_with_many_checkpoints)
    one = await house.submit(draft(1000, 5, cost_estimate=HOURS_80))
    alone = await house.end(one)
    assert (alone.state, alone.attempt) == (JobState.SUCCEEDED, 1)
    long = [await house.submit(draft(1000, 5, cost_estimate=HOURS_80, caller=caller)) for caller in ("a", "b")]
    for i in range(3):
        await asyncio.sleep(0.2)
        assert (await house.end(await house.submit(draft(100 + i)))).state is JobState.SUCCEEDED
    for job_id in long:
        ended = await house.end(job_id)
        assert ended.state is JobState.SUCCEEDED
        assert ended.attempt > 1, "it made room at least once"
        for label in ("s0", "s1"):
            assert await house.store.series(OWNER, job_id, label) == await house.store.series(OWNER, one, label)
        assert ended.result == alone.result
        kinds = [event.content.kind for event in (await house.store.view(ended.key, 0)).events]
        assert EventKind.RESUMED not in kinds, "making room is no event"


async def test_the_place_that_is_lent_is_given_back_without_a_checkpoint(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a single step of the long jobs took hours."""
    monkeypatch.setattr(runner, "LENT_SECONDS", 0.5)
    monkeypatch.setattr(checkpoint_writer.CheckpointWriter, "yield_at_next", lambda self: None)
    house = open_house(2)
    for i in range(2):
        await house.submit(draft(4000, 500, cost_estimate=HOURS_80, id=f"long{i}"))
    await house.until("long1", lambda record: record.tick is not None)
    assert (await house.end(await house.submit(draft(100)))).state is JobState.SUCCEEDED
    attempts = [(await house.store.get(OWNER, f"long{i}")).attempt for i in range(2)]
    assert min(attempts) == 1, "the other one keeps what it has done"


async def test_a_job_waits_for_a_full_disk(open_house: Open) -> None:
    house = open_house(1)
    undisturbed = await house.end(await house.submit(draft(1000, 2)))
    job_id = await house.submit(draft(1000, 2))
    await house.until(job_id, lambda record: record.state is JobState.RUNNING)
    await house.database.write(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone())
    await asyncio.sleep(2.0)
    await house.database.write(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
    ended = await house.end(job_id)
    assert (ended.state, ended.result) == (JobState.SUCCEEDED, undisturbed.result)
    assert await house.store.series(OWNER, job_id, "s1") == await house.store.series(OWNER, undisturbed.id, "s1")


@pytest.mark.alone
async def test_a_job_over_its_time_budget_fails(open_house: Open) -> None:
    house = open_house(1, QueuePolicy(max_job_seconds=5.0))  # the second one needs a new process within it
    job_id = await house.submit(draft(4000, 500))
    ended = await house.end(job_id)
    assert ended.state is JobState.FAILED
    assert b"JobTimeBudgetExceeded" in (ended.error or b"")
    assert 5.0 <= ended.run_seconds < 9.0 + house.late
    assert ended.tick is None or ended.tick.fraction < 0.1, "it would take many minutes"
    following = await house.end(await house.submit(draft(100, one=EQUAL)))
    assert following.state is JobState.SUCCEEDED, "its place is free"


async def test_time_counts_over_all_attempts(open_house: Open) -> None:
    house = open_house(1)
    job_id = await house.submit(draft(4000, 500))
    await house.until(job_id, lambda record: record.run_seconds >= 2.0)
    await house.runner.close(PATIENCE_SECONDS)
    given_back = await house.store.get(OWNER, job_id)
    assert given_back.state is not JobState.RUNNING, "it is free at once, not when its lease runs out"
    spent = given_back.run_seconds
    assert spent >= 2.0
    again = open_house(1, QueuePolicy(max_job_seconds=spent))
    ended = await again.end(job_id)
    assert ended.state is JobState.FAILED
    assert ended.run_seconds < spent + 1.5 + again.late


async def test_a_job_whose_process_is_killed_is_tried_again(open_house: Open) -> None:
    house = open_house(1)
    job_id = await house.submit(draft(4000, 2))
    await house.until(job_id, lambda record: record.tick is not None)
    for worker in workers_of_this_process():
        worker.kill()
    ended = await house.end(job_id)
    assert (ended.state, ended.crashes, ended.attempt) == (JobState.SUCCEEDED, 1, 2)


names = st.sampled_from("abc")
waiting = st.builds(WaitingJob, st.integers(), names, st.booleans(), st.floats(0, 299))


@given(st.lists(waiting, min_size=1), st.dictionaries(names, st.integers(0, 3)))
def test_the_next_job(jobs: list[WaitingJob], running: dict[str, int]) -> None:
    best = QueueSnapshot(tuple(jobs), running).best(POLICY)
    assert best is not None
    least = min(running.get(job.caller, 0) for job in jobs)
    assert running.get(best.caller, 0) == least
    mine = [job for job in jobs if running.get(job.caller, 0) == least]
    short = [job for job in mine if not job.is_long]
    assert best.is_long == (not short)
    assert best.waited_seconds == max(job.waited_seconds for job in short or mine)


def test_a_long_job_that_has_waited_for_ten_slices_is_next() -> None:
    old, young = WaitingJob(1, "", True, 300.0), WaitingJob(2, "", False, 299.0)
    assert QueueSnapshot((young, old), {}).best(POLICY) == old


def test_a_job_is_long_by_its_pace_once_it_has_one() -> None:
    assert expected_seconds(5.0, 0.5, 0.9) == 5.0
    assert expected_seconds(5.0, 10.0, 0.01) == 1000.0
    assert expected_seconds(1000.0, 10.0, 0.5) == 20.0
    assert expected_seconds(0.0, 7.0, 0.0) == 70.0
