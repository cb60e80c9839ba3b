"""One request of HTTP and its response, over ASGI."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from server.web.limits import Room
from server.web.statuses import Refused, invalid

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[str, str]]

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Of a message in a request, as the server takes them."""

DISCARDED_BYTES, DISCARD_SECONDS = 16 * 1024 * 1024, 5.0
"""Of a body that is refused before it has ended."""

BODY_SECONDS = 30.0
"""Longest time for a body that is read as a whole."""


class ClientGone(Exception):
    """The client has left: nobody reads the response."""


class Exchange:
    """A request and the response to it; `extra` are headers that every response has."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        self.headers: dict[str, str] = dict(self.raw_headers)
        self.began = time.monotonic()
        self.extra: list[tuple[str, str]] = []
        self._receive = receive
        self._send = send
        self._body_ended = asyncio.Event()
        if self.headers.get("content-length", "0") == "0" and "transfer-encoding" not in self.headers:
            self._body_ended.set()
        self._started = False

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ClientGone."""
        while not self._body_ended.is_set():
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            if not event.get("more_body", False):
                self._body_ended.set()
            if event.get("body"):
                yield event["body"]

    async def gone(self) -> None:
        """Returns when the client has left; until the body has ended, who reads it finds that out."""
        await self._body_ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def discard(self) -> None:
        """Reads what is left of the body, within limits: a client that still sends does not see an answer."""
        with contextlib.suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                left = DISCARDED_BYTES
                async for chunk in self.chunks():
                    left -= len(chunk)
                    if left <= 0:
                        return

    async def start(self, status: int, headers: Headers) -> None:
        """Sends status and headers."""
        self._started = True
        # What is left of the body shall not be read as the next request.
        closing = () if self._body_ended.is_set() else (("connection", "close"),)
        encoded = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in (*headers, *closing, *self.extra)
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """Sends a part of the body; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def respond(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> None:
        """Sends a whole response."""
        length = ("content-length", str(len(body)))
        kind = (("content-type", content_type),) if content_type else ()
        await self.start(status, (*kind, length, *headers))
        await self.send(body, last=True)

    async def respond_json(self, status: int, value: Any, headers: Headers = ()) -> None:
        """Sends a whole response of JSON."""
        await self.respond(status, "application/json", json.dumps(value, ensure_ascii=False).encode(), headers)

    @property
    def has_started(self) -> bool:
        """Whether status and headers are sent."""
        return self._started


@asynccontextmanager
async def whole(exchange: Exchange, room: Room, limit: int) -> AsyncIterator[bytes]:
    """A body, for as long as it is needed. Raises Refused or ClientGone."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS) as reading:
            async for chunk in exchange.chunks():
                if len(found) + len(chunk) > limit:
                    raise too_large()
                room.take(len(chunk))
                found += chunk
        yield bytes(found)
    except TimeoutError:
        if reading.expired():
            raise invalid("", f"the body must be sent within {BODY_SECONDS:g} s") from None
        raise
    finally:
        room.leave(len(found))


def too_large() -> Refused:
    """The refusal of a message above the limit."""
    return invalid("", f"a message may have {MAX_MESSAGE_BYTES} bytes at most: import larger data first")
