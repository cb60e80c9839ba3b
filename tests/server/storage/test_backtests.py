"""Jobs in the store: one worker at a time, fenced, and nothing after the end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from domain.warnings import ResultWarning
from server.ports.errors import LostClaim, NotFound, StillRunning
from server.ports.jobs import EventKind, JobDraft, JobEnd, JobEventDraft, JobInputs, JobState, JobTick, Stage, Weighing
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import MINE, OWNER

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))
TICK = JobTick(0.5, 7, 1.25)
EVENT = JobEventDraft(EventKind.STAGE, "begun", 3)


def draft(request_id: str | None = None, body: bytes = b"b") -> JobDraft:
    name = fingerprint_of(PANEL)
    return JobDraft(b"request", body, "label", "fp", JobInputs(name, "prices"), {name: PANEL}, request_id)


class House:
    """One folder, and any number of workers on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: list[Database] = []

    def worker(self, retained: int = 100) -> tuple[EmbeddedBacktests, WorkerLocks]:
        database = Database(self.folder / "x.sqlite3")
        self.open.append(database)
        locks = WorkerLocks(self.folder / "workers")
        return EmbeddedBacktests(database, PanelFiles(self.folder / "panels"), locks, retained), locks


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    for database in made.open:
        database.close()


@pytest.mark.parametrize("later", ["'$[8]', '$[7]', '$[6]', '$[5]', '$[4]'", "'$[8]', '$[7]', '$[6]', '$[5]'"])
async def test_jobs_of_earlier_versions_have_less_input(house: House, later: str) -> None:
    """They were written without warnings first, then without opening prices and corporate actions."""
    store, _ = house.worker()
    warned = replace(draft(), inputs=replace(draft().inputs, warnings=(ResultWarning("CODE", "a.b", "too much"),)))
    job = await store.enqueue(OWNER, warned)
    assert (await store.get(OWNER, job.id)).inputs == warned.inputs

    def without_later(connection: sqlite3.Connection) -> None:
        connection.execute(f"UPDATE backtests SET inputs = json_remove(inputs, {later})")  # noqa: S608  # constants

    await house.open[0].write(without_later)
    assert (await store.get(OWNER, job.id)).inputs == (draft() if "[4]" in later else warned).inputs


async def test_a_job_has_the_labels_that_it_is_attributed_by(house: House) -> None:
    store, _ = house.worker()
    inputs = replace(draft().inputs, labels={"sector=x": ("A", "B")})
    job = await store.enqueue(OWNER, replace(draft(), inputs=inputs))
    assert (await store.get(OWNER, job.id)).inputs == inputs


async def test_a_job_has_the_volumes_and_earlier_prices_that_its_costs_depend_on(house: House) -> None:
    store, _ = house.worker()
    inputs = replace(draft().inputs, volumes="v", earlier="e")
    job = await store.enqueue(OWNER, replace(draft(), inputs=inputs))
    assert (await store.get(OWNER, job.id)).inputs == inputs
    (listed,) = (await store.list(MINE, "", 5)).records
    assert (listed.inputs.volumes, listed.inputs.earlier) == ("v", "e")


async def test_a_job_is_claimed_once(house: House) -> None:
    store, locks = house.worker()
    other, others = house.worker()
    for _ in range(20):
        await store.enqueue(OWNER, draft())
    claims = await asyncio.gather(
        *(s.claim(w.own, 30.0) for s, w in ((store, locks), (other, others)) for _ in range(15))
    )
    ids = [claim.record.id for claim in claims if claim is not None]
    assert len(ids) == len(set(ids)) == 20


async def test_a_checkpoint_a_takeover_and_the_fence(house: House) -> None:
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    assert (claim.checkpoint, claim.parts) == (None, ())
    await store.save(claim.record, b"c1", b"p1", TICK, [EVENT])
    await store.save(claim.record, b"c2", b"p2", TICK, [])
    successor, successors = house.worker()
    assert await successor.claim(successors.own, 30.0) is None, "the first one lives"
    locks.close()
    taken = await successor.claim(successors.own, 30.0)
    assert taken is not None
    assert (taken.record.attempt, taken.checkpoint, taken.parts) == (2, b"c2", (b"p1", b"p2"))
    for late in (
        store.save(claim.record, b"c3", b"p3", TICK, [EVENT]),
        store.finish(claim.record, JobEnd(JobState.SUCCEEDED), ()),
        store.release(claim.record, crashed=False),
    ):
        with pytest.raises(LostClaim):
            await late
    await successor.finish(taken.record, JobEnd(JobState.SUCCEEDED, b"result", series=[("label", b"s")]), [])
    view = await store.view(job.key, 0)
    assert [event.content.kind for event in view.events] == [EventKind.STAGE, EventKind.RESUMED, EventKind.FINISHED]
    assert [event.number for event in view.events] == [1, 2, 3]
    assert view.record.result == b"result"
    assert await store.series(OWNER, job.id, "") == ("label", b"s")
    with pytest.raises(NotFound, match="has no strategy or benchmark labelled 'other'"):
        await store.series(OWNER, job.id, "other")


async def test_a_lease_runs_out(house: House) -> None:
    store, locks = house.worker()
    other, others = house.worker()
    await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 0.05)
    assert claim is not None
    assert await other.claim(others.own, 30.0) is None
    await asyncio.sleep(0.1)
    assert await other.claim(others.own, 30.0) is not None
    assert await store.heartbeat(locks.own, [claim.record.key], 30.0, {}) == frozenset()


