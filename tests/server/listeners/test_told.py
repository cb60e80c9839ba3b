"""A listener that dies leaves no signal without its end: what came and went before the next one looked is cleared."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from absfinance.v1 import portfolio_pb2
from absfinance.v1.event_service_pb2 import WatchEventsResponse

from domain.market_data.panel import PricePanel
from server.listeners.change_feed import ChangeFeed
from server.listeners.memory import memory_from_bytes
from server.listeners.reading import Readings, WatchedStores
from server.listeners.told import told_since
from server.ports.events import EventFilter, ListenerState
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import PriceField, PriceImport
from server.ports.portfolios import PortfolioDraft
from server.ports.published import Bar
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.settings import Settings
from server.storage.embedded.factory import open_storage
from tests.owners import OWNER

TODAY = int(time.time() // 86_400)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = open_storage(Settings.read(("--data-dir", str(tmp_path)), {}), QueuePolicy())
    yield opened
    await opened.disconnect()
    opened.release_worker()
    opened.close()


def feed_of(storage: Storage) -> ChangeFeed:
    assert storage.events
    assert storage.changes
    stores = WatchedStores(
        storage.market_data,
        storage.corporate_actions,
        storage.portfolios,
        storage.optimizations,
        storage.published,
    )
    events = storage.events
    return ChangeFeed(storage.changes, events.listener, Readings(stores), "here", log=events.log, look_seconds=0.02)


async def signals(storage: Storage) -> list[tuple[str, int]]:
    """Symbol and phase of each signal of drift, in order."""
    assert storage.events
    page = await storage.events.log.since(Scope(OWNER), 0, 100, EventFilter())
    found = [WatchEventsResponse.Signal.FromString(event.draft.payload) for event in page.events]
    return [(one.symbol, one.phase) for one in found if one.kind == portfolio_pb2.EVENT_KIND_DRIFT]


async def followed(storage: Storage) -> ListenerState:
    """What a listener stores once it has followed everything; it ends then."""
    assert storage.events
    feed = feed_of(storage)
    feed.start()
    try:
        async with asyncio.timeout(60):
            while not (found := await feed.health()).has_caught_up or found.lag.changes:  # noqa: ASYNC110  # what is tested knows no events
                await asyncio.sleep(0.01)
    finally:
        await feed.close()
    return await storage.events.listener.load()


async def published(storage: Storage, price: float, revision: int) -> None:
    """The close of a date: of one that is corrected, the log does not say what it was before."""
    assert storage.published
    outcome = await storage.published.publish_bars([Bar("A", TODAY - 1, price, revision)])
    assert outcome.accepted == 1


async def died_before_it_stored(storage: Storage, state: ListenerState) -> None:
    """The listener recorded what it noticed, and its state is an earlier one."""
    assert storage.events
    claim = await storage.events.listener.claim("dead", 30.0)
    assert claim
    assert await storage.events.listener.store(claim, state)
    await storage.events.listener.release(claim)


async def test_a_move_that_came_and_went_is_cleared_once(storage: Storage) -> None:
    raised, cleared = WatchEventsResponse.Signal.PHASE_RAISED, WatchEventsResponse.Signal.PHASE_CLEARED
    closes = PricePanel.of("AB", range(TODAY - 4, TODAY - 1), [[100.0, 100.0]] * 3)
    await storage.market_data.import_prices(PriceImport("first", PriceField.CLOSE, "", (closes,)))
    weights = [{"symbol": symbol, "weight": 0.5} for symbol in "AB"]
    portfolio = portfolio_pb2.Portfolio(
        holdings=[{"symbol": symbol, "quantity": 10.0} for symbol in "AB"],
        mandate={"weights": {"weights": weights}},
    )
    await storage.portfolios.create(OWNER, PortfolioDraft(portfolio.SerializeToString(), b"b", "mine"))
    before = await followed(storage)
    await published(storage, 150.0, 0)
    after = await followed(storage)
    assert await signals(storage) == [("A", raised), ("B", raised)]
    assert storage.events
    assert memory_from_bytes(after.state).told == (await told_since(storage.events.log, 0))[1]

    await died_before_it_stored(storage, before)
    await published(storage, 101.0, 1)
    stored = await followed(storage)
    ended = [("A", raised), ("B", raised), ("A", cleared), ("B", cleared)]
    assert await signals(storage) == ended

    await died_before_it_stored(storage, before)  # the same again, when all of it is told
    await followed(storage)
    assert await signals(storage) == ended
    await died_before_it_stored(storage, stored)
    await followed(storage)
    assert await signals(storage) == ended
