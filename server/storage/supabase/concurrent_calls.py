"""Work of which a few parts run at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


class ConcurrentCalls:
    """Starts work, and waits before it starts more than a few."""

    def __init__(self, group: asyncio.TaskGroup, limit: int) -> None:
        self._group = group
        self._room = asyncio.Semaphore(limit)

    async def room(self) -> None:
        """Waits until one more may run; `start` follows."""
        await self._room.acquire()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs work in the room that was waited for."""
        self._group.create_task(work).add_done_callback(lambda _: self._room.release())


@contextlib.asynccontextmanager
async def at_most(limit: int) -> AsyncIterator[ConcurrentCalls]:
    """Ends when all work has. Raises what the first of it raised that failed; the rest is cancelled then."""
    try:
        async with asyncio.TaskGroup() as group:
            yield ConcurrentCalls(group, limit)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
