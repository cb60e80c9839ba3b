"""A stream of answers ends when the token that opened it expires; a call in time is left alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import jwt
import pytest

from server.identity.api_keys import ApiKeys
from server.identity.current import principal
from server.identity.identification import Identification
from server.identity.tokens import LEEWAY_SECONDS, Tokens
from server.interceptors.authentication import Authentication
from server.interceptors.errors import Errors
from server.ports.identity import IdentitySettings
from server.storage.embedded.api_keys import EmbeddedApiKeys
from server.storage.embedded.database import Database
from tests.conftest import refusal_of
from tests.server.identity.issuer import AUDIENCE, claims_of

SECRET = "a secret of no less than 32 bytes."  # noqa: S105  # of these tests
METHOD = "/absfinance.v1.BacktestService/BacktestProgress"
UNARY = "/absfinance.v1.BacktestService/GetBacktest"


async def endless(request: bytes, context: Any) -> AsyncIterator[bytes]:
    while True:  # ends with the call
        yield principal.get().id.encode()
        await asyncio.sleep(0.05)


async def slow(request: bytes, context: Any) -> bytes:
    await asyncio.sleep(3.0)
    return principal.get().id.encode()


async def read(answers: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for answer in answers:
        into.append(answer)


@asynccontextmanager
async def served(database: Database) -> AsyncIterator[grpc.aio.Channel]:
    settings = IdentitySettings(("jwt",), audience=AUDIENCE, secret=SECRET)
    identification = Identification(settings, Tokens(settings, None), ApiKeys(EmbeddedApiKeys(database)))
    server = grpc.aio.server(interceptors=(Errors(), Authentication(identification)))
    handlers = {
        "BacktestProgress": grpc.unary_stream_rpc_method_handler(endless),
        "GetBacktest": grpc.unary_unary_rpc_method_handler(slow),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("absfinance.v1.BacktestService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)


@pytest.fixture
def database(tmp_path: Any) -> Any:
    opened = Database(tmp_path / "absfinance.sqlite3")
    yield opened
    opened.close()


def bearer(valid_seconds: int) -> tuple[tuple[str, str], ...]:
    """A token that is good for so many seconds, or up to one less."""
    claims = claims_of(exp=int(time.time() + valid_seconds - LEEWAY_SECONDS))
    return (("authorization", f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"),)


async def test_a_stream_ends_with_its_token(database: Database) -> None:
    async with served(database) as channel:
        received: list[bytes] = []
        began = time.time()
        with pytest.raises(grpc.RpcError) as raised:
            await read(channel.unary_stream(METHOD)(b"", metadata=bearer(3), timeout=60), received)
    assert set(received) == {b"users/ann"}
    assert len(received) > 1
    assert time.time() - began >= 2.0, "no earlier than its token"
    refusal = refusal_of(raised.value)
    assert (refusal.code, refusal.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_a_call_that_began_in_time_is_finished(database: Database) -> None:
    async with served(database) as channel:
        assert await channel.unary_unary(UNARY)(b"", metadata=bearer(3), timeout=60) == b"users/ann"


async def test_calls_at_once_have_their_own_callers(database: Database) -> None:
    def token(name: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"bearer {jwt.encode(claims_of(sub=name), SECRET, 'HS256')}"),)

    async with served(database) as channel:
        call = channel.unary_unary(UNARY)
        names = [f"user{i}" for i in range(50)]
        answers = await asyncio.gather(*(call(b"", metadata=token(name), timeout=20) for name in names))
    assert answers == [f"users/{name}".encode() for name in names]
