"""Calls of the functions of the schema absfin, through supabase-py over HTTP connections of our own.

supabase-py's own retries cover reads alone, its default limit is two minutes, and its connections are HTTP/2. Here a
call has the time of its caller, and every function may be called again: what it writes has its ids before the first
try.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx
from postgrest import SyncPostgrestClient

from server import tracing
from server.ports.deadline import call_deadline
from server.ports.errors import StorageUnavailable
from server.storage.supabase.access import ATTEMPT_SECONDS, CONNECTIONS, LARGE_BYTES, SCHEMA, Access, is_large
from server.storage.supabase.errors import UNREACHABLE, Passing, error_of, error_of_transport
from supabase import AsyncClient, AsyncClientOptions

PATIENCE_SECONDS = 4.0
"""For how long a call that failed for a passing reason is made again."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

CHANGE_WRITERS = frozenset(
    {
        "commit_fills",
        "create_portfolio",
        "delete_portfolio",
        "delete_result",
        "finish_import",
        "publish_bars",
        "publish_quotes",
        "save_result",
        "update_portfolio",
        "upsert_corporate_actions",
        "upsert_instruments",
    }
)
"""Functions that write changes which a listener follows; it calls none of them itself."""

T = TypeVar("T")

JSON, BYTES = "application/json", "application/octet-stream"


class Rpc:
    """Calls functions from an event loop. All of it that has the same `http` shares its connections."""

    def __init__(self, access: Access, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._http = access.async_http()
        self._patience = patience_seconds
        self._notice: Callable[[], None] = lambda: None  # after each call that wrote changes
        self._timed: Callable[[str, float], None] | None = None
        # The pool of httpx looks at every waiting request whenever one is answered: here they wait in a plain line.
        self._turns = asyncio.Semaphore(CONNECTIONS)
        options = AsyncClientOptions(
            schema=SCHEMA,
            httpx_client=self._http,
            auto_refresh_token=False,  # the key is no session
            persist_session=False,
            postgrest_client_retry=False,
        )
        self._client = AsyncClient(access.url, access.key, options)

    async def call(self, name: str, /, **arguments: object) -> Any:
        """The JSON value that a function returns. Raises errors of the ports, and FunctionRefused."""
        return await self._repeated(name, lambda: self._answer(name, arguments, JSON), _decoded)

    async def read_bytes(self, name: str, /, **arguments: object) -> bytes:
        """The bytes of a function that returns absfin."application/octet-stream"; empty for null."""
        return await self._repeated(name, lambda: self._answer(name, arguments, BYTES), _content)

    async def send_bytes(self, name: str, body: bytes, /) -> Any:
        """The JSON value of a function with one unnamed parameter of type bytea."""
        return await self._repeated(name, lambda: self._sent(name, body), _decoded)

    def when_written(self, notice: Callable[[], None]) -> None:
        """Calls `notice` in the event loop after each call from now on that has written changes."""
        self._notice = notice

    def when_timed(self, notice: Callable[[str, float], None]) -> None:
        """Calls `notice` after each call from now on, with the function and the seconds it took, retries included."""
        self._timed = notice

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def _answer(self, name: str, arguments: dict[str, object], accept: str) -> httpx.Response:
        request = self._client.rpc(name, arguments).request
        request.headers["Accept"] = accept
        if is_large(arguments):
            content = await asyncio.to_thread(_encoded, arguments)
            headers = {**request.headers, "Content-Type": JSON}
            return await self._http.post(str(request.path), content=content, headers=headers)
        sent: Awaitable[httpx.Response] = request.send(httpx.Headers())  # type: ignore[assignment]  # typed by an overload
        return await sent

    async def _sent(self, name: str, body: bytes) -> httpx.Response:
        request = self._client.rpc(name).request
        headers = {**request.headers, "Accept": JSON, "Content-Type": BYTES}
        return await self._http.post(str(request.path), content=body, headers=headers)

    async def _repeated(
        self,
        name: str,
        send: Callable[[], Awaitable[httpx.Response]],
        decode: Callable[[httpx.Response], Awaitable[T]],
    ) -> T:
        start = time.perf_counter()
        called = {"db.system.name": "postgresql", "db.operation.name": name}
        try:
            with tracing.child(f"postgresql {name}", tracing.Kind.CLIENT, called):
                return await self._tried(name, send, decode)
        finally:
            if self._timed is not None:
                self._timed(name, time.perf_counter() - start)

    async def _tried(
        self,
        name: str,
        send: Callable[[], Awaitable[httpx.Response]],
        decode: Callable[[httpx.Response], Awaitable[T]],
    ) -> T:
        """Raises what the last try raised, and StorageUnavailable where the caller's time is over."""
        pauses = _pauses(self._patience)
        limit = _limit()
        while True:
            try:
                async with asyncio.timeout_at(min(limit, time.monotonic() + ATTEMPT_SECONDS)), self._turns:
                    response = await _checked(send)
                    if name in CHANGE_WRITERS:
                        self._notice()
                    return await decode(response)
            except Passing as passing:
                error = passing.error
            except TimeoutError:
                error = StorageUnavailable(UNREACHABLE)
            pause = next(pauses, None)
            if pause is None or time.monotonic() + pause >= limit:
                raise error
            await asyncio.sleep(pause)


class SyncRpc:
    """Calls functions from a thread or a process without an event loop."""

    def __init__(self, access: Access, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._http = access.http()
        self._patience = patience_seconds
        self._client = SyncPostgrestClient(
            access.rest_url, schema=SCHEMA, headers=access.headers, http_client=self._http, retry_enabled=False
        )

    def call(self, name: str, /, **arguments: object) -> Any:
        """The JSON value that a function returns. Raises errors of the ports, and FunctionRefused."""
        return json.loads(self._repeated(name, arguments, JSON).content or b"null")

    def read_bytes(self, name: str, /, **arguments: object) -> bytes:
        """The bytes of a function that returns absfin."application/octet-stream"; empty for null."""
        return self._repeated(name, arguments, BYTES).content

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _repeated(self, name: str, arguments: dict[str, Any], accept: str) -> httpx.Response:
        pauses = _pauses(self._patience)
        while True:
            request = self._client.rpc(name, arguments).request
            request.headers["Accept"] = accept
            try:
                return _succeeded(request.send(httpx.Headers()))
            except httpx.TransportError as error:
                passing = error_of_transport(error)
            except Passing as found:
                passing = found
            pause = next(pauses, None)
            if pause is None:
                raise passing.error
            time.sleep(pause)


def _limit() -> float:
    """When the caller no longer waits. A deadline that has passed is that of a call which this work outlives."""
    deadline, now = call_deadline.get(), time.monotonic()
    return deadline if deadline is not None and deadline > now else float("inf")


def _pauses(patience_seconds: float) -> Iterator[float]:
    """Growing pauses with jitter, until the patience is over."""
    end, longest = time.monotonic() + patience_seconds, FIRST_PAUSE_SECONDS
    while time.monotonic() < end:
        yield random.uniform(longest / 2, longest)  # noqa: S311  # no secret
        longest = min(2 * longest, LONGEST_PAUSE_SECONDS)


async def _checked(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    try:
        return _succeeded(await send())
    except httpx.TransportError as error:
        raise error_of_transport(error) from None


def _succeeded(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise error_of(response)
    return response


def _encoded(arguments: dict[str, object]) -> bytes:
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def _decoded(response: httpx.Response) -> Any:
    content = response.content
    if len(content) < LARGE_BYTES:
        return json.loads(content or b"null")
    return await asyncio.to_thread(json.loads, content)


async def _content(response: httpx.Response) -> bytes:
    return response.content
