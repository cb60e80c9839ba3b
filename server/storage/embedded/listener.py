"""The one listener of all servers of a data folder, in SQLite: who it is, where it stands, and what it noticed."""

import sqlite3
from collections.abc import Sequence
from functools import partial

from server.ports.events import EventDraft, ListenerClaim, ListenerState, RecomputationDraft, StoredEvent
from server.storage.embedded.database import Database
from server.storage.embedded.event_rows import append_events, size_of
from server.storage.embedded.job_rows import now_micros
from server.storage.embedded.recomputations import enqueue, recomputation_size_of


class EmbeddedListener:
    """The listener of one machine; its processes take turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, worker: str, lease_seconds: float) -> ListenerClaim | None:
        """Makes this worker the listener, or renews its claim."""
        if await self._database.read(partial(_is_taken, worker=worker)):
            return None
        return await self._database.write(partial(_claim, worker=worker, lease=round(lease_seconds * 1e6)))

    async def load(self) -> ListenerState:
        """What was stored last."""
        return await self._database.read(
            lambda connection: ListenerState(*connection.execute("SELECT cursor, state FROM listener").fetchone())
        )

    async def cursor(self) -> str:
        """Where the listener stood when it last stored its state."""
        return await self._database.read(
            lambda connection: str(connection.execute("SELECT cursor FROM listener").fetchone()[0])
        )

    async def store(self, claim: ListenerClaim, state: ListenerState) -> bool:
        """Stores where the listener stands."""

        def work(connection: sqlite3.Connection) -> bool:
            if not _is_own(connection, claim):
                return False
            connection.execute("UPDATE listener SET cursor = ?, state = ?", (state.cursor, state.state))
            return True

        return await self._database.write(work, len(state.state))

    async def record(
        self, claim: ListenerClaim, events: Sequence[EventDraft], recomputations: Sequence[RecomputationDraft]
    ) -> tuple[StoredEvent, ...] | None:
        """Stores what was noticed and what it starts, in one transaction."""

        def work(connection: sqlite3.Connection) -> tuple[StoredEvent, ...] | None:
            if not _is_own(connection, claim):
                return None
            stored = append_events(connection, events)  # first: a recomputation names the sequence of its signal
            enqueue(connection, recomputations)
            return stored

        return await self._database.write(work, size_of(events) + recomputation_size_of(recomputations))

    async def release(self, claim: ListenerClaim) -> None:
        """Lets another one listen at once."""

        def work(connection: sqlite3.Connection) -> None:
            if _is_own(connection, claim):
                connection.execute("UPDATE listener SET worker = NULL, lease_micros = 0")

        await self._database.write(work)


def _is_taken(connection: sqlite3.Connection, worker: str) -> bool:
    holder, lease = connection.execute("SELECT worker, lease_micros FROM listener").fetchone()
    return holder is not None and holder != worker and lease >= now_micros()


def _claim(connection: sqlite3.Connection, worker: str, lease: int) -> ListenerClaim | None:
    if _is_taken(connection, worker):
        return None
    connection.execute(
        "UPDATE listener SET worker = :worker, lease_micros = :until, "
        "number = number + CASE WHEN worker IS :worker THEN 0 ELSE 1 END",
        {"worker": worker, "until": now_micros() + lease},
    )
    (number,) = connection.execute("SELECT number FROM listener").fetchone()
    return ListenerClaim(worker, number)


def _is_own(connection: sqlite3.Connection, claim: ListenerClaim) -> bool:
    holder, number = connection.execute("SELECT worker, number FROM listener").fetchone()
    return bool(holder == claim.worker and number == claim.number)
