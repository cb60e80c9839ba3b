"""A connection of HTTP/1.1 whose headers must come in time and be short, and whose end is always seen."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEADER_SECONDS = 10.0
MAX_HEADER_BYTES = 40 * 1024
"""Of all headers: what the server takes as metadata, and what browsers add."""

MAX_WAITING = 8
"""Requests that may have come whole before the one ahead of them is answered."""


class TimedConnection(HttpToolsProtocol):
    """Closes a connection that takes longer for its headers, or sends more: uvicorn reads for as long as some come.

    It also goes on to read while a request is served. uvicorn stops once the next one has come, and then does not see
    that the client leaves, so that a stream would keep its place.
    """

    _waiting: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0  # of the headers that have come whole, of a request
    _unread_bytes = 0  # since headers have ended or a part of a body has come: of headers or trailers without end
    _early = b""  # what came after the request that is served now
    _serving: RequestResponseCycle | None = None
    _goes_on = False  # whether a new parser reads the body of a request whose headers are known

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Reads on, or keeps what comes before the answer has ended: as much as headers may have."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if not self._is_answering():
            early, self._early = self._early, b""
            self._read(early + data)
        elif len(self._early) + len(data) > MAX_HEADER_BYTES:
            self.transport.abort()
        else:
            self._early += data

    def on_message_begin(self) -> None:
        """A request begins. Raises ValueError, which ends the connection, where too many wait."""
        if len(self.pipeline) > MAX_WAITING:
            raise ValueError("too many requests ahead of their turn")
        if not self._goes_on:
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Takes a part of the address."""
        if not self._goes_on:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header. Raises ValueError, which ends the connection, where there are too many bytes of them."""
        if self._goes_on:
            return
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise ValueError("too many bytes of headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serves the request, whose body may still come."""
        self._in_headers, self._header_bytes, self._unread_bytes = False, 0, 0
        if not self._goes_on:
            super().on_headers_complete()
        self._goes_on = False

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body; what follows it, such as trailers, is counted anew."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next thing to come are the headers of the next request."""
        if self.parser.should_upgrade() and self._framing():
            return  # this parser reads no body where another protocol is asked for
        self._in_headers = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on with what came early."""
        super().on_response_complete()
        if self._early and not self._is_answering():
            self.loop.call_soon(self.data_received, b"")  # or what comes first reads it

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the request that is served, where uvicorn tells the last one that has come."""
        self._stop_waiting()
        super().connection_lost(exc)
        if self._serving is not None and not self._serving.response_complete:
            self._serving.disconnected = True
            self._serving.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._serving = cycle
        super()._start_asgi_task(cycle, app)

    def _read(self, data: bytes) -> None:
        self._unread_bytes += len(data)
        left = data
        while left and not self.transport.is_closing():
            left = self._parse(left)
        if self._in_headers and not self._is_answering():
            self._wait()
        else:
            self._stop_waiting()
        if self._unread_bytes > MAX_HEADER_BYTES:
            self.transport.abort()
        elif self._is_answering():
            self.flow.resume_reading()

    def _parse(self, data: bytes) -> bytes:
        """Reads data, and gives back what it has not read."""
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # As curl and Java ask for HTTP/2: it stays HTTP/1.1, as the standard allows, and a new parser reads on.
                self._read_body_anew()
                return data[upgrade.args[0] :]
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        return b""

    def _read_body_anew(self) -> None:
        """Takes a new parser, which reads the body of the request. Raises HttpParserError."""
        self.parser = httptools.HttpRequestParser(self)
        if framing := self._framing():
            self._goes_on = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")

    def _framing(self) -> bytes:
        """The headers that say where the body ends; none where there is no body."""
        found = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        return b"".join(b"%b: %b\r\n" % header for header in found if header != (b"content-length", b"0"))

    def _is_answering(self) -> bool:
        """Whether a request has come as a whole that is not answered yet."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
