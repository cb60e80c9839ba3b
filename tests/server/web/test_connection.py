"""What a connection of a browser takes, over a real socket: headers in time and of a size, and one request ahead."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from server.web import connection
from server.web.connection import MAX_HEADER_BYTES, MAX_WAITING, TimedConnection

Message = Mapping[str, Any]
POST = b"POST /%d HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\nbody"


async def echo(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Answers with the path and the body, a moment later; `/stay` until the client has left."""
    SERVED.append(scope["path"])
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    if scope["path"] == "/stay":
        while (await receive())["type"] != "http.disconnect":
            pass
        LEFT.set()
        return
    await asyncio.sleep(0.02)
    answer = scope["path"].encode() + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


LEFT = asyncio.Event()
SERVED: list[str] = []
"""Paths of the requests that came so far."""


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(
        echo,
        http=TimedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=1,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve(sockets=[listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    try:
        async with asyncio.timeout(30):
            yield reader, writer
    finally:
        writer.transport.abort()
        server.should_exit = True
        await serving


async def answer(reader: asyncio.StreamReader) -> bytes:
    headers = await reader.readuntil(b"\r\n\r\n")
    length = next(line.split(b":")[1] for line in headers.split(b"\r\n") if line.startswith(b"content-length"))
    return headers.split(b" ")[1] + b" " + await reader.readexactly(int(length))


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def is_closed_after_what_came(reader: asyncio.StreamReader) -> bool:
    try:
        while await reader.read(1 << 16):
            pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize("size", [1, 7, 60, 75, 110, 10_000])
async def test_requests_ahead_of_their_turn_are_answered_in_order(size: int) -> None:
    sent = b"".join(POST % index for index in range(5))
    async with connected() as (reader, writer):
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await asyncio.sleep(0)
        assert [await answer(reader) for _ in range(5)] == [b"200 /%dbody" % index for index in range(5)]


async def test_as_many_as_may_wait_are_answered_though_they_come_in_one_read() -> None:
    async with connected() as (reader, writer):
        writer.write(b"".join(POST % index for index in range(1 + MAX_WAITING)))
        for index in range(1 + MAX_WAITING):
            assert await answer(reader) == b"200 /%dbody" % index


async def test_of_thousands_in_one_read_no_more_are_served() -> None:
    """One read holds what the system has: the limit is looked at for each request, and not for each read."""
    SERVED.clear()
    async with connected() as (reader, writer):
        writer.write((POST % 7) * 3_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        assert await is_closed_after_what_came(reader)
    assert len(SERVED) <= 1 + MAX_WAITING


async def test_many_requests_ahead_of_their_turn_are_not_kept() -> None:
    async with connected() as (reader, writer):
        writer.write(b"".join(POST % index for index in range(MAX_WAITING + 3)))
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")


async def test_a_request_may_be_in_two_parts_around_the_answer_before_it() -> None:
    """What came before the answer is read before what comes after it, whichever the loop finds first."""
    for cut in range(1, 40, 4):
        async with connected() as (reader, writer):
            writer.write(POST % 1 + (POST % 2)[:cut])
            assert await answer(reader) == b"200 /1body"
            writer.write((POST % 2)[cut:])
            assert await answer(reader) == b"200 /2body"


async def test_trailers_without_end() -> None:
    async with connected() as (reader, writer):
        closed = asyncio.create_task(is_closed(reader))
        writer.write(b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: ")
        for _ in range(100):
            writer.write(b"a" * 1000)
            await asyncio.sleep(0.001)
        assert await closed


async def test_a_body_may_be_long() -> None:
    body = bytes(10 * MAX_HEADER_BYTES)
    async with connected() as (reader, writer):
        writer.write(b"POST /long HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert await answer(reader) == b"200 /long" + body


@pytest.mark.parametrize("encoding", [b"gzip", b"identity"])
async def test_another_protocol_with_a_body_of_an_unknown_kind(encoding: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: here\r\nConnection: upgrade\r\nUpgrade: h2c\r\n")
        writer.write(b"Transfer-Encoding: " + encoding + b"\r\n\r\nhello")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"\r\n", b""),
        (b"content-length: 0\r\n\r\n", b""),
        (b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", b"hello!"),
    ],
)
async def test_who_asks_for_another_protocol_is_answered_in_this_one(body: bytes, read: bytes, size: int) -> None:
    """As curl does with --http2, and Java by itself: the body, and requests that follow, are read as ever."""
    asked = b"POST /first HTTP/1.1\r\nhost: here\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" + body
    sent = asked + POST % 1 + asked + POST % 2
    async with connected() as (reader, writer):
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await asyncio.sleep(0)
        found = [await answer(reader) for _ in range(4)]
    assert found == [b"200 /first" + read, b"200 /1body", b"200 /first" + read, b"200 /2body"]


async def test_headers_that_are_too_long() -> None:
    for headers in (b"x: " + b"a" * MAX_HEADER_BYTES + b"\r\n", b"x: a\r\n" * MAX_HEADER_BYTES):
        async with connected() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\n" + headers + b"\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("beginning", [b"GET / HTTP/1.1\r\nx: ", b"GET /", b"\r\n"])
async def test_headers_without_end(beginning: bytes) -> None:
    async with connected() as (reader, writer):
        closed = asyncio.create_task(is_closed(reader))
        writer.write(beginning)
        for _ in range(100):
            writer.write((b"\r\n" if beginning == b"\r\n" else b"aa") * 1000)
            await asyncio.sleep(0.001)
        assert await closed


@pytest.mark.parametrize("before", [b"", POST % 1])
@pytest.mark.parametrize("beginning", [b"", b"GET / HT", b"\r\n"])
async def test_headers_must_come_in_time(monkeypatch: pytest.MonkeyPatch, before: bytes, beginning: bytes) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.3)
    async with connected() as (reader, writer):
        writer.write(before)
        if before:
            assert await answer(reader) == b"200 /1body"
        writer.write(beginning)
        closed = asyncio.create_task(is_closed(reader))
        for part in (b"\r", b"\n", b"\r", b"\n") if beginning == b"\r\n" else (b"T", b"P", b"/", b"1"):
            if beginning:
                await asyncio.sleep(0.05)
                writer.write(part)
        assert await closed


async def test_a_client_that_leaves_is_seen_though_more_has_come() -> None:
    async with connected() as (_, writer):
        LEFT.clear()
        writer.write(b"GET /stay HTTP/1.1\r\nhost: here\r\n\r\n" + POST % 1 + b"GET /")
        await asyncio.sleep(0.05)
        writer.write(b"2 HTTP")
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.wait_for(LEFT.wait(), 10)


async def test_no_more_than_headers_may_come_before_the_answer() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /stay HTTP/1.1\r\nhost: here\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(bytes(2 * MAX_HEADER_BYTES))
        assert await is_closed(reader)


async def test_what_is_no_request() -> None:
    async with connected() as (reader, writer):
        writer.write(b"\x16\x03\x01\x02\x00\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        await reader.read()
        assert reader.at_eof()
