"""The order in which every store gives out jobs, and who is known to run them."""

import asyncio

import pytest

from server.ports.job_queue import QueuePolicy
from server.ports.jobs import JobTick
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.job_drafts import claim, claimed, draft
from tests.owners import OWNER

POLICY = QueuePolicy(short_seconds=60.0, slice_seconds=30.0)
LONG = 61.0


async def enqueued(storage: Storage, *jobs: tuple[str, str, float]) -> None:
    """Jobs by id, caller and estimated seconds, one after the other."""
    for job_id, caller, cost in jobs:
        await storage.jobs.queue.enqueue(OWNER, draft(id=job_id, caller=caller, cost_estimate=cost))


async def order(storage: Storage) -> list[str]:
    """Jobs as they are claimed until there are none."""
    found = []
    while (one := await claim(storage)) is not None:
        found.append(one.record.id)
    return found


async def test_callers_that_run_fewer_jobs_go_first(opened: Opened) -> None:
    storage, other = opened(policy=POLICY), opened(policy=POLICY)
    await enqueued(storage, ("a1", "a", 0), ("a2", "a", 0), ("a3", "a", 0), ("b1", "b", 0), ("b2", "b", 0))
    assert [(await claimed(one)).record.id for one in (storage, other)] == ["a1", "b1"], "those of all servers count"
    await enqueued(storage, ("c1", "c", 0))
    assert await order(storage) == ["c1", "a2", "b2", "a3"]


async def test_a_caller_at_its_limit_waits_while_others_run(opened: Opened) -> None:
    policy = QueuePolicy(max_running=1)
    storage, other = opened(policy=policy), opened(policy=policy)
    await enqueued(storage, ("a1", "a", 0.0), ("a2", "a", 0.0), ("a3", "a", LONG), ("b1", "b", LONG))
    first = await claimed(storage)
    assert [first.record.id, *await order(other)] == ["a1", "b1"], "those of all servers count"
    snapshot = await other.jobs.queue.queue(other.worker)
    assert (len(snapshot.waiting), dict(snapshot.running)) == (2, {"a": 1, "b": 1})
    assert snapshot.best(policy) is None, "nobody makes room for a job that may not run"
    await storage.jobs.queue.release(first.record, crashed=False, yielded=True)
    assert await order(other) == ["a2"], "a job that made room is counted no more"
    await other.jobs.queue.cancel(OWNER, "a2")
    assert await order(storage) == ["a1"]


async def test_a_job_of_a_server_that_is_gone_goes_on_within_the_limit(opened: Opened) -> None:
    policy = QueuePolicy(max_running=2)
    storage, other = opened(policy=policy), opened(policy=policy)
    await enqueued(storage, ("a1", "a", 0.0), ("a2", "a", 0.0), ("a3", "a", 0.0))
    assert [(await claimed(one)).record.id for one in (storage, other)] == ["a1", "a2"]
    storage.release_worker()
    assert await order(other) == ["a1"]


async def test_short_jobs_go_before_long_ones_and_then_the_longest_waiting(opened: Opened) -> None:
    storage = opened(policy=POLICY)
    await enqueued(storage, ("l1", "a", LONG), ("s1", "a", 60.0), ("l2", "a", LONG), ("s2", "a", 0.0))
    assert await order(storage) == ["s1", "s2", "l1", "l2"]


async def test_fewer_running_jobs_count_more_than_shortness(opened: Opened) -> None:
    storage = opened(policy=POLICY)
    await enqueued(storage, ("a1", "a", 0.0), ("a2", "a", 0.0), ("b1", "b", LONG))
    assert await order(storage) == ["a1", "b1", "a2"]


async def test_a_long_job_that_has_waited_for_ten_slices_goes_by_its_time(opened: Opened) -> None:
    storage = opened(policy=QueuePolicy(short_seconds=60.0, slice_seconds=0.03))
    await enqueued(storage, ("l1", "a", LONG))
    await asyncio.sleep(0.35)
    await enqueued(storage, ("s1", "a", 0.0))
    found = await claimed(storage)
    assert found.record.id == "l1"
    assert 0.35 <= found.waited_seconds < 20.0


async def test_a_job_that_makes_room_waits_behind_the_others(opened: Opened) -> None:
    storage = opened(policy=POLICY)
    await enqueued(storage, ("first", "a", 0.0), ("second", "a", 0.0))
    first = await claimed(storage)
    await storage.jobs.queue.release(first.record, crashed=False, yielded=True)
    assert await order(storage) == ["second", "first"]


async def test_a_job_is_long_by_its_pace_once_it_has_run(opened: Opened) -> None:
    """A second for a hundredth of the work is a hundred seconds in all, whatever was estimated."""
    storage = opened(policy=POLICY)
    await enqueued(storage, ("slow", "a", 1.0))
    first = await claimed(storage)
    await asyncio.sleep(1.05)
    queue, key = storage.jobs.queue, first.record.key
    assert await queue.heartbeat(storage.worker, [key], 30.0, {key: JobTick(0.01, 1, 1.0)}) == {key}
    await queue.release(first.record, crashed=False, yielded=True)
    (waiting,) = (await queue.queue(storage.worker)).waiting
    assert waiting.is_long
    await enqueued(storage, ("quick", "a", 1.0))
    assert await order(storage) == ["quick", "slow"]


async def test_what_waits_and_what_runs(opened: Opened) -> None:
    storage = opened(policy=POLICY)
    assert (await storage.jobs.queue.queue(storage.worker)).best(POLICY) is None
    jobs = [("a1", "a", 0.0), ("a2", "a", 0.0), ("a3", "a", LONG), ("a4", "a", LONG), ("b1", "b", LONG)]
    await enqueued(storage, *jobs)
    keys = {job_id: (await storage.jobs.archive.get(OWNER, job_id)).key for job_id, *_ in jobs}
    await asyncio.sleep(0.05)
    snapshot = await storage.jobs.queue.queue(storage.worker)
    found = {(one.key, one.caller, one.is_long) for one in snapshot.waiting}
    assert found == {(keys["a1"], "a", False), (keys["a3"], "a", True), (keys["b1"], "b", True)}
    assert all(0.05 <= one.waited_seconds < 20.0 for one in snapshot.waiting)
    assert dict(snapshot.running) == {}
    best = snapshot.best(POLICY)
    assert best is not None
    assert (await claimed(storage)).record.key == best.key == keys["a1"]
    after = await storage.jobs.queue.queue(storage.worker)
    assert dict(after.running) == {"a": 1}
    assert after.best(POLICY) is not None
    assert after.best(POLICY).key == keys["b1"]  # type: ignore[union-attr]


async def test_a_job_whose_lease_has_passed_waits(opened: Opened) -> None:
    storage, other = opened(policy=POLICY), opened(policy=POLICY)
    await enqueued(storage, ("a1", "a", LONG))
    first = await claimed(storage, 0.2)
    await asyncio.sleep(0.3)
    snapshot = await other.jobs.queue.queue(other.worker)
    assert [(one.key, one.is_long) for one in snapshot.waiting] == [(first.record.key, True)]
    assert dict(snapshot.running) == {}


@pytest.mark.parametrize("count", [20])
async def test_a_job_is_claimed_once(opened: Opened, count: int) -> None:
    servers = [opened(), opened()]
    for _ in range(count):
        await servers[0].jobs.queue.enqueue(OWNER, draft())
    claims = await asyncio.gather(*(claim(servers[i % 2]) for i in range(2 * count)))
    keys = [one.record.key for one in claims if one is not None]
    assert len(keys) == len(set(keys)) == count
