"""Writes in the thread that calls: one writer at a time, with the same limits, and none once the store is closed."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.ports.audit import AuditEvent, AuditFilter, AuditRetention
from server.ports.errors import RequestIdReused, StorageFull
from server.ports.results import ResultDraft
from server.storage.embedded.audit import EmbeddedAudit
from server.storage.embedded.database import Database
from server.storage.embedded.results import EmbeddedResults
from server.storage.embedded.room import StorageLimits
from tests.owners import MINE, OWNER

DRAFT = ResultDraft(b"payload", "f", b"body", "r", label="l", summary=b"s")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


async def test_it_does_not_wait_for_another_write(database: Database) -> None:
    store = EmbeddedResults(database, "optimization")
    begun, may_end = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(10.0)

    writing = asyncio.create_task(database.write(slow))
    assert await asyncio.to_thread(begun.wait, 10.0)
    assert await asyncio.to_thread(store.save_at_once, OWNER, DRAFT) is None
    may_end.set()
    await writing
    assert await asyncio.to_thread(store.save_at_once, OWNER, DRAFT) is not None


async def test_other_writes_wait_for_it(database: Database) -> None:
    begun, may_end, order = threading.Event(), threading.Event(), []

    def slow(connection: sqlite3.Connection) -> str:
        begun.set()
        assert may_end.wait(10.0)
        order.append("at once")
        return "done"

    at_once = asyncio.create_task(asyncio.to_thread(database.write_at_once, slow))
    assert await asyncio.to_thread(begun.wait, 10.0)
    writing = asyncio.create_task(database.write(lambda connection: order.append("in turn")))
    await asyncio.sleep(0.05)
    assert order == []
    may_end.set()
    await writing
    assert await at_once == "done"
    assert order == ["at once", "in turn"]


async def test_limits_hold(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite3", StorageLimits(max_bytes=1))
    with pytest.raises(StorageFull, match="ABSFIN_MAX_STORAGE_BYTES"):
        await asyncio.to_thread(EmbeddedResults(database, "optimization").save_at_once, OWNER, DRAFT)
    database.close()


async def test_a_write_that_fails_leaves_nothing_and_others_go_on(database: Database) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO optimizations (owner, id, created_micros, body, input_fingerprint, payload) "
                           "VALUES ('o', 'a', 1, x'', 'f', x'')")  # fmt: skip
        raise RequestIdReused("request_id", "r")

    with pytest.raises(RequestIdReused):
        await asyncio.to_thread(database.write_at_once, fails)
    store = EmbeddedResults(database, "optimization")
    assert (await store.list(MINE, "", 5)).records == ()
    assert await asyncio.to_thread(store.save_at_once, OWNER, DRAFT) is not None


async def test_nothing_is_written_once_the_store_is_closed(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite3")
    store = EmbeddedResults(database, "optimization")
    await store.save(OWNER, DRAFT)
    database.close()
    assert store.save_at_once(OWNER, ResultDraft(b"", "f", b"b")) is None
    again = Database(tmp_path / "x.sqlite3")
    assert len((await EmbeddedResults(again, "optimization").list(MINE, "", 5)).records) == 1
    again.close()


async def test_the_audit_event_is_stored_with_the_answer_or_not_at_all(database: Database) -> None:
    store = EmbeddedResults(database, "optimization")
    log = EmbeddedAudit(database, AuditRetention())

    def event(answer_id: str) -> AuditEvent:
        return AuditEvent(OWNER, "key", "Optimize", f"optimizations/{answer_id}", "OK", "", "call", datetime.now(UTC))

    async def logged() -> list[str]:
        page = await log.list(MINE, "", 10, AuditFilter())
        return [record.event.resource for record in page.records]

    stored = await asyncio.to_thread(store.save_at_once, OWNER, DRAFT, event)
    assert stored is not None
    assert await logged() == [f"optimizations/{stored.id}"]
    # A request that is sent again gets the first answer, and is a call of its own.
    assert await asyncio.to_thread(store.save_at_once, OWNER, DRAFT, event) == stored
    assert await logged() == [f"optimizations/{stored.id}"] * 2

    def fails(answer_id: str) -> AuditEvent:
        raise RuntimeError(answer_id)

    with pytest.raises(RuntimeError):
        await asyncio.to_thread(store.save_at_once, OWNER, replace(DRAFT, request_id="s"), fails)
    assert len((await store.list(MINE, "", 5)).records) == 1
    assert len(await logged()) == 2
