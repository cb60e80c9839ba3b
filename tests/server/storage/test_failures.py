"""Full disks, damaged and locked databases, quotas: typed errors, and the store works again afterwards."""

import asyncio
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.jobs import JobDraft, JobInputs
from server.ports.list_filter import ListFilter
from server.ports.market_data import PriceField, PriceImport, PriceQuery
from server.ports.results import ResultDraft, StoredResult
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.embedded.results import EmbeddedResults
from server.storage.embedded.room import StorageLimits
from server.storage.panels import PanelFiles
from server.storage.scratch import Scratch, write_value
from server.storage.workers import WorkerLocks
from tests.owners import MINE, OWNER


def panel(days: int = 300, symbols: int = 20, seed: int = 0) -> PricePanel:
    values = np.random.default_rng(seed).uniform(1, 2, (days, symbols))
    return PricePanel.of([f"S{i}" for i in range(symbols)], np.arange(days), values)


def whole(prices: PricePanel, import_id: str) -> PriceImport:
    return PriceImport(import_id, PriceField.CLOSE, "", (prices,))


def answer(size: int = 1000) -> ResultDraft:
    return ResultDraft(os.urandom(size), "f", b"body")


def modes(folder: Path) -> dict[str, int]:
    return {str(one.relative_to(folder)): stat.S_IMODE(one.stat().st_mode) for one in folder.rglob("*")}


async def fill(store: EmbeddedResults) -> int:
    """Saves results until there is no more room; how many were saved."""
    for count in range(10_000):
        try:
            await store.save(OWNER, answer(20_000))
        except StorageFull as error:
            if "delete backtests, optimizations" not in str(error):
                raise
            return count
    raise AssertionError("the disk has no end")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 16 MB, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)], capture_output=True, timeout=60
    )
    yield folder if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=60)


async def test_a_full_disk_is_a_typed_error_and_passes(small_disk: Path | None, tmp_path: Path) -> None:
    database = Database((small_disk or tmp_path) / "x.sqlite3")
    if small_disk is None:
        await database.write(lambda c: c.execute("PRAGMA max_page_count = 500").fetchone())
    store = EmbeddedResults(database, "optimization")
    assert await fill(store) > 5
    page = await store.list(MINE, "", 1000)
    for record in page.records:
        await store.delete(OWNER, record.id)
    assert (await store.get(OWNER, (await store.save(OWNER, answer())).id)).input_fingerprint == "f"
    database.close()


async def test_a_disk_that_is_too_full_for_an_import_or_a_panel(small_disk: Path | None, tmp_path: Path) -> None:
    if small_disk is None:
        return  # the database's own limit is tested above
    database = Database(tmp_path / "x.sqlite3")
    market = EmbeddedMarketData(database, PanelFiles(small_disk / "panels"))
    await market.import_prices(whole(panel(4000, 600), "large"))
    symbols = tuple(f"S{i}" for i in range(600))
    with pytest.raises(StorageFull):
        await market.prices(PriceQuery(symbols))
    assert not [path for path in (small_disk / "panels").iterdir() if path.suffix == ".npy"]
    assert (await market.prices(PriceQuery(("S0",)))).panel.values.shape == (4000, 1)
    database.close()
    crowded = Database(small_disk / "x.sqlite3")
    with pytest.raises(StorageFull):
        await EmbeddedMarketData(crowded, PanelFiles(small_disk / "more")).import_prices(whole(panel(4000, 600), "i"))
    assert await EmbeddedMarketData(crowded, PanelFiles(small_disk / "more")).having(PriceField.CLOSE, symbols) == ()
    crowded.close()


async def test_a_disk_that_is_too_full_for_what_tasks_share(small_disk: Path | None, tmp_path: Path) -> None:
    if small_disk is None:
        return  # a disk that is full cannot be had otherwise
    scratch = Scratch(small_disk / "scratch", WorkerLocks(tmp_path / "workers"))
    async with scratch.file() as path:
        with pytest.raises(StorageFull):
            write_value(path, np.zeros(3 << 20))
    async with scratch.file() as path:
        write_value(path, np.zeros(1 << 20))


