"""Work in worker processes: its value, its errors, and how it ends when nobody waits. Real processes throughout."""

import asyncio
import mmap
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import psutil
import pytest

from domain.errors import InfeasibleProblem, InvalidInput, SolverTimedOut
from server.execution.process_pool import ProcessPool, WorkerFailure
from server.execution.template import Template
from server.ports.errors import MemoryLimitExceeded, Overloaded, Refused, WorkerDied
from tests.processes import templates_of_this_process, workers_of_this_process

pytestmark = pytest.mark.alone

MOST_SECONDS = 60.0
"""So long, a test waits for its pool."""


def add(a: int, b: int, control: Any) -> int:
    control()
    return a + b


def worker_id(control: Any) -> int:
    return os.getpid()


def refuse(control: Any) -> None:
    raise InfeasibleProblem(["caps", "default:budget"], {"caps": 0.1})


def name_a_field(control: Any) -> None:
    raise InvalidInput("covariance", "must be square").with_path_prefix("moments")


def write_a_status(control: Any) -> None:
    raise Refused(b"a status")


def fail(control: Any) -> None:
    raise ZeroDivisionError("a secret of the worker")


def answer_what_cannot_travel(control: Any) -> Any:
    return lambda: None


class Unreadable:
    """Can be sent, but not be made again from what was sent."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


def take(value: Any, control: Any) -> Any:
    return value


def die(control: Any) -> None:
    os.kill(os.getpid(), 9)


def die_once(folder: str, control: Any, report: Any) -> str:
    """The first attempt reports twice and dies; the second reports the same and goes on."""
    report(1)
    report(2)
    marker = os.path.join(folder, "died")
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), 9)
    report(3)
    return "done"


def take_memory(folder: str, count: int, control: Any) -> int:
    """Takes so many MiB and holds them for a while; each attempt leaves a file."""
    open(os.path.join(folder, str(os.getpid())), "w").close()
    held = [bytearray(os.urandom(1 << 10) * (1 << 10)) for _ in range(count)]
    time.sleep(0.3)
    return len(held)


def read_mapped(path: str, control: Any) -> int:
    """Has all pages of a file in memory for a while."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        total = sum(pages[place] for place in range(0, len(pages), mmap.PAGESIZE))
        time.sleep(0.3)
        return total


def take_more_than_there_is(control: Any) -> int:
    return len(bytearray(1 << 62))


def report_and_return(control: Any, report: Any) -> int:
    report(1)
    return os.getpid()


def shout(control: Any) -> str:
    print("this must not reach the server's own output", flush=True)  # noqa: T201  # what a library might do
    return os.environ["OPENBLAS_NUM_THREADS"]


def work_politely(seconds: float, control: Any) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        control()
    return seconds


def work_stubbornly(seconds: float, control: Any) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return seconds


def limit_itself(limit: float, work: Callable[..., float], control: Any) -> float:
    control.limit(limit)
    return work(60.0, control=control)


def niceness(seconds: float, control: Any) -> int:
    work_stubbornly(seconds, control)
    return os.nice(0)


def count_up(numbers: int, size: int, control: Any, report: Any) -> None:
    for i in range(numbers):
        report((i, b"x" * size))


def report_and_work(work: Callable[..., float], control: Any, report: Any) -> float:
    report("key")
    return work(60.0, control=control)


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    """Starting it is what takes time: the pools of most tests fork their workers from one."""
    # The modules of the tasks, or the first task of each worker would be a long one.
    made = Template(["domain.errors", "server.ports.errors", __name__])
    yield made
    asyncio.run(made.close())


@pytest.fixture
async def pool(template: Template) -> AsyncIterator[ProcessPool]:
    made = ProcessPool(workers=2, template=template, max_seconds=MOST_SECONDS)
    await asyncio.wait_for(made.start(), MOST_SECONDS)
    yield made
    await made.close(5.0)


