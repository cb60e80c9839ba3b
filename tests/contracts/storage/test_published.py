"""Bars and quotes that are published: by revision and time, among the prices, with their changes."""

import asyncio
import math
import random
import time

import numpy as np
import pytest

from domain.market_data.panel import PricePanel
from server.ports.changes import ChangeKind, PriceChange, Quote
from server.ports.market_data import Instrument, PriceField, PriceQuery
from server.ports.published import Bar, PublishedPrices, Rejection
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import all_changes, changes_of, published_of
from tests.contracts.storage.prices import panel, whole
from tests.families import blocks

pytestmark = of_event_backends

TODAY = int(time.time() // 86_400)
DAY = 18_262
"""2020-01-01, the first day of a year."""


@pytest.fixture
async def published(storage: Storage) -> PublishedPrices:
    """With the instruments A, B and C."""
    await storage.market_data.upsert_instruments([Instrument(symbol) for symbol in "ABC"])
    return published_of(storage)


async def values(storage: Storage, symbol: str, field: PriceField = PriceField.CLOSE) -> dict[int, float]:
    """The stored values of a symbol by day."""
    if not await storage.market_data.having(field, [symbol]):
        return {}
    found = (await storage.market_data.prices(PriceQuery((symbol,), field=field))).panel
    return dict(zip(found.dates.tolist(), found.values[:, 0].tolist(), strict=True))


async def price_changes(storage: Storage, after: str) -> list[tuple[str, PriceChange | None]]:
    found = await all_changes(changes_of(storage), after)
    return [(one.name, one.prices) for one in found if one.kind is ChangeKind.PRICES]


async def test_bars_are_prices(storage: Storage, published: PublishedPrices) -> None:
    place = await changes_of(storage).newest()
    bars = [
        Bar("A", DAY - 1, 1.0, open=1.5, high=2.0, low=0.5, volume=100.0),
        Bar("A", DAY, 2.0, volume=200.0),
        Bar("B", DAY, 3.0),
    ]
    outcome = await published.publish_bars(bars)
    assert (outcome.accepted, dict(outcome.rejected)) == (3, {})
    assert await values(storage, "A") == {DAY - 1: 1.0, DAY: 2.0}
    assert await values(storage, "B") == {DAY: 3.0}
    assert await values(storage, "A", PriceField.OPEN) == {DAY - 1: 1.5}
    assert await values(storage, "A", PriceField.HIGH) == {DAY - 1: 2.0}
    assert await values(storage, "A", PriceField.LOW) == {DAY - 1: 0.5}
    assert await values(storage, "A", PriceField.VOLUME) == {DAY - 1: 100.0, DAY: 200.0}
    expected = {
        ("A", PriceChange(field, DAY - 1, DAY if field in ("CLOSE", "VOLUME") else DAY - 1, replaced=False))
        for field in PriceField
    }
    found = await price_changes(storage, place)
    assert len(found) == 6
    assert set(found) == expected | {("B", PriceChange(PriceField.CLOSE, DAY, DAY, replaced=False))}


async def test_bars_go_among_imported_prices(storage: Storage, published: PublishedPrices) -> None:
    imported = PricePanel.of("A", [DAY - 2, DAY, DAY + 2], [[1.0], [2.0], [3.0]])
    await storage.market_data.import_prices(whole(imported))
    log = changes_of(storage)
    for bar, replaced in (
        (Bar("A", DAY + 3, 4.0), False),
        (Bar("A", DAY + 1, 2.5), True),
        (Bar("A", DAY, 2.1), True),
    ):
        place = await log.newest()
        assert (await published.publish_bars([bar])).accepted == 1
        change = PriceChange(PriceField.CLOSE, bar.day, bar.day, replaced=replaced)
        assert await price_changes(storage, place) == [("A", change)]
    assert await values(storage, "A") == {DAY - 2: 1.0, DAY: 2.1, DAY + 1: 2.5, DAY + 2: 3.0, DAY + 3: 4.0}
    place = await log.newest()
    assert (await published.publish_bars([Bar("A", DAY + 2, 3.0)])).accepted == 1
    assert await price_changes(storage, place) == [], "it is what was imported"
    await storage.market_data.import_prices(whole(PricePanel.of("A", [DAY + 3], [[5.0]]), "later"))
    assert (await values(storage, "A"))[DAY + 3] == 5.0, "what is imported later counts"


async def test_each_revision_once(storage: Storage, published: PublishedPrices) -> None:
    async def sent(*bars: Bar) -> tuple[int, dict[int, Rejection]]:
        outcome = await published.publish_bars(bars)
        return outcome.accepted, dict(outcome.rejected)

    second = Bar("A", DAY, 2.0, revision=2, volume=5.0)
    assert await sent(second) == (1, {})
    place = await changes_of(storage).newest()
    assert await sent(second) == (1, {}), "the same again is accepted"
    assert await sent(Bar("A", DAY, 1.0, revision=1, volume=5.0)) == (0, {0: Rejection.STALE_REVISION})
    for other in (Bar("A", DAY, 2.5, 2, volume=5.0), Bar("A", DAY, 2.0, 2), Bar("A", DAY, 2.0, 2, 2.0, volume=5.0)):
        assert await sent(other) == (0, {0: Rejection.CONFLICTING_REVISION})
    assert await price_changes(storage, place) == []
    assert await sent(Bar("A", DAY, 3.0, revision=3)) == (1, {})
    assert await values(storage, "A") == {DAY: 3.0}
    assert await values(storage, "A", PriceField.VOLUME) == {DAY: 5.0}, "what a correction leaves out stays"
    assert await price_changes(storage, place) == [("A", PriceChange(PriceField.CLOSE, DAY, DAY, replaced=True))]


async def test_what_is_not_stored(storage: Storage, published: PublishedPrices) -> None:
    bars = [
        Bar("A", DAY, 1.0),  # the batch has a later one
        Bar("X", DAY, 1.0),
        Bar("A", TODAY + 2, 1.0),
        Bar("A", DAY, 2.0),
        Bar("B", DAY, 3.0, revision=2),
        Bar("B", DAY, 4.0, revision=1),  # the batch has a higher one
        Bar("C", TODAY, 5.0),
    ]
    outcome = await published.publish_bars(bars)
    assert dict(outcome.rejected) == {
        0: Rejection.DUPLICATE_IN_BATCH,
        1: Rejection.UNKNOWN_SYMBOL,
        2: Rejection.FUTURE_BAR,
        5: Rejection.DUPLICATE_IN_BATCH,
    }
    assert outcome.accepted == 3
    assert [await values(storage, symbol) for symbol in "ABC"] == [{DAY: 2.0}, {DAY: 3.0}, {TODAY: 5.0}]
    assert await storage.market_data.instruments(["X"]) == {}
    assert (await published.publish_bars([])).accepted == 0


async def test_a_batch_of_many_symbols(storage: Storage, published: PublishedPrices) -> None:
    """Places are those in the batch, however it is stored."""
    symbols = [f"S{number:03}" for number in range(250)]
    await storage.market_data.upsert_instruments([Instrument(symbol) for symbol in symbols[::2]])
    bars = [Bar(symbol, DAY + day, 1.0 + day) for day in range(2) for symbol in reversed(symbols)]
    outcome = await published.publish_bars(bars)
    assert outcome.accepted == 250
    assert {bars[place].symbol for place in outcome.rejected} == set(symbols[1::2])
    assert set(outcome.rejected.values()) == {Rejection.UNKNOWN_SYMBOL}
    assert await values(storage, "S100") == {DAY: 1.0, DAY + 1: 2.0}


async def test_quotes(storage: Storage, published: PublishedPrices) -> None:
    now = time.time_ns() // 1000

    async def sent(*quotes: Quote) -> tuple[int, dict[int, Rejection]]:
        outcome = await published.publish_quotes(quotes)
        return outcome.accepted, dict(outcome.rejected)

    first, other = Quote("A", now, 1.0, 1.1), Quote("B", now, last=2.0)
    place = await changes_of(storage).newest()
    assert await sent(first, other, Quote("X", now, 1.0)) == (2, {2: Rejection.UNKNOWN_SYMBOL})
    assert dict(await published.quotes(["A", "B", "C", "X"])) == {"A": first, "B": other}
    assert await sent(first) == (1, {}), "the same again is accepted"
    assert await sent(Quote("A", now - 1, 9.0)) == (0, {0: Rejection.STALE_QUOTE})
    assert await sent(Quote("A", now + 3_600_000_000, 9.0)) == (0, {0: Rejection.FUTURE_QUOTE})
    newer = Quote("A", now + 2, ask=1.2)
    duplicates = {0: Rejection.DUPLICATE_IN_BATCH, 2: Rejection.DUPLICATE_IN_BATCH}
    assert await sent(Quote("A", now + 1, 1.0), newer, Quote("A", now, 5.0)) == (1, duplicates)
    assert dict(await published.quotes(["A"])) == {"A": newer}
    found = await all_changes(changes_of(storage), place)
    assert [(one.kind, one.owner, one.name, one.quote) for one in found] == [
        (ChangeKind.QUOTE, "", "A", first),
        (ChangeKind.QUOTE, "", "B", other),
        (ChangeKind.QUOTE, "", "A", newer),
    ]
    assert await values(storage, "A") == {}, "a quote is no price of a day"


async def test_bars_while_imports_go_on(opened: Opened, stack: object) -> None:
    """Two servers: one imports the days of a year again and again, the other one publishes bars of the same year."""
    importer, publisher = opened(), opened()
    await importer.market_data.upsert_instruments([Instrument(symbol) for symbol in "AB"])
    days = range(DAY, DAY + 100)

    async def imports() -> None:
        for number in range(5):
            await importer.market_data.import_prices(whole(panel("AB", days, number), f"i{number}"))

    async def bars() -> None:
        for number in range(20):
            bar = Bar("A", DAY + 200 + number, 1.0 + number)
            assert (await published_of(publisher).publish_bars([bar])).accepted == 1
            await asyncio.sleep(0.005)

    await asyncio.gather(imports(), bars())
    found = await values(importer, "A")
    assert {day: found[day] for day in days} == dict(zip(days, panel("AB", days, 4).values[:, 0].tolist(), strict=True))
    assert {day: value for day, value in found.items() if day not in days} == {
        DAY + 200 + number: 1.0 + number for number in range(20)
    }


async def test_bars_of_one_server_let_its_imports_end(storage: Storage, published: PublishedPrices) -> None:
    """However fast they come."""
    imported = asyncio.Event()

    async def bars() -> int:
        count = 0
        while not imported.is_set():
            await published.publish_bars([Bar("A", DAY, 1.0, revision=count)])
            await published.publish_bars([Bar("B", DAY, 2.0 + count, revision=count)])
            count += 1
        return count

    async def imports() -> None:
        days = range(DAY - 2000, DAY - 1)
        await storage.market_data.import_prices(whole(panel([f"S{number}" for number in range(50)], days)))
        imported.set()

    count, _ = await asyncio.gather(bars(), imports())
    assert count > 1
    assert await values(storage, "B") == {DAY: 1.0 + count}
    assert len(await values(storage, "S49")) == 1999


@pytest.mark.parametrize("seed", blocks(1, 1, 2))
async def test_as_a_plain_dictionary_does_it(storage: Storage, published: PublishedPrices, seed: int) -> None:
    """400 random calls of batches, imports, quotes and reads."""
    chosen = random.Random(seed)
    bars: dict[tuple[str, int], Bar] = {}
    prices: dict[str, dict[int, float]] = {symbol: {} for symbol in "ABC"}
    quotes: dict[str, Quote] = {}
    for number in range(400):
        call = chosen.choice(["bars", "bars", "import", "quotes", "read"])
        if call == "bars":
            batch = [
                Bar(chosen.choice("ABC"), DAY + chosen.randrange(-9, 9), float(chosen.randrange(1, 4)), number // 100)
                for _ in range(chosen.randrange(4))
            ]
            place = await changes_of(storage).newest()
            before = {symbol: dict(days) for symbol, days in prices.items()}
            outcome = await published.publish_bars(batch)
            last = {(bar.symbol, bar.day): place for place, bar in enumerate(batch)}
            for index, bar in enumerate(batch):
                stored = bars.get((bar.symbol, bar.day))
                if last[bar.symbol, bar.day] != index:
                    assert outcome.rejected[index] is Rejection.DUPLICATE_IN_BATCH
                elif stored and stored.revision == bar.revision and stored.close != bar.close:
                    assert outcome.rejected[index] is Rejection.CONFLICTING_REVISION
                else:
                    assert index not in outcome.rejected
                    if stored is None or stored.revision < bar.revision:
                        bars[bar.symbol, bar.day] = bar
                        prices[bar.symbol][bar.day] = bar.close
            assert outcome.accepted + len(outcome.rejected) == len(batch)
            expected = {symbol: changed(before[symbol], prices[symbol]) for symbol in "ABC"}
            found = await price_changes(storage, place)
            assert dict(found) == {symbol: change for symbol, change in expected.items() if change}
        elif call == "import":
            symbol, day = chosen.choice("ABC"), DAY + chosen.randrange(-9, 9)
            sent = [float(chosen.randrange(1, 4)), math.nan, 2.0]
            imported = PricePanel.of(symbol, [day, day + 1, day + 2], np.array(sent)[:, None])
            await storage.market_data.import_prices(whole(imported, f"i{number}"))
            prices[symbol] |= {day: sent[0], day + 2: 2.0}
        elif call == "quotes":
            quote = Quote(chosen.choice("ABC"), 1_000 + chosen.randrange(50), last=float(chosen.randrange(1, 9)))
            old = quotes.get(quote.symbol)
            accepted = (await published.publish_quotes([quote])).accepted
            assert accepted == (0 if old and old.time > quote.time else 1)
            if accepted:
                quotes[quote.symbol] = quote
        else:
            symbol = chosen.choice("ABC")
            assert await values(storage, symbol) == dict(sorted(prices[symbol].items()))
            assert dict(await published.quotes(list("ABC"))) == quotes


def changed(before: dict[int, float], after: dict[int, float]) -> PriceChange | None:
    """What became another value, as the log tells of it."""
    days = [day for day, value in after.items() if before.get(day) != value]
    if not days:
        return None
    replaced = bool(before) and min(days) <= max(before)
    return PriceChange(PriceField.CLOSE, min(days), max(days), replaced=replaced)
