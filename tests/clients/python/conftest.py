"""Both clients on one server, called in the same way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
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


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    values = 50.0 * np.cumprod(1.0 + rng.normal(0.001, 0.01, (30, 2)), axis=0)
    days = np.arange("2021-01-04", "2021-02-03", dtype="datetime64[D]")
    lines = ["date,P,Q", *(f"{day},{p!r},{q!r}" for day, (p, q) in zip(days, values.tolist(), strict=True))]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(lines))
    return path
