"""Three lanes for work, by what it costs and whether it lets others run meanwhile.

| lane | for | a cancelled call |
|---|---|---|
| inline | less than about a millisecond | has its answer already |
| thread | solvers that release the interpreter lock | stops at the next `on_progress` |
| process | everything heavy, and Riskfolio-Lib | stops there too, or is killed 0.3 s later |

Deadlines are moments of `time.monotonic`.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from domain.errors import Cancelled, SolverFailed, SolverTimedOut
from server.execution.process_pool import ProcessPool, WorkerDied
from server.ports import Overloaded

T = TypeVar("T")

OnProgress = Callable[[], None]

WAITING_PER_WORKER = 32

_END = object()
"""Behind the last report of a stream."""


class Lanes:
    """Runs the engine; the process pool starts with its first task."""

    def __init__(self, workers: int) -> None:
        self._limit = workers * (1 + WAITING_PER_WORKER)
        self._in_threads = 0
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="lane")
        self._pool = ProcessPool(workers, workers * WAITING_PER_WORKER)

    async def inline(self, work: Callable[[OnProgress], T], deadline: float | None) -> T:
        """Runs on the event loop."""
        return work(_checker(deadline, threading.Event()))

    async def thread(self, work: Callable[[OnProgress], T], deadline: float | None) -> T:
        """Runs in a thread. Raises Overloaded when too many wait."""
        if self._in_threads >= self._limit:
            raise Overloaded("every thread is busy and too many tasks wait")
        stop = threading.Event()
        self._in_threads += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, _checker(deadline, stop))
        future.add_done_callback(self._left)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            raise

    async def process(self, work: Callable[..., T], deadline: float | None) -> T:
        """Runs `work(on_progress=...)`, which must be picklable, in a worker process.

        Raises SolverFailed where that process died.
        """
        try:
            return await self._pool.run(work, deadline)
        except WorkerDied as error:
            raise SolverFailed(f"the worker process died ({error}); the task may need too much memory") from None

    async def stream(self, work: Callable[..., None], deadline: float | None, *, heavy: bool) -> AsyncGenerator[Any]:
        """What `work(on_progress=..., report=...)` reports, as it comes; in a process where it is heavy, else a thread.

        Raises what the lane raises. A caller that leaves stops the work.
        """
        reported: asyncio.Queue[Any] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        if heavy:
            running = loop.create_task(self._pool.run(work, deadline, reported.put_nowait))
        else:

            def report(content: Any) -> None:
                loop.call_soon_threadsafe(reported.put_nowait, content)

            running = loop.create_task(self.thread(lambda check: work(on_progress=check, report=report), deadline))
        running.add_done_callback(lambda _: reported.put_nowait(_END))
        try:
            while (item := await reported.get()) is not _END:
                yield item
            try:
                await running
            except WorkerDied as error:
                raise SolverFailed(f"the worker process died ({error}); the task may need too much memory") from None
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def close(self, grace_seconds: float) -> None:
        """Ends threads and processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._pool.close(grace_seconds)

    def _left(self, future: "asyncio.Future[T]") -> None:
        self._in_threads -= 1
        if not future.cancelled():
            future.exception()  # a caller that left does not ask, and asyncio would complain


def _checker(deadline: float | None, stop: threading.Event) -> OnProgress:
    def on_progress() -> None:
        if stop.is_set():
            raise Cancelled("the caller no longer waits for it")
        if deadline is not None and time.monotonic() > deadline:
            raise SolverTimedOut("the time limit ran out before the answer was found")

    return on_progress
