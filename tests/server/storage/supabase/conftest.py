"""A stack for what is particular to Supabase: the PostgreSQL of the system, with nothing stored."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from server.storage.supabase.access import Access
from server.storage.supabase.rpc import Rpc
from tests.supabase_stack import RunningStack, running_stack, why_not


@pytest.fixture(scope="session")
def running() -> Iterator[RunningStack]:
    if cause := why_not("system"):
        pytest.skip(cause)
    with running_stack("system") as found:
        yield found


@pytest.fixture
async def stack(running: RunningStack) -> RunningStack:
    await running.empty()
    return running


@pytest.fixture
def access(stack: RunningStack) -> Access:
    """As the server has it."""
    return Access(stack.stack.url, stack.stack.service_key)


@pytest.fixture
async def rpc(access: Access) -> AsyncIterator[Rpc]:
    opened = Rpc(access)
    yield opened
    await opened.close()


@pytest.fixture
async def database(stack: RunningStack) -> AsyncIterator[asyncpg.Connection]:
    """Behind the functions, as whoever applies migrations."""
    connection = await asyncpg.connect(stack.stack.database_url)
    yield connection
    await connection.close()
