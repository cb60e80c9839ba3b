"""A folder of the schema's eleventh version, with a row in every table, gets the logs of changes and events."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from server.ports.events import EventFilter, ListenerState
from server.ports.job_queue import QueuePolicy
from server.ports.portfolios import PortfolioDraft
from server.ports.storage import Storage
from server.settings import DATABASE_NAME, Settings
from server.storage.embedded.backup import back_up, restore
from server.storage.embedded.factory import open_storage
from tests.contracts.storage.event_drafts import event
from tests.owners import MINE, OWNER

MIGRATIONS = Path(__file__).parents[3] / "server/storage/embedded/migrations"
VERSION = 11

VALUES: Mapping[str, object] = {"INTEGER": 1, "REAL": 1.0, "TEXT": "one", "BLOB": b"\1"}
"""The same in all tables, so that what refers to another row finds it."""


def write_old(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for script in sorted(MIGRATIONS.iterdir())[:VERSION]:
            connection.executescript(script.read_text())
        for table in tables(connection):
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            slots = ", ".join("?" * len(columns))
            row = [VALUES[column[2]] for column in columns]
            connection.execute(f"INSERT INTO {table} VALUES ({slots})", row)  # noqa: S608  # names of the schema
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.commit()


def tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in rows.fetchall()]


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables(connection)}  # noqa: S608


def opened(folder: Path) -> Storage:
    return open_storage(Settings.read(["--data-dir", str(folder)], {}), QueuePolicy())


async def test_what_was_stored_stays_and_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    write_old(path)
    before = dump(path)
    storage = opened(tmp_path)
    assert storage.changes is not None
    assert storage.events is not None
    try:
        assert len(before) > 20
        assert all(rows for rows in before.values())
        after = dump(path)
        assert {table: after[table] for table in before} == before
        assert (await storage.changes.changes_since("", 5)).changes == ()
        assert await storage.events.listener.load() == ListenerState("", b"")
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", "main"))
        assert [one.name for one in (await storage.changes.changes_since("", 5)).changes] == ["main"]
    finally:
        storage.release_worker()
        storage.close()


async def test_an_epoch_is_that_of_one_store(tmp_path: Path) -> None:
    epochs = []
    for name in ("one", "one", "two"):
        storage = opened(tmp_path / name)
        assert storage.events is not None
        epochs.append((await storage.events.log.since(MINE, 0, 1, EventFilter())).epoch)
        storage.release_worker()
        storage.close()
    assert epochs[0] == epochs[1] != epochs[2]


async def test_a_store_that_is_brought_back_begins_an_epoch(tmp_path: Path) -> None:
    """It gives out sequences again that watchers of the lost store may have seen."""
    folder, copy, again = tmp_path / "folder", tmp_path / "copy", tmp_path / "again"
    storage = opened(folder)
    assert storage.events is not None
    await storage.events.log.append([event("a")])
    lost = await storage.events.log.since(MINE, 0, 5, EventFilter())
    back_up(folder, copy)
    storage.release_worker()
    storage.close()
    restore(copy, again)
    storage = opened(again)
    assert storage.events is not None
    found = await storage.events.log.since(MINE, 0, 5, EventFilter())
    assert (found.events, found.newest) == (lost.events, lost.newest)
    assert found.epoch != lost.epoch
    storage.release_worker()
    storage.close()
