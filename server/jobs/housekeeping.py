"""Chores that nobody asks for: old results, leftovers of imports and of processes that were killed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from server.observability import logger
from server.ports.errors import StorageFull, StorageUnavailable

EVERY_SECONDS = 300.0

Chore = Callable[[], Awaitable[object]]


class Housekeeping:
    """Does its chores, by name, at the start and then every few minutes."""

    def __init__(self, chores: Mapping[str, Chore], every_seconds: float = EVERY_SECONDS) -> None:
        self._chores = chores
        self._every = every_seconds
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins."""
        self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends after the transaction that runs now."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def _run(self) -> None:
        while True:
            for name, chore in self._chores.items():
                try:
                    await chore()
                except (StorageFull, StorageUnavailable) as error:
                    logger.warning("a chore is put off", extra={"chore": name, "why": str(error)})
                except Exception:
                    logger.exception("a chore failed", extra={"chore": name})
            await asyncio.sleep(self._every)
