"""The log of changes: one for whatever is stored, none for what is the same, in the order in which it is visible."""

import asyncio
import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from domain.market_data.corporate_actions import CashDividend, CorporateAction, Split
from domain.market_data.panel import PricePanel
from server.ports.changes import Change, ChangeKind, PriceChange
from server.ports.errors import AlreadyExists, CursorGone, EtagMismatch, NotFound, RequestIdReused
from server.ports.fills import FillsChange, StoredFill
from server.ports.jobs import JobEnd, JobState
from server.ports.market_data import Instrument, PriceField
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import all_changes, changes_of
from tests.contracts.storage.job_drafts import claimed, draft
from tests.contracts.storage.prices import panel, whole
from tests.owners import OWNER

pytestmark = of_event_backends

LAST = 10**18
"""A time after all others, in microseconds."""


async def told(storage: Storage, after: str = "") -> list[tuple[ChangeKind, str, str]]:
    return [(one.kind, one.owner, one.name) for one in await all_changes(changes_of(storage), after)]


async def test_portfolios_and_their_fills(storage: Storage) -> None:
    first = await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "main", "r"))
    assert await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "main", "r")) == first
    with pytest.raises(AlreadyExists):
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "main"))
    second = await storage.portfolios.update(OWNER, "main", first.etag, lambda _: b"q")
    with pytest.raises(EtagMismatch):
        await storage.portfolios.update(OWNER, "main", first.etag, lambda _: b"z")
    fill = StoredFill("f", "A", 1, b"c", b"o")
    with pytest.raises(EtagMismatch):
        await storage.fills.commit(OWNER, FillsChange("main", first.etag, b"z", (fill,), ()))
    await storage.fills.commit(OWNER, FillsChange("main", second.etag, b"r", (fill,), ()))
    await storage.portfolios.delete(OWNER, "main", "")
    with pytest.raises(NotFound):
        await storage.portfolios.delete(OWNER, "main", "")
    found = await all_changes(changes_of(storage))
    assert [(one.kind, one.owner, one.name) for one in found] == [(ChangeKind.PORTFOLIO, OWNER, "main")] * 4
    assert all(a.revision < b.revision for a, b in itertools.pairwise(found)), "revisions of one thing increase"
    assert all(a.time <= b.time for a, b in itertools.pairwise(found))
    assert all(one.prices is None and one.quote is None for one in found)


@pytest.mark.parametrize(
    ("name", "kind"), [("optimizations", ChangeKind.OPTIMIZATION), ("reallocations", ChangeKind.REALLOCATION)]
)
async def test_results(storage: Storage, name: str, kind: ChangeKind) -> None:
    store = getattr(storage, name)
    sent = ResultDraft(payload=b"p", input_fingerprint="f", body=b"b", id="x", request_id="r")
    await store.save(OWNER, sent)
    await store.save(OWNER, sent)
    with pytest.raises(RequestIdReused):
        await store.save(OWNER, ResultDraft(payload=b"p", input_fingerprint="f", body=b"c", request_id="r"))
    await store.delete(OWNER, "x")
    with pytest.raises(NotFound):
        await store.delete(OWNER, "x")
    assert await told(storage) == [(kind, OWNER, "x")] * 2


async def test_backtests(storage: Storage) -> None:
    """Those that have ended, however, and those that were deleted."""
    record = await storage.jobs.queue.enqueue(OWNER, draft("one"))
    claim = await claimed(storage)
    assert await told(storage) == [], "a job that waits or runs has no result"
    await storage.jobs.log.finish(claim.record, JobEnd(JobState.SUCCEEDED, b"result"), [])
    other = await storage.jobs.queue.enqueue(OWNER, draft("two"))
    await storage.jobs.queue.cancel(OWNER, other.id)
    await storage.jobs.queue.cancel(OWNER, other.id)
    await storage.jobs.archive.delete(OWNER, record.id)
    backtest = ChangeKind.BACKTEST
    names = [record.id, other.id, record.id]
    assert await told(storage) == [(backtest, OWNER, name) for name in names]


