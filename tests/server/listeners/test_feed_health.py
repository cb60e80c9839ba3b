"""Whether the listener of a real store has caught up: here, and where another one listens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from absfinance.v1 import portfolio_pb2

from server.converters.events import signal_message
from server.listeners.change_feed import ChangeFeed, FeedHealth
from server.listeners.memory import memory_from_bytes, name_of
from server.listeners.reading import Readings, WatchedStores
from server.ports.changes import ChangeLag, ChangeLog, ChangePage
from server.ports.events import EventFilter, ListenerState
from server.ports.job_queue import QueuePolicy
from server.ports.portfolios import PortfolioDraft
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.settings import Settings
from server.storage.embedded.factory import open_storage
from tests.owners import OWNER

LEASE_SECONDS = 600.0


class SlowLog:
    """The log of a store, whose pages come when they may."""

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self.opened = asyncio.Event()

    async def changes_since(self, cursor: str, limit: int) -> ChangePage:
        await self.opened.wait()
        return await self._log.changes_since(cursor, limit)

    async def newest(self) -> str:
        return await self._log.newest()

    async def lag(self, cursor: str) -> ChangeLag:
        return await self._log.lag(cursor)

    async def forget(self, cursor: str, before: int) -> int:
        return await self._log.forget(cursor, before)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = open_storage(Settings.read(("--data-dir", str(tmp_path)), {}), QueuePolicy())
    yield opened
    await opened.disconnect()
    opened.release_worker()
    opened.close()


async def created(storage: Storage, *names: str) -> None:
    for name in names:
        await storage.portfolios.create(
            OWNER, PortfolioDraft(portfolio_pb2.Portfolio().SerializeToString(), b"b", name)
        )


def feed_of(storage: Storage, log: ChangeLog) -> ChangeFeed:
    assert storage.events
    stores = WatchedStores(storage.market_data, storage.corporate_actions, storage.portfolios, storage.optimizations)
    return ChangeFeed(log, storage.events.listener, Readings(stores), "here", look_seconds=0.02)


async def health_when(feed: ChangeFeed, condition: Callable[[FeedHealth], bool]) -> FeedHealth:
    async with asyncio.timeout(60):
        while not condition(found := await feed.health()):  # noqa: ASYNC110  # what is tested knows no events
            await asyncio.sleep(0.01)
    return found


async def test_here_it_has_caught_up_after_the_last_page(storage: Storage) -> None:
    assert storage.events
    assert storage.changes
    listener = storage.events.listener
    old = await listener.claim("old", LEASE_SECONDS)
    assert old
    await created(storage, "one")
    await listener.store(old, ListenerState(await storage.changes.newest(), b""))
    await created(storage, "two", "three")
    log = SlowLog(storage.changes)
    feed = feed_of(storage, log)
    found = await feed.health()
    assert (found.is_listening, found.has_caught_up, found.lag.changes) == (False, False, 2)  # not begun
    feed.start()
    try:
        found = await health_when(feed, lambda found: not found.is_listening)
        assert (found.has_caught_up, found.lag.changes) == (False, 2)
        await listener.release(old)
        await health_when(feed, lambda found: found.is_listening)
        await created(storage, "four")
        await asyncio.sleep(0.1)
        assert not (await feed.health()).has_caught_up  # pages do not come
        log.opened.set()
        found = await health_when(feed, lambda found: found.has_caught_up)
        assert (found.is_listening, found.lag, found.failures) == (True, ChangeLag(0, 0.0), 0)
        assert found.cursor == await storage.changes.newest()
    finally:
        await feed.close()


async def test_a_portfolio_that_cannot_be_read_is_told_of_and_the_others_are_watched(storage: Storage) -> None:
    """By its signal, in the log, and in the health, which stays that of a listener that has caught up."""
    assert storage.events
    nonsense = [b"\xff\xff", portfolio_pb2.Portfolio(mandate={"triggers": [{"event": 99}]}).SerializeToString()]
    for number, payload in enumerate(nonsense):
        await storage.portfolios.create(OWNER, PortfolioDraft(payload, b"b", f"bad-{number}"))
    await created(storage, "before")
    assert storage.changes
    feed = feed_of(storage, storage.changes)
    feed.start()
    try:
        await health_when(feed, lambda found: found.has_caught_up)
        good = await storage.portfolios.get(OWNER, "before")
        await created(storage, "after")
        await storage.portfolios.update(OWNER, "before", good.etag, lambda _: b"\xff")
        found = await health_when(feed, lambda found: found.unreadable == 3 and not found.lag.changes)
        assert (found.has_caught_up, found.failures) == (True, 0)
        events = (await storage.events.log.since(Scope(OWNER), 0, 10, EventFilter())).events
        assert sorted(one.draft.portfolio for one in events) == ["bad-0", "bad-1", "before"]
        for event in events:
            assert "its stored bytes cannot be read" in signal_message(event.draft.payload)
        await storage.portfolios.delete(OWNER, "bad-0", "")
        bad = await storage.portfolios.get(OWNER, "before")
        await storage.portfolios.update(OWNER, "before", bad.etag, lambda _: good.payload)
        await health_when(feed, lambda found: found.unreadable == 1)
    finally:
        await feed.close()
    memory = memory_from_bytes((await storage.events.listener.load()).state)
    assert memory.unreadable == {name_of(OWNER, "bad-1")}
    assert set(memory.portfolios) == {name_of(OWNER, one) for one in ("bad-1", "before", "after")}


async def test_elsewhere_it_has_caught_up_with_what_was_written_before(storage: Storage) -> None:
    assert storage.events
    assert storage.changes
    other = await storage.events.listener.claim("other", LEASE_SECONDS)
    assert other
    await created(storage, "one", "two")
    feed = feed_of(storage, storage.changes)
    feed.start()
    try:
        await asyncio.sleep(0.1)
        found = await feed.health()
        assert (found.is_listening, found.has_caught_up, found.lag.changes) == (False, False, 2)
        await created(storage, "three")
        assert not (await feed.health()).has_caught_up
        place = (await storage.changes.changes_since("", 2)).next_cursor
        await storage.events.listener.store(other, ListenerState(place, b""))
        found = await feed.health()
        assert (found.is_listening, found.has_caught_up, found.lag.changes) == (False, True, 1)
        assert found.cursor == place
    finally:
        await feed.close()
