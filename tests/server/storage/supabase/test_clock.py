"""The clock of a server is a day fast or slow: on Supabase leases and the order of jobs go by that of the database."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.bootstrap import STORAGE_BACKENDS
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.settings import Settings
from tests.conftest import ROOT
from tests.contracts.storage.job_drafts import claim, claimed, draft
from tests.e2e.test_clock_jumps import LIBRARIES, Clock
from tests.owners import OWNER
from tests.supabase_stack import RunningStack

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed: apt-get install libfaketime")

LEASE_SECONDS = 60.0
"""Longer than a test takes, and shorter than a day."""

LONG = 61.0

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
async def stack(system_stack: RunningStack) -> RunningStack:
    await system_stack.empty()
    return system_stack


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Of the machine of the workers."""
    return Clock(tmp_path)


@pytest.fixture
async def storage(stack: RunningStack, tmp_path: Path) -> AsyncIterator[Storage]:
    """Of a machine whose clock is right."""
    settings = Settings.read(("--data-dir", str(tmp_path / "one")), stack.stack.environment)
    with closing(STORAGE_BACKENDS["supabase"](settings, QueuePolicy())) as opened:
        yield opened
        await opened.disconnect()


@pytest.fixture
def start_workers(stack: RunningStack, clock: Clock, tmp_path: Path) -> Iterator[Start]:
    """Starts workers of another machine, whose clock can be set; each job is saved so often, with a pause between."""
    started: list[subprocess.Popen[str]] = []

    def start(count: int, saves: int, pause: float) -> subprocess.Popen[str]:
        arguments = (str(count), str(LEASE_SECONDS), str(saves), str(pause), "--data-dir", str(tmp_path / "two"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.storage.claimer", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **stack.stack.environment, **clock.environment},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read(process: subprocess.Popen[str], count: int) -> list[tuple[str, int]]:
    """What workers print next, and the key of the job that it is about."""
    assert process.stdout is not None
    lines = [process.stdout.readline().split() for _ in range(count)]
    return [(words[0], int(words[1])) for words in lines]


@pytest.mark.timeout(60)
async def test_leases_hold_on_both_machines(storage: Storage, start_workers: Start, clock: Clock) -> None:
    own = await storage.jobs.queue.enqueue(OWNER, draft(id="own"))
    assert (await claimed(storage, LEASE_SECONDS)).record.key == own.key
    other = await storage.jobs.queue.enqueue(OWNER, draft(id="other"))
    workers = start_workers(2, 1_000_000, 0.05)  # one of the two has nothing to do, and looks for work all the time
    assert read(workers, 1) == [("claimed", other.key)]
    for offset in ("+1d", "-1d", "+0"):
        clock.set(offset)
        assert read(workers, 12) == [("saved", other.key)] * 12, "it lasts longer than the pause between two looks"
        assert await claim(storage) is None
        assert await storage.jobs.queue.heartbeat(storage.worker, [own.key], LEASE_SECONDS, {}) == {own.key}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("offset", ["+1d", "-1d"])
async def test_a_long_job_has_not_waited_for_a_day(
    storage: Storage, start_workers: Start, clock: Clock, offset: str
) -> None:
    queue = storage.jobs.queue
    jobs = [("long", LONG), ("first", 0.0), ("second", 0.0)]
    keys = {name: (await queue.enqueue(OWNER, draft(id=name, cost_estimate=cost))).key for name, cost in jobs}
    clock.set(offset)
    found = [key for word, key in read(start_workers(1, 0, 0.0), 6) if word == "claimed"]
    assert found == [keys[name] for name in ("first", "second", "long")]
