"""SQLite from asyncio: one writer thread, a few reader threads, a connection in each."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

BUSY_SECONDS = 30.0
READERS = 4


class UnknownSchema(Exception):
    """The data folder was written by another version."""


class Database:
    """Work on the database runs in its own threads, so that the event loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer.submit(self._migrate).result()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs work that sees one state of the data from its first statement to its last."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._transaction, "BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs work that is stored as a whole, or not at all if it raises."""
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._writer, self._transaction, "BEGIN IMMEDIATE", work)
        # Once begun, a write ends: whoever asked may leave, but what he asked for is then either stored or refused.
        return await asyncio.shield(running)

    def close(self) -> None:
        """Waits for running work and closes every connection."""
        self._writer.shutdown()
        self._readers.shutdown()
        for connection in self._opened:
            connection.close()

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection()
        connection.execute(begin)
        try:
            result = work(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # isolation_level None: transactions begin and end where this class says.
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    def _migrate(self) -> None:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        scripts = sorted(files(__package__).joinpath("migrations").iterdir(), key=lambda script: script.name)
        for script in scripts[version:]:
            for statement in _statements(script.read_text()):
                connection.execute(statement)
        if version < len(scripts):
            connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
        if version > len(scripts):
            raise UnknownSchema(f"{self._path} has schema {version}, this version reads up to {len(scripts)}")


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
