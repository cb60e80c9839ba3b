"""Decisions of services outside: stored once, for the attempt that has the job, and gone with it."""

import pickle
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.errors import Cancelled
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.errors import StorageUnavailable
from server.ports.jobs import JobDraft, JobEnd, JobInputs, JobRecord, JobState
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


async def test_a_decision_is_found_again_to_the_bit(store: Store) -> None:
    """By another process too: the store travels, and opens the file where it is used."""
    claim = await store.claimed()
    log = store.decisions.log(claim)
    assert log.find("strategy.remote", 5) is None
    assert log.store("strategy.remote", 5, MADE) == MADE
    assert log.store("strategy.remote", 6, FAILED) == FAILED
    log.close()
    again = pickle.loads(pickle.dumps(store.decisions)).log(claim)  # noqa: S301  # made here
    assert again.find("strategy.remote", 5) == MADE
    assert again.find("strategy.remote", 6) == FAILED
    assert again.find("strategy.remote", 7) is None
    assert again.find("strategies[0].remote", 5) is None
    again.close()


async def test_the_first_decision_stays(store: Store) -> None:
    log = store.decisions.log(await store.claimed())
    log.store("strategy.remote", 5, MADE)
    assert log.store("strategy.remote", 5, FAILED) == MADE
    assert log.find("strategy.remote", 5) == MADE
    log.close()


async def test_threads_that_decide_at_once_use_one_decision(store: Store) -> None:
    claim = await store.claimed()
    used: list[RecordedDecision] = []

    def decide(weight: float) -> None:
        log = store.decisions.log(claim)
        used.append(log.store("strategy.remote", 5, RecordedDecision({"A": weight})))
        log.close()

    threads = [threading.Thread(target=decide, args=(i / 10,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(used) == 8
    assert all(decision == used[0] for decision in used)


async def test_an_attempt_that_lost_the_job_stores_nothing(store: Store) -> None:
    claim = await store.claimed()
    log = store.decisions.log(claim)
    await store.jobs.release(claim, crashed=False)
    taken = await store.jobs.claim(store.locks.own, 30.0)
    assert taken is not None
    assert taken.record.attempt == 2
    with pytest.raises(Cancelled):
        log.store("strategy.remote", 5, MADE)
    successor = store.decisions.log(taken.record)
    assert successor.find("strategy.remote", 5) is None
    assert successor.store("strategy.remote", 5, FAILED) == FAILED
    log.close()
    successor.close()


async def test_decisions_go_with_their_job(store: Store) -> None:
    claim = await store.claimed()
    log = store.decisions.log(claim)
    log.store("strategy.remote", 5, MADE)
    log.close()

    def count(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM backtest_decisions").fetchone()[0])

    await store.jobs.finish(claim, JobEnd(JobState.SUCCEEDED, b"result"), [])
    assert await store.database.read(count) == 1
    await store.jobs.delete(OWNER, claim.id)
    assert await store.database.read(count) == 0


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
