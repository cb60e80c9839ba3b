"""A span of each call, in the trace of its caller, in the terms of OpenTelemetry's conventions for RPC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.interceptors.log import status_name
from server.tracing import Kind, Tracer, begin

HEADER = "traceparent"
"""Of W3C Trace Context; gRPC carries it in the metadata."""

FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Codes with which, by the conventions, the span of a server has failed; others say what a caller did wrong."""


class CallTraces(CallInterceptor):
    """What is done for the call finds its span as the one that is open."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Ends the span however the call ends. Sees the status that the error interceptor has set."""
        sent = dict(context.invocation_metadata() or ()).get(HEADER, "")
        name = method.name[1:]
        attributes = {"rpc.system.name": "grpc", "rpc.method": name}
        parent = sent if isinstance(sent, str) else ""
        span = self._tracer.start(name, Kind.SERVER, attributes, parent=parent)
        begin(span)
        gone = False
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            gone = True
            raise
        finally:
            code = "CANCELLED" if gone else status_name(context.code())
            span.set("rpc.response.status_code", code)
            span.end(code if code in FAULTS else "")
