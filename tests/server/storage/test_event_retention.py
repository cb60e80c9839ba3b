"""Cleanup of the logs: what was read and is old goes, without a gap; places in them stay true."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.ports.errors import CursorGone
from server.ports.events import EventFilter, ListenerState, NotificationFilter
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import Instrument
from server.ports.portfolios import PortfolioDraft
from server.ports.published import Bar
from server.ports.storage import Storage
from server.settings import DATABASE_NAME, Settings
from server.storage.embedded.factory import open_storage
from tests.contracts.storage.event_drafts import (
    all_changes,
    changes_of,
    event,
    events_of,
    notice,
    published_of,
    recomputation,
)
from tests.owners import MINE, OWNER

DAY = 86_400_000_000


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(Settings.read(["--data-dir", str(tmp_path)], {}), QueuePolicy())
    yield opened
    opened.release_worker()
    opened.close()


def age(folder: Path, table: str, column: str, days: float, condition: str = "TRUE") -> None:
    """Moves rows into the past."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        then = time.time_ns() // 1000 - round(days * DAY)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {condition}", (then,))  # noqa: S608  # constants
        connection.commit()


async def swept(storage: Storage) -> object:
    return await storage.cleanup["events"]()


async def test_changes_that_the_listener_has_read(storage: Storage, tmp_path: Path) -> None:
    log, listener = changes_of(storage), events_of(storage).listener
    for number in range(6):
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", f"p{number}"))
    found = await all_changes(log)
    age(tmp_path, "changes", "micros", 8, f"cursor <= {found[3].cursor}")
    assert await swept(storage) == 0, "nobody has read them"
    claim = await listener.claim("w", 30.0)
    assert claim is not None
    await listener.store(claim, ListenerState(found[1].cursor, b""))
    assert await swept(storage) == 2
    await listener.store(claim, ListenerState(found[5].cursor, b""))
    assert await swept(storage) == 2, "what is younger than a week stays"
    assert await all_changes(log) == found[4:]


async def test_changes_that_nobody_reads(storage: Storage, tmp_path: Path) -> None:
    log = changes_of(storage)
    for number in range(3):
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", f"p{number}"))
    found = await all_changes(log)
    age(tmp_path, "changes", "micros", 31, f"cursor <= {found[1].cursor}")
    assert await swept(storage) == 2
    with pytest.raises(CursorGone):
        await log.changes_since(found[0].cursor, 5)
    assert await all_changes(log) == found[2:]


@pytest.mark.parametrize("cursor", ["5.7", "-1", "x", "1" * 30, "4"])
async def test_a_place_of_another_log(storage: Storage, cursor: str) -> None:
    with pytest.raises(CursorGone):
        await changes_of(storage).changes_since(cursor, 5)


async def test_old_events(storage: Storage, tmp_path: Path) -> None:
    stores = events_of(storage)
    stored = await stores.log.append([notice("a"), notice("b", deliver=False), event("c")])
    age(tmp_path, "events", "stored_micros", 31, f"sequence <= {stored[1].sequence}")
    age(tmp_path, "notifications", "created_micros", 31)
    assert await swept(storage) == 3
    page = await stores.log.since(MINE, 0, 9, EventFilter())
    assert [one.draft.dedupe_key for one in page.events] == ["c"]
    assert (page.oldest, page.newest) == (stored[2].sequence, stored[2].sequence)
    listed = await stores.notifications.list(MINE, "", 9, NotificationFilter())
    assert [one.message for one in listed.records] == ["told of a"], "it is still to be delivered"
    age(tmp_path, "events", "stored_micros", 31)
    assert await swept(storage) == 1
    page = await stores.log.since(MINE, stored[2].sequence, 9, EventFilter())
    assert (page.oldest, page.newest, page.scanned) == (
        stored[2].sequence + 1,
        stored[2].sequence,
        stored[2].sequence,
    ), "whoever has seen the last one has missed nothing"


async def test_old_recomputations(storage: Storage, tmp_path: Path) -> None:
    queue = events_of(storage).recomputations
    await queue.enqueue([recomputation("a"), recomputation("b", portfolio="open")])
    claim = await queue.claim("w", 30.0)
    assert claim is not None
    assert await queue.finish("w", claim, event("done"))
    assert await swept(storage) == 0
    age(tmp_path, "recomputations", "finished_micros", 31, "finished_micros IS NOT NULL")
    age(tmp_path, "recomputations", "created_micros", 31)
    assert await swept(storage) == 1
    other = await queue.claim("w", 30.0)
    assert other is not None
    assert other.causes == ("b",)


async def test_numbers_of_bars_go_with_their_chunks(storage: Storage, tmp_path: Path) -> None:
    await storage.market_data.upsert_instruments([Instrument("A")])
    for revision in range(20):
        await published_of(storage).publish_bars([Bar("A", 5, 1.0 + revision, revision)])
    await published_of(storage).publish_bars([Bar("A", 400, 1.0)])
    await storage.cleanup["imports"]()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        numbers = connection.execute("SELECT number FROM import_numbers").fetchall()
        assert numbers == connection.execute("SELECT import FROM price_chunks ORDER BY import").fetchall()
        assert len(numbers) == 2
