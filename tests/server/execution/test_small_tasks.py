"""Small tasks: a thread of the server, one task at a time, and not for long."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.errors import InvalidInput, SolverTimedOut
from server.execution.control import Control
from server.execution.process_pool import WorkerFailure
from server.execution.small_tasks import SmallTasks


@pytest.fixture
def small() -> Iterator[SmallTasks]:
    made = SmallTasks()
    yield made
    made.close()


def raising(error: Exception) -> Callable[..., None]:
    def work(control: Control, report: Callable[[Any], None]) -> None:
        raise error

    return work


async def test_the_outcome_is_returned(small: SmallTasks) -> None:
    def work(control: Control, report: Callable[[Any], None]) -> str:
        control()
        report("nobody hears it")
        return threading.current_thread().name

    assert (await small.run(work) or "").startswith("small-task")


async def test_another_task_at_the_same_time_belongs_into_a_process(small: SmallTasks) -> None:
    may_end = threading.Event()

    def waits(control: Control, report: Callable[[Any], None]) -> str:
        may_end.wait(10.0)
        return "first"

    first = asyncio.create_task(small.run(waits))
    await asyncio.sleep(0)
    assert await small.run(lambda **_: "second") is None
    may_end.set()
    assert await first == "first"
    assert await small.run(lambda **_: "third") == "third"


async def test_a_caller_who_leaves_does_not_keep_the_thread(small: SmallTasks) -> None:
    may_end = threading.Event()

    def waits(control: Control, report: Callable[[Any], None]) -> None:
        may_end.wait(10.0)

    first = asyncio.create_task(small.run(waits))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert await small.run(lambda **_: 1) is None  # it still runs
    may_end.set()
    until = time.monotonic() + 10.0
    while await small.run(lambda **_: 1) is None:
        assert time.monotonic() < until
        await asyncio.sleep(0.001)


async def test_a_task_that_takes_long_stops() -> None:
    def work(control: Control, report: Callable[[Any], None]) -> None:
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            control()
        raise AssertionError("it was not stopped")

    small = SmallTasks(seconds=0.01)
    assert await small.run(work) is None
    small.close()


async def test_the_limit_of_a_request_is_its_own(small: SmallTasks) -> None:
    def work(control: Control, report: Callable[[Any], None]) -> str:
        control.limit(0.0)
        control.unlimited()
        control()
        control.limit(0.0)
        time.sleep(0.001)
        control()
        return "it was not stopped"

    with pytest.raises(SolverTimedOut):
        await small.run(work)


async def test_libraries_are_loaded_in_a_process(small: SmallTasks) -> None:
    assert await small.run(lambda control, report: control.load("riskfolio")) is None


async def test_errors(small: SmallTasks) -> None:
    with pytest.raises(InvalidInput):
        await small.run(raising(InvalidInput("field", "must be there")))
    with pytest.raises(WorkerFailure, match="ZeroDivisionError"):
        await small.run(raising(ZeroDivisionError()))
    assert await small.run(lambda **_: "the thread goes on") == "the thread goes on"
