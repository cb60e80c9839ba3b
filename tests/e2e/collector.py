"""A collector of OpenTelemetry that keeps the spans that it is sent, by OTLP over HTTP."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """Takes spans by OTLP over HTTP."""

    received: list[bytes] = field(default_factory=list)
    address: str = ""

    def spans(self, trace: str) -> list[Span]:
        """All of a trace."""
        return [span for span in self.all() if span.trace_id.hex() == trace]

    def all(self) -> list[Span]:
        """All of them."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in list(self.received)]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """What is found once it is; fails after twenty seconds."""
        end = time.monotonic() + 20.0
        while not (result := found()):
            assert time.monotonic() < end, f"{what} did not come; there are {[span.name for span in self.all()]}"
            time.sleep(0.05)
        return result


@contextmanager
def collecting(listening: socket.socket | None = None) -> Iterator[Collector]:
    """A collector on loopback, or on a socket that listens already."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collector.received.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    listening = listening or socket.create_server(("127.0.0.1", 0))
    host, port = listening.getsockname()
    server = ThreadingHTTPServer((host, port), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    collector.address = f"http://{host}:{port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span: Span) -> dict[str, Any]:
    """Of a span, by name."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes}