@pytest.fixture
async def steady_pool(template: Template) -> AsyncIterator[ProcessPool]:
    """One whose workers are the same until they die: a pool that cannot grow replaces none that was slow."""
    made = ProcessPool(workers=2, growth=1, template=template, max_seconds=MOST_SECONDS)
    await asyncio.wait_for(made.start(), MOST_SECONDS)
    yield made
    await made.close(5.0)


async def test_values_arrive(pool: ProcessPool) -> None:
    assert await pool.run(partial(add, 2, 3), None) == 5
    large = b"x" * 5_000_000
    assert await pool.run(partial(returned, large), None) == large


def returned(value: bytes, control: Any) -> bytes:
    return value


async def test_known_errors_arrive_whole(pool: ProcessPool) -> None:
    with pytest.raises(InfeasibleProblem) as raised:
        await pool.run(refuse, None)
    assert raised.value.labels == ("caps", "default:budget")
    assert raised.value.relaxations == {"caps": 0.1}
    with pytest.raises(InvalidInput) as named:
        await pool.run(name_a_field, None)
    assert (named.value.field, named.value.rule) == ("moments.covariance", "must be square")
    with pytest.raises(Refused) as written:
        await pool.run(write_a_status, None)
    assert written.value.status == b"a status"


@pytest.mark.parametrize(("work", "text"), [(fail, "ZeroDivisionError"), (answer_what_cannot_travel, "ickle")])
async def test_other_errors_arrive_as_what_they_are(pool: ProcessPool, work: Any, text: str) -> None:
    with pytest.raises(WorkerFailure, match=text):
        await pool.run(work, None)
    assert await pool.run(partial(add, 1, 1), None) == 2


async def test_a_task_that_cannot_be_read_is_a_failure_and_kills_nobody(steady_pool: ProcessPool) -> None:
    before = await steady_pool.run(worker_id, None)
    with pytest.raises(WorkerFailure, match="no number"):
        await steady_pool.run(partial(take, Unreadable()), None)
    assert await steady_pool.run(worker_id, None) == before


async def test_a_worker_that_dies_of_its_task_is_replaced(pool: ProcessPool) -> None:
    with pytest.raises(WorkerDied):
        await pool.run(die, None)
    assert await pool.run(partial(add, 1, 1), None) == 2


@pytest.fixture
async def tight_pool(template: Template) -> AsyncIterator[ProcessPool]:
    """One whose tasks may have 300 MiB, and the libraries."""
    made = ProcessPool(workers=2, template=template, max_seconds=MOST_SECONDS, max_memory_bytes=300 << 20)
    await asyncio.wait_for(made.start(), MOST_SECONDS)
    yield made
    await made.close(5.0)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not say how much memory is used")
async def test_a_task_with_too_much_memory_ends_alone_and_is_not_repeated(
    tight_pool: ProcessPool, tmp_path: Any
) -> None:
    other = asyncio.create_task(tight_pool.run(partial(work_politely, 1.0), None, caller="other"))
    with pytest.raises(MemoryLimitExceeded, match="more memory than the 300 MiB that one request may have") as raised:
        await tight_pool.run(partial(take_memory, str(tmp_path), 1000), None, caller="hungry")
    assert raised.value.metadata == {"limit": "request_memory_bytes", "value": str(300 << 20)}
    assert len(list(tmp_path.iterdir())) == 1
    assert await other == 1.0
    assert tight_pool.lost == {"died": 0, "killed": 1}
    assert await tight_pool.run(partial(add, 1, 1), None) == 2


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not say how much memory is used")
async def test_the_next_task_does_not_pay_for_the_memory_of_the_last(tight_pool: ProcessPool, tmp_path: Any) -> None:
    """A process that had much of it is replaced."""
    assert await tight_pool.run(partial(take_memory, str(tmp_path), 170), None) == 170
    [first] = [int(one.name) for one in tmp_path.iterdir()]
    assert first not in {await tight_pool.run(worker_id, None) for _ in range(3)}


