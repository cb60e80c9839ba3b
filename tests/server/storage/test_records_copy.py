"""Portfolios, fills, results, backtests and keys that are copied from one store to another, whole and to the bit."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.market_data.corporate_actions import CashDividend, CorporateAction
from domain.market_data.fingerprint import fingerprint_of, panel_bytes
from domain.market_data.panel import PricePanel
from domain.warnings import ResultWarning
from server.identity.api_keys import ApiKeyDraft, ApiKeys
from server.ports.errors import StorageUnavailable
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.identity import Role
from server.ports.jobs import (
    EventKind,
    JobDraft,
    JobEnd,
    JobEventDraft,
    JobInputs,
    JobRecord,
    JobState,
    JobTick,
    Stage,
    Weighing,
)
from server.ports.market_data import PriceField, PriceImport
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.ports.transfer import Place, TransferRow, TransferStore, TransferTable
from server.ports.used_data import UsedData, UsedRange
from server.settings import DATABASE_NAME
from server.storage import records_copy
from server.storage.market_data_copy import CopyDiffers
from server.storage.records_copy import CopiedRows, copy_records
from server.storage.supabase.job_inputs import PIECE_BYTES
from tests.server.storage.test_market_data_copy import opened
from tests.supabase_stack import RunningStack

OWNERS = ("users/5b2f0d4e-0000-4000-8000-000000000001", "users/ö")
EVERYBODY = Scope(OWNERS[0], everyone=True)
TEXT = "\x00a\x01\x010 'quoted' \"twice\" back\\slash \\u0000 é 🙂"
BYTES = bytes(range(256))
PANEL = PricePanel.of("AB", range(-5, 5), np.arange(1.0, 21.0))
OTHER_PANEL = PricePanel.of("C", range(600_000), np.random.default_rng(1).uniform(1, 2, 600_000))
UNUSED = PricePanel.of("A", range(3), [1.0, 2.0, 3.0])
STAGE = Stage(TEXT, 1, 2)
LARGE = np.random.default_rng(2).bytes(2 * PIECE_BYTES + 17)
SWEEPS = ("sweeps/failed", "sweeps/cancelled")
ACTION = CorporateAction("A", 2, CashDividend(0.1, 4))


async def fill(storage: Storage) -> None:
    """What two owners have, under the same ids."""
    for owner in OWNERS:
        await fill_portfolio(storage, owner)
        await fill_results(storage, owner)
        await fill_backtests(storage, owner)
    keys = ApiKeys(storage.api_keys)
    expires = datetime.now(UTC) + timedelta(days=1, microseconds=7)
    await keys.create(ApiKeyDraft("desk", "Desk ü", (Role.TRADER, Role.READER), expires))
    await keys.create(ApiKeyDraft("old", "", (Role.ADMIN,), None))
    await keys.revoke("old")


async def fill_portfolio(storage: Storage, owner: str) -> None:
    made = await storage.portfolios.create(owner, PortfolioDraft(BYTES, b"body", "main", TEXT))
    await storage.portfolios.create(owner, PortfolioDraft(b"empty", b"", "without-fills"))
    lost = StoredFill("z", TEXT, -3, BYTES, b"", "", (), is_open=True)
    made = await storage.fills.commit(owner, FillsChange("main", made.etag, b"1", (lost,), ()))
    bought = StoredFill(TEXT, TEXT, 4, b"", BYTES, "", ("z",), is_open=False)
    last = replace(lost, fill_id="a", is_open=False)  # before the others by its name
    await storage.fills.commit(owner, FillsChange("main", made.etag, b"2", (bought, last), (lost,)))


async def fill_results(storage: Storage, owner: str) -> None:
    await storage.optimizations.save(owner, ResultDraft(BYTES, "f", b"body", TEXT, "", "o", TEXT, b"summary"))
    for name in ("first", "second"):
        await storage.reallocations.save(owner, ResultDraft(b"p", "f", b"", None, "main", name, "", b""))
    portfolio = await storage.portfolios.get(owner, "main")
    filled = StoredFill("of plan", "A", 9, b"c", b"o", "second", (), is_open=True)
    await storage.fills.commit(
        owner, FillsChange("main", portfolio.etag, b"3", (filled,), (), "second", completes=False)
    )


async def fill_backtests(storage: Storage, owner: str) -> None:
    name, other = fingerprint_of(PANEL), fingerprint_of(OTHER_PANEL)
    inputs = JobInputs(
        name, "prices", {"C": other}, {"g": ("A", "B")}, (ResultWarning("CODE", "field", "said"),), None, (ACTION,),
        labels={"sector=Tech": ("A",)},
    )  # fmt: skip
    draft = JobDraft(
        b"request", b"body", TEXT, "fp", inputs, {name: PANEL, other: OTHER_PANEL}, TEXT, "whole", TEXT, 0.1
    )
    await storage.jobs.queue.enqueue(owner, draft)
    claim = await claimed(storage)
    log = storage.jobs.log
    events = [
        JobEventDraft(EventKind.STAGE, TEXT, 3, TEXT, STAGE),
        JobEventDraft(EventKind.REBALANCE, "", -1, "", STAGE, Weighing(0.1, float("nan"))),
    ]
    await log.save(claim, b"checkpoint", b"part", JobTick(0.1, -4, 1.1, STAGE), events)
    await asyncio.to_thread(decide, storage, claim)
    series = ((TEXT, LARGE), ("empty", b""))
    await log.finish(claim, JobEnd(JobState.SUCCEEDED, BYTES, None, series), [])
    small = replace(draft, inputs=JobInputs(name, "returns"), panels={name: PANEL}, request_id=None, label="")
    await storage.jobs.queue.enqueue(owner, replace(small, id="failed"))
    await log.finish(await claimed(storage), JobEnd(JobState.FAILED, None, BYTES), [])
    await storage.jobs.queue.enqueue(owner, replace(small, id="cancelled"))
    await storage.jobs.queue.cancel(owner, "cancelled")
    trials = replace(small.inputs, sets=(small.inputs,), trial_count=3)
    for job_id in SWEEPS:
        await storage.jobs.queue.enqueue(owner, replace(small, id=job_id, inputs=trials))
        claim = await claimed(storage)
        for part in (BYTES, b""):
            await log.save(claim, b"", part, JobTick(0.1, 0, 1.1, STAGE), [])
        if job_id == SWEEPS[0]:
            await log.finish(claim, JobEnd(JobState.FAILED, None, BYTES), [])
        else:
            await storage.jobs.queue.cancel(owner, job_id)
    waiting = replace(small, id="waiting", panels={fingerprint_of(UNUSED): UNUSED})  # its data is left out with it
    await storage.jobs.queue.enqueue(owner, replace(waiting, inputs=JobInputs(fingerprint_of(UNUSED), "returns")))


async def claimed(storage: Storage) -> JobRecord:
    # Those that were left waiting are claimed too, and given back at the end.
    while True:
        found = await storage.jobs.queue.claim(storage.worker, 30.0)
        assert found is not None
        if found.record.id != "waiting":
            return found.record


def decide(storage: Storage, claim: JobRecord) -> None:
    assert storage.jobs.decisions is not None
    log = storage.jobs.decisions.log(claim)
    log.store("strategy.remote", 5, RecordedDecision({"B": 0.1 + 0.2, "A": 1e-300}))
    log.store("strategy.remote", -6, RecordedDecision(reason="REMOTE_CALL_FAILED", message=TEXT))
    log.close()


async def everything(storage: Storage) -> dict[str, Any]:
    """What callers see of a store, through the ports that its services have."""
    page = await storage.portfolios.list(EVERYBODY, "", 100)
    seen: dict[str, Any] = {"portfolios": {(one.owner, one.id): one for one in page.records}}
    for owner in OWNERS:
        seen[owner] = [await storage.portfolios.create(owner, PortfolioDraft(BYTES, b"body", "main", TEXT))]  # known
        query = FillsQuery("", "main", ("z", "a", TEXT, "of plan"), (TEXT, "A"))
        seen[owner].append(await storage.fills.load(owner, query))
        seen[owner].append(await storage.optimizations.find(owner, TEXT, b"body"))
        for store in (storage.optimizations, storage.reallocations):
            found = [one.id for one in (await store.list(Scope(owner), "", 100)).records]
            seen[owner] += [await store.get(owner, one) for one in found]
        found = [one.id for one in (await storage.jobs.archive.list(Scope(owner), "", 100)).records]
        seen[owner] += [await job(storage, owner, one) for one in (*found, *SWEEPS) if one != "waiting"]
        known = await storage.jobs.archive.find(owner, TEXT, b"body")
        assert known is not None
        assert known.id == "whole"
    seen["keys"] = await storage.api_keys.list("", 100)
    return seen


async def job(storage: Storage, owner: str, job_id: str) -> list[object]:
    record = await storage.jobs.archive.get(owner, job_id)
    inputs = replace(record.inputs, sets=tuple(record.inputs.sets))  # they are parsed when they are needed
    seen: list[object] = [replace(record, key=0, inputs=inputs), (await storage.jobs.log.view(record.key, 0)).events]
    seen = [repr(one) for one in seen]  # a cost that is no number is not equal to itself
    if record.state is JobState.SUCCEEDED:
        for label in (TEXT, "empty", ""):
            seen.append(await storage.jobs.archive.series(owner, job_id, label))
        seen.append(await asyncio.to_thread(decisions, storage, record))
    if record.is_sweep:
        after = 0
        while parts := await storage.jobs.log.parts(record.key, after):
            seen += parts
            after = parts[-1][0]
        assert after == 2
    for name in (record.inputs.data, *record.inputs.benchmarks.values()):
        panel = (await storage.jobs.inputs.panel(name)).panel
        seen.append((name, panel.symbols, panel_bytes(panel)))
    return seen


def decisions(storage: Storage, record: JobRecord) -> list[object]:
    assert storage.jobs.decisions is not None
    log = storage.jobs.decisions.log(record)
    found = [log.find("strategy.remote", day) for day in (5, -6)]
    log.close()
    assert found[0] is not None
    return [*found, list(found[0].weights)]


@dataclass
class Stops:
    """The rows of a store that goes away at the last of so many writes, and is there again."""

    inner: TransferStore
    writes: int

    async def rows(self, table: TransferTable, after: Place, limit: int) -> Sequence[TransferRow]:
        return await self.inner.rows(table, after, limit)

    async def put(self, table: TransferTable, rows: Sequence[TransferRow]) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise StorageUnavailable("gone")
        await self.inner.put(table, rows)

    async def keep_secret(self, secret: bytes) -> bytes:
        return await self.inner.keep_secret(secret)


SENT = {
    "portfolios": 4, "fills": 8, "optimizations": 2, "reallocations": 4, "backtests": 10, "backtest_inputs": 2,
    "backtest_input_uses": 12, "backtest_series": 4, "backtest_parts": 8, "backtest_decisions": 4,
}  # fmt: skip
LEFT_OUT = [f"backtests/waiting of {owner} is " for owner in OWNERS]


async def test_there_and_back(system_stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_copy, "PAGE", 2)
    await system_stack.empty()
    async with AsyncExitStack() as stores:
        old = await stores.enter_async_context(opened(tmp_path / "old"))
        team = await stores.enter_async_context(opened(tmp_path / "cache", system_stack))
        new = await stores.enter_async_context(opened(tmp_path / "new"))
        await fill(old)
        wanted = await everything(old)
        await require_copied(old, team, left_out=2)
        assert await everything(team) == wanted
        await require_copied(team, new, left_out=0)
        assert await everything(new) == wanted
        assert await new.api_keys.pepper() == await team.api_keys.pepper() == await old.api_keys.pepper()


async def require_copied(source: Storage, target: Storage, left_out: int) -> None:
    done = await copy_records(source, target)
    assert {name: rows.sent for name, rows in done.tables.items() if name != "backtest_events"} == SENT
    assert [one.rpartition(" ")[0] + " " for one in done.left_out] == LEFT_OUT[:left_out]
    assert done.api_keys == CopiedRows(2, 0)
    again = await copy_records(source, target)
    assert {name: rows.known for name, rows in again.tables.items()} == {k: r.sent for k, r in done.tables.items()}
    assert not any(rows.sent for rows in again.tables.values())
    assert again.api_keys == CopiedRows(0, 2)


async def test_what_a_team_stored(system_stack: RunningStack, tmp_path: Path) -> None:
    await system_stack.empty()
    async with opened(tmp_path / "cache", system_stack) as team, opened(tmp_path / "new") as new:
        await fill(team)
        await require_copied(team, new, left_out=2)
        assert await everything(new) == await everything(team)


@pytest.mark.parametrize("to_team", [False, True])
async def test_it_goes_on_where_it_ended(
    to_team: bool, system_stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_copy, "PAGE", 3)
    await system_stack.empty()
    async with AsyncExitStack() as stores:
        old = await stores.enter_async_context(opened(tmp_path / "old"))
        new = await stores.enter_async_context(opened(tmp_path / "new", system_stack if to_team else None))
        await fill(old)
        interrupted, known = 0, -1
        while True:
            try:
                done = await copy_records(old, replace(new, transfer=Stops(new.transfer, 3)))
                break
            except StorageUnavailable:
                interrupted += 1
            assert interrupted < 20
        known = sum(rows.known for rows in done.tables.values())
        assert interrupted >= 5
        assert known > 40
        assert await everything(new) == await everything(old)


async def change_portfolio(storage: Storage, folder: Path) -> None:
    record = await storage.portfolios.get(OWNERS[0], "main")
    await storage.portfolios.update(OWNERS[0], "main", record.etag, lambda _: b"another")


async def change_fills(storage: Storage, folder: Path) -> None:
    """As by another program: whoever records a fill through the store changes the portfolio too."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE_NAME)) as connection, connection:
        connection.execute("UPDATE fills SET outcome = x'00' WHERE fill_id = 'z'")


