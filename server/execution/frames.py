"""What a worker process sends, cut into frames."""

import asyncio

from server.execution.worker import LENGTH_BYTES

BUFFERED_BYTES = 8 << 20
"""A worker that reports more than this ahead of its reader waits."""


class Frames(asyncio.Protocol):
    """Cuts what a worker sends into frames, in order; None marks the end of the connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._buffered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what asyncio promises for a stream socket
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        self._buffer += data
        while len(self._buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if len(self._buffer) < end:
                break
            self._put(bytes(memoryview(self._buffer)[LENGTH_BYTES:end]))
            del self._buffer[:end]
        if self._buffered > BUFFERED_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The worker is gone."""
        self._frames.put_nowait(None)

    async def next(self) -> bytes | None:
        """The next frame; None where the worker is gone."""
        frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)  # for whoever asks next
        else:
            self._buffered -= len(frame)
            if self._buffered <= BUFFERED_BYTES and self._transport is not None:
                self._transport.resume_reading()
        return frame

    def _put(self, frame: bytes) -> None:
        self._buffered += len(frame)
        self._frames.put_nowait(frame)