async def test_a_worker_that_was_ended_for_its_memory_takes_no_other_task(template: Template) -> None:
    """Also where its answer had come already: the process is gone, though nobody has heard of it yet."""
    pool = ProcessPool(workers=1, template=template, max_seconds=MOST_SECONDS)
    await asyncio.wait_for(pool.start(), MOST_SECONDS)

    async def end_it(reported: int) -> None:
        [worker] = pool._busy
        async with asyncio.timeout(MOST_SECONDS):
            while worker._frames._frames.empty():  # noqa: ASYNC110  # the answer: nothing says that it has come
                await asyncio.sleep(0.001)
        worker.end_for_memory(300 << 20)

    first = await pool.run(report_and_return, None, end_it)
    assert await pool.run(worker_id, None) != first
    assert pool.lost == {"died": 0, "killed": 0}, "nothing was given to a process that was gone"
    await pool.close(5.0)


async def test_pages_of_files_are_no_memory_of_a_task(tight_pool: ProcessPool, tmp_path: Any) -> None:
    path = tmp_path / "panel"
    with path.open("wb") as file:
        file.truncate(400 << 20)
    assert await tight_pool.run(partial(read_mapped, str(path)), None) == 0


async def test_an_array_that_is_larger_than_the_machine(steady_pool: ProcessPool) -> None:
    before = await steady_pool.run(worker_id, None)
    with pytest.raises(MemoryLimitExceeded, match="more memory than the machine has"):
        await steady_pool.run(take_more_than_there_is, None)
    assert await steady_pool.run(worker_id, None) == before


async def test_a_task_whose_process_is_killed_runs_once_more(pool: ProcessPool, tmp_path: Any) -> None:
    """What it had reported is not reported twice."""
    reported: list[int] = []
    assert await pool.run(partial(die_once, str(tmp_path)), None, reported.append) == "done"
    assert reported == [1, 2, 3]


async def test_idle_workers_that_are_killed_are_replaced(pool: ProcessPool) -> None:
    for _ in range(3):
        os.kill(await pool.run(worker_id, None), 9)
        assert await pool.run(partial(add, 1, 1), None) == 2


async def test_a_template_that_is_killed_is_replaced() -> None:
    template = Template()
    pool = ProcessPool(workers=1, template=template, max_seconds=MOST_SECONDS)
    await pool.start()
    first = await pool.run(worker_id, None)
    parent = psutil.Process(first).parent()
    assert parent is not None
    parent.kill()
    os.kill(first, 9)
    assert await pool.run(worker_id, None) != first
    await pool.close(5.0)
    await template.close()


