"""One call of a browser: its messages go to the server, and what comes back is written as its protocol says."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from server.observability import logger
from server.web.calls import Call, Requests, begin
from server.web.codecs import Binary, Codec, Json
from server.web.exchange import MAX_MESSAGE_BYTES, ClientGone, Exchange, whole
from server.web.framing import ConnectStream, Framing, GrpcWeb, GrpcWebText, Metadata, as_pairs
from server.web.limits import Places, Room
from server.web.methods import Method
from server.web.statuses import HTTP_STATUS, Refused, code_name, error_json, invalid, refused, status_of_call

BODIES_BYTES = 64 * 1024 * 1024
"""Of all bodies that are held at once; and as much again of what streams have sent of messages that have not ended."""

MAX_FRAMED_BYTES = MAX_MESSAGE_BYTES * 4 // 3 + 1024
"""Of a body with one message, in base64 and with what stands around it."""

_UNARY_CONNECT, _STREAMING_CONNECT, _GRPC_WEB = "application/", "application/connect+", "application/grpc-web"


class Answering:
    """Serves calls over a channel; `max_calls` counts calls that end and streams that stay open, each by themselves."""

    def __init__(self, channel: grpc.aio.Channel, max_calls: int) -> None:
        self._channel = channel
        self._places = Places(max_calls)
        self._room, self._stream_room = Room(BODIES_BYTES), Room(BODIES_BYTES)
        binary, text = Binary(), Json()
        web, web_text = GrpcWeb(), GrpcWebText()
        self._plain: Mapping[str, Codec] = {f"{_UNARY_CONNECT}json": text, f"{_UNARY_CONNECT}proto": binary}
        self._streams: Mapping[str, tuple[Framing, Codec]] = {
            f"{_STREAMING_CONNECT}json": (ConnectStream(), text),
            f"{_STREAMING_CONNECT}proto": (ConnectStream(), binary),
        }
        self._web: Mapping[str, tuple[Framing, Codec]] = {
            _GRPC_WEB: (web, binary),
            f"{_GRPC_WEB}+proto": (web, binary),
            f"{_GRPC_WEB}+json": (web, text),
            f"{_GRPC_WEB}-text": (web_text, binary),
            f"{_GRPC_WEB}-text+proto": (web_text, binary),
        }

    def content_types(self, method: Method) -> tuple[str, ...]:
        """The types that a body of a method may have."""
        return (*(self._plain if method.is_unary else self._streams), *self._web)

    async def answer(self, exchange: Exchange, method: Method) -> None:
        """Serves a call whose content type is one of them. Raises ClientGone where the caller has left."""
        kind = exchange.content_type
        if kind in self._plain:
            await _while_here(exchange, self._unary(exchange, method, self._plain[kind]))
        else:
            framing, codec = {**self._streams, **self._web}[kind]
            await _while_here(exchange, self._framed(exchange, method, framing, codec))

    async def _unary(self, exchange: Exchange, method: Method, codec: Codec) -> None:
        """A unary call of Connect, whose status is that of HTTP."""
        failed = _Failure(method)
        with failed.noted(), self._places.one(stream=False):
            _check_version(exchange)
            async with whole(exchange, self._room, MAX_MESSAGE_BYTES) as data:
                requests = Requests(_only(await codec.decode(data, method.request)))
                async with _ended(await begin(self._channel, method, requests, exchange)) as call:
                    (answer,) = [await codec.encode(answer, method.answer) async for answer in call.answers()]
                    headers = (*as_pairs(await call.initial()), *_as_trailers(await call.trailing()))
        if failed.status is not None:
            await exchange.discard()
            status = HTTP_STATUS[code_name(failed.status)]
            await exchange.respond_json(status, error_json(failed.status), _as_trailers(failed.trailing))
        else:
            await exchange.respond(200, exchange.content_type, answer, headers)

    async def _framed(self, exchange: Exchange, method: Method, framing: Framing, codec: Codec) -> None:
        """A call whose messages and end are in the body; the status of HTTP is always 200."""
        failed, trailing = _Failure(method), ()
        with failed.noted(), self._places.one(stream=method.streams_answers):
            _check_version(exchange)
            async with (
                self._requests(exchange, method, framing, codec) as requests,
                _ended(await begin(self._channel, method, requests, exchange)) as call,
            ):
                # A stream says that it is open before it has a message.
                await exchange.start(200, _framed_headers(exchange, await call.initial()))
                async for answer in call.answers():
                    await exchange.send(framing.message(await codec.encode(answer, method.answer)))
                trailing = await call.trailing()
        if not exchange.has_started:
            await exchange.discard()
            await exchange.start(200, _framed_headers(exchange, ()))
        end = framing.end(failed.status or Status(), failed.trailing if failed.status else trailing)
        await exchange.send(end, last=True)

    @asynccontextmanager
    async def _requests(
        self, exchange: Exchange, method: Method, framing: Framing, codec: Codec
    ) -> AsyncIterator[Requests]:
        """The messages of a call: a single one is read whole, several are passed on as they come."""
        if method.streams_requests:
            yield Requests(_decoded(framing.messages(exchange.chunks(), self._stream_room), codec, method))
            return
        async with whole(exchange, self._room, MAX_FRAMED_BYTES) as data:
            yield Requests(_decoded(framing.messages(_only(data), Room(len(data))), codec, method))


class _Failure:
    """How a call failed, for its caller."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.status: Status | None = None
        self.trailing: Metadata = ()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keeps the status of what is raised inside; that the client has left is passed on."""
        try:
            yield
        except ClientGone:
            raise
        except grpc.aio.AioRpcError as error:
            self.status, self.trailing = status_of_call(error), tuple(error.trailing_metadata() or ())
        except Refused as error:
            self.status = error.status
        except Exception as error:
            name = secrets.token_hex(8)
            logger.error("unexpected error", extra={"method": self._method.path, "request_id": name}, exc_info=error)
            self.status = refused(code_pb2.INTERNAL, f"internal error, id {name}", "INTERNAL").status


async def _while_here(exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
    """Works until the client leaves, which cancels the call. Raises ClientGone then."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(exchange.gone())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        await working
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


@asynccontextmanager
async def _ended(call: Call) -> AsyncIterator[Call]:
    """A call that does not outlive what is done with it."""
    try:
        yield call
    finally:
        call.end()


async def _only(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _decoded(messages: AsyncIterator[bytes], codec: Codec, method: Method) -> AsyncIterator[bytes]:
    async for message in messages:
        yield await codec.decode(message, method.request)


def _check_version(exchange: Exchange) -> None:
    if exchange.headers.get("connect-protocol-version", "1") != "1":
        raise invalid("", "the header `connect-protocol-version` must be 1")
    for name in ("content-encoding", "connect-content-encoding", "grpc-encoding"):
        if exchange.headers.get(name, "identity") != "identity":
            raise invalid("", f"the header `{name}` must be identity: compression is not supported")


def _framed_headers(exchange: Exchange, initial: Metadata) -> list[tuple[str, str]]:
    # A proxy that gathers a response before it passes it on would hold up a stream.
    return [("content-type", exchange.content_type), ("x-accel-buffering", "no"), *as_pairs(initial)]


def _as_trailers(metadata: Metadata) -> list[tuple[str, str]]:
    return [(f"trailer-{name}", value) for name, value in as_pairs(metadata)]
