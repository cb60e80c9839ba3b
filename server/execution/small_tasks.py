"""Tasks that are small by what they are asked run in a thread of the server.

A process hears of a task, and the server of its outcome, only after waits that are longer than such a task takes.
"""

import asyncio
import contextvars
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from domain.errors import DomainError, SolverTimedOut
from server import tracing
from server.execution.process_pool import WorkerFailure
from server.observability import logger
from server.ports.errors import Refused

T = TypeVar("T")

SECONDS = 0.02
"""How long a task may take; then it stops at its next cancellation check, and belongs into a process."""

LATE_SECONDS = 0.5
"""A task that has not stopped by then is left to itself, and the request goes to a process all the same."""


class NotSmall(Exception):
    """A task belongs into a process, where it can be ended."""


class SmallTasks:
    """Runs one task at a time, so that it never keeps another one waiting, nor the event loop for long.

    A thread cannot be killed, so nothing waits for it: neither a request, nor the end of the server.
    """

    def __init__(self, seconds: float = SECONDS, late_seconds: float = LATE_SECONDS) -> None:
        self._seconds = seconds
        self._late_seconds = late_seconds
        self._tasks: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._is_busy = False
        self._closed = False
        # A daemon: the interpreter waits for any other thread before it ends.
        self._thread = threading.Thread(target=self._run_all, name="small-task", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[..., T], finish: Callable[[T], T] | None = None) -> T | None:
        """The outcome of `work(control=..., report=...)`; None where it belongs into a process, as while another runs.

        What it reports goes nowhere. `finish` is handed the outcome in the same thread, and returns it as it then is:
        unlike `work` it happens as a whole or, where nobody waits any more, not at all. Raises DomainError and Refused
        as the task does, WorkerFailure for anything else that it raises, and what `finish` raises.
        """
        if self._is_busy or self._closed:
            return None
        self._is_busy = True
        loop = asyncio.get_running_loop()
        task = _Task(work, finish, self._seconds, loop, self._ended)
        late = loop.call_later(self._late_seconds, self._give_up, task)
        try:
            with tracing.child("work", tracing.Kind.INTERNAL, {}):
                task.context = contextvars.copy_context()
                self._tasks.put(task)
                return await task.outcome
        except NotSmall:
            return None
        except asyncio.CancelledError:
            task.leave()
            raise
        finally:
            late.cancel()

    async def close(self, seconds: float) -> None:
        """Waits for a running task, but not for longer than `seconds`."""
        self._closed = True
        self._tasks.put(None)
        await asyncio.to_thread(self._thread.join, seconds)
        if self._thread.is_alive():
            logger.warning("a small task does not end; the server ends without it")

    def _run_all(self) -> None:
        while (task := self._tasks.get()) is not None:  # ends with the server
            task.context.run(task.run)
            del task  # not kept until the next one comes

    def _ended(self) -> None:
        self._is_busy = False

    def _give_up(self, task: "_Task[Any]") -> None:
        if task.leave():
            logger.warning("a small task does not stop; its request goes to a process, as others do until it has ended")


class _Task(Generic[T]):
    """A task, and whoever waits for its outcome on the event loop."""

    def __init__(
        self,
        work: Callable[..., T],
        finish: Callable[[T], T] | None,
        seconds: float,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[], None],
    ) -> None:
        self.outcome: asyncio.Future[T] = loop.create_future()
        self.context = contextvars.Context()  # in which it runs
        self._work = work
        self._finish = finish
        self._control = _Control(seconds)
        self._loop = loop
        self._ended = ended
        self._decided = threading.Lock()  # taken for good by whoever comes first: who leaves, or who finishes

    def leave(self) -> bool:
        """Nobody waits for the outcome any more; whether that came before it was being finished."""
        if not self._decided.acquire(blocking=False):
            return False
        self._control.stop()
        if not self.outcome.done():
            self.outcome.set_exception(NotSmall())
        return True

    def run(self) -> None:
        """In the thread: the outcome, handed to the event loop."""
        try:
            outcome = self._worked()
            if not self._decided.acquire(blocking=False):
                raise NotSmall
            if self._finish is not None:
                outcome = self._finish(outcome)
        except BaseException as error:
            self._hand_over(self.outcome.set_exception, error)
        else:
            self._hand_over(self.outcome.set_result, outcome)

    def _worked(self) -> T:
        try:
            return self._work(control=self._control, report=_to_nobody)
        except (DomainError, Refused, NotSmall):
            raise
        except Exception:
            raise WorkerFailure(traceback.format_exc()) from None

    def _hand_over(self, settle: Callable[[Any], None], content: object) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._settle, settle, content)

    def _settle(self, settle: Callable[[Any], None], content: object) -> None:
        self._ended()
        if not self.outcome.done():
            settle(content)


class _Control:
    """The control of a small task."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._deadline: float | None = None

    def __call__(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now > self._deadline:
            raise SolverTimedOut("the time limit ran out before the answer was found")
        if now > self._until:
            raise NotSmall

    def stop(self) -> None:
        """From another thread: the task stops at its next check."""
        self._until = 0.0

    def limit(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def load(self, name: str) -> None:
        raise NotSmall

    def unlimited(self) -> None:
        self._deadline = None


def _to_nobody(content: Any) -> None:
    """Stores find the key of a request themselves when they store its result."""
