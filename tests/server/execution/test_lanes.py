"""Work in each lane: its value, its errors, and how it ends when nobody waits any more. Real processes throughout."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

import psutil
import pytest

from domain.errors import InfeasibleProblem, InvalidInput, SolverFailed, SolverTimedOut
from server.execution.lanes import Lanes
from server.execution.process_pool import ProcessPool, WorkerFailure
from server.ports import Overloaded

OnProgress = Callable[[], None]


def add(a: int, b: int, on_progress: OnProgress) -> int:
    on_progress()
    return a + b


def worker_id(on_progress: OnProgress) -> int:
    return os.getpid()


def refuse(on_progress: OnProgress) -> None:
    raise InfeasibleProblem(["caps", "default:budget"], {"caps": 0.1})


def name_a_field(on_progress: OnProgress) -> None:
    raise InvalidInput("covariance", "must be square").under("moments")


def fail(on_progress: OnProgress) -> None:
    raise ZeroDivisionError("a secret of the worker")


def die(on_progress: OnProgress) -> None:
    os.kill(os.getpid(), 9)


def shout(on_progress: OnProgress) -> str:
    print("this must not reach the server's own output", flush=True)  # noqa: T201  # what a library might do
    return os.environ["OPENBLAS_NUM_THREADS"]


def work_politely(seconds: float, on_progress: OnProgress) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        on_progress()
    return seconds


def work_stubbornly(seconds: float, on_progress: OnProgress) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return seconds


@pytest.fixture
async def lanes() -> AsyncIterator[Lanes]:
    made = Lanes(workers=2)
    yield made
    await made.close(5.0)


async def test_every_lane_gives_the_value(lanes: Lanes) -> None:
    work = partial(add, 2, 3)
    assert await lanes.inline(work, None) == 5
    assert await lanes.thread(work, None) == 5
    assert await lanes.process(work, None) == 5


async def test_no_process_before_the_first_task(lanes: Lanes) -> None:
    before = set(psutil.Process().children())
    await lanes.thread(partial(add, 1, 1), None)
    assert set(psutil.Process().children()) == before
    await lanes.process(partial(add, 1, 1), None)
    assert len(set(psutil.Process().children()) - before) >= 1


async def test_errors_of_the_domain_arrive_whole(lanes: Lanes) -> None:
    with pytest.raises(InfeasibleProblem) as raised:
        await lanes.process(refuse, None)
    assert raised.value.labels == ("caps", "default:budget")
    assert raised.value.relaxations == {"caps": 0.1}
    with pytest.raises(InvalidInput) as named:
        await lanes.process(name_a_field, None)
    assert (named.value.field, named.value.rule) == ("moments.covariance", "must be square")


async def test_other_errors_arrive_as_what_they_are_to_the_server(lanes: Lanes) -> None:
    with pytest.raises(WorkerFailure, match="ZeroDivisionError"):
        await lanes.process(fail, None)
    assert await lanes.process(partial(add, 1, 1), None) == 2


async def test_a_dead_worker_is_replaced(lanes: Lanes) -> None:
    first = await lanes.process(worker_id, None)
    with pytest.raises(SolverFailed, match="worker process died"):
        await lanes.process(die, None)
    assert await lanes.process(worker_id, None) != first


async def test_a_warm_worker_is_used_again(lanes: Lanes) -> None:
    assert len({await lanes.process(worker_id, None) for _ in range(5)}) == 1


async def test_workers_are_quiet_and_use_one_thread(lanes: Lanes, capfd: pytest.CaptureFixture[str]) -> None:
    assert await lanes.process(shout, None) == "1"
    assert "must not reach" not in capfd.readouterr().out


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_a_deadline_ends_the_work(lanes: Lanes, work: Callable[..., float]) -> None:
    await lanes.process(partial(add, 1, 1), None)
    with pytest.raises(SolverTimedOut):
        await lanes.process(partial(work, 60.0), time.monotonic() + 0.2)
    await _nobody_works()
    assert await lanes.process(partial(add, 1, 1), None) == 2


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_a_caller_who_leaves_ends_the_work(lanes: Lanes, work: Callable[..., float]) -> None:
    task = asyncio.create_task(lanes.process(partial(work, 60.0), None))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _nobody_works()
    assert await lanes.process(partial(add, 1, 1), None) == 2


async def test_a_polite_worker_survives_a_cancel(lanes: Lanes) -> None:
    first = await lanes.process(worker_id, None)
    task = asyncio.create_task(lanes.process(partial(work_politely, 60.0), None))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0.2)
    assert await lanes.process(worker_id, None) == first


async def test_threads_stop_too(lanes: Lanes) -> None:
    with pytest.raises(SolverTimedOut):
        await lanes.thread(partial(work_politely, 60.0), time.monotonic() + 0.1)
    task = asyncio.create_task(lanes.thread(partial(work_politely, 60.0), None))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _nobody_works()


async def test_a_hundred_cancels_lose_no_place() -> None:
    pool = ProcessPool(workers=2, max_waiting=200)
    tasks = [asyncio.create_task(pool.run(partial(work_politely, 60.0), None)) for _ in range(100)]
    for i, task in enumerate(tasks):
        await asyncio.sleep(0.002 * (i % 3))
        task.cancel()
    await asyncio.wait(tasks)
    assert await asyncio.gather(*(pool.run(partial(add, i, 1), None) for i in range(10))) == list(range(1, 11))
    await pool.close(5.0)


async def test_more_than_can_wait_is_refused() -> None:
    pool = ProcessPool(workers=1, max_waiting=1)
    running = [asyncio.create_task(pool.run(partial(work_politely, 60.0), None)) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(Overloaded):
        await pool.run(partial(add, 1, 1), None)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    await pool.close(5.0)


async def test_a_closed_pool_leaves_no_process() -> None:
    before = {child.pid for child in psutil.Process().children()}
    pool = ProcessPool(workers=2, max_waiting=8)
    await asyncio.gather(*(pool.run(partial(work_politely, 0.1), None) for _ in range(4)))
    await pool.close(5.0)
    left = [child for child in psutil.Process().children() if child.pid not in before]
    assert [child for child in left if "spawn_main" in " ".join(child.cmdline())] == []


async def _nobody_works() -> None:
    """Within a second no child uses the processor."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        await asyncio.sleep(0.3)
        children = psutil.Process().children(recursive=True)
        before = sum(sum(child.cpu_times()[:2]) for child in children if child.is_running())
        own = sum(psutil.Process().cpu_times()[:2])
        await asyncio.sleep(0.3)
        after = sum(sum(child.cpu_times()[:2]) for child in children if child.is_running())
        if after - before < 0.1 and sum(psutil.Process().cpu_times()[:2]) - own < 0.2:
            return
    pytest.fail("work went on after its caller had left")
