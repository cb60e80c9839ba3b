"""Answers that are kept, of Optimize and of Reallocate, each kind in a table of its own."""

import secrets
import sqlite3
import time
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from server.ports import AnswerDraft, AnswerPage, AnswerRecord, NotFound, RequestIdReused
from server.storage.embedded.database import Database
from server.storage.embedded.pages import sequence_of

Kind = Literal["optimization", "reallocation"]

_COLUMNS = "id, created_micros, request_id, payload, input_fingerprint"


class EmbeddedAnswers:
    """The store of one kind of answer."""

    def __init__(self, database: Database, kind: Kind) -> None:
        self._database = database
        self._kind = kind
        self._table = f"{kind}s"  # a name of the schema, never a caller's

    async def find(self, request_id: str, body: bytes) -> AnswerRecord | None:
        """The answer to this request, if it was given before."""
        return await self._database.read(partial(self._find, request_id=request_id, body=body))

    async def save(self, draft: AnswerDraft) -> AnswerRecord:
        """Stores an answer, or returns the one that another call with the same id stored meanwhile."""
        return await self._database.write(partial(self._save, draft=draft))

    async def get(self, answer_id: str) -> AnswerRecord:
        """One answer."""
        return await self._database.read(partial(self._get, answer_id=answer_id))

    async def list(self, token: str, limit: int, subject: str = "") -> AnswerPage:
        """A page of answers, newest first."""
        return await self._database.read(
            partial(self._list, before=sequence_of(token), limit=limit, subject=subject or None)
        )

    def _find(self, connection: sqlite3.Connection, request_id: str, body: bytes) -> AnswerRecord | None:
        statement = f"SELECT {_COLUMNS}, body FROM {self._table} WHERE request_id = ?"  # noqa: S608  # constants
        row = connection.execute(statement, (request_id,)).fetchone()
        if row is None:
            return None
        if row[-1] != body:
            raise RequestIdReused("request_id", request_id)
        return _record(*row[:-1])

    def _save(self, connection: sqlite3.Connection, draft: AnswerDraft) -> AnswerRecord:
        if draft.request_id is not None:
            first = self._find(connection, draft.request_id, draft.body)
            if first:
                return first
        answer_id, created = secrets.token_hex(10), time.time_ns() // 1000
        connection.execute(
            f"INSERT INTO {self._table} "  # noqa: S608  # constants
            "(id, created_micros, request_id, body, payload, input_fingerprint, subject) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                answer_id,
                created,
                draft.request_id,
                draft.body,
                draft.payload,
                draft.input_fingerprint,
                draft.subject,
            ),
        )
        return _record(answer_id, created, draft.request_id, draft.payload, draft.input_fingerprint)

    def _get(self, connection: sqlite3.Connection, answer_id: str) -> AnswerRecord:
        statement = f"SELECT {_COLUMNS} FROM {self._table} WHERE id = ?"  # noqa: S608  # constants
        row = connection.execute(statement, (answer_id,)).fetchone()
        if row is None:
            raise NotFound(self._kind, f"{self._table}/{answer_id}")
        return _record(*row)

    def _list(self, connection: sqlite3.Connection, before: int | None, limit: int, subject: str | None) -> AnswerPage:
        statement = (
            f"SELECT sequence, {_COLUMNS} FROM {self._table} "  # noqa: S608  # constants
            "WHERE (:before IS NULL OR sequence < :before) AND (:subject IS NULL OR subject = :subject) "
            "ORDER BY sequence DESC LIMIT :limit"
        )
        rows = connection.execute(statement, {"before": before, "subject": subject, "limit": limit + 1}).fetchall()
        records = tuple(_record(*row[1:]) for row in rows[:limit])
        return AnswerPage(records, str(rows[limit - 1][0]) if len(rows) > limit else "")


def _record(
    answer_id: str, created_micros: int, request_id: str | None, payload: bytes, fingerprint: str
) -> AnswerRecord:
    created = datetime.fromtimestamp(created_micros / 1e6, UTC)
    return AnswerRecord(answer_id, created, request_id, payload, fingerprint)
