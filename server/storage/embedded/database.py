"""SQLite from asyncio: one writer at a time, a few reader threads, a connection in each thread."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from server import tracing
from server.observability import logger
from server.ports.errors import StorageFull, StorageUnavailable
from server.storage.embedded.room import StorageLimits, require_room
from server.storage.files import private_file, storage_error

T = TypeVar("T")

BUSY_SECONDS = 10.0
READERS = 4
BALLAST_BYTES = 8 << 20
"""Twice what SQLite lets its log grow to."""
NO_LIMITS = StorageLimits()

_READ = {"db.system.name": "sqlite", "db.operation.name": "read"}
_WRITE = {"db.system.name": "sqlite", "db.operation.name": "write"}


class UnknownSchema(Exception):
    """The data folder was written by another version."""


class Database:
    """Work on the database runs in its own threads, so that the event loop never waits for a disk.

    Raises StorageFull and StorageUnavailable in place of errors of SQLite and of the operating system.
    """

    def __init__(self, path: Path, limits: StorageLimits = NO_LIMITS, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._limits = limits
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._writing = threading.Lock()  # one writer: whoever holds it
        self._closed = False
        self._notice: Callable[[], None] = lambda: None  # after each write, in the thread that wrote
        self._timed: Callable[[str, float], None] | None = None
        self._opened: list[sqlite3.Connection] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        try:
            self._writer.submit(self._open).result()
        except BaseException:
            self.close()
            raise

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs work that sees one state of the data from its first statement to its last."""
        with tracing.child("sqlite read", tracing.Kind.CLIENT, _READ):
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._transaction, "BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T], needed: int = 0) -> T:
        """Runs work that is stored as a whole, or not at all if it raises.

        `needed` is about how many bytes it adds; work that says so is refused where limits leave no room for it.
        """
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._writer, self._written_in_turn, work, needed)
        # Once begun, a write ends: whoever asked may leave, but what they asked for is then either stored or refused.
        with tracing.child("sqlite write", tracing.Kind.CLIENT, _WRITE):
            return await asyncio.shield(running)

    def write_at_once(self, work: Callable[[sqlite3.Connection], T], needed: int = 0) -> T | None:
        """As `write`, in the thread that calls; None where something else is being written, or all is closed.

        For a thread that is not the event loop's: handing work to another one takes longer than a small write does.
        """
        if not self._writing.acquire(blocking=False):
            return None
        try:
            if self._closed:
                return None
            with tracing.child("sqlite write", tracing.Kind.CLIENT, _WRITE):
                return self._written(work, needed)
        finally:
            self._writing.release()

    def when_written(self, notice: Callable[[], None]) -> None:
        """Calls `notice` after each write from now on, in the thread that wrote."""
        self._notice = notice

    def when_timed(self, notice: Callable[[str, float], None]) -> None:
        """Calls `notice` after each transaction from now on, in its thread, with its kind and the seconds it took."""
        self._timed = notice

    def close(self) -> None:
        """Waits for running work and closes every connection."""
        self._writer.shutdown()
        self._readers.shutdown()
        with self._writing:
            self._closed = True
        for connection in self._opened:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _written_in_turn(self, work: Callable[[sqlite3.Connection], T], needed: int) -> T:
        with self._writing:
            return self._written(work, needed)

    def _written(self, work: Callable[[sqlite3.Connection], T], needed: int) -> T:
        result = self._written_with_room(work, needed)
        self._notice()
        return result

    def _written_with_room(self, work: Callable[[sqlite3.Connection], T], needed: int) -> T:
        try:
            return self._transaction("BEGIN IMMEDIATE", work, needed)
        except StorageFull as error:
            if not isinstance(error.__cause__, sqlite3.Error):
                raise  # a limit of ours, or a file that is no part of the database
        # SQLite writes before it deletes: the log is emptied for it, and what makes room has the ballast as well.
        ballast = self._ballast
        if not needed:
            ballast.unlink(missing_ok=True)
        self._empty_log()
        try:
            return self._transaction("BEGIN IMMEDIATE", work, needed)
        finally:
            self._empty_log()
            self._make_ballast()

    def _empty_log(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def _ballast(self) -> Path:
        return self.path.with_name(self.path.name + "-ballast")

    def _make_ballast(self) -> None:
        """Space that is given up on a full disk, so that something can still be deleted."""
        try:
            private_file(self._ballast, create=True)
            if self._ballast.stat().st_size == BALLAST_BYTES:
                return
            with self._ballast.open("r+b") as file:
                file.write(bytes(BALLAST_BYTES))  # in a write, not a seek: a hole takes no space
        except OSError:
            with contextlib.suppress(OSError):
                self._ballast.unlink(missing_ok=True)

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], T], needed: int = 0) -> T:
        if self._timed is None:
            return self._transacted(begin, work, needed)
        start = time.perf_counter()
        try:
            return self._transacted(begin, work, needed)
        finally:
            self._timed("read" if begin == "BEGIN" else "write", time.perf_counter() - start)

    def _transacted(self, begin: str, work: Callable[[sqlite3.Connection], T], needed: int) -> T:
        try:
            connection = self._connection()
            connection.execute(begin)
            try:
                if needed:
                    require_room(connection, self.path, self._limits, needed)
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                # SQLite itself has ended the transaction after some errors, such as a full disk.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            known = storage_error(error, self.path.parent)
            if isinstance(known, StorageUnavailable):
                logger.error("the store cannot be used", extra={"path": str(self.path), "why": str(error)})
                self._discard()
            raise known from error
        return result

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # isolation_level None: transactions begin and end where this class says.
            connection = sqlite3.connect(
                self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            self._opened.append(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection

    def _discard(self) -> None:
        """The next transaction of this thread opens the file again: it may have been restored meanwhile."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
            self._opened.remove(connection)

    def _open(self) -> None:
        try:
            # SQLite gives its other files the mode of this one.
            private_file(self.path, create=True)
            for suffix in ("-wal", "-shm"):
                private_file(self.path.with_name(self.path.name + suffix))
            self._migrate(self._connection())
            self._make_ballast()
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self.path.parent) from error

    def _migrate(self, connection: sqlite3.Connection) -> None:
        scripts = sorted(files(__package__).joinpath("migrations").iterdir(), key=lambda script: script.name)
        # A table that is made anew is dropped first, which must not take along what refers to it.
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for script in scripts[version:]:
            for statement in _statements(script.read_text()):
                connection.execute(statement)
        if version < len(scripts):
            connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA foreign_keys = ON")
        if version > len(scripts):
            raise UnknownSchema(
                f"{self.path} was written by a newer version (schema {version}, this version reads up to "
                f"{len(scripts)}); start that version, or name another folder"
            )


def _statements(script: str) -> list[str]:
    """Single statements: executescript would commit the transaction that keeps two starting servers apart."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found
