"""Spans sent to a collector of OpenTelemetry, by OTLP over HTTP."""

import logging
import os
import re
import threading
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from server.tracing import Attributes, Kind

LAST_MILLISECONDS = 2_000
"""How long the end of a server waits for what is still to be sent."""

SELDOM_SECONDS = 600.0
"""How often the log tells of a collector that is away."""

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_KINDS: Mapping[Kind, SpanKind] = {kind: SpanKind[kind.value] for kind in Kind}


class OtlpSpan:
    """A span of the SDK of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        found = span.get_span_context()
        self.traceparent = f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags):02x}"

    def set(self, name: str, value: str | int) -> None:
        """Adds an attribute."""
        self._span.set_attribute(name, value)

    def link(self, traceparent: str) -> None:
        """Says which span caused this one."""
        if (context := _context(traceparent)) is not None:
            self._span.add_link(context)

    def end(self, error: str = "", end_ns: int | None = None) -> None:
        """Ends it."""
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(end_ns)


class _Seldom(logging.Filter):
    """Passes one record in some minutes: a collector that is away is told of for each batch otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._passes_after = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        passes = time.monotonic() >= self._passes_after
        if passes:
            self._passes_after = time.monotonic() + SELDOM_SECONDS
        return passes


_seldom = _Seldom()
for _name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal"):
    logging.getLogger(_name).addFilter(_seldom)


class OtlpTracer:
    """Makes spans, and sends them in a thread of its own."""

    def __init__(self, endpoint: str, version: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME") or "abs-finance"
        resource = Resource.create({"service.name": name, "service.version": version})
        # Which traces are kept is said by the caller, else by OTEL_TRACES_SAMPLER: all where neither says it.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
        self._tracer = self._provider.get_tracer("absfinance", version)

    def start(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str = "", start_ns: int | None = None
    ) -> OtlpSpan:
        """A span that has begun."""
        found = _context(parent)
        inside = trace.set_span_in_context(trace.INVALID_SPAN if found is None else NonRecordingSpan(found))
        return OtlpSpan(self._tracer.start_span(name, inside, _KINDS[kind], dict(attributes), start_time=start_ns))

    def close(self) -> None:
        """Sends what is left, if the collector takes it soon."""
        # By itself it waits for a collector that keeps silent, ten seconds for each batch.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_MILLISECONDS / 1e3)


def _context(traceparent: str) -> SpanContext | None:
    """The span that a text names; None where it names none."""
    parts = _PARENT.fullmatch(traceparent)
    if parts is None:
        return None
    flags = TraceFlags(int(parts[3], 16) & TraceFlags.SAMPLED)
    found = SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=True, trace_flags=flags)
    return found if found.is_valid else None
