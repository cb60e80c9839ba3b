"""Ends worker processes whose task takes more memory than one task may have.

The server looks at what its workers have in memory, many times a second while one of them has a task. A limit that the
system keeps (RLIMIT_AS, RLIMIT_DATA) does not fit: it counts addresses, of which threads, mapped panels and compiled
code reserve gigabytes that they never use, and at the limit a solver written in C++ ends its process by a signal, or
returns an answer as if nothing had happened. So nobody could say whether memory was the cause. What is counted here is
anonymous memory in use: pages of files, such as panels, can be dropped by the system at any time.
"""

import asyncio
import os
from collections.abc import Collection, MutableMapping
from pathlib import Path
from typing import Protocol

from server.observability import logger

LOOK_SECONDS = 0.05
"""A process can take about 0.1 GB more in this time before it is ended."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watched(Protocol):
    """A worker process with a task."""

    pid: int
    is_outdated: bool

    @property
    def alive(self) -> bool:
        """Whether the process number is still that of the worker."""

    def end_for_memory(self, limit: int) -> None:
        """Kills it; its task ends with MemoryLimitExceeded."""


class MemoryWatch:
    """Looks at workers while there are some with a task; `limit` is in bytes, and 0 is none."""

    def __init__(self, limit: int, busy: Collection[Watched], lost: MutableMapping[str, int]) -> None:
        self._limit = limit
        self._busy = busy  # of the pool, which changes it
        self._lost = lost
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """A worker has a task now."""
        if self._limit and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def close(self) -> None:
        """Looks at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        for worker in self._busy:
            used = anonymous_bytes(worker.pid) if worker.alive else 0
            if used > self._limit:
                logger.warning("a worker has too much memory", extra={"bytes": used, "limit": self._limit})
                self._lost["killed"] += 1
                worker.end_for_memory(self._limit)
            elif used > self._limit // 2:
                # What a task leaves behind is not for the next one to pay: another process takes that one.
                worker.is_outdated = True
        if self._busy:
            self.begin()


def anonymous_bytes(pid: int) -> int:
    """Memory in use by a process that is of no file; 0 where it is gone, or where the system does not say."""
    try:
        _, resident, of_files, *_ = Path(f"/proc/{pid}/statm").read_bytes().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(of_files)) * _PAGE
