"""Writes the audit log: calls that change something, however they end, and others that are refused.

Inside the error interceptor and outside authentication, so that it sees every refusal. A call that has changed
something is answered when its event is stored, be it together with the change; failures are stored soon. Nothing of a
message is kept but the name of a resource.
"""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from server.converters.audit import is_change, outcome_of, resource_of_answer, resource_of_request
from server.converters.status import status_from_error
from server.identity.current import principal
from server.interceptors.call_interceptor import Behaviour, Context, awaited, constructor_and_behaviour
from server.observability import request_id
from server.ports.audit import AuditEvent
from server.ports.errors import Refused
from server.ports.identity import KEY_PREFIX, LOCAL
from server.services.audit import AuditLog, CallEvent, call_event

Code = grpc.StatusCode

OK = "OK"


class Audit(grpc.aio.ServerInterceptor):
    """Around all calls of the contract."""

    def __init__(self, log: AuditLog, *, asks_who_calls: bool) -> None:
        self._log = log
        self._asks = asks_who_calls

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of the call with its events around it."""
        handler = await continuation(handler_call_details)
        name = handler_call_details.method
        if handler is None or name.startswith("/grpc."):
            return handler
        make, inner = constructor_and_behaviour(handler)
        wrap = self._streaming if handler.response_streaming else self._single
        audited: grpc.RpcMethodHandler[Any, Any] = make(
            wrap(inner, name),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return audited

    def _single(self, inner: Behaviour, method: str) -> Behaviour:
        changes, answered = is_change(method), awaited(inner)

        async def behaviour(request: Any, context: Context) -> Any:
            event = CallEvent(partial(_event, method, code=OK))
            call_event.set(event)  # each call has a context of its own
            try:
                answer = await answered(request, context)
            except BaseException as error:
                if not (event.is_stored or event.is_being_stored):
                    self._failed(method, request, context, error)
                raise
            if not changes or event.is_stored:
                return answer
            if (resource := resource_of_answer(method, request, answer)) is not None:
                await self._log.record(event.of(resource))
            return answer

        return behaviour

    def _streaming(self, inner: Behaviour, method: str) -> Behaviour:
        changes = is_change(method)

        async def behaviour(request: Any, context: Context) -> AsyncIterator[Any]:
            begun = False
            try:
                async with aclosing(inner(request, context)) as answers:
                    async for answer in answers:
                        # Answers acknowledge what was stored so far, long before the stream ends.
                        if changes and not begun:
                            await self._log.record(_event(method, "", ""))
                            begun = True
                        yield answer
            except BaseException as error:
                self._failed(method, request, context, error)
                raise
            if changes:
                await self._log.record(_event(method, "", OK))

        return behaviour

    def _failed(self, method: str, request: Any, context: Context, error: BaseException) -> None:
        code, reason = _outcome(error, context)
        if self._asks and principal.get() is LOCAL:
            self._log.note(AuditEvent("", "", "", "", code, reason, "", datetime.now(UTC)))
        elif is_change(method) or code == Code.PERMISSION_DENIED.name:
            self._log.note(_event(method, resource_of_request(method, request), code, reason))


def _event(method: str, resource: str, code: str, reason: str = "") -> AuditEvent:
    known = principal.get()
    call = request_id.get()
    # Callers choose the id: whoever sends a key as one shall not find it here.
    call = "" if KEY_PREFIX in call else call
    return AuditEvent(
        known.id, known.credential or known.id, method[1:], resource, code, reason, call, datetime.now(UTC)
    )


def _outcome(error: BaseException, context: Context) -> tuple[str, str]:
    """The code that the caller is told, and its reason."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return Code.CANCELLED.name, ""
    if isinstance(error, Refused):
        return outcome_of(Status.FromString(error.status))
    status = status_from_error(error) if isinstance(error, Exception) else None
    if status is not None:
        return outcome_of(status)
    is_not_built = isinstance(error, NotImplementedError) and context.code() is Code.UNIMPLEMENTED
    return (Code.UNIMPLEMENTED.name, "METHOD_NOT_BUILT") if is_not_built else (Code.INTERNAL.name, "INTERNAL")
