"""Ends client streams on which nothing comes any more: each holds a place and what it has sent so far.

A bidirectional stream is left to its service: a caller may send nothing because they wait for answers.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.ports.errors import StreamIdle


class IdleLimit(CallInterceptor):
    """Waits so many seconds for each message of a client stream, and no longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def concerns(self, method: RpcMethod) -> bool:
        """Only calls whose messages a client streams, and which are answered after their end."""
        return method.streams_requests and not method.streams_responses

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Does nothing: `incoming` watches the messages of the call."""
        yield

    async def incoming(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The messages. Raises StreamIdle."""
        iterator = aiter(requests)
        while True:  # ends with the stream
            try:
                async with asyncio.timeout(self._seconds):
                    message = await anext(iterator)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise StreamIdle(self._seconds) from None
            yield message