async def test_a_heartbeat_renews_and_tells(house: House) -> None:
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    await store.claim(locks.own, 0.2)
    assert await store.heartbeat(locks.own, [], 30.0, {}) == frozenset(), "it is not named, so it runs nowhere"
    assert await store.heartbeat(locks.own, [job.key], 30.0, {job.key: TICK}) == {job.key}
    await asyncio.sleep(0.25)
    other, others = house.worker()
    assert await other.claim(others.own, 30.0) is None
    assert (await other.get(OWNER, job.id)).tick == TICK


async def test_the_time_of_a_job_is_counted_to_its_end(house: House) -> None:
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    assert claim.record.run_seconds == 0.0
    await asyncio.sleep(0.2)
    await store.finish(claim.record, JobEnd(JobState.SUCCEEDED), [])
    ended = (await store.get(OWNER, job.id)).run_seconds
    assert ended >= 0.2
    await asyncio.sleep(0.05)
    assert (await store.get(OWNER, job.id)).run_seconds == ended


async def test_the_end_absorbs(house: House) -> None:
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    cancelled = await store.cancel(OWNER, job.id)
    assert cancelled.record.state is JobState.CANCELLED
    with pytest.raises(LostClaim):
        await store.finish(claim.record, JobEnd(JobState.SUCCEEDED), ())
    again = await store.cancel(OWNER, job.id)
    assert (again.record.state, again.events) == (JobState.CANCELLED, ())
    assert await store.claim(locks.own, 30.0) is None


async def test_old_events_go_first(house: House) -> None:
    store, locks = house.worker(retained=5)
    job = await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    await store.save(claim.record, b"c", b"p", TICK, [EVENT] * 8)
    view = await store.view(job.key, 0)
    assert ([event.number for event in view.events], view.record.dropped_event) == ([4, 5, 6, 7, 8], 3)
    assert [event.number for event in (await store.view(job.key, 6)).events] == [7, 8]


async def test_an_event_keeps_the_figures_of_its_decision(house: House) -> None:
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    stage = Stage("mine", 1, 3)
    weighed = JobEventDraft(EventKind.REBALANCE, "worth it", 5, "", stage, Weighing(0.1 + 0.2, 1e-300))
    await store.save(claim.record, b"c", b"p", TICK, [weighed, JobEventDraft(EventKind.STAGE, "next", 6, "", stage)])
    found = [event.content for event in (await store.view(job.key, 0)).events]
    assert found == [weighed, JobEventDraft(EventKind.STAGE, "next", 6, "", stage)]


async def test_data_goes_with_its_last_job(house: House) -> None:
    store, _ = house.worker()
    first, second = await store.enqueue(OWNER, draft()), await store.enqueue(OWNER, draft())
    with pytest.raises(StillRunning):
        await store.delete(OWNER, first.id)
    name = fingerprint_of(PANEL)
    for job in (first, second):
        assert (await store.panel(name)).panel.values.tolist() == PANEL.values.tolist()
        await store.cancel(OWNER, job.id)
        await store.delete(OWNER, job.id)
    with pytest.raises(NotFound):
        await store.panel(name)


async def test_a_job_given_back_is_free(house: House) -> None:
    store, locks = house.worker()
    await store.enqueue(OWNER, draft())
    for crashes in (0, 1, 2):
        claim = await store.claim(locks.own, 30.0)
        assert claim is not None
        assert claim.record.crashes == crashes
        await store.release(claim.record, crashed=True)


async def test_a_store_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    import sqlite3

    first = Path(__file__).parents[3] / "server/storage/embedded/migrations/0001_market_data.sql"
    with sqlite3.connect(tmp_path / "x.sqlite3") as connection:
        connection.executescript(first.read_text())
        connection.execute("INSERT INTO optimizations VALUES (1, 'a', 1, NULL, x'', x'', 'f')")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    house = House(tmp_path)
    store, _ = house.worker()
    assert (await store.enqueue(OWNER, draft())).state is JobState.QUEUED
    house.open[0].close()


async def test_many_parts_become_one(house: House) -> None:
    store, locks = house.worker()
    await store.enqueue(OWNER, draft())
    claim = await store.claim(locks.own, 30.0)
    assert claim is not None
    for i in range(3):
        await store.save(claim.record, b"c", b"p%d" % i, TICK, [])
    await store.compact(claim.record, 2, b"p01")
    await store.save(claim.record, b"c", b"p3", TICK, [])
    await store.release(claim.record, crashed=False, yielded=True)
    again = await store.claim(locks.own, 30.0)
    assert again is not None
    assert again.parts == (b"p01", b"p2", b"p3")
    with pytest.raises(LostClaim):
        await store.compact(claim.record, 3, b"late")
    assert (await store.view(claim.record.key, 0)).events == ()


async def test_a_worker_that_claims_its_own_job_again_is_fenced_from_its_first_claim(house: House) -> None:
    """Same worker, same job, another attempt: what the first one still writes would undo what the second one did."""
    store, locks = house.worker()
    job = await store.enqueue(OWNER, draft())
    first = await store.claim(locks.own, 0.0)
    second = await store.claim(locks.own, 30.0)
    assert first is not None
    assert second is not None
    assert (first.record.id, first.record.worker, first.record.attempt) == (job.id, locks.own, 1)
    assert (second.record.id, second.record.worker, second.record.attempt) == (job.id, locks.own, 2)
    await store.save(second.record, b"c2", b"p2", TICK, [])
    for late in (
        store.save(first.record, b"c1", b"p1", TICK, [EVENT]),
        store.compact(first.record, 1, b"p1"),
        store.finish(first.record, JobEnd(JobState.FAILED), ()),
        store.release(first.record, crashed=True),
    ):
        with pytest.raises(LostClaim):
            await late
    await store.release(second.record, crashed=False, yielded=True)
    third = await store.claim(locks.own, 30.0)
    assert third is not None
    assert (third.record.attempt, third.record.crashes, third.checkpoint, third.parts) == (3, 0, b"c2", (b"p2",))
