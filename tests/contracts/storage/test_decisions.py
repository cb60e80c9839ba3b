"""Decisions of services outside, in every store: stored once, for the attempt that has the job, and gone with it."""

import asyncio
import pickle
import threading

import pytest

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.errors import Cancelled
from server.ports.decisions import DecisionStore
from server.ports.jobs import JobEnd, JobRecord, JobState
from server.ports.storage import Storage
from tests.contracts.storage.job_drafts import claimed, draft
from tests.owners import OWNER

MADE = RecordedDecision({"B": 0.1 + 0.2, "A": 1e-300})
FAILED = RecordedDecision(reason="REMOTE_CALL_FAILED", message="host:1 answered UNAVAILABLE: none\0\1")
PATH = "strategy.remote"


async def with_job(storage: Storage) -> tuple[DecisionStore, JobRecord]:
    """The decisions, and a job that this worker has."""
    await storage.jobs.queue.enqueue(OWNER, draft())
    assert storage.jobs.decisions is not None
    return storage.jobs.decisions, (await claimed(storage)).record


async def test_a_decision_is_found_again_to_the_bit(storage: Storage) -> None:
    """By another process too: the store travels, and opens its connection where it is used."""
    decisions, claim = await with_job(storage)

    def work() -> None:
        log = decisions.log(claim)
        assert log.find(PATH, 5) is None
        assert log.store(PATH, 5, MADE) == MADE
        assert log.store(PATH, -6, FAILED) == FAILED
        again = pickle.loads(pickle.dumps(decisions.log(claim)))  # noqa: S301  # made here
        assert again.find(PATH, 5) == MADE
        assert list(again.find(PATH, 5).weights) == ["B", "A"]
        assert again.find(PATH, -6) == FAILED
        assert again.find(PATH, 7) is None
        assert again.find("strategies[0].remote", 5) is None
        for one in (log, again):
            one.close()

    await asyncio.to_thread(work)


async def test_the_first_decision_stays(storage: Storage) -> None:
    decisions, claim = await with_job(storage)

    def work() -> None:
        log = decisions.log(claim)
        log.store(PATH, 5, MADE)
        assert log.store(PATH, 5, FAILED) == MADE
        assert log.find(PATH, 5) == MADE
        log.close()  # type: ignore[attr-defined]  # no method of the port

    await asyncio.to_thread(work)


async def test_threads_that_decide_at_once_use_one_decision(storage: Storage) -> None:
    decisions, claim = await with_job(storage)
    used: list[RecordedDecision] = []

    def decide(weight: float) -> None:
        log = decisions.log(claim)
        used.append(log.store(PATH, 5, RecordedDecision({"A": weight})))
        log.close()  # type: ignore[attr-defined]

    def work() -> None:
        threads = [threading.Thread(target=decide, args=(i / 10,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    await asyncio.to_thread(work)
    assert len(used) == 8
    assert all(decision == used[0] for decision in used)


async def test_an_attempt_that_lost_the_job_stores_nothing(storage: Storage) -> None:
    decisions, claim = await with_job(storage)
    await storage.jobs.queue.release(claim, crashed=False)
    taken = (await claimed(storage)).record
    assert taken.attempt == 2

    def work() -> None:
        log, successor = decisions.log(claim), decisions.log(taken)
        with pytest.raises(Cancelled):
            log.store(PATH, 5, MADE)
        assert successor.find(PATH, 5) is None
        assert successor.store(PATH, 5, FAILED) == FAILED
        for one in (log, successor):
            one.close()  # type: ignore[attr-defined]

    await asyncio.to_thread(work)


async def test_decisions_go_with_their_job(storage: Storage) -> None:
    decisions, claim = await with_job(storage)

    def found() -> RecordedDecision | None:
        log = decisions.log(claim)
        decision = log.find(PATH, 5)
        log.close()  # type: ignore[attr-defined]
        return decision

    def store() -> None:
        log = decisions.log(claim)
        log.store(PATH, 5, MADE)
        log.close()  # type: ignore[attr-defined]

    await asyncio.to_thread(store)
    await storage.jobs.log.finish(claim, JobEnd(JobState.SUCCEEDED, b"result"), [])
    assert await asyncio.to_thread(found) == MADE
    await storage.jobs.archive.delete(OWNER, claim.id)
    assert await asyncio.to_thread(found) is None
