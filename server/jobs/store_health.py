"""Watches whether the store can be used, for stores that can go away while the server runs."""

import asyncio
from collections.abc import Awaitable, Callable

from server.observability import logger
from server.ports.errors import StorageUnavailable

EVERY_SECONDS = 2.0
PROBE_SECONDS = 3.0
"""Shorter than what a call waits for: a store that is away is known before most callers learn it."""


class StoreHealth:
    """Says whenever the store goes away or comes back. Work that waits for it goes on waiting."""

    def __init__(
        self,
        probe: Callable[[], Awaitable[None]],
        serving: Callable[[bool], Awaitable[None]],
        every_seconds: float = EVERY_SECONDS,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        self._probe = probe
        self._serving = serving
        self._every = every_seconds
        self._limit = probe_seconds
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, with a store that can be used."""
        self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends; what was said last stays."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def _run(self) -> None:
        available = True
        while True:
            await asyncio.sleep(self._every)
            found = await self._available()
            if found != available:
                logger.warning("the store is back" if found else "the store cannot be used: the server is not healthy")
                await self._serving(found)
            available = found

    async def _available(self) -> bool:
        try:
            async with asyncio.timeout(self._limit):
                await self._probe()
        except (StorageUnavailable, TimeoutError):
            return False
        except Exception:
            logger.exception("the store could not be asked")
            return False
        return True
