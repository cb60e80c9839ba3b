"""Messages in bodies that hold several: a byte of flags, four of the length, and the message, in both protocols."""

import base64
import binascii
import json
import re
import struct
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from google.rpc.status_pb2 import Status

from server.web.exchange import MAX_MESSAGE_BYTES, too_large
from server.web.limits import Room
from server.web.statuses import DETAILS_KEY, error_json, invalid

Metadata = Sequence[tuple[str, str | bytes]]

_PREFIX = struct.Struct(">BI")
_COMPRESSED = 0x01
_CONNECT_END = 0x02
_GRPC_WEB_TRAILERS = 0x80
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


class Framing(Protocol):
    """How messages, and the end of a call, are written in a body."""

    @abstractmethod
    def messages(self, chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[bytes]:
        """The messages of a request; what is held of one that has not ended takes room. Raises Refused."""

    @abstractmethod
    def message(self, data: bytes) -> bytes:
        """A message of the answer."""

    @abstractmethod
    def end(self, status: Status, trailing: Metadata) -> bytes:
        """The end of the answer: how the call ended."""


class ConnectStream:
    """The streams of Connect: https://connectrpc.com/docs/protocol#streaming-rpcs."""

    async def messages(self, chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[bytes]:
        """The messages of a request. Raises Refused."""
        async for flags, data in _frames(chunks, room):
            if flags:
                raise invalid("", "a message must have no flags: compression is not supported")
            yield data

    def message(self, data: bytes) -> bytes:
        """A message of the answer."""
        return _PREFIX.pack(0, len(data)) + data

    def end(self, status: Status, trailing: Metadata) -> bytes:
        """The message that ends a stream, with the error and the metadata."""
        last: dict[str, object] = {}
        if status.code:
            last["error"] = error_json(status)
        if found := as_lists(trailing):
            last["metadata"] = found
        data = json.dumps(last, ensure_ascii=False).encode()
        return _PREFIX.pack(_CONNECT_END, len(data)) + data


class GrpcWeb:
    """gRPC-Web in bytes: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md."""

    async def messages(self, chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[bytes]:
        """The messages of a request. Raises Refused."""
        async for flags, data in _frames(chunks, room):
            if flags & _GRPC_WEB_TRAILERS:
                return  # trailers of a request say nothing that the server asks for
            if flags & _COMPRESSED:
                raise invalid("", "a message must not be compressed: compression is not supported")
            yield data

    def message(self, data: bytes) -> bytes:
        """A message of the answer."""
        return _PREFIX.pack(0, len(data)) + data

    def end(self, status: Status, trailing: Metadata) -> bytes:
        """The trailers, in the body: browsers do not show those of HTTP."""
        lines = [f"grpc-status: {status.code}"]
        if status.message:
            lines.append(f"grpc-message: {quote(status.message, safe=_NOT_ESCAPED)}")
        if status.details:
            lines.append(f"{DETAILS_KEY}: {_in_base64(status.SerializeToString())}")
        lines += [f"{name}: {value}" for name, value in as_pairs(trailing)]
        data = "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")
        return _PREFIX.pack(_GRPC_WEB_TRAILERS, len(data)) + data


class GrpcWebText(GrpcWeb):
    """gRPC-Web in base64, each part of the body by itself."""

    async def messages(self, chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[bytes]:
        """The messages of a request. Raises Refused."""
        async for data in super().messages(_decoded(chunks), room):
            yield data

    def message(self, data: bytes) -> bytes:
        """A message of the answer."""
        return base64.b64encode(super().message(data))

    def end(self, status: Status, trailing: Metadata) -> bytes:
        """The trailers, in the body."""
        return base64.b64encode(super().end(status, trailing))


_NOT_ESCAPED = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
"""Percent-encoding of gRPC's status messages leaves these."""


def as_pairs(metadata: Metadata) -> list[tuple[str, str]]:
    """Metadata as headers; the details of a status have their own place."""
    return [
        (name, _in_base64(value) if isinstance(value, bytes) else value)
        for name, value in metadata
        if name != DETAILS_KEY
    ]


def as_lists(metadata: Metadata) -> Mapping[str, list[str]]:
    """Metadata with all values of each name."""
    found: dict[str, list[str]] = {}
    for name, value in as_pairs(metadata):
        found.setdefault(name, []).append(value)
    return found


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


async def _frames(chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[tuple[int, bytes]]:
    """Flags and bytes of each message; what is held is at most one message and one chunk."""
    held = bytearray()
    try:
        async for chunk in chunks:
            room.take(len(chunk))
            held += chunk
            start = 0
            while len(held) - start >= _PREFIX.size:
                flags, size = _PREFIX.unpack_from(held, start)
                if size > MAX_MESSAGE_BYTES:
                    raise too_large()
                end = start + _PREFIX.size + size
                if len(held) < end:
                    break
                yield flags, bytes(held[start + _PREFIX.size : end])
                start = end
            del held[:start]
            room.leave(start)
        if held:
            raise invalid("", "the body ends within a message")
    finally:
        room.leave(len(held))


async def _decoded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Base64 that may be padded at any multiple of four, as browsers append parts of it."""
    rest = b""
    async for chunk in chunks:
        data = rest + chunk
        cut = len(data) - len(data) % 4
        data, rest = data[:cut], data[cut:]
        yield _plain(data)
    if rest:
        raise invalid("", "the body must be base64")


def _plain(data: bytes) -> bytes:
    parts = _BASE64.findall(data)
    try:
        if sum(map(len, parts)) != len(data):
            raise binascii.Error
        return b"".join(base64.b64decode(part, validate=True) for part in parts)
    except binascii.Error:
        raise invalid("", "the body must be base64") from None
