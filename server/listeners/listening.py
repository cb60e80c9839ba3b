"""Listening as the server starts and stops it: the change feed and the recomputations that it asks for."""

import asyncio
import contextlib

from server.listeners.change_feed import ChangeFeed, FeedHealth
from server.listeners.recomputations import Recomputations
from server.ports.storage import Storage


class Listening:
    """Follows changes and does what mandates want."""

    def __init__(self, storage: Storage, feed: ChangeFeed, recomputations: Recomputations) -> None:
        self._storage = storage
        self._feed = feed
        self._recomputations = recomputations

    def start(self) -> None:
        """Begins; writes of this process are noticed at once."""
        loop = asyncio.get_running_loop()

        def notice() -> None:
            # To wake the loop means to hand it the interpreter, which whoever wrote must then wait for.
            if self._feed.is_woken:
                return
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
                loop.call_soon_threadsafe(self._feed.wake)

        if self._storage.when_written is not None:
            self._storage.when_written(notice)
        if self._storage.notices is not None:
            self._storage.notices.start(self._feed.wake)
        self._feed.start()
        self._recomputations.start()

    async def close(self) -> None:
        """Ends, and lets another server go on at once."""
        if self._storage.notices is not None:
            await self._storage.notices.close()
        await self._feed.close()
        await self._recomputations.close()

    async def health(self) -> FeedHealth:
        """How far it is behind the changes. Raises StorageUnavailable."""
        return await self._feed.health()
