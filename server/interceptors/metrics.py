"""Measures calls by method and status, in the terms of OpenTelemetry's conventions for RPC."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.interceptors.log import status_name
from server.telemetry.figures import Figures

NAME = "rpc.server.call.duration"
LABELS = ("rpc.system.name", "rpc.method", "rpc.response.status_code")


class CallMetrics(CallInterceptor):
    """Only methods of the contract come here, so that nobody makes up labels by the names that they call."""

    def __init__(self, figures: Figures) -> None:
        self._durations = figures.durations(NAME, "Duration of a call, to its last message", *LABELS)

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Records the duration, however the call ends. Sees the status that the error interceptor has set."""
        start = time.perf_counter()
        gone = False
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            gone = True
            raise
        finally:
            code = "CANCELLED" if gone else status_name(context.code())
            self._durations.add(time.perf_counter() - start, "grpc", method.name[1:], code)
