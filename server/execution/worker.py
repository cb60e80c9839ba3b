"""The inside of a worker process: take a task, run it, send back what came of it.

This module imports nothing heavy: a worker must set the number of BLAS threads before numpy is loaded.
"""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

LIBRARY = 50
"""So many new modules are a library."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work with a number, so that a request to stop cannot hit the next task."""

    number: int
    work: Callable[..., Any]
    reports: bool = False  # work is also handed `report`, to send messages while it runs


@dataclass(frozen=True, slots=True)
class Message:
    """Something a task reports while it runs."""

    content: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: a value, an error of the domain, or the traceback of anything else."""

    value: Any = None
    error: Exception | None = None
    traceback: str | None = None


class Control:
    """Hears through a pipe that a task shall stop, or that the parent is gone."""

    def __init__(self, lifeline: Connection) -> None:
        self._lifeline = lifeline
        self._current = -1
        self._stopped = -1
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def begin(self, number: int) -> None:
        """The task that requests to stop are now meant for."""
        self._current = number

    def on_progress(self) -> None:
        """Raises Cancelled once the current task shall stop."""
        if self._stopped == self._current:
            from domain.errors import Cancelled  # loads numpy, so not before the first task

            raise Cancelled("the caller no longer waits for it")

    def _listen(self) -> None:
        while True:
            try:
                self._stopped = self._lifeline.recv()
            except (EOFError, OSError):
                # The parent is gone, however it went: nobody is left to hear of a result.
                os._exit(1)


def run_worker(tasks: Connection, lifeline: Connection, niceness: int) -> None:
    """Serves tasks until the pipe closes; with `niceness` it leaves the processor to others first."""
    os.nice(niceness)
    for name in BLAS_THREADS:
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not mix with what the server says.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    control = Control(lifeline)
    settled = 0
    while True:
        try:
            task: Task = tasks.recv()
        except EOFError:
            return
        control.begin(task.number)
        extra = {"report": lambda content: tasks.send(Message(content))} if task.reports else {}
        tasks.send(_outcome(task, control, extra))
        settled = _without_garbage(settled)


def _without_garbage(settled: int) -> int:
    """Keeps the collector from walking over libraries ever after they were loaded; how many modules that was."""
    loaded = len(sys.modules)
    if loaded - settled < LIBRARY:
        return settled
    gc.collect()
    gc.freeze()
    return loaded


def _outcome(task: Task, control: Control, extra: dict[str, Any]) -> Outcome:
    from domain.errors import DomainError  # loads numpy, so not before the first task

    try:
        return Outcome(value=task.work(on_progress=control.on_progress, **extra))
    except DomainError as error:
        return Outcome(error=error)
    except Exception:
        return Outcome(traceback=traceback.format_exc())
