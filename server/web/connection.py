"""A connection of HTTP/1.1 whose headers must come in time, and whose end is always seen."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
MAX_HEADER_BYTES = 40 * 1024
"""Of all headers: what the server takes as metadata, and what browsers add."""


class TimedConnection(H11Protocol):
    """Closes a connection that takes longer for its headers: uvicorn itself would wait for as long as some come.

    It also goes on to read while a request is served. uvicorn stops once a part of the next one has come, and then
    does not see that the client leaves, so that a stream would keep its place.
    """

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Waits on while a request has begun that is not complete."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._stop_waiting()
        if self.conn.their_state is h11.DONE:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _read_on(self) -> None:
        """Reads what comes before the answer has ended, as much as headers may have."""
        early, _ = self.conn.trailing_data
        if len(early) > MAX_HEADER_BYTES:
            self.transport.abort()
        else:
            self.flow.resume_reading()

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