async def change_result(storage: Storage, folder: Path) -> None:
    await storage.optimizations.delete(OWNERS[1], "o")
    await storage.optimizations.save(OWNERS[1], ResultDraft(b"another", "f", b"", None, "", "o"))


async def change_request_id(storage: Storage, folder: Path) -> None:
    await storage.optimizations.delete(OWNERS[1], "o")
    await storage.optimizations.save(OWNERS[1], ResultDraft(BYTES, "f", b"body", TEXT, "", "other"))


async def change_backtest(storage: Storage, folder: Path) -> None:
    name = fingerprint_of(PANEL)
    await storage.jobs.archive.delete(OWNERS[0], "failed")
    draft = JobDraft(b"another", b"", "", "", JobInputs(name, "prices"), {name: PANEL}, None, "failed")
    await storage.jobs.queue.enqueue(OWNERS[0], draft)


async def change_key(storage: Storage, folder: Path) -> None:
    await storage.api_keys.revoke("desk", datetime.now(UTC))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_portfolio, f"portfolios/main of {OWNERS[0]},"),
        (change_fills, f"fills/main/1 of {OWNERS[0]}, fills/main/1 of {OWNERS[1]},"),
        (change_result, f"optimizations/o of {OWNERS[1]},"),
        (change_request_id, f"optimizations/o of {OWNERS[1]},"),
        (change_backtest, f"backtests/failed of {OWNERS[0]},"),
        (change_key, "apiKeys/desk;"),
    ],
)
async def test_what_was_changed_is_not_written_over(change: Any, named: str, tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        await fill(source)
        await copy_records(source, target)
        await change(target, tmp_path / "b")
        before = await target.portfolios.get(OWNERS[0], "main")
        with pytest.raises(CopyDiffers) as refused:
            await copy_records(source, target)
        assert f"the target has something else for {named}" in str(refused.value)
        assert await target.portfolios.get(OWNERS[0], "main") == before


async def test_what_results_have_used_goes_with_them(tmp_path: Path) -> None:
    """So that one that is stale stays so, and a later correction is noticed there too."""

    async def corrected(storage: Storage, symbol: str, value: float) -> None:
        panel = PricePanel.of(symbol, range(3), [1.0, value, 1.0])
        await storage.market_data.import_prices(PriceImport(f"{symbol} {value}", PriceField.CLOSE, "", (panel,)))

    async def stale(storage: Storage) -> list[datetime | None]:
        return [(await storage.optimizations.get(OWNERS[0], name)).stale_since for name in ("of-A", "of-B", "sent")]

    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        for symbol in "AB":
            await corrected(source, symbol, 2.0)
            await corrected(target, symbol, 2.0)
        for symbol in "AB":
            used = UsedData(await source.market_data.last_correction(), (UsedRange("CLOSE", (symbol,), 0, 2),))
            sent = ResultDraft(b"p", "f", symbol.encode(), id=f"of-{symbol}", used=used)
            await source.optimizations.save(OWNERS[0], sent)
        await source.optimizations.save(OWNERS[0], ResultDraft(b"p", "f", b"s", id="sent"))
        await corrected(source, "A", 3.0)
        found = await stale(source)
        assert [one is not None for one in found] == [True, False, False]
        for _ in range(2):
            await copy_records(source, target)
            assert await stale(target) == found
        await corrected(target, "B", 3.0)
        again = await stale(target)
        assert (again[0], again[1] is not None, again[2]) == (found[0], True, None)
        await corrected(source, "B", 4.0)
        await copy_records(source, target)  # a correction of its own is no difference
        assert await stale(target) == again


async def test_keys_under_another_secret_stay(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        await ApiKeys(source.api_keys).create(ApiKeyDraft("desk", "", (Role.TRADER,), None))
        own = await target.api_keys.pepper()
        assert (await copy_records(source, target)).api_keys is None
        assert await target.api_keys.pepper() == own
        assert await target.api_keys.find("desk") is None


async def test_an_empty_store(tmp_path: Path) -> None:
    async with opened(tmp_path / "a") as source, opened(tmp_path / "b") as target:
        done = await copy_records(source, target)
        assert set(done.tables.values()) == {CopiedRows()}
        assert (done.left_out, done.api_keys) == ((), CopiedRows())
