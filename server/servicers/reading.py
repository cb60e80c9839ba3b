"""How servicers read what they are sent: never more than a kilobyte of it on the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from server.commands.call import Call
from server.converters.message import message_from_bytes
from server.execution.process_pool import ProcessPool
from server.identity.current import caller, owner
from server.tasks.convert import converted

Context = grpc.aio.ServicerContext[Any, Any]
M = TypeVar("M", bound=Message)
T = TypeVar("T")

INLINE_BYTES = 1024
"""A request up to this size is read at once: that takes less than sending it to a worker."""


def call_of(context: Context) -> Call:
    """Who calls, and how long they will wait; those whom nobody knows share the workers by their connections."""
    remaining = context.time_remaining()
    now = asyncio.get_running_loop().time()
    return Call(owner(), None if remaining is None else now + remaining, caller(context.peer()))


class Requests:
    """Reads requests."""

    def __init__(self, pool: ProcessPool) -> None:
        self._pool = pool

    async def read(self, kind: type[M], convert: Callable[[M], T], data: bytes, context: Context) -> T:
        """What a request asks for. Raises InvalidRequest and what `convert` raises.

        The converter is an argument because a large request is parsed and converted in a worker (decisions 22 and 23):
        a servicer that converted for itself would do so on the event loop. It must be a function of a module, which
        pickle sends by name.
        """
        if len(data) <= INLINE_BYTES:
            return convert(message_from_bytes(kind, data))
        call = call_of(context)
        return await self._pool.run(partial(converted, kind, convert, data), call.deadline, caller=call.caller)

    async def message(self, kind: type[M], data: bytes, context: Context) -> M:
        """The request itself, where a few small fields are all there is to it."""
        return await self.read(kind, itself, data, context)


def itself(message: M) -> M:
    """The message, unchanged."""
    return message


async def in_thread(pieces: Iterator[T]) -> AsyncGenerator[T]:
    """Pieces of an answer, each made in a thread."""
    end = object()
    while (piece := await asyncio.to_thread(next, pieces, end)) is not end:  # ends with the last piece
        yield piece  # type: ignore[misc]  # the end has been told apart
