"""Sends a token or an API key with every call.

Call credentials of gRPC need an encrypted channel, and a server of this machine has none: so the token is added here.
"""

from collections.abc import Callable
from typing import Any

import grpc

Token = str | Callable[[], str]
"""A token, or what returns the current one: it is asked at every call, so it should answer at once."""


def _with_token(details: Any, token: Token, make: Callable[..., Any]) -> Any:
    sent = [pair for pair in details.metadata or () if pair[0] != "authorization"]
    sent.append(("authorization", f"Bearer {token() if callable(token) else token}"))
    return make(details, sent)


class _Details(grpc.ClientCallDetails):
    """Those of a call, with other metadata."""

    def __init__(self, details: Any, metadata: list[tuple[str, Any]]) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = tuple(metadata)
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


class TokenInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """For calls of every shape of an ordinary channel."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def _continue(self, continuation: Any, details: Any, sent: Any) -> Any:
        return continuation(_with_token(details, self._token, _Details), sent)

    intercept_unary_unary: Any = _continue
    intercept_unary_stream: Any = _continue
    intercept_stream_unary: Any = _continue
    intercept_stream_stream: Any = _continue


class _Asynchronous:
    """What the four interceptors of a channel of asyncio share: it takes one of each kind."""

    def __init__(self, token: Token) -> None:
        self._token = token

    async def _continue(self, continuation: Any, details: Any, sent: Any) -> Any:
        return await continuation(_with_token(details, self._token, _asynchronous_details), sent)


def _asynchronous_details(details: Any, metadata: list[tuple[str, Any]]) -> grpc.aio.ClientCallDetails:
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=details.timeout,
        metadata=grpc.aio.Metadata(*metadata),
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )


class _UnaryUnary(_Asynchronous, grpc.aio.UnaryUnaryClientInterceptor):
    intercept_unary_unary: Any = _Asynchronous._continue


class _UnaryStream(_Asynchronous, grpc.aio.UnaryStreamClientInterceptor):
    intercept_unary_stream: Any = _Asynchronous._continue


class _StreamUnary(_Asynchronous, grpc.aio.StreamUnaryClientInterceptor):
    intercept_stream_unary: Any = _Asynchronous._continue


class _StreamStream(_Asynchronous, grpc.aio.StreamStreamClientInterceptor):
    intercept_stream_stream: Any = _Asynchronous._continue


def asynchronous_interceptors(token: Token | None) -> list[grpc.aio.ClientInterceptor]:
    """Those of a channel of asyncio; none without a token."""
    if token is None:
        return []
    return [kind(token) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]
