"""Gives every call an id: the caller's `x-request-id`, or a new one.

It comes back in the trailing metadata of every call, and in the initial metadata of a stream of answers as well: there
it is known at once, while a single answer would wait for a message of its own.
"""

import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.interceptors.call_interceptor import CallInterceptor, Context, RpcMethod
from server.observability import request_id
from server.ports.deadline import call_deadline

HEADER = "x-request-id"
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestContext(CallInterceptor):
    """Outermost, so that everything further in can name the call."""

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Sets the id and the deadline for the time of the call."""
        sent = dict(context.invocation_metadata() or ()).get(HEADER, "")
        # What a caller sends ends up in log lines: only plain characters are taken over.
        current = sent if isinstance(sent, str) and _PLAIN.fullmatch(sent) else secrets.token_hex(8)
        request_id.set(current)
        remaining = context.time_remaining()
        call_deadline.set(None if remaining is None else time.monotonic() + remaining)
        context.set_trailing_metadata(((HEADER, current),))
        if method.streams_responses:
            await context.send_initial_metadata(((HEADER, current),))
        yield
