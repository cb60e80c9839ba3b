"""A pool of worker processes that can be stopped and survives their crashes, shared fairly between callers.

ProcessPoolExecutor does not fit: it breaks for good when a worker dies, and cancelling its future stops nothing.

Every task has a deadline (of time.monotonic) that it obeys or is killed at, 0.3 s later; so has the work of a caller
that leaves. More processes than processors are started where long tasks hold all of them, so that a short request does
not wait; long tasks then leave the processor to short ones (`nice`).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import field
from typing import Any, TypeVar

from domain.errors import SolverTimedOut
from domain.records import dataclass
from server import tracing
from server.execution.fair_queue import FairQueue
from server.execution.memory_watch import MemoryWatch
from server.execution.template import Template, TemplateDied
from server.execution.worker import LibraryLoaded, Outcome, TimeLimit
from server.execution.worker_handle import WorkerHandle
from server.observability import logger
from server.ports.errors import WorkerDied

T = TypeVar("T")

OnReport = Callable[[Any], Awaitable[None]]

STOP_GRACE_SECONDS = 0.3  # how long a worker that was asked to stop may take before it is killed

LONG_SECONDS = 0.05  # a task that has run for so long is a long one: it gives way to others

GROWTH = 4  # processes for each processor at most, where long tasks hold them

WAITING_PER_WORKER = 64

RESTART_SECONDS = 1.0  # how long to wait before a worker is started again where that failed

STREAM_AHEAD = 16  # reports of a stream that wait for a slow reader; then its worker waits too


class WorkerFailure(Exception):
    """A task raised what no task should; the text is the traceback inside the worker, for the log."""


@dataclass(slots=True)
class Ticket:
    """A caller's place in the queue."""

    caller: str
    worker: "asyncio.Future[WorkerHandle]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ProcessPool:
    """`workers` processes, more where long tasks hold them, and a fair queue of tasks for them."""

    def __init__(
        self,
        workers: int,
        max_waiting: int | None = None,
        niceness: int = 0,
        *,
        growth: int = GROWTH,
        template: Template | None = None,
        retries: int = 1,
        max_seconds: float | None = None,
        max_memory_bytes: int = 0,
    ) -> None:
        self._base = workers
        self._most = workers * growth
        self._niceness = niceness
        self._retries = retries
        self._max_seconds = max_seconds
        self._template = template or Template()
        self._owns_template = template is None
        self._template.when_loaded(self._renew)
        waiting = workers * WAITING_PER_WORKER if max_waiting is None else max_waiting
        # One caller leaves room in the queue, and as many processes as there are processors, to the others.
        of_one = waiting if growth == 1 else max(1, waiting * 3 // 4)
        running_of_one = workers if growth == 1 else self._most - workers
        self._queue: FairQueue[Ticket] = FairQueue(waiting, of_one, running_of_one)
        self._idle: list[WorkerHandle] = []  # the warmest last
        self._busy: set[WorkerHandle] = set()
        self.lost: Counter[str] = Counter({"died": 0, "killed": 0})  # processes that ended before they were told to
        self._memory = MemoryWatch(max_memory_bytes, self._busy, self.lost)
        self._starting = 0
        self._generation = 0  # counts how often more libraries were loaded
        self._background: set[asyncio.Task[None]] = set()
        self._growing: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Tasks that wait for a process."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Processes that have a task."""
        return len(self._busy)

    @property
    def idle(self) -> int:
        """Processes that have none."""
        return len(self._idle)

    @property
    def is_idle(self) -> bool:
        """Whether no task runs."""
        return not self._busy

    async def start(self) -> None:
        """Starts the first processes, so that no caller waits for libraries to load."""
        self._starting += self._base
        await asyncio.gather(*(self._started() for _ in range(self._base)))
        while self._starting:  # some were replaced at once
            await asyncio.wait(set(self._background), return_when=asyncio.FIRST_COMPLETED)

    async def run(
        self,
        work: Callable[..., T],
        deadline: float | None,
        on_report: Callable[[Any], Awaitable[None] | None] | None = None,
        *,
        caller: str = "",
    ) -> T:
        """Runs `work(control=...)`, which must be picklable, in a worker.

        With `on_report`, work is also handed `report`, and what it reports is passed on, in order, on the event loop;
        what `on_report` raises stops the work, and so does a caller that is cancelled. Raises what the domain raises
        there, SolverTimedOut at the deadline, WorkerDied when processes die of it, MemoryLimitExceeded, Overloaded. A
        task whose process was killed from outside runs once more; what was passed on before is left out then.
        """

        async def pass_on(content: Any) -> None:
            if on_report is not None and (handling := on_report(content)) is not None:
                await handling

        return await self._repeated(work, deadline, None if on_report is None else pass_on, caller)

    async def stream(
        self, work: Callable[..., None], deadline: float | None, *, caller: str = ""
    ) -> AsyncGenerator[Any]:
        """What `work(control=..., report=...)` reports, as it comes. Raises what `run` raises."""
        reported: asyncio.Queue[Any] = asyncio.Queue(STREAM_AHEAD)
        end = object()

        async def run() -> None:
            try:
                await self._repeated(work, deadline, reported.put, caller)
            finally:
                await reported.put(end)

        running = asyncio.get_running_loop().create_task(run())
        try:
            while (item := await reported.get()) is not end:
                yield item
            await running
        finally:
            running.cancel()
            with suppress(asyncio.QueueEmpty):
                while True:  # ends with the last item: room for what the task still has to say
                    reported.get_nowait()
            await asyncio.wait({running})

    async def close(self, grace_seconds: float) -> None:
        """Ends all workers; running tasks have `grace_seconds` to finish. Closing twice changes nothing."""
        if self._closed:
            return
        self._closed = True
        self._memory.close()
        if self._growing is not None:
            self._growing.cancel()
        try:
            async with asyncio.timeout(grace_seconds):
                while self._background:
                    await asyncio.wait(set(self._background))
        except TimeoutError:
            for task in self._background:
                task.cancel()
        await asyncio.gather(*(worker.close(1.0) for worker in (*self._idle, *self._busy)))
        self._idle.clear()
        self._busy.clear()
        if self._owns_template:
            await self._template.close()

    def _renew(self) -> None:
        """Replaces the workers that were forked before all libraries were loaded, as they become free."""
        if self._closed:
            return
        self._generation += 1
        for worker in (*self._idle, *self._busy):
            worker.is_outdated = True
        idle, self._idle = self._idle, []
        for worker in idle:
            self._in_background(worker.close(1.0))
            self._start_worker()

    async def _repeated(
        self, work: Callable[..., T], deadline: float | None, on_report: OnReport | None, caller: str
    ) -> T:
        """Runs a task, once more where its process dies; what it reports twice is passed on once."""
        if self._max_seconds is not None:
            deadline = earlier(deadline, self._max_seconds)
        passed = 0
        for attempt in range(self._retries + 1):
            seen = 0

            async def pass_on(content: Any) -> None:
                nonlocal seen, passed
                seen += 1
                if seen > passed and on_report is not None:
                    passed = seen
                    await on_report(content)

            try:
                return await self._attempt(work, deadline, None if on_report is None else pass_on, caller)
            except WorkerDied:
                self.lost["died"] += 1
                if attempt == self._retries:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self, work: Callable[..., T], deadline: float | None, on_report: OnReport | None, caller: str
    ) -> T:
        with tracing.child(tracing.WAIT, tracing.Kind.INTERNAL, {}):
            worker = await self._take(caller, deadline)
        ended, start_ns = False, time.time_ns()
        worker.busy_since = time.monotonic()
        long = asyncio.get_running_loop().call_later(LONG_SECONDS, worker.give_way) if self._most > self._base else None
        try:
            worker.send(tracing.carried(work), reports=on_report is not None)
            self._memory.begin()
            async with asyncio.timeout_at(deadline) as limit:
                while not isinstance(received := await worker.receive(), Outcome):
                    if isinstance(received, TimeLimit):
                        limit.reschedule(earlier(deadline, received.seconds))
                    elif isinstance(received, LibraryLoaded):
                        worker.has_more, worker.is_outdated = True, False  # until new workers have it too
                        self._in_background(self._template.load(received.name))
                    elif on_report is not None:
                        await on_report(received.content)
            ended = True
            return tracing.arrived(value_of(received))  # type: ignore[no-any-return]  # of the type of the work
        except BaseException as error:
            tracing.failed(error, start_ns)
            if isinstance(error, TimeoutError):
                raise SolverTimedOut("the time limit ran out before the answer was found") from None
            raise
        finally:
            if long is not None:
                long.cancel()
            if ended:
                self._put_back(worker, caller)  # before the caller goes on, so that the next task finds it warm
            else:
                self._in_background(self._stop(worker, caller))

    async def _take(self, caller: str, deadline: float | None) -> WorkerHandle:
        ticket = Ticket(caller)
        self._queue.push(caller, ticket)
        self._serve()
        if ticket.worker.done():  # the usual case: no need to wait, nor for a timer
            return ticket.worker.result()
        try:
            async with asyncio.timeout_at(deadline):
                return await ticket.worker
        except BaseException as error:
            if not self._queue.discard(caller, ticket):
                # It was served in the moment in which its caller left.
                self._in_background(self._give_back(ticket))
            if isinstance(error, TimeoutError):
                raise SolverTimedOut("the time limit ran out before a worker was free") from None
            raise

    async def _give_back(self, ticket: Ticket) -> None:
        if ticket.worker.done() and not ticket.worker.cancelled():
            self._put_back(ticket.worker.result(), ticket.caller)

    def _serve(self) -> None:
        """Hands free workers to those whose turn it is, and starts more where that is due."""
        while self._idle:
            if not self._idle[-1].alive:  # it was killed from outside while it had nothing to do
                self.lost["died"] += 1
                self._in_background(self._idle.pop().close(0.0))
                continue
            if (served := self._queue.pop()) is None:
                break
            caller, ticket = served
            if ticket.worker.done():  # its caller has left
                self._queue.finished(caller)
                continue
            worker = self._idle.pop()
            self._busy.add(worker)
            ticket.worker.set_result(worker)
        if not len(self._queue) or self._closed:
            return
        size = len(self._idle) + len(self._busy) + self._starting
        if size < self._base:
            self._start_worker()
        elif size < self._most and not self._starting and self._growing is None:
            self._growing = asyncio.get_running_loop().call_later(self._until_all_are_long(), self._grow)

    def _until_all_are_long(self) -> float:
        """Seconds until every task that runs now is a long one."""
        now = time.monotonic()
        return max((LONG_SECONDS - (now - (worker.busy_since or now)) for worker in self._busy), default=0.0)

    def _grow(self) -> None:
        """Starts another process where somebody still waits and every task is a long one."""
        self._growing = None
        if len(self._queue) and self._until_all_are_long() <= 0.0:
            self._start_worker()
        else:
            self._serve()

    def _start_worker(self) -> None:
        self._starting += 1
        self._in_background(self._started())

    async def _started(self) -> None:
        generation = self._generation
        try:
            worker = await WorkerHandle.start(self._template, self._niceness)
        except (OSError, TemplateDied):
            logger.exception("a worker process could not be started; trying again")
            if not self._closed:
                asyncio.get_running_loop().call_later(RESTART_SECONDS, self._serve)
            return
        finally:
            self._starting -= 1
        if self._closed:
            await worker.close(1.0)
            return
        if generation != self._generation:  # more libraries were loaded while it started
            self._start_worker()
            await worker.close(1.0)
            return
        self._idle.append(worker)
        self._serve()

    def _put_back(self, worker: WorkerHandle, caller: str) -> None:
        self._queue.finished(caller)
        self._busy.discard(worker)
        worker.busy_since = None
        size = len(self._idle) + len(self._busy) + self._starting
        # Long tasks may hold their processes for minutes: as many as there are processors stay ready for short ones.
        ready = size - sum(other.is_long for other in self._busy)
        # One that gave way cannot be hurried again by an ordinary user: a new one is forked in its place.
        slow = worker.is_long and not worker.has_more
        if slow or worker.is_outdated or ready >= self._base or size >= self._most:
            self._in_background(worker.close(1.0))
            if size < self._base:
                self._start_worker()
        else:
            self._idle.append(worker)
        self._serve()

    async def _stop(self, worker: WorkerHandle, caller: str) -> None:
        """Ends what still runs, by a request or by force, then makes the place free."""
        worker.ask_to_stop()
        try:
            async with asyncio.timeout(STOP_GRACE_SECONDS):
                await worker.outcome()
            if worker.alive:
                self._put_back(worker, caller)
                return
        except TimeoutError:
            self.lost["killed"] += 1
            worker.kill()
        self._busy.discard(worker)
        self._queue.finished(caller)
        await worker.close(1.0)
        if not self._closed and len(self._idle) + len(self._busy) + self._starting < self._base:
            self._start_worker()
        self._serve()

    def _in_background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def value_of(outcome: Outcome) -> Any:
    """The value of a task. Raises what it raised, WorkerFailure for what no task should raise."""
    if outcome.error is not None:
        raise outcome.error
    if outcome.traceback is not None:
        raise WorkerFailure(outcome.traceback)
    return outcome.value


def earlier(deadline: float | None, seconds: float) -> float:
    """The deadline, or the moment in so many seconds where that comes first."""
    limit = time.monotonic() + seconds
    return limit if deadline is None else min(deadline, limit)
