"""Caches the intercepted handler of each method; grpc.aio rebuilds it at every call."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc


class HandlerCache(grpc.aio.ServerInterceptor):
    """Outermost interceptor: keeps the handler with all other interceptors around it. Unknown methods are not kept."""

    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of the call with all interceptors around it."""
        made = self._handlers.get(handler_call_details.method)
        if made is None:
            made = await continuation(handler_call_details)
            if made is not None:
                self._handlers[handler_call_details.method] = made
        return made
