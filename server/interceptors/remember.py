"""Makes what interceptors make of a handler once for each method, where grpc.aio makes it anew at each call."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc


class Remember(grpc.aio.ServerInterceptor):
    """First of all interceptors: what those after it have made of a method is kept. Unknown methods are not."""

    def __init__(self) -> None:
        self._made: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of the call with all interceptors around it."""
        made = self._made.get(handler_call_details.method)
        if made is None:
            made = await continuation(handler_call_details)
            if made is not None:
                self._made[handler_call_details.method] = made
        return made
