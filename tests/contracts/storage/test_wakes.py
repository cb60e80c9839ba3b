"""What a server writes wakes its own listener, which neither waits for the time to look nor needs an announcement."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from absfinance.v1 import portfolio_pb2

from domain.market_data.corporate_actions import CashDividend, CorporateAction
from server.listeners.change_feed import ChangeFeed, FeedHealth
from server.listeners.listening import Listening
from server.listeners.reading import Readings, WatchedStores
from server.listeners.recomputations import Recomputations
from server.ports.changes import Quote
from server.ports.events import EventFilter, Recomputation
from server.ports.fills import FillsChange, StoredFill
from server.ports.market_data import Instrument, PriceField
from server.ports.portfolios import PortfolioDraft
from server.ports.published import Bar
from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.ports.storage import Storage
from tests.contracts.storage.conftest import of_event_backends
from tests.contracts.storage.event_drafts import changes_of, events_of, published_of
from tests.contracts.storage.prices import panel, whole
from tests.owners import OWNER

TODAY = int(time.time() // 86_400)
NEVER_SECONDS = 600.0
"""Until the listener looks by itself: longer than a test may take."""


async def nothing(_: Recomputation) -> str:
    raise AssertionError("nothing is recomputed")


def listening(storage: Storage) -> Listening:
    """A listener that looks for changes when it is woken, and otherwise not while a test runs."""
    events = events_of(storage)
    stores = WatchedStores(
        storage.market_data,
        storage.corporate_actions,
        storage.portfolios,
        storage.optimizations,
        storage.published,
        storage.stale_results,
    )
    feed = ChangeFeed(
        changes_of(storage), events.listener, Readings(stores), storage.worker, look_seconds=NEVER_SECONDS
    )
    work = Recomputations(events.recomputations, events.log, nothing, storage.worker, 1, look_seconds=NEVER_SECONDS)
    return Listening(storage, feed, work)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  # a store tells nobody
            await asyncio.sleep(0.01)


@of_event_backends
async def test_published_bars_are_a_signal_at_once(storage: Storage) -> None:
    await storage.market_data.import_prices(whole(panel("AB", range(TODAY - 9, TODAY - 2)), "first"))
    held = [portfolio_pb2.Holding(symbol=symbol, quantity=1.0) for symbol in "AB"]
    mandate = portfolio_pb2.Mandate(triggers=[{"event": "EVENT_KIND_PRICE_JUMP", "threshold": 0.5}])
    portfolio = portfolio_pb2.Portfolio(holdings=held, mandate=mandate).SerializeToString()
    await storage.portfolios.create(OWNER, PortfolioDraft(portfolio, b"b", "mine"))
    server = listening(storage)
    server.start()
    try:

        async def has_caught_up() -> bool:
            found: FeedHealth = await server.health()
            return found.has_caught_up and not found.lag.changes

        async def is_told() -> bool:
            page = await events_of(storage).log.since(Scope(OWNER), 0, 10, EventFilter())
            return "PRICE_JUMP" in {one.draft.kind for one in page.events}

        await until(has_caught_up)
        assert not await is_told()
        await published_of(storage).publish_bars([Bar("A", TODAY - 2, 9.0)])
        await until(is_told)
    finally:
        await server.close()


@of_event_backends
async def test_the_last_of_many_writes_is_followed(storage: Storage) -> None:
    """Writes that come while it is awake wake it no more: it looks after them."""
    server = listening(storage)
    server.start()
    try:

        async def has_followed() -> bool:
            found: FeedHealth = await server.health()
            return found.has_caught_up and not found.lag.changes

        for round_number in range(10):
            for number in range(round_number):
                await storage.market_data.upsert_instruments([Instrument(f"R{round_number}N{number}")])
                await asyncio.sleep(0.003 * number)  # before, while and after it looks
            await until(has_followed)
    finally:
        await server.close()


@of_event_backends
async def test_whatever_a_listener_follows_is_told_of(storage: Storage) -> None:
    """Each write, also where it changes what is there already; not what is only read."""
    told = 0

    def notice() -> None:
        nonlocal told
        told += 1

    async def first() -> None:
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "main"))

    async def update() -> None:
        etag = (await storage.portfolios.get(OWNER, "main")).etag
        await storage.portfolios.update(OWNER, "main", etag, lambda _: b"q")

    async def fill() -> None:
        etag = (await storage.portfolios.get(OWNER, "main")).etag
        fill = StoredFill("f", "A", 1, b"c", b"o")
        await storage.fills.commit(OWNER, FillsChange("main", etag, b"r", (fill,), ()))

    def quotes() -> Awaitable[object]:
        now = time.time_ns() // 1000
        return published_of(storage).publish_quotes([Quote("A", now, None, None, 1.0)])

    def volumes() -> Awaitable[object]:
        return storage.market_data.import_prices(whole(panel("A", range(9)), "volumes", PriceField.VOLUME))

    result = ResultDraft(payload=b"p", input_fingerprint="f", body=b"b", id="x", request_id="r")
    dividend = CorporateAction("A", 5, CashDividend(1.0))
    writes: list[Callable[[], Awaitable[object]]] = [
        first,
        update,
        fill,
        lambda: storage.portfolios.delete(OWNER, "main", ""),
        lambda: storage.optimizations.save(OWNER, result),
        lambda: storage.optimizations.delete(OWNER, "x"),
        lambda: storage.market_data.upsert_instruments([Instrument("A")]),
        lambda: storage.market_data.import_prices(whole(panel("A", range(9)), "prices")),
        volumes,
        lambda: published_of(storage).publish_bars([Bar("A", TODAY - 2, 9.0)]),
        quotes,
        lambda: storage.corporate_actions.upsert([dividend]),
    ]
    assert storage.when_written is not None
    storage.when_written(notice)
    for place, write in enumerate(writes):
        told = 0
        cursor = await changes_of(storage).newest()
        await write()
        assert told, f"write {place} told nothing"
        assert (await changes_of(storage).changes_since(cursor, 1)).changes, f"write {place} is no change"
    told = 0
    await changes_of(storage).changes_since("", 100)
    await events_of(storage).listener.load()
    await storage.market_data.instruments(["A"])
    assert told == 0


@pytest.mark.parametrize("backend", ["supabase-15", "supabase-18"], indirect=True)
async def test_what_a_listener_stores_wakes_nobody(storage: Storage) -> None:
    """Otherwise it would read the log again after each time that it renews its claim."""
    told: list[str] = []
    assert storage.when_written is not None
    storage.when_written(lambda: told.append("told"))
    claim = await events_of(storage).listener.claim("here", 30.0)
    assert claim is not None
    await events_of(storage).listener.record(claim, [], [])
    await events_of(storage).listener.release(claim)
    assert told == []
