"""Both clients on one server, called in the same way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from absfin import Client, aio

from tests.conftest import RunningServer

Call = Callable[..., Any]


@pytest.fixture(params=["sync", "aio"])
def call(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Call]:
    """call("method", ...) of either client; iterators come back as lists."""
    if request.param == "sync":
        with Client(server.address) as client:
            client.wait_until_ready()

            def blocking(name: str, *arguments: Any, **more: Any) -> Any:
                result = getattr(client, name)(*arguments, **more)
                return list(result) if isinstance(result, Iterator) else result

            yield blocking
    else:

        async def once(name: str, *arguments: Any, **more: Any) -> Any:
            async with aio.Client(server.address) as client:
                await client.wait_until_ready()
                result = getattr(client, name)(*arguments, **more)
                if isinstance(result, AsyncIterator):
                    return [item async for item in result]
                return await result

        yield lambda name, *arguments, **more: asyncio.run(once(name, *arguments, **more))
