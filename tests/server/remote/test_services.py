"""Calls of services outside, of a real server in the same process: connections, deadlines, tries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import grpc
import pytest

from server.ports.errors import RemoteCallFailed, RemoteCallTimedOut, RemoteUnavailable
from server.ports.remote import RemoteCall
from server.remote.services import GrpcServices

Answer = Callable[[bytes, grpc.aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]


@dataclass
class Outside:
    """A service at an address, and who has called it."""

    target: str = ""
    answer: Answer | None = None
    peers: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def call(self, timeout: float | None = None) -> RemoteCall:
        return RemoteCall("LiquidityService", "AssessLiquidity", self.target, "the desk", b"asked", timeout)


async def echo(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return request + b" answered"


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    found = Outside(answer=echo)

    async def served(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        found.peers.append(context.peer())
        found.called.set()
        assert found.answer is not None
        try:
            return await found.answer(request, context)
        except asyncio.CancelledError:
            found.cancelled.set()
            raise

    server = grpc.aio.server()
    methods = {"AssessLiquidity": grpc.unary_unary_rpc_method_handler(served)}
    handler = grpc.method_handlers_generic_handler("absfinance.v1.LiquidityService", methods)
    server.add_generic_rpc_handlers((handler,))
    found.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield found
    await server.stop(None)


@pytest.fixture
async def services() -> AsyncIterator[GrpcServices]:
    made = GrpcServices(max_seconds=5.0)
    yield made
    await made.close()


async def hang(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    await asyncio.sleep(100.0)
    return b""


async def test_calls_of_one_address_share_a_connection(outside: Outside, services: GrpcServices) -> None:
    answers = await asyncio.gather(*(services.call(outside.call(), None) for _ in range(20)))
    assert answers == [b"asked answered"] * 20
    assert len(set(outside.peers)) == 1


async def test_the_end_closes_connections_and_what_is_under_way(outside: Outside) -> None:
    services = GrpcServices(max_seconds=90.0)
    outside.answer = hang
    waiting = asyncio.ensure_future(services.call(outside.call(), None))
    await asyncio.wait_for(outside.called.wait(), 60.0)
    await services.close()
    await asyncio.wait({waiting}, timeout=60.0)
    assert waiting.done()
    assert waiting.cancelled() or isinstance(waiting.exception(), RemoteCallFailed)
    await asyncio.wait_for(outside.cancelled.wait(), 60.0)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("most", "own", "remaining", "limit"),
    [
        (0.2, None, None, 0.2),
        (9.0, 0.2, None, 0.2),
        (9.0, 5.0, 0.5, 0.3),
        (9.0, 5.0, 3.0, 2.7),
        (0.2, 5.0, 9.0, 0.2),
        (9.0, None, -1.0, 0.0),
    ],
)
async def test_the_least_of_the_limits_holds(
    outside: Outside, most: float, own: float | None, remaining: float | None, limit: float
) -> None:
    services, clock = GrpcServices(most), asyncio.get_running_loop().time
    outside.answer = hang
    began = clock()
    with pytest.raises(RemoteCallTimedOut, match=f"the desk did not answer within {limit:g} s"):
        await services.call(outside.call(own), remaining)
    assert limit <= clock() - began < limit + 1.0
    await services.close()


async def test_a_caller_that_leaves_ends_the_call(outside: Outside, services: GrpcServices) -> None:
    outside.answer = hang
    waiting = asyncio.ensure_future(services.call(outside.call(), None))
    await asyncio.wait_for(outside.called.wait(), 60.0)
    waiting.cancel()
    await asyncio.wait_for(outside.cancelled.wait(), 60.0)
    assert waiting.cancelled()


async def test_a_service_that_is_unavailable_is_tried_no_longer_than_the_deadline(
    outside: Outside, services: GrpcServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        return b""

    outside.answer = unavailable
    with pytest.raises(RemoteUnavailable):
        await services.call(outside.call(), 4.0)
    assert len(outside.peers) == 3
    monkeypatch.setattr("server.remote.services.PAUSES", (0.1, 60.0))
    with pytest.raises(RemoteUnavailable):
        await services.call(outside.call(), None)  # which has 5 s: the second pause would end after that
    assert len(outside.peers) == 3 + 2


async def test_a_service_that_comes_back_is_used_at_once(services: GrpcServices) -> None:
    """The connection does not wait for minutes until it is tried again."""
    found = Outside()
    first = grpc.aio.server()
    port = first.add_insecure_port("127.0.0.1:0")
    found.target = f"127.0.0.1:{port}"
    await first.start()
    await first.stop(None)
    with pytest.raises(RemoteUnavailable):
        await services.call(found.call(), None)
    again = grpc.aio.server()
    methods = {"AssessLiquidity": grpc.unary_unary_rpc_method_handler(echo)}
    again.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("absfinance.v1.LiquidityService", methods),))
    assert again.add_insecure_port(found.target) == port
    await again.start()
    await asyncio.sleep(1.2)
    assert await services.call(found.call(), None) == b"asked answered"
    await again.stop(None)
