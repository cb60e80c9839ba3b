"""Where the database is and the key to it, and the HTTP connections that go there."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from domain.records import dataclass
from server.identity_settings import is_loopback

SCHEMA = "absfin"

ATTEMPT_SECONDS = 10.0
"""For one answer. A hosted project ends a statement after eight."""

CONNECT_SECONDS = 3.0
CONNECTIONS = 24
"""At most, from one server: PostgREST shares far fewer connections to the database among all of them."""


@dataclass(frozen=True, slots=True)
class Access:
    """A project and a key to it. It can be sent to another process; printing it does not show the key."""

    url: str
    key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What says who calls, as supabase-py sends it."""
        return {"apikey": self.key, "Authorization": f"Bearer {self.key}"}

    @property
    def rest_url(self) -> str:
        """Of PostgREST."""
        return f"{self.url}/rest/v1"

    def async_http(self) -> httpx.AsyncClient:
        """Connections for an event loop: HTTP/1.1, bounded in number and in time."""
        return httpx.AsyncClient(**self._options)

    def http(self) -> httpx.Client:
        """The same for a thread."""
        return httpx.Client(**self._options)

    @property
    def _options(self) -> Mapping[str, Any]:
        host = urlsplit(self.url).hostname or ""
        return {
            "http2": False,
            "timeout": httpx.Timeout(ATTEMPT_SECONDS, connect=CONNECT_SECONDS),
            "limits": httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            "trust_env": not is_loopback(host),  # no proxy leads to this machine itself
        }


LARGE_BYTES = 1 << 18
"""What is sent or received above this size is encoded or decoded in a thread, so that the event loop goes on."""

VALUE_BYTES = 8
"""About what a number takes in JSON."""

T = TypeVar("T")


def text_of(value: bytes) -> str:
    """Bytes as an argument of a function, which decodes them from base64."""
    return base64.b64encode(value).decode()


async def large_text_of(value: bytes) -> str:
    """The same of what may be large: then in a thread, so that the event loop goes on."""
    return await read_in_thread_if_large(text_of, value)


async def read_in_thread_if_large(read: Callable[[bytes], T], data: bytes) -> T:
    """`read(data)`, in a thread where there is much of it."""
    return read(data) if len(data) < LARGE_BYTES else await asyncio.to_thread(read, data)


def is_large(arguments: Mapping[str, object]) -> bool:
    """Whether it takes a while to write arguments as JSON; it looks at no more of them than it must."""
    left, waiting = LARGE_BYTES, list(arguments.values())
    while waiting and left > 0:
        value = waiting.pop()
        left -= len(value) if isinstance(value, str) else VALUE_BYTES
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            left -= VALUE_BYTES * len(value)
            if left > 0:
                waiting.extend(value)
    return left <= 0


def bytes_of(text: str) -> bytes:
    """Bytes in the JSON of an answer."""
    return base64.b64decode(text)
