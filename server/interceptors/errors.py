"""Ends a call that fails with the status of its error; `server/converters/status.py` has the table.

Text of an unknown exception never leaves the server: the caller gets the id under which the log has it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from server.converters.status import internal_error, method_not_built, status_from_error
from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.observability import logger, request_id
from server.ports.errors import Refused, ServiceError

DETAILS_KEY = "grpc-status-details-bin"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
MOST_PUSHBACK_MS = 5_000
"""Of a wait that gRPC does by itself: shorter than the timeouts of most calls, so that their reason is still told."""

Code = grpc.StatusCode
_CODES = {code.value[0]: code for code in Code}


class Errors(CallInterceptor):
    """Turns whatever a handler raises into a status, and aborts the call with it."""

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Passes aborts and cancellation on; everything else leaves as a status."""
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await _abort(_status(error, method.name, built=context.code() is not Code.UNIMPLEMENTED), context)


async def abort_with(error: ServiceError, context: Context) -> None:
    """Ends a call outside of this interceptor with the status of an error."""
    await _abort(_status(error, "", built=True), context)


async def _abort(status: Status, context: Context) -> None:
    details = (DETAILS_KEY, status.SerializeToString())
    trailing = (*context.trailing_metadata(), details, *_pushback(status))
    await context.abort(_CODES[status.code], status.message, trailing)


def _pushback(status: Status) -> tuple[tuple[str, str], ...]:
    """RetryInfo in the terms of gRPC's own retries: wait so long, or do not repeat.

    A long wait is for the caller to decide on: a client that waits by itself would tell them of no reason until then.
    """
    if _CODES[status.code] not in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED):
        return ()
    info = RetryInfo()
    waits = next((info.retry_delay.ToMilliseconds() for detail in status.details if detail.Unpack(info)), -1)
    return ((PUSHBACK_KEY, str(waits if waits <= MOST_PUSHBACK_MS else -1)),)


def _status(error: Exception, method: str, *, built: bool) -> Status:
    if isinstance(error, Refused):
        return Status.FromString(error.status)
    if isinstance(error, NotImplementedError) and not built:
        return method_not_built(method)
    known = status_from_error(error)
    if known is not None:
        return known
    logger.error("unexpected error", extra={"method": method}, exc_info=error)
    return internal_error(request_id.get())
