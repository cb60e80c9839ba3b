"""Stores keep no rates of currencies: a portfolio with prices in several ones has no figure, and is told of."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from absfinance.v1 import portfolio_pb2
from absfinance.v1.event_service_pb2 import WatchEventsResponse

from server.listeners.change_feed import ChangeFeed, FeedHealth
from server.listeners.memory import memory_from_bytes, name_of
from server.listeners.reading import Readings, WatchedStores
from server.ports.events import EventFilter
from server.ports.market_data import Instrument
from server.ports.portfolios import PortfolioDraft
from server.ports.published import Bar
from server.ports.scope import Scope
from server.ports.storage import Storage
from tests.contracts.storage.conftest import of_event_backends
from tests.contracts.storage.event_drafts import changes_of, events_of, published_of
from tests.contracts.storage.prices import panel, whole
from tests.owners import OWNER

pytestmark = of_event_backends

TODAY = int(time.time() // 86_400)
RAISED = WatchEventsResponse.Signal.PHASE_RAISED
TRIGGERS = [
    {"event": "EVENT_KIND_DRIFT", "threshold": 0.05},
    {"event": "EVENT_KIND_PRICES", "action": "ACTION_REALLOCATE"},
]


@pytest.fixture
async def feed(storage: Storage) -> AsyncIterator[ChangeFeed]:
    """A listener of the store."""
    stores = WatchedStores(
        storage.market_data, storage.corporate_actions, storage.portfolios, storage.optimizations, storage.published
    )
    events = events_of(storage)
    found = ChangeFeed(changes_of(storage), events.listener, Readings(stores), storage.worker, look_seconds=0.05)
    found.start()
    yield found
    await found.close()


async def follows(feed: ChangeFeed, holds: Callable[[FeedHealth], bool] = lambda _: True) -> None:
    """Until all that is written is followed, and something holds."""
    async with asyncio.timeout(60):
        while True:
            found = await feed.health()
            if found.is_listening and found.has_caught_up and not found.lag.changes and holds(found):
                return
            await asyncio.sleep(0.02)


async def signals(storage: Storage, portfolio_id: str) -> list[WatchEventsResponse.Signal]:
    """Signals about a portfolio, in order."""
    page = await events_of(storage).log.since(Scope(OWNER), 0, 100, EventFilter())
    payloads = [event.draft.payload for event in page.events if event.draft.portfolio == portfolio_id]
    return [WatchEventsResponse.Signal.FromString(payload) for payload in payloads]


async def created(storage: Storage, portfolio_id: str, currency: str, symbols: str = "AB") -> None:
    """A portfolio of equal parts of two assets at prices of 1 to 2, with a band of 5 points."""
    weights = [{"symbol": symbol, "weight": 1 / len(symbols)} for symbol in symbols]
    portfolio = portfolio_pb2.Portfolio(
        currency=currency,
        holdings=[{"symbol": symbol, "quantity": 10.0} for symbol in symbols],
        mandate={"weights": {"weights": weights}, "triggers": TRIGGERS},
    )
    await storage.portfolios.create(OWNER, PortfolioDraft(portfolio.SerializeToString(), b"b", portfolio_id))


async def priced(storage: Storage, day: int, **prices: float) -> None:
    """Closes of a date."""
    bars = [Bar(symbol, day, price) for symbol, price in prices.items()]
    assert (await published_of(storage).publish_bars(bars)).accepted == len(bars)


async def test_a_price_in_another_currency_gives_no_figure_until_all_are_in_one(
    storage: Storage, feed: ChangeFeed
) -> None:
    market = storage.market_data
    await market.import_prices(whole(panel("AB", range(TODAY - 9, TODAY - 6)), "first"))
    await priced(storage, TODAY - 5, A=100.0, B=100.0)
    await created(storage, "mixed", "USD")
    await created(storage, "other", "")
    await follows(feed)
    assert await signals(storage, "mixed") == []  # nothing names a currency but the portfolio

    await market.upsert_instruments([Instrument("A", currency="USD"), Instrument("B", currency="EUR")])
    await follows(feed, lambda found: found.unconverted == 2)
    (told,) = await signals(storage, "mixed")
    assert (told.kind, told.symbol, told.measure) == (portfolio_pb2.EVENT_KIND_MANDATE_DUE, "B", "currency")
    assert told.severity == portfolio_pb2.SEVERITY_WARNING
    assert "B is priced in EUR, and the portfolio in USD; no rate is stored" in told.message
    (told_other,) = await signals(storage, "other")
    assert "B is priced in EUR, and other assets of the portfolio in USD" in told_other.message

    await priced(storage, TODAY - 4, A=100.0, B=300.0)
    await market.upsert_instruments([Instrument("B", "a name", currency="EUR")])  # as before, and not told again
    await follows(feed)
    assert (len(await signals(storage, "mixed")), len(await signals(storage, "other"))) == (1, 1)
    assert await events_of(storage).recomputations.claim("anybody", 60.0) is None  # no plan either

    await priced(storage, TODAY - 3, B=150.0)  # while nobody follows it
    await market.upsert_instruments([Instrument("B", currency="USD")])
    await follows(feed, lambda found: not found.unconverted)
    for name in ("mixed", "other"):
        drifts = (await signals(storage, name))[1:]
        assert [(one.symbol, one.phase, round(one.value, 12)) for one in drifts] == [
            ("A", RAISED, -0.1),
            ("B", RAISED, 0.1),
        ]


async def test_one_currency_of_all_is_watched_and_what_waits_outlives_the_listener(
    storage: Storage, feed: ChangeFeed
) -> None:
    market = storage.market_data
    await market.upsert_instruments(
        [Instrument("A", currency="EUR"), Instrument("B", currency="EUR"), Instrument("C", currency="CHF")]
    )
    await priced(storage, TODAY - 5, A=100.0, B=150.0, C=100.0)
    for name, currency in {"unnamed": "", "euros": "EUR", "francs": "CHF"}.items():
        await created(storage, name, currency)
    await created(storage, "both", "", "ABC")
    await follows(feed)
    for name in ("unnamed", "euros"):
        assert [(one.symbol, round(one.value, 12)) for one in await signals(storage, name)] == [("A", -0.1), ("B", 0.1)]
    (francs,) = await signals(storage, "francs")
    assert (
        "A is priced in EUR, and the portfolio in CHF; 2 of its assets are not in CHF; no rate is stored"
        in francs.message
    )
    (both,) = await signals(storage, "both")
    assert (both.symbol, both.measure) == ("C", "currency")
    await feed.close()
    memory = memory_from_bytes((await events_of(storage).listener.load()).state)
    waiting = {name: sorted(one.symbols) for name, one in memory.unconverted.items()}
    assert waiting == {name_of(OWNER, "both"): ["A", "B", "C"], name_of(OWNER, "francs"): ["A", "B"]}
    assert memory.portfolios[name_of(OWNER, "unnamed")].currency == "EUR"
