"""Changes that Realtime announces, and that it does not: each is applied once, though server and network fail.

The client is supabase-py's, the server that of tests.realtime. The timer of the feed is off where nothing else is said:
what was not announced is found since every new connection is a notice too.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import pytest

from server.bootstrap import STORAGE_BACKENDS
from server.listeners.change_feed import ChangeFeed
from server.listeners.memory import Memory
from server.listeners.noticing import Reading
from server.listeners.reading import Readings, WatchedStores
from server.ports.changes import Change
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import Instrument
from server.ports.notices import NoticeState
from server.ports.storage import Storage
from server.settings import Settings
from server.storage.supabase.realtime import RealtimeNotices
from server.storage.supabase.realtime_channel import RealtimeTiming
from tests.families import blocks
from tests.realtime.process import Link, RealtimeProcess, running_realtime
from tests.supabase_stack import RunningStack

TURNS = pytest.mark.parametrize("turn", blocks(2, 2, 20))
"""What goes wrong at another moment each time: twice, and twenty times with --long."""

DOWN_SECONDS = float(os.environ.get("ABSFIN_REALTIME_DOWN_SECONDS", "6"))
"""How long the server is away in the test of a long outage: the pauses of the client are shorter here by as much."""

NEVER = 600.0
SOON = 30.0
"""Seconds, for a machine that is busy."""

TIMING = RealtimeTiming(answer=10.0, heartbeat=0.5, first_pause=0.1, longest_pause=1.0, steady=1.0, expected=0.5)

INSERT = "insert into absfin.changes (kind, owner, name) values ('INSTRUMENT', '', $1)"


class RecordedReadings(Readings):
    """Readings, and what they were asked to read."""

    def __init__(self, stores: WatchedStores) -> None:
        super().__init__(stores)
        self.cursors: list[str] = []

    async def of_changes(self, memory: Memory, changes: Sequence[Change]) -> Reading:
        self.cursors += [change.cursor for change in changes]
        return await super().of_changes(memory, changes)


@dataclass
class Listener:
    """A feed over a store, woken by Realtime."""

    storage: Storage
    database: asyncpg.Connection
    notices: RealtimeNotices
    feed: ChangeFeed
    readings: RecordedReadings
    names: list[str] = field(default_factory=list)

    async def write(self, *names: str) -> None:
        """Changes as the product writes them, in one transaction."""
        self.names += names
        await self.storage.market_data.upsert_instruments([Instrument(name) for name in names])

    async def applied(self, seconds: float = SOON) -> None:
        """Waits until as many changes were applied as there are, and compares: each once, in the order of the log."""
        statement = "select tx::text || '.' || id from absfin.changes order by tx, id"
        written = [row[0] for row in await self.database.fetch(statement)]
        assert len(written) == len(self.names)
        await until(lambda: len(self.readings.cursors) >= len(written), "changes were not applied", seconds)
        assert self.readings.cursors == written

    async def receives(self, connections: int = 1) -> None:
        """Waits until there have been so many connections, and the last one receives."""
        await until(
            lambda: self.notices.health().connections >= connections and self.notices.is_reliable,
            "Realtime was not joined",
        )


async def until(holds: Callable[[], bool], otherwise: str, seconds: float = SOON) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, otherwise
        await asyncio.sleep(0.02)


@pytest.fixture
async def realtime(stack: RunningStack) -> AsyncIterator[RealtimeProcess]:
    async with running_realtime(stack.stack) as found:
        yield found


@pytest.fixture
async def link(realtime: RealtimeProcess) -> AsyncIterator[Link]:
    found = Link(realtime.port)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
async def storage(stack: RunningStack, tmp_path: Path) -> AsyncIterator[Storage]:
    settings = Settings.read(("--data-dir", str(tmp_path), "--realtime-url", "off"), stack.stack.environment)
    opened = STORAGE_BACKENDS["supabase"](settings, QueuePolicy())
    yield opened
    await opened.disconnect()
    opened.release_worker()
    opened.close()


Starter = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def listening(storage: Storage, stack: RunningStack, database: asyncpg.Connection) -> AsyncIterator[Starter]:
    """Starts a listener, which looks without a notice only as often as is said."""
    started: list[Listener] = []

    async def start(
        url: str,
        *,
        token: Callable[[], str] = lambda: stack.stack.service_key,
        timing: RealtimeTiming = TIMING,
        look: float = NEVER,
    ) -> Listener:
        assert storage.changes is not None
        assert storage.events is not None
        notices = RealtimeNotices(url, token, timing)
        stores = WatchedStores(
            storage.market_data, storage.corporate_actions, storage.portfolios, storage.optimizations
        )
        readings = RecordedReadings(stores)
        feed = ChangeFeed(
            storage.changes, storage.events.listener, readings, storage.worker,
            notices=notices, look_seconds=look, rare_look_seconds=NEVER,
        )  # fmt: skip
        found = Listener(storage, database, notices, feed, readings)
        started.append(found)
        feed.start()
        await until_listening(feed)
        notices.start(feed.wake)
        return found

    yield start
    for one in started:
        await one.notices.close()
        await one.feed.close()


async def until_listening(feed: ChangeFeed) -> None:
    limit = time.monotonic() + SOON
    while not (found := await feed.health()).is_listening or not found.cursor:
        assert time.monotonic() < limit, "the feed does not listen"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", ["service_key", "secret_key"])
async def test_a_change_of_another_process_is_announced(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack, kind: str
) -> None:
    key: str = getattr(stack.stack, kind)
    listener = await listening(realtime.url, token=lambda: key)
    await listener.receives()
    took = []
    for number in range(5):
        began = time.monotonic()
        await listener.write(f"S{number}")
        await listener.applied(seconds=10)
        took.append(time.monotonic() - began)
    health = listener.notices.health()
    assert (health.state, health.notices, health.connections, health.failures) == (NoticeState.RECEIVING, 5, 1, 0)
    assert min(took) < 1.0, f"announced changes take {took} s"


@TURNS
async def test_a_server_that_is_killed_for_three_seconds(
    listening: Starter, realtime: RealtimeProcess, turn: int
) -> None:
    await outage(listening, realtime, 3.0)


@TURNS
@pytest.mark.timeout(120 + DOWN_SECONDS)
async def test_a_server_that_is_away_for_long(listening: Starter, realtime: RealtimeProcess, turn: int) -> None:
    """supabase-py's client by itself gives up for ever after 15 s, with its pauses; here it would after 1.5 s."""
    await outage(listening, realtime, DOWN_SECONDS)


