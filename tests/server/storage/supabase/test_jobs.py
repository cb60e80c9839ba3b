"""What is particular to jobs on Supabase: calls that are sent again, a database that was away, and their age."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.ports.errors import NotFound, StorageUnavailable
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.jobs import Claim, EventKind, JobEnd, JobState
from server.settings import Settings
from server.storage.panels import PanelFiles
from server.storage.supabase.access import Access
from server.storage.supabase.decisions import SupabaseDecisions
from server.storage.supabase.job_stores import ProjectJobs, open_jobs
from server.storage.supabase.rpc import Rpc
from server.storage.workers import WorkerLocks
from tests.contracts.storage.job_drafts import EVENT, LEASE_SECONDS, TICK, draft, parts_of
from tests.owners import MINE, OWNER
from tests.supabase_stack import RunningStack

SECRET = "eyJhbGciOiJIUzI1NiJ9.secret.signature"  # noqa: S105  # of nobody


class SentTwice(Rpc):
    """Every answer is lost once, so that each call is sent again."""

    async def call(self, name: str, /, **arguments: object) -> Any:
        await super().call(name, **arguments)
        return await super().call(name, **arguments)

    async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
        await super().read_bytes(name, **arguments)
        return await super().read_bytes(name, **arguments)

    async def send_bytes(self, name: str, body: bytes, /) -> Any:
        await super().send_bytes(name, body)
        return await super().send_bytes(name, body)


class Forgetful(Rpc):
    """The database does what it is told, and is away for so long that its answer counts as lost."""

    async def send_bytes(self, name: str, body: bytes, /) -> Any:
        answer = await super().send_bytes(name, body)
        if name == "add_backtest_series":
            return answer
        raise StorageUnavailable("away")


class Opener:
    """Opens jobs as a server does, over calls of some kind."""

    def __init__(self, stack: RunningStack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.opened: list[tuple[Rpc, ProjectJobs]] = []

    def jobs(self, kind: type[Rpc] = Rpc, machine: str = "one", *flags: str) -> tuple[JobStores, ProjectJobs]:
        folder = self.folder / machine
        settings = Settings.read(("--data-dir", str(folder), *flags), self.stack.stack.environment)
        access = Access(settings.supabase_url, settings.supabase_key)
        rpc = kind(access)
        worker = WorkerLocks(folder / "workers")
        found = open_jobs(rpc, access, PanelFiles(folder / "panels"), worker, settings, QueuePolicy())
        self.opened.append((rpc, found))
        return found.stores, found


@pytest.fixture
async def opener(system_stack: RunningStack, tmp_path: Path) -> AsyncIterator[Opener]:
    await system_stack.empty()
    found = Opener(system_stack, tmp_path)
    yield found
    for rpc, jobs in found.opened:
        await rpc.close()
        jobs.worker.close()


async def claimed(stores: JobStores, jobs: ProjectJobs, lease_seconds: float = LEASE_SECONDS) -> Claim:
    found = await stores.queue.claim(jobs.worker.own, lease_seconds)
    assert found is not None
    return found


async def test_what_is_sent_again_is_done_once(opener: Opener) -> None:
    stores, jobs = opener.jobs(SentTwice)
    for job_id in ("first", "second"):
        assert (await stores.queue.enqueue(OWNER, draft(id=job_id))).id == job_id
    first = await claimed(stores, jobs)
    assert (first.record.id, first.record.attempt) == ("first", 1)
    assert dict((await stores.queue.queue(jobs.worker.own)).running) == {"": 1}
    assert [event.number for event in await stores.log.save(first.record, b"c1", b"p1", TICK, [EVENT])] == [1]
    assert [event.number for event in await stores.log.save(first.record, b"c2", b"p2", TICK, [EVENT] * 2)] == [2, 3]
    await stores.log.save(first.record, b"c3", b"p3", TICK, [])
    await stores.log.compact(first.record, 2, b"p12")
    await stores.queue.release(first.record, crashed=True)
    assert (await claimed(stores, jobs)).record.id == "second"
    again = await claimed(stores, jobs)
    assert (again.record.id, again.record.attempt, again.record.crashes) == ("first", 2, 1)
    assert again.checkpoint == b"c3"
    assert await parts_of(stores, again) == (b"p12", b"p3")
    end = JobEnd(JobState.SUCCEEDED, b"result", series=[("label", b"s" * 10)])
    (finished,) = await stores.log.finish(again.record, end, [])
    assert (finished.number, finished.content.kind) == (5, EventKind.FINISHED)
    assert await stores.archive.series(OWNER, "first", "") == ("label", b"s" * 10)
    cancelled = await stores.queue.cancel(OWNER, "second")
    assert [event.content.kind for event in cancelled.events] == [EventKind.FINISHED]
    await stores.archive.delete(OWNER, "first")
    assert [job.id for job in (await stores.archive.list(MINE, "", 5)).records] == ["second"]


async def test_what_a_job_tries_again_in_a_later_call_is_done_once(opener: Opener) -> None:
    """As `until_stored` does: a part that was stored twice would be twice in the record of a job that goes on."""
    stores, jobs = opener.jobs()
    lost, _ = opener.jobs(Forgetful, "another")
    await stores.queue.enqueue(OWNER, draft())
    record = (await claimed(stores, jobs)).record
    for number in (1, 2):
        saved = (record, b"c%d" % number, b"p%d" % number, TICK, [EVENT])
        with pytest.raises(StorageUnavailable):
            await lost.log.save(*saved)
        assert [event.number for event in await stores.log.save(*saved)] == [number]
    await stores.queue.release(record, crashed=False)
    again = await claimed(stores, jobs)
    assert again.checkpoint == b"c2"
    assert await parts_of(stores, again) == (b"p1", b"p2")
    with pytest.raises(StorageUnavailable):
        await lost.log.compact(again.record, 2, b"p12")
    await stores.log.compact(again.record, 2, b"p12")
    end = JobEnd(JobState.SUCCEEDED, b"result", series=[("label", b"s")])
    with pytest.raises(StorageUnavailable):
        await lost.log.finish(again.record, end, [EVENT])
    finished = await stores.log.finish(again.record, end, [EVENT])
    assert [event.number for event in finished] == [4, 5]


async def test_a_claim_reads_no_parts(opener: Opener) -> None:
    """They may be a hundred megabytes, and the lease is kept only of what was claimed."""

    class Telling(Rpc):
        names: list[str] = []  # noqa: RUF012  # of this test alone

        async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
            self.names.append(name)
            return await super().read_bytes(name, **arguments)

    stores, jobs = opener.jobs(Telling)
    await stores.queue.enqueue(OWNER, draft())
    first = await claimed(stores, jobs)
    await stores.log.save(first.record, b"c", b"p", TICK, [])
    await stores.queue.release(first.record, crashed=False)
    Telling.names.clear()
    again = await claimed(stores, jobs)
    assert Telling.names == ["claim_backtest"]
    assert await parts_of(stores, again) == (b"p",)


@pytest.mark.parametrize("noticed", ["claim", "heartbeat"])
async def test_after_the_database_was_away_jobs_stay_where_they_run(opener: Opener, noticed: str) -> None:
    """Their leases may have passed because they could not be renewed; a server without a free place claims nothing."""

    class Away(Rpc):
        away = False

        async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
            if self.away:
                raise StorageUnavailable("away")
            return await super().read_bytes(name, **arguments)

        async def call(self, name: str, /, **arguments: object) -> Any:
            if self.away:
                raise StorageUnavailable("away")
            return await super().call(name, **arguments)

    runs, runner = opener.jobs()
    waits, waiting = opener.jobs(Away, "another")
    await runs.queue.enqueue(OWNER, draft())
    first = await claimed(runs, runner, 0.1)
    Away.away = True
    worker = waiting.worker.own
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "claim": lambda: waits.queue.claim(worker, LEASE_SECONDS),
        "heartbeat": lambda: waits.queue.heartbeat(worker, [1], LEASE_SECONDS, {}),
    }
    with pytest.raises(StorageUnavailable):
        await calls[noticed]()
    Away.away = False
    await asyncio.sleep(0.3)
    assert await waits.queue.claim(waiting.worker.own, LEASE_SECONDS) is None
    key = first.record.key
    assert await runs.queue.heartbeat(runner.worker.own, [key], LEASE_SECONDS, {}) == {key}
    await runs.queue.enqueue(OWNER, draft(id="new"))
    assert (await claimed(waits, waiting)).record.id == "new", "what waits can be claimed at once"


async def test_another_machine_waits_for_the_lease_and_the_same_one_does_not(opener: Opener) -> None:
    stores, jobs = opener.jobs()
    elsewhere, other = opener.jobs(Rpc, "another")
    here, same = opener.jobs()
    await stores.queue.enqueue(OWNER, draft())
    await claimed(stores, jobs)
    jobs.worker.close()  # as the end of its process does
    (jobs.worker._folder / f"{jobs.worker.own}.lock").touch()
    assert await elsewhere.queue.claim(other.worker.own, LEASE_SECONDS) is None
    assert same.worker.sweep() == 1, "whoever finds it first, such as the cleanup of files"
    assert (await claimed(here, same)).record.attempt == 2


async def test_old_jobs_go_and_others_stay(opener: Opener) -> None:
    stores, jobs = opener.jobs(Rpc, "one", "--retention-days", "7")
    for job_id in ("old", "new", "runs"):
        await stores.queue.enqueue(OWNER, draft(id=job_id))
    name = (await stores.archive.get(OWNER, "old")).inputs.data
    for job_id in ("old", "new"):
        await stores.queue.cancel(OWNER, job_id)
    connection = await asyncpg.connect(opener.stack.stack.admin_url)
    past = timedelta(days=8)
    await connection.execute("update absfin.backtests set created_time = created_time - $1::interval", past)
    await connection.execute(
        "update absfin.backtests set finished_time = finished_time - $1::interval where id = 'old'", past
    )
    (sweep,) = jobs.cleanup.values()
    assert await sweep() == 1
    assert [job.id for job in (await stores.archive.list(MINE, "", 5)).records] == ["runs", "new"]
    assert (await stores.inputs.panel(name)).panel.symbols == ("A", "B")
    for job_id in ("runs", "new"):
        await stores.queue.cancel(OWNER, job_id)
    await connection.execute("update absfin.backtests set finished_time = finished_time - $1::interval", past)
    assert await sweep() == 2
    with pytest.raises(NotFound):
        await stores.inputs.panel(name)
    rows = await connection.fetch("select tablename from pg_tables where tablename like 'backtest%'")
    for (table,) in rows:
        assert await connection.fetchval(f"select count(*) from absfin.{table}") == 0, table  # noqa: S608  # of the catalogue
    await connection.close()


async def test_old_jobs_that_take_too_long_together_go_one_by_one(opener: Opener) -> None:
    class Slow(Rpc):
        async def call(self, name: str, /, **arguments: object) -> Any:
            if name == "delete_expired_backtests" and arguments["p_limit"] != 1:
                raise StorageUnavailable("the database took too long for one step; ask for less at once")
            return await super().call(name, **arguments)

    stores, jobs = opener.jobs(Slow, "one", "--retention-days", "7")
    for job_id in ("a", "b", "c"):
        await stores.queue.enqueue(OWNER, draft(id=job_id))
        await stores.queue.cancel(OWNER, job_id)
    connection = await asyncpg.connect(opener.stack.stack.admin_url)
    await connection.execute("update absfin.backtests set finished_time = finished_time - interval '8 days'")
    await connection.close()
    (sweep,) = jobs.cleanup.values()
    assert await sweep() == 3
    assert (await stores.archive.list(MINE, "", 5)).records == ()


async def test_data_that_is_always_gone_is_said_to_be_a_passing_fault(opener: Opener) -> None:
    class Loses(Rpc):
        async def send_bytes(self, name: str, body: bytes, /) -> Any:
            return None

    stores, _ = opener.jobs(Loses)
    with pytest.raises(StorageUnavailable, match="send it again"):
        await stores.queue.enqueue(OWNER, draft())
    assert (await stores.archive.list(MINE, "", 5)).records == ()


async def test_data_that_no_job_came_for_goes_after_an_hour(opener: Opener) -> None:
    stores, jobs = opener.jobs()
    name, panel = next(iter(draft().panels.items()))
    await stores.inputs.send(name, panel)  # type: ignore[attr-defined]  # no method of the port
    (sweep,) = jobs.cleanup.values()
    await sweep()
    assert (await stores.inputs.panel(name)).fingerprint == name
    connection = await asyncpg.connect(opener.stack.stack.admin_url)
    await connection.execute("update absfin.backtest_inputs set touched_time = touched_time - interval '61 minutes'")
    await connection.close()
    await sweep()
    with pytest.raises(NotFound):
        await stores.inputs.panel(name)


def test_the_key_is_not_shown() -> None:
    """It travels to worker processes with the store of decisions, and is in no text of it."""
    decisions = SupabaseDecisions(Access("http://127.0.0.1:1", SECRET))
    again = pickle.loads(pickle.dumps(decisions))  # noqa: S301  # made here
    assert again.access.key == SECRET
    assert SECRET not in f"{again} {again!r} {again.access}"
