"""Decisions of services outside in SQLite; what every store of them promises is in tests/contracts/storage."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.errors import StorageUnavailable
from server.ports.jobs import JobDraft, JobInputs, JobRecord
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.database import Database
from server.storage.embedded.decisions import EmbeddedDecisions
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import OWNER

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))
MADE = RecordedDecision({"A": 0.1 + 0.2, "B": 1e-300})
FAILED = RecordedDecision(reason="REMOTE_CALL_FAILED", message="host:1 answered UNAVAILABLE: none")


class Store:
    """A data folder with one job in it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "x.sqlite3")
        self.decisions = EmbeddedDecisions(self.database.path)
        self.locks = WorkerLocks(folder / "workers")
        self.jobs = EmbeddedBacktests(self.database, PanelFiles(folder / "panels"), self.locks, 100)

    async def claimed(self) -> JobRecord:
        """A job that this worker has."""
        name = fingerprint_of(PANEL)
        await self.jobs.enqueue(
            OWNER, JobDraft(b"request", b"b", "label", "fp", JobInputs(name, "prices"), {name: PANEL})
        )
        claim = await self.jobs.claim(self.locks.own, 30.0)
        assert claim is not None
        return claim.record


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(tmp_path)
    yield made
    made.database.close()


async def test_a_decision_is_on_the_disk_before_it_is_used(store: Store) -> None:
    """The other connections leave that to the system; this one waits."""
    log = store.decisions.log(await store.claimed())
    log.find("strategy.remote", 5)
    assert log._connection is not None
    assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    log.close()


async def test_a_store_that_cannot_be_used(store: Store) -> None:
    claim = await store.claimed()
    log = EmbeddedDecisions(store.database.path.parent / "none" / "x.sqlite3").log(claim)
    with pytest.raises(StorageUnavailable):
        log.find("strategy.remote", 5)
