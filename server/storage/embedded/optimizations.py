"""Answers of Optimize in SQLite."""

import secrets
import sqlite3
import time
from datetime import UTC, datetime
from functools import partial

from server.ports import NotFound, OptimizationDraft, OptimizationPage, OptimizationRecord, RequestIdReused
from server.storage.embedded.database import Database
from server.storage.embedded.pages import sequence_of

_COLUMNS = "id, created_micros, request_id, payload, input_fingerprint"


class EmbeddedOptimizations:
    """The store of answers of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, request_id: str, body: bytes) -> OptimizationRecord | None:
        """The answer to this request, if it was given before."""
        return await self._database.read(partial(_find, request_id=request_id, body=body))

    async def save(self, draft: OptimizationDraft) -> OptimizationRecord:
        """Stores an answer, or returns the one that another call with the same id stored meanwhile."""
        return await self._database.write(partial(_save, draft=draft))

    async def get(self, optimization_id: str) -> OptimizationRecord:
        """One answer."""
        return await self._database.read(partial(_get, optimization_id=optimization_id))

    async def list(self, token: str, limit: int) -> OptimizationPage:
        """A page of answers, newest first."""
        before = sequence_of(token)
        return await self._database.read(partial(_list, before=before, limit=limit))


def _find(connection: sqlite3.Connection, request_id: str, body: bytes) -> OptimizationRecord | None:
    statement = f"SELECT {_COLUMNS}, body FROM optimizations WHERE request_id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (request_id,)).fetchone()
    if row is None:
        return None
    if row[-1] != body:
        raise RequestIdReused("request_id", request_id)
    return _record(*row[:-1])


def _save(connection: sqlite3.Connection, draft: OptimizationDraft) -> OptimizationRecord:
    if draft.request_id is not None:
        first = _find(connection, draft.request_id, draft.body)
        if first:
            return first
    optimization_id = secrets.token_hex(10)
    created = time.time_ns() // 1000
    connection.execute(
        "INSERT INTO optimizations (id, created_micros, request_id, body, payload, input_fingerprint) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (optimization_id, created, draft.request_id, draft.body, draft.payload, draft.input_fingerprint),
    )
    return _record(optimization_id, created, draft.request_id, draft.payload, draft.input_fingerprint)


def _get(connection: sqlite3.Connection, optimization_id: str) -> OptimizationRecord:
    statement = f"SELECT {_COLUMNS} FROM optimizations WHERE id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (optimization_id,)).fetchone()
    if row is None:
        raise NotFound("optimization", f"optimizations/{optimization_id}")
    return _record(*row)


def _list(connection: sqlite3.Connection, before: int | None, limit: int) -> OptimizationPage:
    statement = (
        f"SELECT sequence, {_COLUMNS} FROM optimizations WHERE :before IS NULL OR sequence < :before "  # noqa: S608  # constant
        "ORDER BY sequence DESC LIMIT :limit"
    )
    rows = connection.execute(statement, {"before": before, "limit": limit + 1}).fetchall()
    records = tuple(_record(*row[1:]) for row in rows[:limit])
    return OptimizationPage(records, str(rows[limit - 1][0]) if len(rows) > limit else "")


def _record(
    optimization_id: str, created_micros: int, request_id: str | None, payload: bytes, fingerprint: str
) -> OptimizationRecord:
    created = datetime.fromtimestamp(created_micros / 1e6, UTC)
    return OptimizationRecord(optimization_id, created, request_id, payload, fingerprint)