async def outage(listening: Starter, realtime: RealtimeProcess, seconds: float) -> None:
    listener = await listening(realtime.url)
    await listener.receives()
    await listener.write("before")
    await listener.applied()
    await realtime.kill()
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        await listener.write(f"while {number}")
        number += 1
        await asyncio.sleep(0.1)
    assert len(listener.readings.cursors) == 1, "nobody was told"
    assert not listener.notices.is_reliable
    assert listener.notices.health().failures > 0
    await realtime.start()
    await listener.receives(connections=2)
    await listener.applied()
    await listener.write("after")
    await listener.applied()


@TURNS
async def test_a_link_that_carries_nothing_any_more(listening: Starter, link: Link, turn: int) -> None:
    listener = await listening(link.url, timing=replace(TIMING, answer=1.5))
    await listener.receives()
    await listener.write("before")
    await listener.applied()
    link.freeze()
    await listener.write("lost", "lost as well")
    await listener.receives(connections=2)
    await listener.applied()
    assert listener.notices.health().reason == "it does not answer"
    await listener.write("after")
    await listener.applied()


@TURNS
async def test_a_burst(listening: Starter, realtime: RealtimeProcess, turn: int) -> None:
    listener = await listening(realtime.url)
    await listener.receives()
    await listener.write(*(f"S{number}" for number in range(5_000)))
    await listener.applied()
    assert listener.notices.health().notices == 1, "of all that one transaction wrote"
    for number in range(200):
        await listener.database.execute(INSERT, f"T{number}")
        listener.names.append(f"T{number}")
    await listener.applied()
    await until(lambda: listener.notices.health().notices == 201, "not all were announced")
    assert listener.notices.health().connections == 1


