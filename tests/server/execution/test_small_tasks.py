"""Small tasks: a thread of the server, one task at a time, and not for long."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from domain.errors import InvalidInput, SolverTimedOut
from server.execution.control import Control
from server.execution.process_pool import WorkerFailure
from server.execution.small_tasks import NotSmall, SmallTasks
from server.ports.errors import StorageFull


@pytest.fixture
async def small() -> AsyncIterator[SmallTasks]:
    made = SmallTasks(seconds=10.0, late_seconds=10.0)
    yield made
    await made.close(10.0)


class Hanging:
    """A task that heeds nothing until it is told to end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.began = threading.Event()

    def __call__(self, control: Control, report: Callable[[Any], None]) -> str:
        self.began.set()
        assert self.may_end.wait(30.0)
        return "late"


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
    await free_again(small)


async def test_a_task_that_takes_long_stops() -> None:
    def work(control: Control, report: Callable[[Any], None]) -> None:
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            control()
        raise AssertionError("it was not stopped")

    small = SmallTasks(seconds=0.01)
    assert await small.run(work) is None
    await small.close(10.0)


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


async def test_an_outcome_is_finished_in_the_same_thread(small: SmallTasks) -> None:
    def finish(outcome: str) -> str:
        return f"{outcome} finished in {threading.current_thread().name}"

    assert await small.run(lambda **_: "done,", finish) == "done, finished in small-task"


async def test_what_finishing_raises_is_raised_as_it_is(small: SmallTasks) -> None:
    def fails(outcome: str) -> str:
        raise StorageFull("no room")

    with pytest.raises(StorageFull):
        await small.run(lambda **_: "done", fails)
    assert await small.run(lambda **_: "the thread goes on") == "the thread goes on"


async def test_nothing_is_finished_for_a_caller_who_has_left(small: SmallTasks) -> None:
    finished: list[str] = []
    hanging = Hanging()
    call = asyncio.create_task(small.run(hanging, lambda outcome: finished.append(outcome) or outcome))
    await asyncio.to_thread(hanging.began.wait, 10.0)
    call.cancel()
    await asyncio.wait({call})
    hanging.may_end.set()
    await free_again(small)
    assert call.cancelled()
    assert finished == []


async def test_what_is_being_finished_ends_though_the_caller_leaves(small: SmallTasks) -> None:
    finished: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def finish(outcome: str) -> str:
        begun.set()
        may_end.wait(10.0)
        finished.append(outcome)
        return outcome

    call = asyncio.create_task(small.run(lambda **_: "done", finish))
    await asyncio.to_thread(begun.wait, 10.0)
    call.cancel()
    await asyncio.wait({call})
    may_end.set()
    await free_again(small)
    assert finished == ["done"]


async def test_a_task_that_hangs_keeps_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Its request goes to a process, others at once; and what it returns in the end is not finished."""
    finished: list[str] = []
    hanging = Hanging()
    small = SmallTasks(late_seconds=0.05)
    start = time.monotonic()
    assert await small.run(hanging, lambda outcome: finished.append(outcome) or outcome) is None
    assert time.monotonic() - start < 5.0
    assert await small.run(lambda **_: "another") is None
    start = time.monotonic()
    await small.close(0.05)
    assert time.monotonic() - start < 5.0
    assert await small.run(lambda **_: "another") is None
    hanging.may_end.set()
    await asyncio.to_thread(small._thread.join, 10.0)
    assert finished == []
    assert ["does not stop" in caplog.messages[0], "does not end" in caplog.messages[1]] == [True, True]


async def test_a_task_whose_caller_has_left_stops_at_its_next_check() -> None:
    stopped, began = threading.Event(), threading.Event()

    def work(control: Control, report: Callable[[Any], None]) -> None:
        began.set()
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            try:
                control()
            except NotSmall:
                stopped.set()
                raise

    small = SmallTasks(seconds=60.0, late_seconds=60.0)
    call = asyncio.create_task(small.run(work))
    await asyncio.to_thread(began.wait, 10.0)
    call.cancel()
    assert await asyncio.to_thread(stopped.wait, 5.0)
    await small.close(10.0)


async def free_again(small: SmallTasks) -> None:
    until = time.monotonic() + 10.0
    while await small.run(lambda **_: 1) is None:
        assert time.monotonic() < until
        await asyncio.sleep(0.001)