async def test_workers_that_cannot_start_are_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Who waits for one hears of their own deadline, and the pool goes on trying."""
    template = Template(first=["no_such_module"])
    pool = ProcessPool(workers=1, template=template, max_seconds=MOST_SECONDS)
    with pytest.raises(SolverTimedOut, match="before a worker was free"):
        await pool.run(partial(add, 1, 1), time.monotonic() + 3.0)
    end = time.monotonic() + MOST_SECONDS
    while sum("could not be started" in record.message for record in caplog.records) < 2:
        assert time.monotonic() < end, "it was not tried again"
        await asyncio.sleep(0.1)
    await pool.close(5.0)
    await template.close()


async def test_a_warm_worker_is_used_again(steady_pool: ProcessPool) -> None:
    assert len({await steady_pool.run(worker_id, None) for _ in range(5)}) == 1


async def test_workers_are_quiet_and_use_one_thread(pool: ProcessPool, capfd: pytest.CaptureFixture[str]) -> None:
    assert await pool.run(shout, None) == "1"
    assert "must not reach" not in capfd.readouterr().out


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_a_deadline_ends_the_work(pool: ProcessPool, work: Callable[..., float]) -> None:
    with pytest.raises(SolverTimedOut):
        await pool.run(partial(work, 60.0), time.monotonic() + 0.2)
    await _nobody_works()
    assert await pool.run(partial(add, 1, 1), None) == 2


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_a_task_limits_itself(pool: ProcessPool, work: Callable[..., float]) -> None:
    start = time.monotonic()
    with pytest.raises(SolverTimedOut):
        await pool.run(partial(limit_itself, 0.2, work), time.monotonic() + 30.0)
    assert time.monotonic() - start < 5.0
    await _nobody_works()
    assert await pool.run(partial(add, 1, 1), None) == 2


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_who_hears_a_report_may_end_the_work(pool: ProcessPool, work: Callable[..., float]) -> None:
    async def known(content: str) -> None:
        await asyncio.sleep(0)
        raise KeyError(content)

    with pytest.raises(KeyError, match="key"):
        await pool.run(partial(report_and_work, work), None, known)
    await _nobody_works()
    assert await pool.run(partial(add, 1, 1), None) == 2


async def test_the_pool_has_a_limit_of_its_own(template: Template) -> None:
    pool = ProcessPool(workers=1, max_seconds=0.2, template=template)
    with pytest.raises(SolverTimedOut):
        await pool.run(partial(limit_itself, 50.0, work_stubbornly), None)
    await pool.close(5.0)


@pytest.mark.parametrize("work", [work_politely, work_stubbornly])
async def test_a_caller_who_leaves_ends_the_work(pool: ProcessPool, work: Callable[..., float]) -> None:
    task = asyncio.create_task(pool.run(partial(work, 60.0), None))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _nobody_works()
    assert await pool.run(partial(add, 1, 1), None) == 2


async def test_a_hundred_cancels_lose_no_place(template: Template) -> None:
    pool = ProcessPool(workers=2, max_waiting=400, template=template, max_seconds=MOST_SECONDS)
    tasks = [asyncio.create_task(pool.run(partial(work_politely, 60.0), None, caller=str(i % 7))) for i in range(100)]
    for i, task in enumerate(tasks):
        await asyncio.sleep(0.002 * (i % 3))
        task.cancel()
    _, left = await asyncio.wait(tasks, timeout=30.0)
    assert not left
    assert await asyncio.gather(*(pool.run(partial(add, i, 1), None) for i in range(10))) == list(range(1, 11))
    await pool.close(5.0)


async def test_more_than_can_wait_is_refused(template: Template) -> None:
    pool = ProcessPool(workers=1, max_waiting=1, growth=1, template=template, max_seconds=MOST_SECONDS)
    await pool.start()
    running = []
    for _ in range(2):  # one runs, one waits
        running.append(asyncio.create_task(pool.run(partial(work_politely, 60.0), None)))
        await asyncio.sleep(0.1)
    with pytest.raises(Overloaded):
        await pool.run(partial(add, 1, 1), None)
    for task in running:
        task.cancel()
    _, left = await asyncio.wait(running, timeout=30.0)
    assert not left
    await pool.close(5.0)


async def test_short_tasks_do_not_wait_for_long_ones_of_another(template: Template) -> None:
    """Long tasks hold every worker, and some wait for one: another caller's short task gets a process of its own."""
    pool = ProcessPool(workers=1, template=template, max_seconds=MOST_SECONDS)
    long = [asyncio.create_task(pool.run(partial(work_politely, 60.0), None, caller="long")) for _ in range(8)]
    await asyncio.sleep(0.5)
    start = time.monotonic()
    assert await pool.run(partial(add, 1, 1), None, caller="short") == 2
    assert time.monotonic() - start < 5.0
    for task in long:
        task.cancel()
    _, left = await asyncio.wait(long, timeout=30.0)
    assert not left
    await pool.close(5.0)


async def test_short_tasks_beside_long_ones_find_a_process_ready(pool: ProcessPool) -> None:
    """No process is started for each of them, and once the long ones are gone there are as many as before."""
    long = [asyncio.create_task(pool.run(partial(work_politely, 60.0), None, caller="long")) for _ in range(2)]
    await asyncio.sleep(0.5)
    short = [await pool.run(worker_id, None, caller="short") for _ in range(8)]
    assert len(set(short)) <= 3  # one, unless the machine makes some of them long ones
    for task in long:
        task.cancel()
    _, left = await asyncio.wait(long, timeout=30.0)
    assert not left
    async with asyncio.timeout(MOST_SECONDS):
        while len(workers_of_this_process()) != 2:  # noqa: ASYNC110  # nothing says when a process has ended
            await asyncio.sleep(0.1)


