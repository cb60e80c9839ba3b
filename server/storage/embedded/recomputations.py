"""Recomputations in SQLite: each cause once, bursts as one, claimed with leases."""

import sqlite3
from collections.abc import Sequence
from functools import partial

from domain.monitoring.mandate import Action
from server.ports.events import EventDraft, Recomputation, RecomputationDraft
from server.storage.embedded.database import Database
from server.storage.embedded.event_rows import append_events, sequence_of, size_of
from server.storage.embedded.job_rows import now_micros

ROW_BYTES = 512
CAUSE_BYTES = 256

# The first of its portfolio and action that is not over. One that follows it waits: two of them never run at once.
_NEXT = """
SELECT key FROM recomputations r INDEXED BY recomputations_waiting
WHERE finished_micros IS NULL AND due_micros <= :now AND (worker IS NULL OR lease_micros < :now)
  AND NOT EXISTS (
    SELECT 1 FROM recomputations e WHERE e.finished_micros IS NULL
    AND e.owner = r.owner AND e.portfolio = r.portfolio AND e.action = r.action AND e.key < r.key)
ORDER BY key LIMIT 1
"""


class EmbeddedRecomputations:
    """The recomputations of one machine; several processes may share them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, drafts: Sequence[RecomputationDraft]) -> int:
        """Stores those with causes that are new."""
        return await self._database.write(partial(enqueue, drafts=tuple(drafts)), recomputation_size_of(drafts))

    async def claim(self, worker: str, lease_seconds: float) -> Recomputation | None:
        """Takes the oldest that may be done now."""
        if await self._database.read(_next) is None:
            return None
        return await self._database.write(partial(_claim, worker=worker, lease=_micros(lease_seconds)))

    async def renew(self, worker: str, claims: Sequence[Recomputation], lease_seconds: float) -> frozenset[int]:
        """Renews leases; the keys of those the worker still has."""
        return await self._database.write(partial(_renew, worker=worker, claims=claims, lease=_micros(lease_seconds)))

    async def finish(self, worker: str, claim: Recomputation, event: EventDraft) -> bool:
        """Ends one with its event."""

        def work(connection: sqlite3.Connection) -> bool:
            if not _is_own(connection, worker, claim):
                return False
            connection.execute(
                "UPDATE recomputations SET finished_micros = ?, worker = NULL, lease_micros = NULL WHERE key = ?",
                (now_micros(), claim.key),
            )
            append_events(connection, [event])
            return True

        return await self._database.write(work, size_of([event]))

    async def release(self, worker: str, claim: Recomputation, delay_seconds: float) -> None:
        """Gives one back; nothing where the worker lost it."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_own(connection, worker, claim):
                connection.execute(
                    "UPDATE recomputations SET worker = NULL, lease_micros = NULL, due_micros = ? WHERE key = ?",
                    (now_micros() + _micros(delay_seconds), claim.key),
                )

        await self._database.write(work)


def recomputation_size_of(drafts: Sequence[RecomputationDraft]) -> int:
    """About how many bytes recomputations take."""
    return sum(ROW_BYTES + CAUSE_BYTES * len(one.causes) for one in drafts)


def enqueue(connection: sqlite3.Connection, drafts: Sequence[RecomputationDraft]) -> int:
    """Stores causes that are new, of each portfolio and action with one that waits or a new one; how many drafts."""
    return sum(_enqueue(connection, draft) for draft in drafts)


def _enqueue(connection: sqlite3.Connection, draft: RecomputationDraft) -> bool:
    of = (draft.owner, draft.portfolio, draft.action)
    known = "SELECT 1 FROM recomputation_causes WHERE owner = ? AND portfolio = ? AND action = ? AND cause = ?"
    causes = [
        cause for cause in dict.fromkeys(draft.causes) if connection.execute(known, (*of, cause)).fetchone() is None
    ]
    if not causes:
        return False
    # Whoever claimed one may have read its data already, also where it was given back: new causes need a later one.
    waiting = connection.execute(
        "SELECT key FROM recomputations WHERE owner = ? AND portfolio = ? AND action = ? "
        "AND finished_micros IS NULL AND attempt = 0",
        of,
    ).fetchone()
    key = waiting[0] if waiting else _insert(connection, draft)
    connection.executemany(
        "INSERT INTO recomputation_causes (recomputation, owner, portfolio, action, cause) VALUES (?, ?, ?, ?, ?)",
        [(key, *of, cause) for cause in causes],
    )
    return True


def _insert(connection: sqlite3.Connection, draft: RecomputationDraft) -> int:
    sequence = draft.signal_sequence
    if not sequence and draft.signal_key:
        sequence = sequence_of(connection, draft.owner, draft.signal_key)
    found = connection.execute(
        "INSERT INTO recomputations (owner, portfolio, action, signal_sequence, created_micros) VALUES (?, ?, ?, ?, ?)",
        (draft.owner, draft.portfolio, draft.action, sequence, now_micros()),
    )
    return int(found.lastrowid or 0)


def _next(connection: sqlite3.Connection) -> int | None:
    row = connection.execute(_NEXT, {"now": now_micros()}).fetchone()
    return int(row[0]) if row else None


def _claim(connection: sqlite3.Connection, worker: str, lease: int) -> Recomputation | None:
    key = _next(connection)
    if key is None:
        return None
    connection.execute(
        "UPDATE recomputations SET worker = ?, lease_micros = ?, attempt = attempt + 1 WHERE key = ?",
        (worker, now_micros() + lease, key),
    )
    owner, portfolio, action, sequence, created, attempt = connection.execute(
        "SELECT owner, portfolio, action, signal_sequence, created_micros, attempt FROM recomputations WHERE key = ?",
        (key,),
    ).fetchone()
    rows = connection.execute("SELECT cause FROM recomputation_causes WHERE recomputation = ? ORDER BY rowid", (key,))
    causes = tuple(cause for (cause,) in rows)
    return Recomputation(key, owner, portfolio, Action(action), causes, sequence, created, attempt)


def _renew(connection: sqlite3.Connection, worker: str, claims: Sequence[Recomputation], lease: int) -> frozenset[int]:
    held = [claim.key for claim in claims if _is_own(connection, worker, claim)]
    until = now_micros() + lease
    connection.executemany("UPDATE recomputations SET lease_micros = ? WHERE key = ?", [(until, key) for key in held])
    return frozenset(held)


def _is_own(connection: sqlite3.Connection, worker: str, claim: Recomputation) -> bool:
    statement = "SELECT 1 FROM recomputations WHERE key = ? AND worker = ? AND attempt = ? AND finished_micros IS NULL"
    return connection.execute(statement, (claim.key, worker, claim.attempt)).fetchone() is not None


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)
