"""Decisions of jobs in SQLite, read and written by worker processes: a decision is on the disk before it is used."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.errors import Cancelled
from domain.records import dataclass
from server.ports.errors import LostClaim
from server.ports.jobs import JobRecord
from server.storage.embedded.database import BUSY_SECONDS
from server.storage.embedded.job_rows import require_own
from server.storage.files import storage_error


@dataclass(frozen=True, slots=True)
class EmbeddedDecisions:
    """The decisions of all jobs, by the file of the database."""

    path: Path

    def log(self, claim: JobRecord) -> "EmbeddedDecisionLog":
        """The decisions of one job."""
        return EmbeddedDecisionLog(self.path, claim)


@dataclass(slots=True)
class EmbeddedDecisionLog:
    """The decisions of one job, over a connection of its own."""

    path: Path
    claim: JobRecord
    _connection: sqlite3.Connection | None = field(default=None, init=False)

    def find(self, path: str, day: int) -> RecordedDecision | None:
        """A decision that was stored before. Raises StorageUnavailable."""
        with self._transaction("BEGIN") as connection:
            return _found(connection, self.claim.key, path, day)

    def store(self, path: str, day: int, decision: RecordedDecision) -> RecordedDecision:
        """Stores a decision unless there is one, and returns the one that is stored.

        Raises Cancelled where another attempt has the job, StorageFull, StorageUnavailable.
        """
        weights = json.dumps(dict(decision.weights))  # the shortest text that reads back as the same numbers
        with self._transaction("BEGIN IMMEDIATE") as connection:
            try:
                require_own(connection, self.claim)
            except LostClaim:
                raise Cancelled("another worker has this job by now, or it is over") from None
            connection.execute(
                "INSERT OR IGNORE INTO backtest_decisions VALUES (?, ?, ?, ?, ?, ?)",
                (self.claim.key, path, day, weights, decision.reason, decision.message),
            )
            stored = _found(connection, self.claim.key, path, day)
        return stored or decision

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._open()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self.path.parent) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            # Other writes may be lost with the power; a decision that was acted upon must not be asked for again.
            connection.execute("PRAGMA synchronous = FULL")
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _found(connection: sqlite3.Connection, key: int, path: str, day: int) -> RecordedDecision | None:
    row = connection.execute(
        "SELECT weights, reason, message FROM backtest_decisions WHERE backtest_key = ? AND path = ? AND day = ?",
        (key, path, day),
    ).fetchone()
    return None if row is None else RecordedDecision(json.loads(row[0]), row[1], row[2])
