"""Refuses what cannot be served in time instead of letting it queue: too many calls, or a server that drains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.interceptors.surround import Context, Surround
from server.ports import Draining, Overloaded


class Admission(Surround):
    """Counts calls. Health checks never come here, so a busy server still answers them."""

    def __init__(self, max_concurrent_requests: int) -> None:
        self._free = max_concurrent_requests
        self._draining = False

    def drain(self) -> None:
        """From now on every new call is refused; those inside end in peace."""
        self._draining = True

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Takes a place for the time of the call. Raises Draining or Overloaded."""
        if self._draining:
            raise Draining
        if self._free <= 0:
            raise Overloaded("too many calls at once")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
