"""Workers in processes of their own, against each other and against signals: every job is done once."""

import asyncio
import collections
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.ports.errors import LostClaim
from server.ports.jobs import EventKind, JobEventDraft, JobRecord, JobState, JobTick
from server.ports.list_filter import ListFilter
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.job_drafts import claim, claimed, draft, parts_of
from tests.owners import MINE, OWNER
from tests.supabase_stack import RunningStack

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(400)
SECONDS = 200.0
"""For what takes a few on a machine with nothing else to do."""


class Claimer:
    """A worker process and what it has said."""

    def __init__(self, process: subprocess.Popen[str], said: Path) -> None:
        self.process = process
        self._said = said

    def said(self, word: str) -> list[int]:
        """Keys of the jobs of which it has said this."""
        lines = [line.split() for line in self._said.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [int(line[1]) for line in lines if line[0] == word]

    def end(self) -> None:
        """Lets it end after its job."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


Start = Callable[..., Claimer]


@pytest.fixture
def start_claimer(stack: RunningStack | None, tmp_path: Path) -> Iterator[Start]:
    """Starts workers; all of them are on one machine, as far as the embedded store is asked."""
    started: list[Claimer] = []

    def start(lease_seconds: float, saves: int, pause: float, workers: int = 1) -> Claimer:
        said = tmp_path / f"said-{len(started)}"
        environment = {**os.environ, **({} if stack is None else stack.stack.environment)}
        arguments = [str(workers), str(lease_seconds), str(saves), str(pause), "--data-dir", str(tmp_path)]
        with said.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.contracts.storage.claimer", *arguments],
                stdin=subprocess.PIPE, stdout=output, text=True, cwd=ROOT, env=environment,
            )  # fmt: skip
        started.append(Claimer(process, said))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(20)
        if one.process.stdin is not None:
            one.process.stdin.close()


@contextmanager
def stopped(claimer: Claimer) -> Iterator[None]:
    """A worker that does nothing for a while, as on a machine that sleeps."""
    claimer.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        claimer.process.send_signal(signal.SIGCONT)


async def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


async def all_jobs(storage: Storage, filters: ListFilter) -> list[JobRecord]:
    return list((await storage.jobs.archive.list(MINE, "", 1000, filters)).records)


async def all_over(storage: Storage, count: int, claimers: Sequence[Claimer]) -> None:
    end = time.monotonic() + SECONDS
    while len(await all_jobs(storage, ListFilter(state=JobState.SUCCEEDED))) < count:
        assert time.monotonic() < end, "jobs are left"
        assert all(one.process.poll() is None for one in claimers), "a worker has ended"
        await asyncio.sleep(0.2)


async def test_eight_workers_do_two_hundred_jobs_once(storage: Storage, start_claimer: Start) -> None:
    count = 200
    claimers = [start_claimer(30.0, 1, 0.0, workers=4) for _ in range(2)]
    for i in range(count):
        await storage.jobs.queue.enqueue(OWNER, draft(caller=f"caller {i % 3}"))
    await all_over(storage, count, claimers)
    for one in claimers:
        one.end()
    said = {
        word: collections.Counter(key for one in claimers for key in one.said(word)) for word in ("claimed", "finished")
    }
    assert len(said["claimed"]) == len(said["finished"]) == count
    assert set(said["claimed"].values()) == set(said["finished"].values()) == {1}
    assert not any(one.said("lost") for one in claimers)
    for job in await all_jobs(storage, ListFilter()):
        kinds = [event.content.kind for event in (await storage.jobs.log.view(job.key, 0)).events]
        assert (job.attempt, kinds) == (1, [EventKind.STAGE, EventKind.FINISHED])


async def test_jobs_of_a_worker_that_is_killed_are_done_once(
    storage: Storage, start_claimer: Start, tmp_path: Path
) -> None:
    """Those that it had are taken over: at once where a lock proves its end, after their leases elsewhere."""
    count = 40
    for i in range(count):
        await storage.jobs.queue.enqueue(OWNER, draft(caller=f"caller {i % 3}"))
    killed = start_claimer(30.0, 1000, 0.02)
    await until(lambda: len(killed.said("saved")) > 3, "the first worker saves nothing")
    others = [start_claimer(30.0, 2, 0.0, workers=3)]
    await until(lambda: any(one.said("claimed") for one in others), "the others do nothing")
    killed.process.kill()
    killed.process.wait(20)
    await all_over(storage, count, others)
    for one in others:
        one.end()
    finished = collections.Counter(key for one in (killed, *others) for key in one.said("finished"))
    assert set(finished.values()) == {1}
    left = [job for job in await all_jobs(storage, ListFilter()) if job.attempt > 1]
    assert [job.key for job in left] == killed.said("claimed")[-1:]
    for job in await all_jobs(storage, ListFilter()):
        events = (await storage.jobs.log.view(job.key, 0)).events
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        kinds = collections.Counter(event.content.kind for event in events)
        assert (kinds[EventKind.FINISHED], kinds[EventKind.RESUMED]) == (1, job.attempt - 1)
        done = [event.content.message for event in events if event.content.kind is EventKind.STAGE]
        assert done == [str(i) for i in range(len(done))], "nothing is done twice or left out"


async def test_a_worker_that_slept_past_its_lease_writes_nothing(opened: Opened, start_claimer: Start) -> None:
    storage = opened()
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    slow = start_claimer(1.0, 10_000, 0.01)
    await until(lambda: len(slow.said("saved")) > 2, "the worker saves nothing")
    with stopped(slow):
        end = time.monotonic() + SECONDS
        while (taken := await claim(storage)) is None:
            assert time.monotonic() < end, "its lease does not pass"
            await asyncio.sleep(0.05)
        assert taken.record.key == job.key
        parts = await parts_of(storage.jobs, taken)
        before = await storage.jobs.log.view(job.key, 0)
    await until(lambda: slow.said("lost") == [job.key], "it does not learn that the job is another's")
    after = await storage.jobs.log.view(job.key, 0)
    assert [event.number for event in after.events] == [event.number for event in before.events]
    await storage.jobs.queue.release(taken.record, crashed=False, yielded=True)
    slow.process.kill()
    slow.process.wait(20)
    again = await claimed(storage)
    assert (await parts_of(storage.jobs, again))[: len(parts)] == parts


@pytest.mark.parametrize("takers", [4])
async def test_saves_race_with_those_who_take_over(opened: Opened, takers: int) -> None:
    """Each write is of one attempt, whole: whatever wins, events and parts are those of attempts in their order."""
    servers = [opened() for _ in range(takers)]
    job = await servers[0].jobs.queue.enqueue(OWNER, draft())
    saved: list[tuple[int, int]] = []

    async def work(storage: Storage) -> None:
        for _ in range(6):
            found = await claim(storage, 0.02)
            if found is None:
                await asyncio.sleep(0.01)
                continue
            attempt = found.record.attempt
            try:
                for number in range(20):
                    part = f"{attempt}.{number}"
                    event = JobEventDraft(EventKind.STAGE, part)
                    await storage.jobs.log.save(found.record, part.encode(), part.encode(), JobTick(0, 1, 1.0), [event])
                    saved.append((attempt, number))
            except LostClaim:
                continue

    await asyncio.gather(*(work(storage) for storage in servers))
    await asyncio.sleep(0.05)
    final = await claimed(servers[0])
    parts = await parts_of(servers[0].jobs, final)
    assert [tuple(map(int, part.decode().split("."))) for part in parts] == sorted(saved)
    events = (await servers[0].jobs.log.view(job.key, 0)).events
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    stages = [event.content.message for event in events if event.content.kind is EventKind.STAGE]
    assert stages == [part.decode() for part in parts]
    assert (final.checkpoint or b"") == (parts[-1] if parts else b"")
