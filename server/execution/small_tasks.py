"""Tasks that are small by what they are asked run in a thread of the server.

A process hears of a task, and the server of its outcome, only after waits that are longer than such a task takes.
"""

import asyncio
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from domain.errors import DomainError, SolverTimedOut
from server.execution.process_pool import WorkerFailure
from server.ports.errors import Refused

T = TypeVar("T")

SECONDS = 0.02
"""How long a task may take; then it stops at its next cancellation check, and belongs into a process."""


class NotSmall(Exception):
    """A task belongs into a process, where it can be ended."""


class SmallTasks:
    """Runs one task at a time, so that it never keeps another one waiting, nor the event loop for long."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="small-task")
        self._is_busy = False

    async def run(self, work: Callable[..., T]) -> T | None:
        """The outcome of `work(control=..., report=...)`; None where it belongs into a process, as while another runs.

        What it reports goes nowhere. Raises DomainError and Refused as the task does, WorkerFailure for anything else.
        """
        if self._is_busy:
            return None
        self._is_busy = True
        running = self._thread.submit(_outcome, work, self._seconds)
        running.add_done_callback(self._finished)
        try:
            return await asyncio.wrap_future(running)
        except NotSmall:
            return None

    def close(self) -> None:
        """Waits for a running task."""
        self._thread.shutdown()

    def _finished(self, _: object) -> None:
        self._is_busy = False


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

    def limit(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def load(self, name: str) -> None:
        raise NotSmall

    def unlimited(self) -> None:
        self._deadline = None


def _outcome(work: Callable[..., T], seconds: float) -> T:
    try:
        return work(control=_Control(seconds), report=_to_nobody)
    except (DomainError, Refused, NotSmall):
        raise
    except Exception:
        raise WorkerFailure(traceback.format_exc()) from None


def _to_nobody(content: Any) -> None:
    """Stores find the key of a request themselves when they store its result."""
