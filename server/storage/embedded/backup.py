"""Copies of a data folder, made while servers use it, and brought back.

A copy has the database as it was at one moment, by SQLite's own backup, and the secret of the API keys. Everything else
in a data folder is derived from these two.
"""

import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from server.settings import DATABASE_NAME
from server.storage.embedded.api_keys import PEPPER_NAME
from server.storage.files import private_file, private_folder, storage_error
from server.storage.workers import WorkerLocks

WORKERS_NAME = "workers"


class CopyRefused(Exception):
    """A copy is not made or not brought back; the text says why and what to do."""


def back_up(folder: Path, target: Path) -> int:
    """Writes a copy of a data folder to a new folder; its size in bytes. Other processes go on reading and writing.

    The copy is there as a whole, checked and on the disk, or not at all. Raises CopyRefused, StorageFull and
    StorageUnavailable.
    """
    if not (folder / DATABASE_NAME).exists():
        raise CopyRefused(f"there is no store in {folder}")
    _require_absent(target)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        private_folder(aside)
        _copy_database(folder / DATABASE_NAME, aside / DATABASE_NAME)
        _check(aside / DATABASE_NAME)
        _copy_pepper(folder, aside)
        size = sum(_synced(path) for path in aside.iterdir())
        _synced(aside)
        aside.rename(target)
        _synced(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, target.parent) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return size


def restore(source: Path, folder: Path) -> None:
    """Brings a copy back to a data folder that has no store. Raises CopyRefused, StorageFull and StorageUnavailable."""
    if not (source / DATABASE_NAME).exists():
        raise CopyRefused(f"there is no copy of a store in {source}")
    if (folder / DATABASE_NAME).exists():
        raise CopyRefused(f"there is a store in {folder}: move it away, or name another folder")
    try:
        private_folder(folder)
        _require_no_server(folder)
        _check(source / DATABASE_NAME)
        aside = folder / f".{DATABASE_NAME}.{secrets.token_hex(8)}"
        try:
            _copy_database(source / DATABASE_NAME, aside)
            _begin_epoch(aside)
            _copy_pepper(source, folder)
            _synced(aside)
            aside.rename(folder / DATABASE_NAME)
        finally:
            aside.unlink(missing_ok=True)
        _synced(folder)
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, folder) from error


def _require_absent(target: Path) -> None:
    if target.exists():
        raise CopyRefused(f"{target} exists: a copy goes to a new folder")
    if not target.parent.is_dir():
        raise CopyRefused(f"there is no folder {target.parent}")


def _require_no_server(folder: Path) -> None:
    """Raises CopyRefused where the lock of a server is held, though its database is gone."""
    if not (folder / WORKERS_NAME).is_dir():
        return
    locks = WorkerLocks(folder / WORKERS_NAME)
    try:
        locks.sweep()
        if any(path.stem != locks.own for path in (folder / WORKERS_NAME).glob("*.lock")):
            raise CopyRefused(f"a server uses {folder}: end it first")
    finally:
        locks.close()


def _copy_database(source: Path, target: Path) -> None:
    """One state of a database that others may be writing: in one step, which in WAL mode keeps nobody waiting."""
    private_file(target, create=True)
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as opened,
        closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy)
        # A single file: what SQLite keeps beside it would have to be copied with it.
        copy.execute("PRAGMA journal_mode = DELETE")


def _begin_epoch(path: Path) -> None:
    """Another epoch of events: sequences after those of the copy were given out once, and are given out again."""
    with closing(sqlite3.connect(path)) as opened:
        if opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'logs'").fetchone():
            opened.execute("UPDATE logs SET epoch = ?", (secrets.token_hex(8),))
            opened.commit()


def _check(path: Path) -> None:
    """Raises CopyRefused for a database that is damaged, or that a newer version wrote."""
    known = len(list(files("server.storage.embedded").joinpath("migrations").iterdir()))
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            (verdict,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            (version,) = opened.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise CopyRefused(f"{path} is damaged: {error}") from error
    if verdict != "ok":
        raise CopyRefused(f"{path} is damaged: {verdict}")
    if not 0 < version <= known:
        raise CopyRefused(f"{path} has the schema {version}, this version reads 1 to {known}")


def _copy_pepper(source: Path, target: Path) -> None:
    """The secret of the keys, where there is one: keys of the copy work with it alone."""
    kept = source / PEPPER_NAME
    if not kept.exists():
        return
    found = target / PEPPER_NAME
    if found.exists() and found.read_bytes() != kept.read_bytes():
        raise CopyRefused(f"{found} belongs to another store: move it away")
    private_file(found, create=True)
    found.write_bytes(kept.read_bytes())


def _synced(path: Path) -> int:
    """Waits until a file or folder is on the disk; its size."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        return os.fstat(handle).st_size
    finally:
        os.close(handle)