async def test_instruments_and_corporate_actions(storage: Storage) -> None:
    instruments = [Instrument("A", "Alpha", groups={"sector": "x"}), Instrument("B", lot_size=10.0)]
    await storage.market_data.upsert_instruments(instruments)
    await storage.market_data.upsert_instruments(instruments)
    await storage.market_data.upsert_instruments([instruments[0], Instrument("B", lot_size=5.0)])
    await storage.market_data.upsert_instruments([Instrument("A", "Alpha", groups={"sector": "y"})])
    instrument, action = ChangeKind.INSTRUMENT, ChangeKind.CORPORATE_ACTION
    assert await told(storage) == [(instrument, "", name) for name in "ABBA"]
    place = await changes_of(storage).newest()
    actions = [CorporateAction("A", 5, Split(2.0)), CorporateAction("A", 6, CashDividend(1.0))]
    await storage.corporate_actions.upsert(actions)
    await storage.corporate_actions.upsert(actions)
    await storage.corporate_actions.upsert([CorporateAction("A", 6, CashDividend(2.0))])
    assert await told(storage, place) == [(action, "", "A")] * 2


def prices_of(found: Sequence[Change]) -> dict[str, PriceChange | None]:
    assert {one.kind for one in found} <= {ChangeKind.PRICES}
    assert {one.owner for one in found} <= {""}
    assert len({one.name for one in found}) == len(found), "one row for each symbol of an import"
    return {one.name: one.prices for one in found}


async def test_days_of_an_import(storage: Storage) -> None:
    """The first and the last day with another or a new value, over the turn of a year; whether values are others."""
    log = changes_of(storage)
    days = range(18_250, 18_280)  # the year 2020 begins at 18 262
    first = panel("ABCD", days)
    await storage.market_data.import_prices(whole(first, "first"))
    close = PriceField.CLOSE
    unlike = PriceChange(close, days[0], days[-1], replaced=False)
    assert prices_of(await all_changes(log)) == dict.fromkeys("ABCD", unlike)

    place = await log.newest()
    await storage.market_data.import_prices(whole(first, "first"))
    await storage.market_data.import_prices(whole(first, "again"))
    assert await all_changes(log, place) == [], "what is the same is no change"

    values = np.full((5, 4), np.nan)
    values[:2, 0] = first.values[-1, 0], 3.0  # A: its last day as it was, and the next
    values[2:4, 1] = 3.0, 4.0  # B: two days after a gap
    values[0, 2] = 5.0  # C: the last day as another value
    values[0, 3] = first.values[-1, 3]  # D: as it was
    await storage.market_data.import_prices(whole(PricePanel.of("ABCD", range(18_279, 18_284), values), "more"))
    assert prices_of(await all_changes(log, place)) == {
        "A": PriceChange(close, 18_280, 18_280, replaced=False),
        "B": PriceChange(close, 18_281, 18_282, replaced=False),
        "C": PriceChange(close, 18_279, 18_279, replaced=True),
    }

    place = await log.newest()
    corrected = PricePanel.of("AB", [18_260, 18_270, 18_280], [[9.0, np.nan], [8.0, np.nan], [3.0, 7.0]])
    await storage.market_data.import_prices(whole(corrected, "corrected"))
    assert prices_of(await all_changes(log, place)) == {
        "A": PriceChange(close, 18_260, 18_270, replaced=True),
        "B": PriceChange(close, 18_280, 18_280, replaced=True),  # it came in before the newest day
    }

    place = await log.newest()
    await storage.market_data.import_prices(whole(corrected, "volumes", PriceField.VOLUME))
    assert prices_of(await all_changes(log, place)) == {
        "A": PriceChange(PriceField.VOLUME, 18_260, 18_280, replaced=False),
        "B": PriceChange(PriceField.VOLUME, 18_280, 18_280, replaced=False),
    }


async def test_an_import_is_in_the_log_when_it_is_visible(storage: Storage) -> None:
    session = await storage.market_data.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel("AB", range(5)))
    assert await told(storage) == []
    await session.abandon()
    assert await told(storage) == []


