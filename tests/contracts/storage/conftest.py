"""Every store that there is, for the one specification of them all."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from server.bootstrap import STORAGE_BACKENDS
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.settings import Settings
from tests.supabase_stack import RunningStack

Opened = Callable[..., Storage]

BACKENDS = ("embedded", "supabase-15", "supabase-18")
"""SQLite; Supabase on the PostgreSQL of the system, which is 15 on Debian 12, and on that of the wheel, which is 18."""

EVENT_BACKENDS = BACKENDS
"""Those that keep a log of changes, events and published prices."""

of_event_backends = pytest.mark.parametrize("backend", EVENT_BACKENDS, indirect=True)
"""For the tests of a module about these."""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a store; a test that wants it runs once for each."""
    name: str = request.param
    return name


@pytest.fixture
async def stack(backend: str, request: pytest.FixtureRequest) -> RunningStack | None:
    """The stack behind the store, with nothing in it; None for the embedded one."""
    if backend == "embedded":
        return None
    found: RunningStack = request.getfixturevalue("system_stack" if backend == "supabase-15" else "wheel_stack")
    await found.empty()
    return found


@pytest.fixture
async def opened(stack: RunningStack | None, tmp_path: Path) -> AsyncIterator[Opened]:
    """Opens the store as a server does, again and again over the same data: with flags of its own, and a policy.

    `folder` is that of one machine; two servers on two machines have two, which the embedded store cannot have.
    """
    all_opened: list[Storage] = []

    def open_one(*flags: str, policy: QueuePolicy | None = None, folder: Path | None = None) -> Storage:
        environment = {} if stack is None else stack.stack.environment
        settings = Settings.read(("--data-dir", str(folder or tmp_path), *flags), environment)
        all_opened.append(STORAGE_BACKENDS[settings.storage](settings, policy or QueuePolicy()))
        return all_opened[-1]

    yield open_one
    for storage in all_opened:
        await storage.disconnect()
        storage.release_worker()
        storage.close()


@pytest.fixture
async def storage(opened: Opened) -> Storage:
    """The open store, with nothing in it."""
    return opened()
