"""Periodic cleanup: expired results, abandoned imports, files of processes that are gone."""

import asyncio
from collections.abc import Mapping

from server.observability import logger
from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.storage import CleanupTask

EVERY_SECONDS = 300.0


class Housekeeping:
    """Runs its cleanup tasks at the start and then every few minutes."""

    def __init__(self, tasks: Mapping[str, CleanupTask], every_seconds: float = EVERY_SECONDS) -> None:
        self._tasks = tasks
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
            for name, task in self._tasks.items():
                try:
                    await task()
                except (StorageFull, StorageUnavailable) as error:
                    logger.warning("a cleanup task is put off", extra={"task": name, "why": str(error)})
                except Exception:
                    logger.exception("a cleanup task failed", extra={"task": name})
            await asyncio.sleep(self._every)
