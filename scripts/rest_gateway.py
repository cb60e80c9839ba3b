"""What stands before PostgREST in a Supabase project, as far as clients of data see it.

Clients ask `{url}/rest/v1/...`, a path that PostgREST itself does not have, and may send keys of the new kinds
(`sb_secret_...`, `sb_publishable_...`), for which the gateway puts in the token of their role. With it every client is
used as it is, and a key works here as it does in a project.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PREFIX = "/rest/v1"
PIECE = 1 << 18
MAX_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where requests go, and the token that stands for each key."""

    port: int
    tokens: Mapping[str, str]  # keys of all kinds -> JWT


class Gateway:
    """Passes requests on and answers back, connection by connection."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> None:
        """Listens on a port of loopback."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=MAX_HEAD)

    async def close(self) -> None:
        """Ends all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a callback of a server always runs in one
        self._connections.add(task)
        try:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the gateway closes
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while head := await _read_head(reader):
                outcome = _translated(head, self._upstream.tokens)
                if isinstance(outcome, _Refused):
                    await _answer(writer, outcome)
                    return
                if upstream is None or upstream[0].at_eof():
                    upstream = _closed(upstream) or await self._open()
                if upstream is None:
                    await _answer(writer, _Refused("503 Service Unavailable", "PostgREST does not answer"))
                    return
                upstream[1].write(outcome.head)
                await _pass(reader, upstream[1], outcome.body)
                await upstream[1].drain()
                if not await _pass_answer(upstream[0], writer, outcome.method):
                    return
                if outcome.method == "HEAD":
                    upstream = _closed(upstream)  # PostgREST ends the connection after it, a moment later
        finally:
            _closed(upstream)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection("127.0.0.1", self._upstream.port, limit=MAX_HEAD)
        except OSError:
            return None


def _closed(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None) -> None:
    if connection is not None:
        connection[1].close()


@dataclass(frozen=True, slots=True)
class _Body:
    """How the end of a body is known; a length below 0 lasts until the end of the connection."""

    length: int = 0
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    head: bytes
    body: _Body


@dataclass(frozen=True, slots=True)
class _Refused:
    status: str
    message: str


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """The lines before a body; empty at the end of the connection."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _translated(head: bytes, tokens: Mapping[str, str]) -> _Request | _Refused:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, version = first.split(" ", 2)
    fields = _fields(lines)
    if not (path == PREFIX or path.startswith((f"{PREFIX}/", f"{PREFIX}?"))):
        return _Refused("404 Not Found", "only /rest/v1 is served here")
    key = next((value for name, value in fields if name == "apikey"), "")
    if key not in tokens:
        return _Refused("401 Unauthorized", "Invalid API key" if key else "No API key found in request")
    sent = next((value for name, value in fields if name == "authorization"), f"Bearer {key}")
    if sent.partition(" ")[2] == key:
        sent = f"Bearer {tokens[key]}"
    kept = [(name, value) for name, value in fields if name not in ("apikey", "authorization")]
    rest = path.removeprefix(PREFIX) or "/"
    text = [f"{method} {rest} {version}", *(f"{name}: {value}" for name, value in kept), f"authorization: {sent}"]
    return _Request(method, ("\r\n".join(text) + "\r\n\r\n").encode("latin-1"), _body_of(kept, 0))


def _fields(lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _body_of(fields: Sequence[tuple[str, str]], otherwise: int) -> _Body:
    named = dict(fields)
    if "chunked" in named.get("transfer-encoding", "").lower():
        return _Body(chunked=True)
    return _Body(int(named.get("content-length", otherwise)))


async def _pass_answer(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str) -> bool:
    """Passes an answer on; whether the connection can be used for another one."""
    status = 100
    while status < 200:  # 100 Continue is followed by the answer itself
        head = await _read_head(upstream)
        if not head:
            return False
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.split(" ")[1])
        writer.write(head)
    body = _Body() if method == "HEAD" or status in (204, 304) else _body_of(_fields(lines), -1)
    await _pass(upstream, writer, body)
    await writer.drain()
    return body.length >= 0


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: _Body) -> None:
    if not body.chunked:
        await _pass_bytes(reader, writer, body.length)
        return
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
        size = int(line.split(b";")[0], 16)
        await _pass_bytes(reader, writer, size + 2)


async def _pass_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    """Passes so many bytes on, or all that come where the number is below 0."""
    while count:
        piece = await reader.read(PIECE if count < 0 else min(count, PIECE))
        if not piece:
            if count < 0:
                return
            raise ConnectionResetError
        writer.write(piece)
        await writer.drain()
        count -= len(piece) if count > 0 else 0


async def _answer(writer: asyncio.StreamWriter, refused: _Refused) -> None:
    body = f'{{"message":"{refused.message}"}}'.encode()
    head = f"HTTP/1.1 {refused.status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    writer.write(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
    await writer.drain()