async def test_pages(storage: Storage) -> None:
    log = changes_of(storage)
    empty = await log.changes_since("", 5)
    assert (empty.changes, empty.is_last) == ((), True)
    for number in range(7):
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", f"p{number}"))
    after_empty = await all_changes(log, empty.next_cursor)
    names = [f"p{number}" for number in range(7)]
    assert [one.name for one in after_empty] == names, "the place of an empty page loses nothing"
    for limit in (1, 2, 3, 7, 8):
        assert [one.name for one in await all_changes(log, limit=limit)] == names
    page = await log.changes_since("", 7)
    assert (page.is_last, page.next_cursor) == (True, await log.newest())
    assert not (await log.changes_since("", 6)).is_last
    assert await all_changes(log, page.next_cursor) == []
    assert [one.name for one in await all_changes(log, after_empty[2].cursor)] == names[3:]


async def test_how_far_a_place_is_behind(storage: Storage) -> None:
    log = changes_of(storage)
    assert (await log.lag("")).changes == 0
    assert (await log.lag(await log.newest())).seconds == 0.0
    await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "one"))
    place = await log.newest()
    await asyncio.sleep(0.05)
    await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "two"))
    both, one = await log.lag(""), await log.lag(place)
    assert (both.changes, one.changes) == (2, 1)
    assert 0.05 <= both.seconds < 60.0
    assert one.seconds <= both.seconds
    newest = await log.lag(await log.newest())
    assert (newest.changes, newest.seconds) == (0, 0.0)


async def test_what_is_forgotten(storage: Storage) -> None:
    log = changes_of(storage)
    for number in range(5):
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", f"p{number}"))
    found = await all_changes(log)
    assert await log.forget(found[2].cursor, 0) == 0, "none is older than that"
    assert await log.forget(found[2].cursor, LAST) == 3
    assert await log.forget(found[2].cursor, LAST) == 0
    assert await all_changes(log) == found[3:], "an empty cursor begins at the oldest that is retained"
    assert await all_changes(log, found[2].cursor) == found[3:], "nothing after it is gone"
    with pytest.raises(CursorGone):
        await log.changes_since(found[1].cursor, 5)
    newest = await log.newest()
    assert await log.forget(newest, LAST) == 2
    assert await log.newest() == newest, "where everything is forgotten, the place stays"
    assert await all_changes(log, newest) == []
    await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "later"))
    assert [one.name for one in await all_changes(log, newest)] == ["later"]
    with pytest.raises(CursorGone):
        await log.changes_since(found[3].cursor, 5)


async def test_a_reader_misses_none_of_several_writers(opened: Opened, stack: object) -> None:
    """Two servers write at once, single changes and long transactions; whoever reads along sees each change once."""
    writers, reader = [opened(), opened()], changes_of(opened())
    seen: list[Change] = []
    written = asyncio.Event()

    async def write(storage: Storage, name: str) -> None:
        for number in range(25):
            await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", f"{name}-{number}"))
            if number % 5 == 0:
                symbols = [f"{name}{place}" for place in range(20)]
                await storage.market_data.import_prices(whole(panel(symbols, range(9), number), f"{name}-{number}"))

    async def read() -> None:
        cursor = ""
        while True:
            finished = written.is_set()
            page = await reader.changes_since(cursor, 7)
            seen.extend(page.changes)
            cursor = page.next_cursor
            if finished and page.is_last:
                return
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(storage, name) for storage, name in zip(writers, "xy", strict=True)))
    written.set()
    await reading
    assert seen == await all_changes(reader), "in the order in which it was read along"
    portfolios = [one.name for one in seen if one.kind is ChangeKind.PORTFOLIO]
    assert sorted(portfolios) == sorted(f"{name}-{number}" for name in "xy" for number in range(25))
    for name in "xy":
        assert [one for one in portfolios if one.startswith(name)] == [f"{name}-{number}" for number in range(25)]
    assert sum(one.kind is ChangeKind.PRICES for one in seen) == 2 * 5 * 20
    assert len({one.cursor for one in seen}) == len(seen)
