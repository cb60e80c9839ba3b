"""Stored results of Optimize and of Reallocate, each in a table of its own."""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from typing import Literal

from server.ports.changes import ChangeKind
from server.ports.errors import AlreadyExists, NotFound, RequestIdReused
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.results import EventOf, ResultDraft, ResultPage, ResultState, StoredResult
from server.ports.scope import Scope
from server.storage.embedded.audit import append_events
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.correction_rows import Table, record_used, size_of_used, stale_micros
from server.storage.embedded.database import Database
from server.storage.embedded.pages import ORDER, condition_of
from server.storage.embedded.reallocation_states import STATE, has_changed, supersede
from server.storage.pages import Position, position_of, time_of, token_of

Kind = Literal["optimization", "reallocation"]

CHANGES: Mapping[Kind, ChangeKind] = {
    "optimization": ChangeKind.OPTIMIZATION,
    "reallocation": ChangeKind.REALLOCATION,
}

_SMALL = "owner, id, created_micros, request_id, input_fingerprint, label, summary"

ROW_BYTES = 1024
"""What a row takes beside its payload, at most about."""


class EmbeddedResults:
    """The store of the results of one service."""

    def __init__(self, database: Database, kind: Kind) -> None:
        self._database = database
        self._kind = kind
        self._table: Table = "optimizations" if kind == "optimization" else "reallocations"
        states = f"{STATE}, superseded_micros, superseded_by" if kind == "reallocation" else "'CURRENT', NULL, ''"
        self._small = f"{_SMALL}, {states}, {stale_micros(self._table)}"

    async def find(self, owner: str, request_id: str, body: bytes) -> StoredResult | None:
        """The answer to this request, if it was given before."""
        return await self._database.read(partial(self._find, owner=owner, request_id=request_id, body=body))

    async def save(self, owner: str, draft: ResultDraft) -> StoredResult:
        """Stores an answer, or returns the one that another call with the same id stored meanwhile."""
        return await self._database.write(partial(self._save, owner=owner, draft=draft), _size_of(draft))

    def save_at_once(self, owner: str, draft: ResultDraft, audit: EventOf | None = None) -> StoredResult | None:
        """As `save`, in the thread that calls, where nothing else is being written; together with an audit event."""
        work = partial(self._save_audited, owner=owner, draft=draft, audit=audit)
        return self._database.write_at_once(work, _size_of(draft))

    async def get(self, owner: str, answer_id: str) -> StoredResult:
        """One answer."""
        return await self._database.read(partial(self._get, owner=owner, answer_id=answer_id))

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> ResultPage:
        """A page of answers, newest first; payloads are read only of those without a summary."""
        after = position_of(token, self._kind, scope, filters)
        work = partial(self._list, scope=scope, after=after, limit=limit, filters=filters)
        return await self._database.read(work)

    async def delete(self, owner: str, answer_id: str) -> None:
        """Removes an answer."""
        await self._database.write(partial(self._delete, owner=owner, answer_id=answer_id))

    def _find(self, connection: sqlite3.Connection, owner: str, request_id: str, body: bytes) -> StoredResult | None:
        statement = f"SELECT {self._small}, payload, body FROM {self._table} WHERE owner = ? AND request_id = ?"  # noqa: S608  # constants
        row = connection.execute(statement, (owner, request_id)).fetchone()
        if row is None:
            return None
        if row[-1] != body:
            raise RequestIdReused("request_id", request_id)
        return _record(*row[:-1])

    def _save_audited(
        self, connection: sqlite3.Connection, owner: str, draft: ResultDraft, audit: EventOf | None
    ) -> StoredResult:
        record = self._save(connection, owner, draft)
        if audit is not None:
            append_events(connection, [audit(record.id)])
        return record

    def _save(self, connection: sqlite3.Connection, owner: str, draft: ResultDraft) -> StoredResult:
        if draft.request_id is not None:
            first = self._find(connection, owner, draft.request_id, draft.body)
            if first:
                return first
        answer_id, created_micros = draft.id or secrets.token_hex(10), time.time_ns() // 1000
        if draft.id and self._is_there(connection, owner, draft.id):
            raise AlreadyExists(self._kind, f"{self._table}/{draft.id}")
        inserted = connection.execute(
            f"INSERT INTO {self._table} (owner, id, created_micros, request_id, body, input_fingerprint, subject, "  # noqa: S608  # constants
            "label, summary, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                owner,
                answer_id,
                created_micros,
                draft.request_id,
                draft.body,
                draft.input_fingerprint,
                draft.subject,
                draft.label,
                draft.summary,
                draft.payload,
            ),
        )
        record_used(connection, self._table, inserted.lastrowid or 0, draft.used)
        record_change(connection, CHANGES[self._kind], owner, answer_id)
        if self._kind == "optimization" and draft.used is None:
            of_draft = draft.request_id, draft.input_fingerprint, draft.label, draft.summary
            no_state = ResultState.CURRENT, None, "", None
            return _record(owner, answer_id, created_micros, *of_draft, *no_state, draft.payload)
        if draft.subject:
            supersede(connection, owner, draft.subject, created_micros, by=answer_id, but=answer_id)
            if draft.subject_digest and has_changed(connection, owner, draft.subject, draft.subject_digest):
                supersede(connection, owner, draft.subject, created_micros)
        return self._get(connection, owner, answer_id)

    def _is_there(self, connection: sqlite3.Connection, owner: str, answer_id: str) -> bool:
        statement = f"SELECT 1 FROM {self._table} WHERE owner = ? AND id = ?"  # noqa: S608  # constants
        return connection.execute(statement, (owner, answer_id)).fetchone() is not None

    def _get(self, connection: sqlite3.Connection, owner: str, answer_id: str) -> StoredResult:
        statement = f"SELECT {self._small}, payload FROM {self._table} WHERE owner = ? AND id = ?"  # noqa: S608  # constants
        row = connection.execute(statement, (owner, answer_id)).fetchone()
        if row is None:
            raise NotFound(self._kind, f"{self._table}/{answer_id}")
        return _record(*row)

    def _list(
        self, connection: sqlite3.Connection, scope: Scope, after: Position | None, limit: int, filters: ListFilter
    ) -> ResultPage:
        condition, values = condition_of(after, scope, filters)
        statement = (
            f"SELECT key, {self._small}, CASE WHEN length(summary) > 0 THEN x'' ELSE payload END "  # noqa: S608  # constants
            f"FROM {self._table} WHERE {condition} ORDER BY {ORDER} LIMIT :limit"
        )
        rows = connection.execute(statement, {**values, "limit": limit + 1}).fetchall()
        records = tuple(_record(*row[1:]) for row in rows[:limit])
        if len(rows) <= limit:
            return ResultPage(records, "")
        key, _, last_id, micros, *_ = rows[limit - 1]
        return ResultPage(records, token_of(Position(micros, last_id, key), self._kind, scope, filters))

    def _delete(self, connection: sqlite3.Connection, owner: str, answer_id: str) -> None:
        statement = f"DELETE FROM {self._table} WHERE owner = ? AND id = ?"  # noqa: S608  # constants
        if connection.execute(statement, (owner, answer_id)).rowcount == 0:
            raise NotFound(self._kind, f"{self._table}/{answer_id}")
        record_change(connection, CHANGES[self._kind], owner, answer_id)


def _size_of(draft: ResultDraft) -> int:
    return len(draft.payload) + len(draft.summary) + ROW_BYTES + size_of_used(draft.used)


def _record(
    owner: str,
    answer_id: str,
    created_micros: int,
    request_id: str | None,
    fingerprint: str,
    label: str,
    summary: bytes,
    state: str,
    superseded_micros: int | None,
    superseded_by: str,
    became_stale_micros: int | None,
    payload: bytes,
) -> StoredResult:
    superseded = None if superseded_micros is None else time_of(superseded_micros)
    created = time_of(created_micros)
    return StoredResult(
        owner,
        answer_id,
        created,
        request_id,
        payload,
        fingerprint,
        label,
        summary,
        ResultState(state),
        superseded,
        superseded_by,
        None if became_stale_micros is None else time_of(became_stale_micros),
    )
