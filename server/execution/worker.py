"""The inside of a worker process: take a task, run it, send back its outcome.

This module imports nothing heavy: a worker must set the number of BLAS threads before numpy is loaded.
"""

import gc
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from domain.records import dataclass
from server.observability import log_libraries, request_id

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

LIBRARY = 50
"""So many new modules are a library."""

LENGTH_BYTES = 8
"""Each frame on the socket is its length, big-endian, then a pickle; on the lifeline, it is the number of a task."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work with a number, so that a request to stop cannot hit the next task."""

    number: int
    work: Callable[..., Any]
    reports: bool = False  # work is also handed `report`, to send messages while it runs
    request_id: str = ""  # of the call or the job that it is for, for log lines


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Something a task reports while it runs."""

    content: Any


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The task's own limit, counted from now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LibraryLoaded:
    """The task needed a library that workers do not have from the start."""

    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: a value, an error that may be told to callers, or the traceback of anything else."""

    value: Any = None
    error: Exception | None = None
    traceback: str | None = None


class WorkerControl:
    """Cancellation check, time limit and messages of a running task. Calling it is the cancellation check."""

    def __init__(self, lifeline: socket.socket, send: Callable[[object], None]) -> None:
        self._lifeline = lifeline
        self._send = send
        self._current = -1
        self._stopped = -1
        self._deadline: float | None = None
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def begin(self, number: int) -> None:
        """Sets the task that requests to stop are now meant for."""
        self._deadline = None
        self._current = number

    def __call__(self) -> None:
        """Raises Cancelled once the current task shall stop, SolverTimedOut once its own limit has run out."""
        if self._stopped == self._current:
            from domain.errors import Cancelled  # loads numpy, so not before the first task

            raise Cancelled("the caller no longer waits for it")
        if self._deadline is not None and time.monotonic() > self._deadline:
            from domain.errors import SolverTimedOut

            raise SolverTimedOut("the time limit ran out before the answer was found")

    def limit(self, seconds: float) -> None:
        """Gives the rest of the task at most `seconds`; the parent ends the process if it takes longer."""
        self._deadline = time.monotonic() + seconds
        self._send(TimeLimit(seconds))

    def load(self, name: str) -> None:
        """Imports a library that few tasks need; from then on new workers have it from the start."""
        if name not in sys.modules:
            importlib.import_module(name)
            self._send(LibraryLoaded(name))

    def unlimited(self) -> None:
        """Lifts the task's own limit; that of its caller stays."""
        self._deadline = None

    def _listen(self) -> None:
        while True:  # ends with the process: the pipe closes when the parent is gone
            number = _exactly(self._lifeline, LENGTH_BYTES)
            if number is None:
                # The parent is gone, however it went: nobody is left to hear of a result.
                os._exit(1)
            self._stopped = int.from_bytes(number, "big")


def run_worker(tasks: socket.socket, lifeline: socket.socket, niceness: int) -> None:
    """Serves tasks until the socket closes; with `niceness` it leaves the processor to others first.

    A number on the lifeline asks the task with that number to stop; its end means that the server is gone.
    """
    os.nice(niceness)
    for name in BLAS_THREADS:
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not mix with what the server says.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    log_libraries()

    control = WorkerControl(lifeline, partial(_send, tasks))
    settled = len(sys.modules)
    while (data := _receive(tasks)) is not None:
        try:
            task: Task = pickle.loads(data)  # noqa: S301  # from the parent process
        except Exception:
            # A task that cannot be read is a fault of its sender, not the end of the worker.
            _send(tasks, Outcome(traceback=traceback.format_exc()))
            continue
        control.begin(task.number)
        request_id.set(task.request_id)
        extra = {"report": lambda content: _send(tasks, TaskReport(content))} if task.reports else {}
        _send(tasks, outcome_of(task, control, extra))
        settled = _without_garbage(settled)


def _send(tasks: socket.socket, content: object) -> None:
    try:
        data = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    except Exception:
        # A value that cannot travel is a fault of the task, not the end of the worker.
        data = pickle.dumps(Outcome(traceback=traceback.format_exc()), pickle.HIGHEST_PROTOCOL)
    _write(tasks, len(data).to_bytes(LENGTH_BYTES, "big"), data)


def _write(tasks: socket.socket, header: bytes, data: bytes) -> None:
    """Writes a frame at once: a header on its own would wake the parent for nothing."""
    sent = tasks.sendmsg((header, data))
    if sent < LENGTH_BYTES:
        tasks.sendall(header[sent:])
    rest = max(sent - LENGTH_BYTES, 0)
    if rest < len(data):
        tasks.sendall(memoryview(data)[rest:])


def _receive(tasks: socket.socket) -> bytes | None:
    """The next frame; None once the parent has closed the socket."""
    header = _exactly(tasks, LENGTH_BYTES)
    return None if header is None else _exactly(tasks, int.from_bytes(header, "big"))


def _exactly(tasks: socket.socket, count: int) -> bytes | None:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while len(view):
        try:
            received = tasks.recv_into(view)
        except ConnectionError:
            return None
        if received == 0:
            return None
        view = view[received:]
    return bytes(buffer)


def _without_garbage(settled: int) -> int:
    """Keeps the collector from visiting libraries again once they are loaded; how many modules that was."""
    loaded = len(sys.modules)
    if loaded - settled < LIBRARY:
        return settled
    gc.collect()
    gc.freeze()
    return loaded


def outcome_of(task: Task, control: Callable[[], None], extra: dict[str, Any]) -> Outcome:
    """Runs a task to its end."""
    from domain.errors import DomainError  # loads numpy, so not before the first task
    from server.ports.errors import MemoryLimitExceeded, Refused

    try:
        return Outcome(value=task.work(control=control, **extra))
    except (DomainError, Refused) as error:
        return Outcome(error=error)
    except MemoryError:  # of one array that is larger than what is left; what the task had is free again
        return Outcome(error=MemoryLimitExceeded(0))
    except Exception:
        return Outcome(traceback=traceback.format_exc())
