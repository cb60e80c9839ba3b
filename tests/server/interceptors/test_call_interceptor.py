"""What stands around each call costs little, and methods that are not built yet pass through it too."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from server.identity.identification import Identification
from server.interceptors.admission import Admission
from server.interceptors.audit import Audit
from server.interceptors.authentication import Authentication
from server.interceptors.call_interceptor import awaited
from server.interceptors.errors import Errors
from server.interceptors.idle_limit import IdleLimit
from server.interceptors.log import CallLog
from server.interceptors.raw import RawMessages
from server.interceptors.request_context import RequestContext
from server.services.audit import AuditLog
from server.settings import Settings
from tests.counted_calls import count_calls

METHOD = "/absfinance.v1.RiskService/AnalyzeRisk"


class Details:
    """Of a call, as interceptors are given them."""

    method = METHOD
    invocation_metadata = ()


class Context:
    """Of a call without metadata and without a deadline; without `auth_context`, which nobody needs here."""

    trailing: Any = ()

    def invocation_metadata(self) -> Any: ...
    def time_remaining(self) -> None: ...
    def set_trailing_metadata(self, trailing: Any) -> None: ...
    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def code(self) -> int:
        return 0


async def answer(request: bytes, context: Any) -> bytes:
    return request


def not_built(request: bytes, context: Any) -> bytes:
    raise NotImplementedError


def intercepted(handler: Any, *interceptors: grpc.aio.ServerInterceptor) -> Any:
    """The handler with interceptors around it, the first one outermost."""

    async def innermost(_: Any) -> Any:
        return handler

    def around(interceptor: grpc.aio.ServerInterceptor, inside: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda details: interceptor.intercept_service(inside, details)

    found: Callable[[Any], Any] = innermost
    for interceptor in reversed(interceptors):
        found = around(interceptor, found)
    return asyncio.run(found(Details()))


def test_a_call_without_metadata_passes_few_functions() -> None:
    """A third more where each interceptor asks whether the answer must be awaited, and limits what has no limit."""
    identification = Identification(Settings.read([], {}).identity, None, None)  # type: ignore[arg-type]  # no keys
    log: AuditLog = None  # type: ignore[assignment]  # which a call that changes nothing does not write
    around = (RequestContext(), CallLog(), Errors(), Audit(log, asks_who_calls=False), Authentication(identification))
    handler = intercepted(
        grpc.unary_unary_rpc_method_handler(answer), *around, Admission(64), IdleLimit(60.0), RawMessages()
    )

    async def counted() -> int:
        def call() -> None:
            with pytest.raises(StopIteration) as ended:  # nothing in it waits
                handler.unary_unary(b"request", Context()).send(None)
            assert ended.value.value == b"request"

        return count_calls(call)

    assert asyncio.run(counted()) < 165


async def test_a_method_that_is_not_built_is_awaited_too() -> None:
    assert awaited(answer) is answer
    assert await awaited(lambda request, context: answer(request, context))(b"x", None) == b"x"
    with pytest.raises(NotImplementedError):
        await awaited(not_built)(b"x", None)


def test_only_streams_of_clients_have_an_idle_limit() -> None:
    single = grpc.unary_unary_rpc_method_handler(answer)
    sent = grpc.stream_unary_rpc_method_handler(answer)
    both = grpc.stream_stream_rpc_method_handler(answer)
    assert intercepted(single, IdleLimit(1.0)) is single
    assert intercepted(both, IdleLimit(1.0)) is both
    assert intercepted(sent, IdleLimit(1.0)) is not sent
