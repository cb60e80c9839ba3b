"""Deletes what is older than it is to be kept: results by their age, leftovers of imports."""

import asyncio
import sqlite3
from dataclasses import asdict
from functools import partial

from domain.records import dataclass
from server.observability import logger
from server.ports.changes import ChangeKind
from server.storage.embedded.backtests import delete_job
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import job_of_key, now_micros
from server.storage.panels import PanelFiles

BATCH = 20
"""Results deleted in one transaction: others write in between."""

MICROS_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many results were deleted."""

    backtests: int = 0
    optimizations: int = 0
    reallocations: int = 0


class Retention:
    """Deletes results older than so many days; 0 keeps them for ever."""

    def __init__(self, database: Database, panels: PanelFiles, days: float) -> None:
        self._database = database
        self._panels = panels
        self._days = days

    async def sweep(self) -> Deleted:
        """Deletes what is too old: backtests by the time they ended, answers by the time they were stored."""
        if not self._days:
            return Deleted()
        before = now_micros() - round(self._days * MICROS_PER_DAY)
        deleted = Deleted(
            await self._backtests(before),
            await self._answers("optimizations", ChangeKind.OPTIMIZATION, before),
            await self._answers("reallocations", ChangeKind.REALLOCATION, before),
        )
        if deleted != Deleted():
            logger.info("old results deleted", extra={"days": self._days, **asdict(deleted)})
        return deleted

    async def _backtests(self, before: int) -> int:
        count = 0
        while True:
            jobs, names = await self._database.write(partial(_delete_backtests, before=before))
            for name in names:
                await asyncio.to_thread(self._panels.remove, name)
            count += jobs
            if not jobs:
                return count

    async def _answers(self, table: str, kind: ChangeKind, before: int) -> int:
        statement = (
            f"DELETE FROM {table} WHERE key IN "  # noqa: S608  # names of the schema
            f"(SELECT key FROM {table} WHERE created_micros < ? LIMIT ?) RETURNING owner, id"
        )

        def work(connection: sqlite3.Connection) -> int:
            deleted = connection.execute(statement, (before, BATCH)).fetchall()
            for owner, answer_id in deleted:
                record_change(connection, kind, owner, answer_id)
            return len(deleted)

        count = 0
        while deleted := await self._database.write(work):
            count += deleted
        return count


def _delete_backtests(connection: sqlite3.Connection, before: int) -> tuple[int, list[str]]:
    rows = connection.execute(
        "SELECT key FROM backtests WHERE finished_micros IS NOT NULL AND finished_micros < ? LIMIT ?", (before, BATCH)
    ).fetchall()
    names = [name for (key,) in rows for name in delete_job(connection, job_of_key(connection, key))]
    return len(rows), names
