"""Says who calls, and whether their role allows the method."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from server.identity.current import principal
from server.identity.identification import Identification
from server.identity.roles import require_role
from server.interceptors.call_interceptor import (
    Behaviour,
    CallInterceptor,
    Context,
    RpcMethod,
    constructor_and_behaviour,
)
from server.interceptors.errors import abort_with
from server.ports.errors import ServiceError, TokenExpired
from server.ports.identity import LOCAL, Principal


class Authentication(CallInterceptor):
    """Inside the error interceptor, so that a refusal leaves as a status; outside everything that costs something."""

    def __init__(self, identification: Identification) -> None:
        self._identification = identification

    @asynccontextmanager
    async def intercept(self, method: RpcMethod, context: Context) -> AsyncIterator[None]:
        """Sets the principal for the time of the call.

        A stream of answers may stay open for days: it ends when the token that opened it expires.
        """
        known = await identify(self._identification, context)
        principal.set(known)  # also a refusal is one of a known caller
        require_role(known, method.name)
        if method.streams_requests or not method.streams_responses:
            yield
            return
        try:
            async with asyncio.timeout(_remaining(known)) as limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise TokenExpired from None
            raise


class ClosedToStrangers(grpc.aio.ServerInterceptor):
    """Asks who calls health or reflection where the settings close them; any role may call them."""

    def __init__(self, identification: Identification, prefixes: tuple[str, ...]) -> None:
        self._identification = identification
        self._prefixes = prefixes

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler, with the question before it."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(self._prefixes):
            return handler
        make, inner = constructor_and_behaviour(handler)
        guarded: grpc.RpcMethodHandler[Any, Any] = make(
            self._streaming(inner) if inspect.isasyncgenfunction(inner) else self._awaited(inner),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return guarded

    def _awaited(self, inner: Behaviour) -> Behaviour:
        async def behaviour(request: Any, context: Context) -> Any:
            await self._ask(context)
            answer = inner(request, context)
            return await answer if inspect.isawaitable(answer) else answer

        return behaviour

    def _streaming(self, inner: Behaviour) -> Behaviour:
        async def behaviour(request: Any, context: Context) -> AsyncIterator[Any]:
            await self._ask(context)
            async for answer in inner(request, context):
                yield answer

        return behaviour

    async def _ask(self, context: Context) -> None:
        try:
            await identify(self._identification, context)
        except ServiceError as error:
            await abort_with(error, context)


async def identify(identification: Identification, context: Context) -> Principal:
    """Who makes a call. Raises the errors of Identification."""
    if not identification.asks:
        return LOCAL  # gRPC need not gather what nobody reads
    metadata: Any = context.invocation_metadata() or ()
    certificate: Any = context.auth_context()
    return await identification.principal(metadata, certificate)


def _remaining(known: Principal) -> float | None:
    return None if known.expires is None else max(0.0, known.expires - time.time())
