"""A correction of what a stored result has used makes it stale, in every store; nothing else does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.market_data.corporate_actions import CorporateAction, Delisting, Split
from domain.market_data.panel import PricePanel
from server.ports.jobs import JobEnd, JobState
from server.ports.market_data import Instrument, PriceField, PriceImport
from server.ports.published import Bar
from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.ports.transfer import RESULTS, UsedByResult
from server.ports.used_data import ACTIONS, UsedData, UsedRange
from tests.contracts.storage.conftest import of_event_backends
from tests.contracts.storage.event_drafts import all_changes, changes_of, published_of
from tests.contracts.storage.job_drafts import claimed, draft

pytestmark = of_event_backends

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/5b2f0d4e-0000-4000-8000-000000000002"
FIRST, LAST = 18_600, 19_000
"""Days that are stored, of three years: 2020-12-04 to 2022-01-08."""

USED = UsedRange("CLOSE", ("A", "B\x00B"), FIRST + 100, LAST)
KINDS = ("optimizations", "reallocations", "backtests")

Correct = Callable[[], Awaitable[object]]


async def send(storage: Storage, symbol: str, days: list[int], values: object, field: str = "CLOSE") -> None:
    name = f"{symbol}-{np.random.default_rng().integers(1 << 60)}"
    panel = PricePanel.of((symbol,), days, np.reshape(np.asarray(values, float), (-1, 1)))
    await storage.market_data.import_prices(PriceImport(name, PriceField(field), "", (panel,)))


@pytest.fixture
async def priced(storage: Storage) -> Storage:
    """With every second day of A, B and C, at a price of 1, and volumes of A."""
    days = list(range(FIRST, LAST + 1, 2))
    for symbol in ("A", "B\x00B", "C"):
        await send(storage, symbol, days, np.ones(len(days)))
    await send(storage, "A", days, np.ones(len(days)), "VOLUME")
    return storage


async def used(storage: Storage, *ranges: UsedRange) -> UsedData:
    return UsedData(await storage.market_data.last_correction(), ranges or (USED,))


async def store_all(storage: Storage, result_id: str, data: UsedData | None, owner: str = OWNER) -> None:
    """A result of each kind."""
    body = result_id.encode()
    made = ResultDraft(b"payload", "f", body, id=result_id, used=data)
    assert (await storage.optimizations.save(owner, made)).stale_since is None
    assert (await storage.reallocations.save(owner, made)).stale_since is None
    assert (await storage.jobs.queue.enqueue(owner, draft(body=body, id=result_id, used=data))).stale_since is None


async def stale(storage: Storage, result_id: str, owner: str = OWNER) -> list[datetime | None]:
    """Since when the result of each kind is stale, which lists say too."""
    stores = storage.optimizations, storage.reallocations, storage.jobs.archive
    found = [(await store.get(owner, result_id)).stale_since for store in stores]
    pages = [await store.list(Scope(owner), "", 100) for store in stores]
    listed = [next(one.stale_since for one in page.records if one.id == result_id) for page in pages]
    assert listed == found
    return found


async def is_stale(storage: Storage, result_id: str = "r", owner: str = OWNER) -> bool:
    found = await stale(storage, result_id, owner)
    assert found.count(None) in (0, len(KINDS)), "results of all kinds are alike"
    return found[0] is not None


async def test_a_corrected_price_makes_results_of_everybody_stale(priced: Storage) -> None:
    await store_all(priced, "r", await used(priced))
    await store_all(priced, "theirs", await used(priced), OTHER)
    await store_all(priced, "sent", None)
    assert not await is_stale(priced)
    before = datetime.now(UTC) - timedelta(seconds=2)
    await send(priced, "A", [LAST - 50], [2.0])
    found = await stale(priced, "r")
    assert all(since is not None and before < since < datetime.now(UTC) + timedelta(seconds=2) for since in found)
    assert await is_stale(priced, "theirs", OTHER)
    assert not await is_stale(priced, "sent")
    await asyncio.sleep(0.01)
    await send(priced, "A", [LAST - 52], [3.0])
    await send(priced, "A", [LAST - 50], [1.0])
    assert await stale(priced, "r") == found, "since the first correction"
    await store_all(priced, "again", await used(priced))
    await send(priced, "C", [LAST], [9.0])
    assert not await is_stale(priced, "again"), "it has used the corrected price"
    page = await priced.optimizations.list(Scope("", everyone=True), "", 100)
    assert {one.id: one.stale_since is not None for one in page.records} == {
        "r": True,
        "theirs": True,
        "sent": False,
        "again": False,
    }


@pytest.mark.parametrize(
    ("symbol", "days", "value", "field", "outcome"),
    [
        ("A", [USED.last], 2.0, "CLOSE", True),
        ("B\x00B", [USED.first], 2.0, "CLOSE", True),
        ("A", [USED.first + 1], 1.0, "CLOSE", True),  # a date that came in
        ("A", [USED.first - 2], 2.0, "CLOSE", False),
        ("A", [USED.first - 1], 2.0, "CLOSE", False),
        ("A", [LAST + 1, LAST + 2, LAST + 400], 2.0, "CLOSE", False),
        ("A", [FIRST, USED.last], 1.0, "CLOSE", False),  # as they are
        ("C", [USED.last], 2.0, "CLOSE", False),
        ("A", [USED.last], 2.0, "VOLUME", False),
        ("A", [USED.last], 2.0, "OPEN", False),
    ],
)
async def test_days_in_the_range_of_a_symbol_and_field_count(
    priced: Storage, symbol: str, days: list[int], value: float, field: str, outcome: bool
) -> None:
    await store_all(priced, "r", await used(priced))
    await send(priced, symbol, days, [value] * len(days), field)
    assert await is_stale(priced) is outcome


async def test_days_between_corrected_ones_are_not_corrected(priced: Storage) -> None:
    middle = FIRST + 200
    await store_all(priced, "between", await used(priced, UsedRange("CLOSE", ("A",), middle - 4, middle + 4)))
    await store_all(priced, "after", await used(priced, UsedRange("CLOSE", ("A",), LAST - 2, LAST)))
    await send(priced, "A", [FIRST, middle - 6, middle + 6, LAST + 2], [2.0, 2.0, 2.0, 2.0])
    assert not await is_stale(priced, "between")
    assert not await is_stale(priced, "after")
    days = list(range(FIRST, LAST + 1, 2))
    await send(priced, "A", days, np.full(len(days), 5.0))
    assert await is_stale(priced, "between")
    assert await is_stale(priced, "after")


async def test_bars_that_are_published_correct_too(priced: Storage) -> None:
    await priced.market_data.upsert_instruments([Instrument("A")])
    await store_all(priced, "r", await used(priced))
    published = published_of(priced)
    assert (await published.publish_bars([Bar("A", LAST, 1.0), Bar("A", LAST + 2, 7.0)])).accepted == 2
    assert not await is_stale(priced), "the same price, and one of a later date"
    assert (await published.publish_bars([Bar("A", LAST + 2, 8.0, revision=1)])).accepted == 1
    assert not await is_stale(priced), "a correction after the range"
    assert (await published.publish_bars([Bar("A", LAST, 1.5, revision=1)])).accepted == 1
    assert await is_stale(priced)


async def test_corporate_actions_of_the_range_count(priced: Storage) -> None:
    actions = UsedRange(ACTIONS, ("A", "C"), FIRST, LAST)
    upsert = priced.corporate_actions.upsert
    split = CorporateAction("A", FIRST + 10, Split(2.0))
    delisting = CorporateAction("C", LAST, Delisting(-0.5))
    await upsert([split, delisting])
    await store_all(priced, "prices", await used(priced))
    await store_all(priced, "r", await used(priced, USED, actions))
    await upsert([split, replace(split, symbol="B\x00B"), replace(split, day=LAST + 1)])
    assert not await is_stale(priced), "the same one, of another symbol, after the range"
    await upsert([replace(split, event=Split(3.0))])
    assert await is_stale(priced)
    assert not await is_stale(priced, "prices")
    await store_all(priced, "delisted", await used(priced, actions))
    await upsert([replace(delisting, day=LAST + 5)])
    assert await is_stale(priced, "delisted"), "the one that took place in the range is not there any more"


async def test_what_is_corrected_between_reading_and_storing_counts(priced: Storage) -> None:
    data = await used(priced)
    await send(priced, "A", [LAST], [2.0])
    body = b"late"
    made = ResultDraft(b"payload", "f", body, "request", id="late", used=data)
    stored = [await priced.optimizations.save(OWNER, made), await priced.reallocations.save(OWNER, made)]
    assert all(one.stale_since is not None for one in stored)
    job = await priced.jobs.queue.enqueue(OWNER, draft("request", body, id="late", used=data))
    assert job.stale_since is not None
    assert await is_stale(priced, "late")
    found = [await store.find(OWNER, "request", body) for store in (priced.optimizations, priced.reallocations)]
    assert found == stored
    again = await priced.jobs.archive.find(OWNER, "request", body)
    assert again is not None
    assert again.stale_since == job.stale_since


async def test_a_job_is_stale_while_it_runs_and_afterwards(priced: Storage) -> None:
    await priced.jobs.queue.enqueue(OWNER, draft(id="job", used=await used(priced)))
    claim = await claimed(priced)
    await send(priced, "A", [LAST], [2.0])
    since = (await priced.jobs.archive.get(OWNER, "job")).stale_since
    assert since is not None
    await priced.jobs.log.finish(claim.record, JobEnd(JobState.SUCCEEDED, b"result"), [])
    assert (await priced.jobs.archive.get(OWNER, "job")).stale_since == since


async def test_a_name_that_is_free_again_is_fresh(priced: Storage) -> None:
    for _ in range(2):
        await priced.optimizations.save(OWNER, replace(ResultDraft(b"p", "f", b"b"), id="r", used=await used(priced)))
        assert (await priced.optimizations.get(OWNER, "r")).stale_since is None
        await send(priced, "A", [LAST], [float(np.random.default_rng().uniform(2, 3))])
        assert (await priced.optimizations.get(OWNER, "r")).stale_since is not None
        await priced.optimizations.delete(OWNER, "r")


async def test_many_corrected_days_are_one_range(priced: Storage) -> None:
    """Days that lie apart are told one by one up to a number, then as one range."""
    every_second = list(range(FIRST, LAST, 4))
    assert len(every_second) == 100
    await store_all(priced, "r", await used(priced, UsedRange("CLOSE", ("A",), FIRST + 201, FIRST + 203)))
    await send(priced, "A", every_second[25:75], np.full(50, 2.0))
    assert not await is_stale(priced), "the day in its range is as it was"
    await send(priced, "A", every_second, np.full(100, 3.0))
    assert await is_stale(priced), "counted as corrected with those around it"


async def test_results_that_became_stale_are_found_by_what_was_corrected(priced: Storage) -> None:
    assert priced.stale_results is not None
    find = priced.stale_results.since
    labelled = "mandate of x \x00"
    early = await used(priced)
    await store_all(priced, "early", early)
    await send(priced, "A", [LAST - 50], [2.0])
    first = min(one.time for one in await all_changes(changes_of(priced)) if one.prices and one.prices.replaced)
    since = {round(one.timestamp() * 1e6) for one in await stale(priced, "early") if one is not None}
    assert len(since) == 1
    assert {(one.owner, one.name, one.label) for one in await find(["A"], first, 9)} == {
        (OWNER, "optimizations/early", ""),
        (OWNER, "reallocations/early", ""),
        (OWNER, "backtests/early", "label"),
    }
    assert {one.since for one in await find(["C", "A"], first, 9)} == since
    assert list(await find(["C", "B\x00B"], first, 9)) == []
    for result_id in ("one", "two", "three"):
        made = ResultDraft(b"p", "f", result_id.encode(), f"request {result_id}", id=result_id, label=labelled)
        await priced.optimizations.save(OTHER, replace(made, used=await used(priced)))
    later = next(iter(since)) + 1
    assert list(await find(["A", "B\x00B"], later, 9)) == []
    await send(priced, "B\x00B", [LAST - 50], [2.0])
    found = list(await find(["A", "B\x00B"], later, 2))
    assert [(one.owner, one.name, one.label, one.request_id) for one in found] == [
        (OTHER, "optimizations/three", labelled, "request three"),
        (OTHER, "optimizations/two", labelled, "request two"),
    ], "without those that were stale before, and at most so many"


async def test_a_symbol_that_lags_behind_is_not_corrected_by_its_next_date(priced: Storage) -> None:
    await send(priced, "late", [FIRST + 200, FIRST + 300], [1.0, 1.0])
    await store_all(priced, "r", await used(priced, UsedRange("CLOSE", ("A", "late"), FIRST, LAST)))
    await send(priced, "late", [FIRST + 302], [1.0])
    assert not await is_stale(priced)
    await send(priced, "late", [FIRST + 301], [1.0])
    assert await is_stale(priced), "it came in before the newest date"


async def kept(storage: Storage, result_id: str) -> list[UsedByResult]:
    """What a copy is told of the result of each kind."""
    pages = [await storage.transfer.used(table, table.before_all, 100) for table in RESULTS]
    return [one for page in pages for one in page if one.place == (OWNER, result_id)]


async def put(storage: Storage, result_id: str, like: UsedByResult, stale_micros: int | None) -> None:
    for table in RESULTS:
        await storage.transfer.put_used(table, [replace(like, place=(OWNER, result_id), stale=stale_micros)])


async def test_what_a_copy_of_the_store_carries(priced: Storage) -> None:
    """What later corrections are compared with, and since when a result is stale, whatever numbers a store has."""
    await send(priced, "C", [FIRST], [3.0])
    await store_all(priced, "r", await used(priced, USED, UsedRange(ACTIONS, ("A",), 1, 2)))
    await store_all(priced, "sent", None)
    assert await kept(priced, "sent") == []
    found = await kept(priced, "r")
    ranges = (("ACTION", 1, 2, "A"), *(("CLOSE", USED.first, USED.last, symbol) for symbol in USED.symbols))
    assert found == [UsedByResult((OWNER, "r"), ranges, None)] * len(KINDS)
    await send(priced, "A", [LAST - 50], [2.0])
    since = (await stale(priced, "r"))[0]
    assert since is not None
    found = await kept(priced, "r")
    micros = found[0].stale
    assert micros is not None
    assert abs(micros - since.timestamp() * 1e6) < 1.0

    for result_id in ("stale", "fresh"):
        await store_all(priced, result_id, None)
    await put(priced, "nobody", found[0], micros)
    await put(priced, "stale", found[0], micros)
    await put(priced, "fresh", found[0], None)
    assert await stale(priced, "stale") == await stale(priced, "r")
    assert await kept(priced, "stale") == [replace(one, place=(OWNER, "stale")) for one in found]
    assert not await is_stale(priced, "fresh"), "what was corrected before it was copied is told by its time alone"
    await put(priced, "stale", found[0], micros + 5)
    await put(priced, "stale", found[0], None)
    assert await stale(priced, "stale") == await stale(priced, "r"), "the earlier time stays"
    await put(priced, "stale", found[0], micros - 5)
    assert [one.stale for one in await kept(priced, "stale")] == [micros - 5] * len(KINDS)
    await send(priced, "A", [LAST - 52], [3.0])
    assert await is_stale(priced, "fresh")
    assert [one.stale for one in await kept(priced, "stale")] == [micros - 5] * len(KINDS)
    assert not await is_stale(priced, "sent")
