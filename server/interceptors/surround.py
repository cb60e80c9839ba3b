"""One way to stand around a call of any shape: enter before it, leave after its last message or its error."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import grpc
from google.protobuf.message import Message

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[..., Any]


class Surround(grpc.aio.ServerInterceptor):
    """An interceptor that says what happens around a call and what each request message must pass."""

    @abstractmethod
    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """Entered before the handler, left after it; sees whatever the handler raises."""

    def covers(self, handler: grpc.RpcMethodHandler[Any, Any]) -> bool:
        """Whether this interceptor stands around a handler at all."""
        return True

    def check(self, request: Message) -> None:
        """Sees each request message before the handler does."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of the call with this interceptor around it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc.") or not self.covers(handler):
            return handler
        return self._surrounded(handler, method)

    def _surrounded(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> grpc.RpcMethodHandler[Any, Any]:
        make, inner = constructor_and_behaviour(handler)
        wrap = self._streaming if handler.response_streaming else self._single
        surrounded: grpc.RpcMethodHandler[Any, Any] = make(
            wrap(inner, method, handler.request_streaming),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return surrounded

    def _single(self, inner: Behaviour, method: str, many: bool) -> Behaviour:
        async def behaviour(request: Any, context: Context) -> Any:
            async with self.around(method, context):
                answer = inner(self._checked(request, many), context)
                return await answer if inspect.isawaitable(answer) else answer

        return behaviour

    def _streaming(self, inner: Behaviour, method: str, many: bool) -> Behaviour:
        async def behaviour(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self.around(method, context), aclosing(inner(self._checked(request, many), context)) as answers:
                async for answer in answers:
                    yield answer

        return behaviour

    def _checked(self, request: Any, many: bool) -> Any:
        if many:
            return self._each_checked(request)
        self.check(request)
        return request

    async def _each_checked(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for request in requests:
            self.check(request)
            yield request


def constructor_and_behaviour(handler: grpc.RpcMethodHandler[Any, Any]) -> tuple[Callable[..., Any], Behaviour]:
    """What makes a handler of the same shape, and what this one does."""
    shapes: dict[tuple[bool, bool], tuple[Callable[..., Any], Any]] = {
        (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary),
        (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream),
        (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary),
        (True, True): (grpc.stream_stream_rpc_method_handler, handler.stream_stream),
    }
    return shapes[handler.request_streaming, handler.response_streaming]