async def test_long_tasks_give_way_and_short_ones_after_them_do_not(pool: ProcessPool) -> None:
    own = os.nice(0)
    assert await pool.run(partial(niceness, 0.3), None) > own
    # One of some: where the machine is busy, a short task may take as long as a long one.
    assert own in {await pool.run(partial(niceness, 0.0), None) for _ in range(5)}


async def test_a_stream_arrives_in_order_and_waits_for_its_reader(pool: ProcessPool) -> None:
    """Sixty-four megabytes are reported; a reader that does not read holds the worker back, not memory."""
    process = psutil.Process()
    stream = pool.stream(partial(count_up, 64, 1 << 20), None)
    assert (await anext(stream))[0] == 0
    before = process.memory_info().rss
    await asyncio.sleep(0.5)
    assert process.memory_info().rss - before < 48 << 20
    assert [item[0] async for item in stream] == list(range(1, 64))


async def test_a_reader_who_leaves_a_stream_ends_its_work(pool: ProcessPool) -> None:
    stream = pool.stream(partial(count_up, 10**9, 10), None)
    assert (await anext(stream))[0] == 0
    await stream.aclose()
    await _nobody_works()
    assert await pool.run(partial(add, 1, 1), None) == 2


async def test_errors_of_a_stream_arrive_after_its_items(pool: ProcessPool) -> None:
    stream = pool.stream(count_and_refuse, None)
    assert [await anext(stream), await anext(stream)] == [0, 1]
    with pytest.raises(InvalidInput):
        await anext(stream)


def count_and_refuse(control: Any, report: Any) -> None:
    report(0)
    report(1)
    raise InvalidInput("x", "is wrong")


async def test_workers_are_replaced_once_all_libraries_are_loaded() -> None:
    template = Template(then=["colorsys"])  # a small module that nothing else imports
    loaded = asyncio.Event()
    template.when_loaded(loaded.set)
    pool = ProcessPool(workers=1, template=template, max_seconds=MOST_SECONDS)
    await pool.start()
    await asyncio.wait_for(loaded.wait(), 30.0)
    assert await pool.run(partial(has_loaded, "colorsys"), None)
    await pool.close(5.0)
    await template.close()


def has_loaded(module: str, control: Any) -> bool:
    import sys

    return module in sys.modules


async def test_a_closed_pool_leaves_no_process() -> None:
    """Neither its template nor a worker. Servers of other tests start workers meanwhile: they are not counted."""
    others = templates_of_this_process()
    pool = ProcessPool(workers=2, max_seconds=MOST_SECONDS)
    found = await asyncio.gather(*(pool.run(partial(worker_after, 0.1), None) for _ in range(4)))
    [template] = set(templates_of_this_process()) - set(others)
    # A worker whose task was a long one was replaced, and may be gone by now.
    own = {template, *template.children(), *(psutil.Process(pid) for pid in found if psutil.pid_exists(pid))}
    assert len(own) >= 3
    await pool.close(5.0)
    _, left = psutil.wait_procs(own, timeout=5.0)  # one whose sockets are closed may take a moment to end
    assert left == []
    assert set(templates_of_this_process()) <= set(others)


def worker_after(seconds: float, control: Any) -> int:
    work_politely(seconds, control)
    return os.getpid()


async def _nobody_works() -> None:
    """Within seconds no child uses the processor."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        await asyncio.sleep(0.3)
        children = workers_of_this_process()
        before = sum(sum(child.cpu_times()[:2]) for child in children if child.is_running())
        await asyncio.sleep(0.3)
        after = sum(sum(child.cpu_times()[:2]) for child in children if child.is_running())
        if after - before < 0.1:
            return
    pytest.fail("work went on after its caller had left")
