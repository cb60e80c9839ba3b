"""The inside of a task on a node of a Ray cluster: gets the files that it reads, runs, sends what it reports.

What a task sends goes to a mailbox, an actor beside the driver, and not to the driver as the items of a generator: Ray
demands of a generator that runs again that it yields the same, and ticks depend on the clock.
"""

import asyncio
import hashlib
import importlib
import io
import os
import pickle
import platform
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import ray

from server.execution.worker import Outcome, Task, TaskReport, TimeLimit, outcome_of

GATHER_SECONDS = 0.05
"""Reports that follow each other more quickly travel together."""

KEPT_SECONDS = 3600.0
"""A copy of a file that no task of a node has begun with for so long is removed."""

COMPARED = ("abs-finance", "numpy", "scipy", "numba", "scikit-learn", "clarabel", "daqp", "piqp", "highspy")


class WrongVersions(Exception):
    """A node has other libraries than the server: its results would not be the same to the bit."""

    def __init__(self, node: str, host: str, differing: str) -> None:
        super().__init__(node, host, differing)
        self.node = node  # its id in the cluster
        self.host = host
        self.differing = differing


class Mailbox:
    """What tasks have sent and the driver has not fetched yet. It runs on the node of the driver, and ends with it."""

    def __init__(self) -> None:
        self._items: list[tuple[int, bytes]] = []
        self._some = asyncio.Event()

    async def put(self, items: list[tuple[int, bytes]]) -> None:
        """Adds what a task sends, each with the number of the task."""
        self._items += items
        self._some.set()

    async def take(self) -> list[tuple[int, bytes]]:
        """What has come since the last time; waits until there is something."""
        await self._some.wait()
        self._some.clear()
        items, self._items = self._items, []
        return items


class Sender:
    """Sends what a task reports, in order. It waits until that has arrived, so a task cannot run ahead of it."""

    def __init__(self, number: int, mailbox: Any) -> None:
        self._number = number
        self._mailbox = mailbox
        self._waiting: list[tuple[int, bytes]] = []
        self._sent = 0.0

    def report(self, content: Any) -> None:
        """Sends a report, with those that follow at once."""
        self._add(TaskReport(content))
        if time.monotonic() - self._sent >= GATHER_SECONDS:
            self._flush()

    def send(self, message: TimeLimit | Outcome) -> None:
        """Sends at once."""
        self._add(message)
        self._flush()

    def _add(self, message: object) -> None:
        self._waiting.append((self._number, pickled(message)))

    def _flush(self) -> None:
        items, self._waiting = self._waiting, []
        ray.get(self._mailbox.put.remote(items))
        self._sent = time.monotonic()


class NodeControl:
    """Time limit of a running task. A request to stop comes from Ray, as an interrupt or as the end of the process."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._deadline: float | None = None

    def __call__(self) -> None:
        """Raises SolverTimedOut once the task's own limit has run out."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            from domain.errors import SolverTimedOut  # loads numpy, so not before the first task

            raise SolverTimedOut("the time limit ran out before the answer was found")

    def limit(self, seconds: float) -> None:
        """Gives the rest of the task at most `seconds`; the server ends it if it takes longer."""
        self._deadline = time.monotonic() + seconds
        self._sender.send(TimeLimit(seconds))

    def load(self, name: str) -> None:
        """Imports a library that few tasks need."""
        if name not in sys.modules:
            importlib.import_module(name)

    def unlimited(self) -> None:
        """Lifts the task's own limit; that of its caller stays."""
        self._deadline = None


def pickled(message: object) -> bytes:
    """A message of a task as it travels; a value that cannot is a fault of the task, not the end of the worker."""
    try:
        return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    except Exception:
        return pickle.dumps(Outcome(traceback=traceback.format_exc()), pickle.HIGHEST_PROTOCOL)


def versions() -> tuple[str, ...]:
    """Of everything that decides about the bits of a result."""
    found = [f"Python {platform.python_version()}"]
    for name in COMPARED:
        with suppress(PackageNotFoundError):  # a server that runs from its sources
            found.append(f"{name} {version(name)}")
    return tuple(found)


def run(
    number: int,
    work: bytes,
    files: Sequence[tuple[str, Any]],
    mailbox: Any,
    expected: tuple[str, ...],
    *,
    reports: bool,
) -> None:
    """Runs a task; its outcome goes to the mailbox. `files` are the hash and the object of each file that it reads.

    With `reports` the task is also handed `report`. Raises WrongVersions.
    """
    own = versions()
    if own != expected:
        differing = ", ".join(sorted(set(own) ^ set(expected)))
        raise WrongVersions(ray.get_runtime_context().get_node_id(), platform.node(), differing)
    sender = Sender(number, mailbox)
    copies = [_local_copy(sha256, content) for sha256, [content] in files]
    task = Task(number, _Unpickler(work, copies).load(), reports)
    extra = {"report": sender.report} if reports else {}
    sender.send(outcome_of(task, NodeControl(sender), extra))


class _Unpickler(pickle.Unpickler):
    """Reads work whose files are here."""

    def __init__(self, data: bytes, files: Sequence[Path]) -> None:
        super().__init__(io.BytesIO(data))
        self._files = files

    def persistent_load(self, pid: Any) -> Path:
        """A file by its place."""
        return self._files[int(pid)]


def _local_copy(sha256: str, content: Any) -> Path:
    """The file of this node with that content, which is fetched once."""
    folder = _folder()
    path = folder / sha256
    try:
        # Only the time of access: by that of the last change a process knows a file that it has verified.
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    except FileNotFoundError:
        data = memoryview(ray.get(content))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise OSError("a file was damaged on its way to the node") from None
        _remove_unused(folder)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
    return path


def _folder() -> Path:
    """Where copies are kept: a folder that only its own user can read and write. Raises PermissionError."""
    folder = Path(tempfile.gettempdir()) / f"abs-finance-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(f"{folder} belongs to another user, or is open to others")
    return folder


def _remove_unused(folder: Path) -> None:
    """Removes copies that no task has begun with for long; one that is mapped lives on until its task ends."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_atime > KEPT_SECONDS:
                path.unlink()
