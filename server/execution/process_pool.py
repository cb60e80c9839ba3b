"""A pool of spawned processes that can be stopped, survives their crashes, and starts with the first task.

ProcessPoolExecutor is no help here: it breaks for good when a worker dies, and cancelling its future stops nothing.
"""

import asyncio
import itertools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from domain.errors import SolverTimedOut
from server.execution.worker import Message, Outcome, Task, run_worker
from server.ports import Overloaded

T = TypeVar("T")

STOP_GRACE_SECONDS = 0.3
"""How long a worker that was asked to stop may take before it is killed."""


class WorkerFailure(Exception):
    """A task raised what no task should; the text is the traceback inside the worker, for the log."""


class WorkerDied(Exception):
    """The process of a worker is gone."""


class Worker:
    """One process, seen from its parent."""

    _numbers = itertools.count()

    def __init__(self, niceness: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._tasks, theirs = context.Pipe()
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=run_worker, args=(theirs, lifeline, niceness), name="absfinance-worker", daemon=True
        )
        self._process.start()
        # Only the worker may hold its ends: then either side notices when the other is gone.
        _close(theirs, lifeline)
        self._number = -1

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid

    def call(self, work: Callable[..., Any], on_report: Callable[[Any], None] | None = None) -> Outcome:
        """Runs work and waits for what comes of it; what it reports meanwhile is passed on. Raises WorkerDied."""
        self._number = next(self._numbers)
        try:
            self._tasks.send(Task(self._number, work, on_report is not None))
            outcome: Outcome | Message = self._tasks.recv()
            while isinstance(outcome, Message):
                if on_report is not None:
                    on_report(outcome.content)
                outcome = self._tasks.recv()
        except (EOFError, OSError):
            self._process.join(1.0)
            raise WorkerDied(f"exit code {self._process.exitcode}") from None
        return outcome

    def ask_to_stop(self) -> None:
        """Tells the running task to stop at its next `on_progress`."""
        try:
            self._lifeline.send(self._number)
        except OSError:
            return  # it is gone already, which `call` reports

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    def close(self, timeout: float) -> None:
        """Lets the process end by itself, and kills it if it does not."""
        _close(self._tasks, self._lifeline)
        self._process.join(timeout)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


class ProcessPool:
    """At most `workers` processes and `max_waiting` tasks in line for them."""

    def __init__(self, workers: int, max_waiting: int, niceness: int = 0) -> None:
        self._niceness = niceness
        self._max_waiting = max_waiting
        self._waiting = 0
        # Last in, first out: a worker that is warm is used again before another is started.
        self._idle: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()
        for _ in range(workers):
            self._idle.put_nowait(None)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker-pipe")
        self._ending: set[asyncio.Task[None]] = set()

    async def run(
        self, work: Callable[..., T], deadline: float | None, on_report: Callable[[Any], None] | None = None
    ) -> T:
        """Runs `work(on_progress=...)`, which must be picklable, in a worker.

        With `on_report`, work is also handed `report`, and what it reports is passed on, in order, on the event loop.
        Raises what the domain raises there, SolverTimedOut at the deadline (of time.monotonic), WorkerDied when the
        process is gone, Overloaded when too many wait. A caller that is cancelled stops the work.
        """
        worker = await self._take(deadline)
        loop = asyncio.get_running_loop()
        call: Callable[[], Outcome] = partial(worker.call, work)
        if on_report is not None:
            heard = on_report

            def pass_on(content: Any) -> None:
                loop.call_soon_threadsafe(heard, content)

            call = partial(worker.call, work, pass_on)
        future = loop.run_in_executor(self._threads, call)
        try:
            done, _ = await asyncio.wait({future}, timeout=_remaining(deadline))
            if not done:
                raise SolverTimedOut("the time limit ran out before the answer was found")
            value: T = _value(future.result())
            return value
        finally:
            self._end(worker, future)

    async def close(self, grace_seconds: float) -> None:
        """Ends all workers; running tasks have `grace_seconds` to finish."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=grace_seconds)
        loop = asyncio.get_running_loop()
        while not self._idle.empty():
            worker = self._idle.get_nowait()
            if worker is not None:
                await loop.run_in_executor(None, worker.close, 1.0)
        self._threads.shutdown(wait=False)

    async def _take(self, deadline: float | None) -> Worker:
        if self._idle.empty() and self._waiting >= self._max_waiting:
            raise Overloaded("every worker is busy and too many tasks wait")
        self._waiting += 1
        try:
            async with asyncio.timeout(_remaining(deadline)):
                worker = await self._idle.get()
        except TimeoutError:
            raise SolverTimedOut("the time limit ran out before a worker was free") from None
        finally:
            self._waiting -= 1
        if worker is not None and worker.alive:
            return worker
        starting = asyncio.get_running_loop().run_in_executor(None, Worker, self._niceness)
        try:
            return await asyncio.shield(starting)
        except BaseException:
            # The place must not be lost with a start that failed, nor the worker with a caller that left.
            starting.add_done_callback(self._started)
            raise

    def _end(self, worker: Worker, future: asyncio.Future[Outcome]) -> None:
        if future.done() and future.exception() is None:
            self._idle.put_nowait(worker)  # before the caller goes on, so that his next task finds it warm
            return
        ending = asyncio.get_running_loop().create_task(self._put_back(worker, future))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _started(self, starting: asyncio.Future[Worker]) -> None:
        failed = starting.cancelled() or starting.exception() is not None
        self._idle.put_nowait(None if failed else starting.result())

    async def _put_back(self, worker: Worker, future: asyncio.Future[Outcome]) -> None:
        """Stops what still runs, then makes the place free: with the worker, or with none if it had to be killed."""
        if not future.done():
            worker.ask_to_stop()
            await asyncio.wait({future}, timeout=STOP_GRACE_SECONDS)
            if not future.done():
                worker.kill()
                await asyncio.wait({future})
        dead = future.exception() is not None
        if dead:
            await asyncio.get_running_loop().run_in_executor(None, worker.close, 1.0)
        self._idle.put_nowait(None if dead else worker)


def _value(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    if outcome.traceback is not None:
        raise WorkerFailure(outcome.traceback)
    return outcome.value


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _close(*connections: Connection) -> None:
    for connection in connections:
        connection.close()
