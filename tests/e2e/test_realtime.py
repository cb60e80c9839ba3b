"""A server of a project whose changes Realtime announces, and the same while Realtime is away."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import pytest

from tests.conftest import RunningServer
from tests.e2e.test_listening import TODAY, create, imported, prices
from tests.realtime.process import RealtimeProcess, running_realtime
from tests.supabase_stack import RunningStack, running_stack, why_not

ANNOUNCES, DOES_NOT = "Realtime announces changes", "Realtime announces no changes: they are looked for"
STORED = "select symbol from absfin.events where portfolio = 'mine' and kind = 'DRIFT' order by sequence"
SECONDS = 40.0


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    if cause := why_not("wheel"):
        pytest.skip(cause)
    with running_stack("wheel") as found:
        yield found


@pytest.fixture
async def realtime(stack: RunningStack) -> AsyncIterator[RealtimeProcess]:
    async with running_realtime(stack.stack) as found:
        yield found


@pytest.fixture
async def database(stack: RunningStack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.stack.database_url)
    yield connection
    await connection.close()


async def until(holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    limit = time.monotonic() + SECONDS
    while not await holds():
        assert time.monotonic() < limit, otherwise
        await asyncio.sleep(0.05)


def told(server: RunningServer) -> list[str]:
    """What the log of a server says of Realtime."""
    lines = (server.data_dir / "server.log").read_text().splitlines()
    messages = [json.loads(line)["message"] for line in lines if line.startswith("{")]
    return [message for message in messages if message.startswith("Realtime")]


async def test_signals_come_once_with_realtime_and_without(
    start_server: Callable[..., RunningServer],
    stack: RunningStack,
    realtime: RealtimeProcess,
    database: asyncpg.Connection,
) -> None:
    environment = {**stack.stack.environment, "ABSFIN_REALTIME_URL": realtime.url}
    server = await asyncio.to_thread(start_server, "--workers", "1", environment=environment)
    await says(server, [ANNOUNCES])
    await asyncio.to_thread(imported, server, prices(TODAY - 4, [[100, 100], [100, 100]]), "first")
    await asyncio.to_thread(create, server, "mine", {"event": "EVENT_KIND_DRIFT", "threshold": 0.05})

    async def stored(count: int) -> None:
        async def holds() -> bool:
            return len(await database.fetch(STORED)) >= count

        await until(holds, f"there are not {count} signals")

    await asyncio.to_thread(imported, server, prices(TODAY - 2, [[150, 100]]), "out of the band")
    await stored(2)
    await realtime.kill()
    await asyncio.to_thread(imported, server, prices(TODAY - 1, [[100, 100]]), "back, and nobody is told")
    await stored(4)
    await says(server, [ANNOUNCES, DOES_NOT])
    await realtime.start()
    await says(server, [ANNOUNCES, DOES_NOT, ANNOUNCES])
    await asyncio.to_thread(imported, server, prices(TODAY, [[101, 100]]), "a little")
    await asyncio.sleep(2.0)
    assert [row[0] for row in await database.fetch(STORED)] == ["A", "B", "A", "B"], "raised, then cleared"
    server.process.terminate()
    assert await asyncio.to_thread(server.process.wait, 30) == 0, "it ends with its connection to Realtime"


async def says(server: RunningServer, messages: list[str]) -> None:
    async def holds() -> bool:
        return told(server) == messages

    await until(holds, f"the log does not say {messages}")
