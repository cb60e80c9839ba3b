"""Calls of the gRPC server, message by message."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from server.web.exchange import Exchange
from server.web.methods import Method
from server.web.statuses import Refused, invalid

FORWARDED = ("authorization", "x-request-id", "traceparent")
"""Headers that the server reads."""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    # The server of this machine comes back at once where it comes back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # What is sent again is for the client to decide.
    ("grpc.enable_retries", 0),
)

_MILLISECONDS = re.compile(r"[0-9]{1,10}")
_GRPC_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
MAX_SECONDS = 1e7
"""Longest time limit that is passed on, as in Connect: gRPC takes one of thousands of years for one that has passed."""

_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


class Requests:
    """The messages that a caller sends; remembers why they ended early, which gRPC does not pass on."""

    def __init__(self, messages: AsyncIterator[bytes]) -> None:
        self._messages = messages
        self.failure: Exception | None = None

    async def all(self) -> AsyncIterator[bytes]:
        """All of them."""
        try:
            async for message in self._messages:
                yield message
        except Exception as error:
            self.failure = error
            raise

    async def only(self) -> bytes:
        """The only one. Raises Refused where there is none, or a second."""
        found = [message async for message in self._first_two()]
        if len(found) != 1:
            raise invalid("", "the body must have exactly one message")
        return found[0]

    async def _first_two(self) -> AsyncIterator[bytes]:
        count = 0
        async for message in self._messages:
            yield message
            count += 1
            if count == 2:
                return


def metadata_of(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    """What the server is told of a request. Raises Refused."""
    found = tuple((name, value) for name, value in exchange.raw_headers if name in FORWARDED)
    for name, value in found:
        if not (value.isascii() and value.isprintable()):
            raise invalid("", f"the header `{name}` must be printable ASCII")
    return found


def seconds_of(exchange: Exchange) -> float | None:
    """How long a caller waits; None where they do not say. Raises Refused."""
    if (text := exchange.headers.get("connect-timeout-ms")) is not None:
        if not _MILLISECONDS.fullmatch(text):
            raise invalid("", "the header `connect-timeout-ms` must be a whole number of at most 10 digits")
        return int(text) / 1000
    if (text := exchange.headers.get("grpc-timeout")) is not None:
        parts = _GRPC_TIMEOUT.fullmatch(text)
        if not parts:
            raise invalid("", "the header `grpc-timeout` must be at most 8 digits and one of H, M, S, m, u, n")
        return min(int(parts[1]) * _UNITS[parts[2]], MAX_SECONDS)
    return None


def _left(seconds: float | None, exchange: Exchange) -> float | None:
    """How long a caller still waits. Raises Refused where that is over: gRPC might answer such a call all the same."""
    if seconds is None:
        return None
    left = seconds - (time.monotonic() - exchange.began)
    if left <= 0.0:
        raise Refused(Status(code=code_pb2.DEADLINE_EXCEEDED, message="the caller's time limit is over"))
    return left


class Call:
    """A call that has begun."""

    def __init__(self, call: Any, method: Method, requests: Requests | None) -> None:
        self._call = call
        self._method = method
        self._requests = requests

    async def answers(self) -> AsyncIterator[bytes]:
        """The answers. Raises AioRpcError, or what ended the messages of the caller."""
        try:
            if self._method.streams_answers:
                async for answer in self._call:
                    yield answer
            else:
                yield await self._call
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            if self._requests and self._requests.failure:
                raise self._requests.failure from None
            raise

    async def initial(self) -> Any:
        """The metadata before the first answer. Waits for it."""
        return await self._call.initial_metadata() or ()

    async def trailing(self) -> Any:
        """The metadata after the last answer."""
        return await self._call.trailing_metadata() or ()

    def end(self) -> None:
        """Cancels the call if it still runs."""
        self._call.cancel()


async def begin(channel: Any, method: Method, requests: Requests, exchange: Exchange) -> Call:
    """Sends the request of a call, or begins to send them, over a channel of grpc.aio. Raises Refused."""
    metadata, seconds = metadata_of(exchange), seconds_of(exchange)
    if method.streams_requests:
        make = channel.stream_stream if method.streams_answers else channel.stream_unary
        return Call(
            make(method.path)(requests.all(), metadata=metadata, timeout=_left(seconds, exchange)), method, requests
        )
    make_single = channel.unary_stream if method.streams_answers else channel.unary_unary
    request = await requests.only()
    return Call(make_single(method.path)(request, metadata=metadata, timeout=_left(seconds, exchange)), method, None)
