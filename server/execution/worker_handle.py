"""One worker process, seen from the server: start it, send it a task, receive what it reports, stop it."""

import asyncio
import itertools
import os
import pickle
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from server.execution.frames import Frames
from server.execution.template import Template
from server.execution.worker import LENGTH_BYTES, LibraryLoaded, Outcome, Task, TaskReport, TimeLimit
from server.observability import request_id
from server.ports.errors import MemoryLimitExceeded, WorkerDied

FromWorker = TaskReport | TimeLimit | LibraryLoaded | Outcome
"""What a worker may send."""

LONG_NICENESS = 10

SMALL_BYTES = 1 << 16
"""Pickles up to this size are read on the event loop, larger ones in a thread."""


class WorkerHandle:
    """One process, seen from its parent."""

    _numbers = itertools.count()

    def __init__(self, pid: int, lifeline: socket.socket, transport: asyncio.Transport, frames: Frames) -> None:
        self.pid = pid
        self._lifeline = lifeline
        self._transport = transport
        self._frames = frames
        self._number = -1
        self.is_long = False
        self.is_outdated = False  # forked before all libraries were loaded
        self.has_more = False  # loaded a library that others do not have yet
        self.busy_since: float | None = None
        self._memory_limit = 0  # in bytes, for which it was ended

    @classmethod
    async def start(cls, template: Template, niceness: int) -> "WorkerHandle":
        """Starts a process and connects to it."""
        connections = await template.worker(niceness)
        for one in (connections.tasks, connections.lifeline):
            one.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            transport, frames = await loop.create_connection(Frames, sock=connections.tasks)
        except BaseException:  # its caller was cancelled in between
            connections.close()
            raise
        return cls(connections.pid, connections.lifeline, transport, frames)

    @property
    def alive(self) -> bool:
        """Whether the connection to the process stands."""
        return not self._transport.is_closing()

    def send(self, work: Callable[..., Any], *, reports: bool) -> None:
        """Hands it a task."""
        self._number = next(self._numbers)
        data = pickle.dumps(Task(self._number, work, reports, request_id.get()), pickle.HIGHEST_PROTOCOL)
        header = len(data).to_bytes(LENGTH_BYTES, "big")
        if len(data) <= SMALL_BYTES:
            self._transport.write(header + data)  # at once: a header on its own would wake the worker for nothing
        else:
            self._transport.write(header)
            self._transport.write(data)

    async def receive(self) -> FromWorker:
        """The next thing it sends. Raises WorkerDied, or MemoryLimitExceeded where it was ended for that."""
        frame = await self._frames.next()
        if frame is None:
            raise MemoryLimitExceeded(self._memory_limit) if self._memory_limit else WorkerDied()
        if len(frame) <= SMALL_BYTES:
            received: FromWorker = pickle.loads(frame)  # noqa: S301  # from our own process
            return received
        return await asyncio.get_running_loop().run_in_executor(None, pickle.loads, frame)

    async def outcome(self) -> None:
        """Waits for the end of the running task, whatever it is."""
        with suppress(WorkerDied, MemoryLimitExceeded):
            while not isinstance(await self.receive(), Outcome):
                pass

    def give_way(self) -> None:
        """Lets the processor go to others first, from now on."""
        if not self.is_long:
            self.is_long = True
            with suppress(OSError):  # gone meanwhile
                os.setpriority(os.PRIO_PROCESS, self.pid, LONG_NICENESS)

    def ask_to_stop(self) -> None:
        """Tells the running task to stop at its next cancellation check."""
        with suppress(OSError):  # gone already, which `receive` reports
            self._lifeline.send(self._number.to_bytes(LENGTH_BYTES, "big"))

    def kill(self) -> None:
        """Ends the process at once."""
        if not self._transport.is_closing():  # else it is gone, and its number may be another's
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def end_for_memory(self, limit: int) -> None:
        """Kills it; its task ends with MemoryLimitExceeded. One whose answer has come already ends all the same."""
        self._memory_limit = limit
        self.is_outdated = True
        self.kill()

    async def close(self, seconds: float) -> None:
        """Lets the process end by itself, and kills it if it does not in that time."""
        if not self._transport.is_closing():
            self._transport.write_eof()
            try:
                async with asyncio.timeout(seconds):
                    while await self._frames.next() is not None:
                        pass
            except TimeoutError:
                self.kill()
        self._transport.close()
        self._lifeline.close()
