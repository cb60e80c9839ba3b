"""One log line for each call: method, status, duration, and who called."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc

from server.identity.current import caller
from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.observability import logger

_NAMES: Mapping[int, str] = {status.value[0]: status.name for status in grpc.StatusCode}


class CallLog(CallInterceptor):
    """Sees the status that the error interceptor has set."""

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Measures and writes the line, however the call ends."""
        # Asked now: once a caller has left in the middle of a stream, the call is freed and asking ends the process.
        peer = context.peer()
        start = time.perf_counter()
        gone = False
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            gone = True
            raise
        finally:
            code = "CANCELLED" if gone else status_name(context.code())
            level = logging.WARNING if code in {"INTERNAL", "UNKNOWN"} else logging.INFO
            if logger.isEnabledFor(level):
                duration_ms = round((time.perf_counter() - start) * 1e3, 3)
                line = {"method": method.name, "code": code, "duration_ms": duration_ms, "peer": peer}
                if known := caller(""):
                    line["caller"] = known
                logger.log(level, "call", extra=line)


def status_name(code: grpc.StatusCode | int | None) -> str:
    """The name of the status that a call has set; OK where it has set none."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _NAMES.get(code or 0, "UNKNOWN")