@pytest.mark.parametrize("garbage", ["everything", "pages"])
async def test_a_damaged_database_is_unavailable(tmp_path: Path, garbage: str) -> None:
    path = tmp_path / "x.sqlite3"
    first = Database(path)
    store = EmbeddedResults(first, "optimization")
    for _ in range(50):
        await store.save(OWNER, answer(20_000))
    first.close()
    copy = path.read_bytes()
    opened = Database(path)
    store = EmbeddedResults(opened, "optimization")
    with path.open("r+b") as file:
        file.seek(0 if garbage == "everything" else 8192)
        file.write(os.urandom(len(copy) - file.tell()))
    with pytest.raises(StorageUnavailable, match=r"damaged|cannot be used"):
        await store.list(MINE, "", 100)
    done = await asyncio.gather(*(store.save(OWNER, answer(20_000)) for _ in range(50)), return_exceptions=True)
    assert any(isinstance(one, StorageUnavailable) for one in done)
    assert all(isinstance(one, StoredResult | StorageUnavailable) for one in done)
    path.write_bytes(copy)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"x.sqlite3{suffix}").unlink(missing_ok=True)
    opened.close()
    again = Database(path)
    assert len((await EmbeddedResults(again, "optimization").list(MINE, "", 100)).records) == 50
    again.close()


async def test_a_locked_database_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite3", busy_seconds=0.05)
    store = EmbeddedResults(database, "optimization")
    other = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="another process keeps the database locked"):
        await store.save(OWNER, answer())
    with pytest.raises(StorageUnavailable, match="locked"):
        Database(tmp_path / "x.sqlite3", busy_seconds=0.05)
    other.execute("ROLLBACK")
    other.close()
    assert await store.save(OWNER, answer())
    database.close()


async def test_a_quota_is_kept_before_anything_is_written(tmp_path: Path) -> None:
    limits = StorageLimits(max_bytes=4_000_000)
    database = Database(tmp_path / "x.sqlite3", limits)
    panels = PanelFiles(tmp_path / "panels", limits.panel_bytes, hard=True)
    locks = WorkerLocks(tmp_path / "workers")
    market, jobs = EmbeddedMarketData(database, panels), EmbeddedBacktests(database, panels, locks, 10)
    store = EmbeddedResults(database, "reallocation")
    kept = await fill(store)
    assert 100 <= kept <= 150
    assert os.stat(tmp_path / "x.sqlite3").st_size <= limits.database_bytes
    data = panel()
    draft = JobDraft(b"", b"b", "l", "f", JobInputs(fingerprint_of(data), "prices"), {fingerprint_of(data): data})
    for refused in (jobs.enqueue(OWNER, draft), market.import_prices(whole(data, "i"))):
        with pytest.raises(StorageFull, match="DeleteBacktest, DeleteOptimization, DeleteReallocation"):
            await refused
    assert await market.having(PriceField.CLOSE, ("S0",)) == ()
    for record in (await store.list(MINE, "", 20)).records:
        await store.delete(OWNER, record.id)
    await jobs.enqueue(OWNER, draft)
    await market.import_prices(whole(data, "i"))
    with pytest.raises(StorageFull, match="fewer symbols or dates"):
        panels.keep("large", ("A",), np.arange(200_000, dtype=np.int32), np.ones((200_000, 1)))
    locks.close()
    database.close()


async def test_some_of_the_disk_stays_free(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    database = Database(tmp_path / "x.sqlite3", StorageLimits(reserve_bytes=2 * free + (1 << 40)))
    store = EmbeddedResults(database, "optimization")
    with pytest.raises(StorageFull, match="must stay"):
        await store.save(OWNER, answer())
    assert (await store.list(MINE, "", 10, ListFilter(label="x"))).records == ()
    database.close()


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    for wide in (path, tmp_path / "panels"):
        wide.touch() if wide == path else wide.mkdir()
        wide.chmod(0o777)
    before = os.umask(0)
    try:
        database = Database(path)
        locks = WorkerLocks(tmp_path / "workers")
        market = EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"), locks)
        await market.import_prices(whole(panel(), "i"))
        await market.prices(PriceQuery(("S0",)))
    finally:
        os.umask(before)
    found = modes(tmp_path)
    assert {"x.sqlite3", "x.sqlite3-wal", "x.sqlite3-shm", "panels", "workers"} <= found.keys()
    for name, mode in found.items():
        assert mode == (0o700 if (tmp_path / name).is_dir() else 0o600), name
    locks.close()
    database.close()


async def test_one_failed_commit_does_not_stop_those_after_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite3")
    for _ in range(3):
        with pytest.raises(StorageUnavailable):  # a constraint that is looked at when the transaction ends
            await database.write(
                lambda c: (
                    c.execute("PRAGMA defer_foreign_keys = ON"),
                    c.execute("INSERT INTO instrument_labels VALUES ('a', 'b')"),
                )
            )
        await asyncio.gather(*(EmbeddedResults(database, "optimization").save(OWNER, answer()) for _ in range(3)))
    database.close()