@TURNS
async def test_a_slow_transaction_that_commits_late(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack, turn: int
) -> None:
    listener = await listening(realtime.url)
    await listener.receives()
    slow = await asyncpg.connect(stack.stack.database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, "slow")
    await listener.write("fast")
    await until(lambda: listener.notices.health().notices == 1, "the fast one was not announced")
    await asyncio.sleep(1.0)
    assert listener.readings.cursors == [], "it waits for what comes before it"
    await transaction.commit()
    await slow.close()
    listener.names.append("slow")
    await listener.applied()


async def test_a_change_that_waits_for_a_transaction_without_changes(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack
) -> None:
    """It was announced before it could be read, and nothing is announced as it can be."""
    listener = await listening(realtime.url, look=0.3)
    await listener.receives()
    slow = await asyncpg.connect(stack.stack.database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("select pg_current_xact_id()")
    await listener.write("waits")
    await until(lambda: listener.notices.health().notices == 1, "it was not announced")
    await asyncio.sleep(0.5)
    assert listener.readings.cursors == []
    await transaction.rollback()
    await slow.close()
    await listener.applied()
    await asyncio.sleep(1.0)
    assert listener.notices.health().connections == 1, "it was announced: there is no reason to connect again"


@TURNS
async def test_a_token_that_expires(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack, turn: int
) -> None:
    """Realtime closes the channel; the next connection has another token."""
    rare = RealtimeTiming(answer=10.0, heartbeat=NEVER, first_pause=0.1, longest_pause=1.0, steady=1.0)
    listener = await listening(realtime.url, token=short_tokens(stack, 3), timing=rare)
    await listener.receives()
    for number in range(8):
        await listener.write(f"S{number}")
        await asyncio.sleep(0.5)
    await listener.receives(connections=2)
    await listener.applied()
    assert "Token has expired" in listener.notices.health().reason


async def test_a_token_that_is_renewed_in_time(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack
) -> None:
    listener = await listening(realtime.url, token=short_tokens(stack, 3))
    await listener.receives()
    for number in range(10):
        await listener.write(f"S{number}")
        await asyncio.sleep(0.5)
    await listener.applied()
    health = listener.notices.health()
    assert (health.connections, health.reason) == (1, "")


def short_tokens(stack: RunningStack, seconds: int) -> Callable[[], str]:
    return lambda: stack.stack.token("server", role="service_role", exp=int(time.time()) + seconds)


async def test_a_server_that_announces_nothing_is_not_relied_on(listening: Starter, stack: RunningStack) -> None:
    """As where no publication has the table: everything else of it works."""
    async with running_realtime(stack.stack, "--mute") as realtime:
        listener = await listening(realtime.url, look=0.3)
        await listener.receives()
        await asyncio.sleep(TIMING.steady)
        await listener.write("by the timer")
        await listener.applied()
        await until(lambda: not listener.notices.is_reliable, "it is relied on")
        await until(lambda: listener.notices.health().connections >= 2, "it was not connected to again")
        assert listener.notices.health().reason == "it does not announce changes"
        assert not listener.notices.is_reliable, "until it announces something"


async def test_a_key_that_is_refused_is_not_told(
    listening: Starter, realtime: RealtimeProcess, stack: RunningStack
) -> None:
    listener = await listening(realtime.url, token=lambda: stack.stack.anon_key)
    await until(lambda: listener.notices.health().failures >= 2, "it was let in")
    health = listener.notices.health()
    assert health.reason == "it refuses the connection with status 403"
    assert (health.connections, health.is_reliable) == (0, False)
