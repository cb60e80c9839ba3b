"""What every store promises to a copy of it: rows in order, in pages of bounded size, and nothing written over."""

from dataclasses import replace

import numpy as np

from domain.market_data.panel import PricePanel
from server.ports.fills import FillsChange, StoredFill
from server.ports.jobs import JobEnd, JobState
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft
from server.ports.storage import Storage
from server.ports.transfer import (
    BACKTESTS,
    EVENTS,
    FILLS,
    INPUT_USES,
    INPUTS,
    OPEN_BACKTESTS,
    OPTIMIZATIONS,
    PARTS,
    PORTFOLIOS,
    SERIES,
    TABLES,
    Place,
    TransferRow,
    TransferTable,
)
from server.storage.records_copy import digest_of
from tests.contracts.storage.job_drafts import EVENT, TICK, claimed, draft

OWNER, OTHER = "users/5b2f0d4e-0000-4000-8000-000000000001", "users/ö"
MEBIBYTE = 1 << 20


async def pages(storage: Storage, table: TransferTable, limit: int) -> list[list[TransferRow]]:
    found: list[list[TransferRow]] = []
    after: Place = table.before_all
    while page := await storage.transfer.rows(table, after, limit):
        assert len(page) <= limit
        found.append(list(page))
        after = page[-1].place
        assert len(found) < 100
    return found


async def places(storage: Storage, table: TransferTable, limit: int) -> list[Place]:
    return [row.place for page in await pages(storage, table, limit) for row in page]


async def test_nothing_is_in_an_empty_store(storage: Storage) -> None:
    for table in (*TABLES, OPEN_BACKTESTS):
        assert await pages(storage, table, 10) == []


async def test_rows_come_in_the_order_of_their_places(storage: Storage) -> None:
    owners = sorted((OWNER, OTHER))
    for owner in reversed(owners):
        for name in ("b", "a_b", "B", "aa"):
            made = await storage.portfolios.create(owner, PortfolioDraft(b"", b"", name))
        fills = tuple(StoredFill(name, "A", 0, b"", b"") for name in ("z", "a", "Z"))
        for three in (fills, tuple(StoredFill(f"{one.fill_id}2", "A", 0, b"", b"") for one in fills)):
            made = await storage.fills.commit(owner, FillsChange("aa", made.etag, b"", three, ()))
    wanted = [(owner, name) for owner in owners for name in ("B", "a_b", "aa", "b")]
    for limit in (1, 3, 100):
        assert await places(storage, PORTFOLIOS, limit) == wanted
        assert await places(storage, FILLS, limit) == [(o, "aa", number) for o in owners for number in range(1, 7)]
    (page,) = await pages(storage, FILLS, 100)
    assert [row.values[0] for row in page[:6]] == ["z", "a", "Z", "z2", "a2", "Z2"]


async def test_backtests_that_are_over(storage: Storage) -> None:
    """Those without series or events of their own lie between, and the others come in pages of any size."""
    panel = PricePanel.of("A", range(9), np.arange(1.0, 10.0))
    wanted: list[Place] = []
    for owner in sorted((OWNER, OTHER)):
        for number in range(4):
            await storage.jobs.queue.enqueue(owner, draft(id=f"j{number}", panel=panel))
            claim = (await claimed(storage)).record
            await storage.jobs.log.save(claim, b"", b"", TICK, [EVENT] * number)
            end = JobEnd(JobState.SUCCEEDED, b"r", None, (("one", b"1"), ("two", b"")) if number % 2 else ())
            await storage.jobs.log.finish(claim, end, [])
            wanted.append((owner, f"j{number}"))
    for number, owner in enumerate((OWNER, OTHER)):
        await storage.jobs.queue.enqueue(owner, draft(id="open", panel=panel))
        if number:
            await claimed(storage)
    assert [row.values for (row,) in await pages(storage, OPEN_BACKTESTS, 1)] in (
        [("RUNNING",), ("QUEUED",)],
        [("QUEUED",), ("RUNNING",)],
    )
    for limit in (1, 2, 100):
        assert await places(storage, BACKTESTS, limit) == wanted
        series = [(*place, at) for place in wanted if place[1] in ("j1", "j3") for at in (0, 1)]
        assert await places(storage, SERIES, limit) == series
        events = [(*place, at) for place in wanted for at in range(1, 2 + int(str(place[1])[1]))]
        assert await places(storage, EVENTS, limit) == events
        assert [place[:2] for place in await places(storage, INPUT_USES, limit)] == wanted
        assert len(await places(storage, INPUTS, limit)) == 1


