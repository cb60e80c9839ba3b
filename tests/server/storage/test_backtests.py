"""Jobs of earlier versions in SQLite; what every store of jobs promises is in tests/contracts/storage."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from domain.warnings import ResultWarning
from server.ports.jobs import EventKind, JobDraft, JobEventDraft, JobInputs, JobState, JobTick
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import OWNER

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))
TICK = JobTick(0.5, 7, 1.25)
EVENT = JobEventDraft(EventKind.STAGE, "begun", 3)


def draft(request_id: str | None = None, body: bytes = b"b") -> JobDraft:
    name = fingerprint_of(PANEL)
    return JobDraft(b"request", body, "label", "fp", JobInputs(name, "prices"), {name: PANEL}, request_id)


class House:
    """One folder, and any number of workers on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: list[Database] = []

    def worker(self, retained: int = 100) -> tuple[EmbeddedBacktests, WorkerLocks]:
        database = Database(self.folder / "x.sqlite3")
        self.open.append(database)
        locks = WorkerLocks(self.folder / "workers")
        return EmbeddedBacktests(database, PanelFiles(self.folder / "panels"), locks, retained), locks


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    for database in made.open:
        database.close()


@pytest.mark.parametrize("later", ["'$[8]', '$[7]', '$[6]', '$[5]', '$[4]'", "'$[8]', '$[7]', '$[6]', '$[5]'"])
async def test_jobs_of_earlier_versions_have_less_input(house: House, later: str) -> None:
    """They were written without warnings first, then without opening prices and corporate actions."""
    store, _ = house.worker()
    warned = replace(draft(), inputs=replace(draft().inputs, warnings=(ResultWarning("CODE", "a.b", "too much"),)))
    job = await store.enqueue(OWNER, warned)
    assert (await store.get(OWNER, job.id)).inputs == warned.inputs

    def without_later(connection: sqlite3.Connection) -> None:
        connection.execute(f"UPDATE backtests SET inputs = json_remove(inputs, {later})")  # noqa: S608  # constants

    await house.open[0].write(without_later)
    assert (await store.get(OWNER, job.id)).inputs == (draft() if "[4]" in later else warned).inputs


async def test_a_store_of_the_version_before_is_brought_up_to_date(tmp_path: Path) -> None:
    import sqlite3

    first = Path(__file__).parents[3] / "server/storage/embedded/migrations/0001_market_data.sql"
    with sqlite3.connect(tmp_path / "x.sqlite3") as connection:
        connection.executescript(first.read_text())
        connection.execute("INSERT INTO optimizations VALUES (1, 'a', 1, NULL, x'', x'', 'f')")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    house = House(tmp_path)
    store, _ = house.worker()
    assert (await store.enqueue(OWNER, draft())).state is JobState.QUEUED
    house.open[0].close()
