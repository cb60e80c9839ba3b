"""What stands before PostgREST in a Supabase project, as far as clients of data see it.

Clients ask `{url}/rest/v1/...`, a path that PostgREST itself does not have, and may send keys of the new kinds
(`sb_secret_...`, `sb_publishable_...`), for which the gateway puts in the token of their role. With it every client is
used as it is, and a key works here as it does in a project.
"""

import asyncio
import contextlib
from collections.abc import Mapping
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
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the gateway closes
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        answers: asyncio.Task[None] | None = None
        try:
            while head := await _read_head(reader):
                outcome = _translated(head, self._upstream.tokens)
                if isinstance(outcome, _Refused):
                    await _answer(writer, outcome)
                    return
                if upstream is None:
                    try:
                        source, upstream = await asyncio.open_connection("127.0.0.1", self._upstream.port)
                    except OSError:
                        await _answer(writer, _Refused("503 Service Unavailable", "PostgREST does not answer"))
                        return
                    answers = asyncio.create_task(_pump(source, writer))
                upstream.write(outcome.head)
                await _pass_body(reader, upstream, outcome)
                await upstream.drain()
        finally:
            if upstream is not None:
                upstream.close()
            if answers is not None:
                answers.cancel()


@dataclass(frozen=True, slots=True)
class _Request:
    head: bytes
    length: int
    chunked: bool


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
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
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
    named = dict(kept)
    chunked = "chunked" in named.get("transfer-encoding", "").lower()
    return _Request(("\r\n".join(text) + "\r\n\r\n").encode("latin-1"), int(named.get("content-length", 0)), chunked)


async def _pass_body(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, request: _Request) -> None:
    if not request.chunked:
        await _pass(reader, upstream, request.length)
        return
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        upstream.write(line)
        size = int(line.split(b";")[0], 16)
        await _pass(reader, upstream, size + 2)


async def _pass(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, count: int) -> None:
    while count:
        piece = await reader.readexactly(min(count, PIECE)) if count < PIECE else await reader.read(PIECE)
        if not piece:
            raise ConnectionResetError
        upstream.write(piece)
        await upstream.drain()
        count -= len(piece)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    writer.close()  # the answer that PostgREST did not end is not ended here either


async def _answer(writer: asyncio.StreamWriter, refused: _Refused) -> None:
    body = f'{{"message":"{refused.message}"}}'.encode()
    head = f"HTTP/1.1 {refused.status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    writer.write(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
    await writer.drain()