async def test_parts_of_sweeps_that_are_over(storage: Storage) -> None:
    """Those of a sweep that runs belong to no row that is copied."""
    inputs = replace(draft().inputs, sets=(draft().inputs,), trial_count=3)
    wanted: list[Place] = []
    for name, count in (("sweeps/a", 3), ("sweeps/b", 0), ("sweeps/c", 2), ("sweeps/d", 1)):
        await storage.jobs.queue.enqueue(OWNER, draft(id=name, inputs=inputs))
        claim = (await claimed(storage)).record
        for number in range(count):
            await storage.jobs.log.save(claim, b"", b"%d\0" % number, TICK, [])
        if name != "sweeps/d":
            await storage.jobs.log.finish(claim, JobEnd(JobState.FAILED), [])
            wanted += [(OWNER, name, number) for number in range(1, count + 1)]
    for limit in (1, 2, 100):
        assert await places(storage, PARTS, limit) == wanted
    (page,) = await pages(storage, PARTS, 100)
    assert [row.values for row in page] == [(b"0\0",), (b"1\0",), (b"2\0",), (b"0\0",), (b"1\0",)]
    changed = [TransferRow(page[0].place, (b"changed",)), TransferRow((OWNER, "sweeps/b", 1), (b"new",))]
    await storage.transfer.put(PARTS, changed)
    (page,) = await pages(storage, PARTS, 100)
    assert [row.values for row in page[:4]] == [(b"0\0",), (b"1\0",), (b"2\0",), (b"new",)]


async def test_a_page_has_about_four_mebibytes(storage: Storage) -> None:
    for number in range(5):
        payload = bytes([number]) * (3 * MEBIBYTE if number < 4 else 9 * MEBIBYTE)
        await storage.optimizations.save(OWNER, ResultDraft(payload, "", b"", None, "", f"o{number}"))
    sizes = [[row.size // MEBIBYTE for row in page] for page in await pages(storage, OPTIMIZATIONS, 100)]
    assert sizes == [[3, 3], [3, 3], [9]]


async def test_nothing_is_written_over(storage: Storage) -> None:
    await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "a", "request"))
    ((row,),) = await pages(storage, PORTFOLIOS, 10)
    changed = TransferRow(row.place, (*row.values[:-1], b"changed"))
    same_request = TransferRow((OWNER, "b"), row.values)
    new = TransferRow((OTHER, "a"), row.values)
    for _ in range(2):
        await storage.transfer.put(PORTFOLIOS, [changed, same_request, new])
        (page,) = await pages(storage, PORTFOLIOS, 10)
        assert {one.place: digest_of(one) for one in page} == {one.place: digest_of(one) for one in (row, new)}
    copied = await storage.portfolios.get(OTHER, "a")
    assert copied == await storage.portfolios.create(OTHER, PortfolioDraft(b"p", b"b", "a", "request"))
    assert (await storage.portfolios.get(OWNER, "a")).payload == b"p"


async def test_the_first_secret_is_kept(storage: Storage) -> None:
    first, second = bytes(range(32)), bytes(32)
    assert await storage.transfer.keep_secret(first) == first
    assert await storage.transfer.keep_secret(second) == first
    assert await storage.api_keys.pepper() == first


def test_a_digest_tells_values_apart() -> None:
    def digest(*values: object) -> bytes:
        return digest_of(TransferRow(("o", "i"), values))  # type: ignore[arg-type]

    different = [(b"a",), ("a",), (b"a", b""), (b"", b"a"), (None,), ("None",), (1,), (1.0,), (True,), (("a",),), ()]
    assert len({digest(*values) for values in different}) == len(different)
