"""Leaves messages as bytes: reading them may cost more than the event loop can spare, so servicers decide where."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from server.interceptors.call_interceptor import constructor_and_behaviour


class RawMessages(grpc.aio.ServerInterceptor):
    """Innermost: servicers of the contract are given bytes, and answer with a message or with its bytes."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of the call without its deserializer."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith("/grpc."):
            return handler
        make, behaviour = constructor_and_behaviour(handler)
        raw: grpc.RpcMethodHandler[Any, Any] = make(
            behaviour, request_deserializer=None, response_serializer=_serialized
        )
        return raw


def _serialized(answer: Any) -> bytes:
    encoded: bytes = answer if isinstance(answer, bytes) else answer.SerializeToString()
    return encoded
