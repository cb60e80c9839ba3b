"""Jobs in SQLite: drafts with their data, checkpoints, results, and the log of what happened."""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from domain.market_data.fingerprint import panel_bytes
from domain.market_data.panel import Panel
from server.ports.changes import ChangeKind
from server.ports.errors import AlreadyExists, NotFound, RequestIdReused, StillRunning
from server.ports.job_queue import QueuePolicy, QueueSnapshot
from server.ports.jobs import (
    Claim,
    JobDraft,
    JobEnd,
    JobEvent,
    JobEventDraft,
    JobPage,
    JobRecord,
    JobState,
    JobTick,
    JobView,
    kind_of,
    resource_name,
)
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.panels import StoredPanel
from server.ports.scope import Scope
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.corporate_actions import ROW_BYTES as ACTION_BYTES
from server.storage.embedded.correction_rows import record_used, size_of_used
from server.storage.embedded.database import Database
from server.storage.embedded.job_queue import claim_next, queue_of, renew_leases
from server.storage.embedded.job_rows import (
    LISTED,
    append_events,
    count_time,
    end_job,
    events_after,
    get_job,
    job_of_key,
    now_micros,
    record_of,
    record_progress,
    require_own,
)
from server.storage.embedded.pages import ORDER, condition_of
from server.storage.job_inputs import inputs_to_json
from server.storage.job_refusals import no_series, queue_full
from server.storage.pages import Position, micros_of, position_of, token_of
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks

ROW_BYTES = 4096
"""What a job takes beside its request and its data, about."""

PAGE_BYTES = 8 << 20
"""Parts that are read at once."""

POLICY = QueuePolicy()

Inputs = Mapping[str, tuple[str, bytes]]
"""By name: symbols as JSON, and the bytes of a panel."""


class EmbeddedBacktests:
    """The store of jobs of one machine; several processes may share it."""

    def __init__(
        self,
        database: Database,
        panels: PanelFiles,
        workers: WorkerLocks,
        retained_events: int,
        policy: QueuePolicy = POLICY,
    ) -> None:
        self._database = database
        self._panels = panels
        self._workers = workers
        self._retained = retained_events
        self._policy = policy

    async def enqueue(self, owner: str, draft: JobDraft) -> JobRecord:
        """Stores a job with its data in one transaction."""
        inputs = await asyncio.to_thread(_encoded, draft.panels)
        needed = len(draft.request) + sum(len(data) for _, data in inputs.values()) + ROW_BYTES
        needed += ACTION_BYTES * len(draft.inputs.actions) + size_of_used(draft.used)
        work = partial(_enqueue, owner=owner, draft=draft, inputs=inputs, max_queued=self._policy.max_queued)
        return await self._database.write(work, needed)

    async def find(self, owner: str, request_id: str, body: bytes) -> JobRecord | None:
        """The job this request started before."""
        return await self._database.read(partial(_find, owner=owner, request_id=request_id, body=body))

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """One job."""
        return await self._database.read(partial(get_job, owner=owner, job_id=job_id))

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> JobPage:
        """A page of jobs, newest first."""
        after = position_of(token, "backtest", scope, filters)
        return await self._database.read(partial(_list, scope=scope, after=after, limit=limit, filters=filters))

    async def delete(self, owner: str, job_id: str) -> None:
        """Removes a job, and its data where no other job has it."""
        work = partial(_delete, owner=owner, job_id=job_id)
        for name in await self._database.write(work):
            await asyncio.to_thread(self._panels.remove, name)

    async def view(self, key: int, after: int) -> JobView:
        """A job and its events, as of one moment."""
        return await self._database.read(
            lambda connection: JobView(job_of_key(connection, key), events_after(connection, key, after))
        )

    async def cancel(self, owner: str, job_id: str) -> JobView:
        """Ends a job at once: whoever still works on it has lost its claim."""
        return await self._database.write(partial(_cancel, owner=owner, job_id=job_id, retained=self._retained))

    async def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """Takes the job that is next."""
        if not (await self.queue(worker)).waiting:
            return None
        lease = _micros(lease_seconds)
        work = partial(
            claim_next, worker=worker, lease=lease, workers=self._workers, policy=self._policy, retained=self._retained
        )
        return await self._database.write(work)

    async def queue(self, worker: str) -> QueueSnapshot:
        """What waits and what runs."""
        return await self._database.read(partial(queue_of, worker=worker, workers=self._workers, policy=self._policy))

    async def heartbeat(
        self, worker: str, jobs: Sequence[int], lease_seconds: float, ticks: Mapping[int, JobTick]
    ) -> frozenset[int]:
        """Renews leases."""
        work = partial(renew_leases, worker=worker, jobs=jobs, lease=_micros(lease_seconds), ticks=ticks)
        return await self._database.write(work)

    async def save(
        self, claim: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, events: Sequence[JobEventDraft]
    ) -> tuple[JobEvent, ...]:
        """Keeps a checkpoint with its part of the output and its events, or nothing of them."""

        def work(connection: sqlite3.Connection) -> tuple[JobEvent, ...]:
            require_own(connection, claim)
            record_progress(connection, claim.key, tick)
            connection.execute("INSERT OR REPLACE INTO backtest_checkpoints VALUES (?, ?)", (claim.key, checkpoint))
            connection.execute(
                "INSERT INTO backtest_parts SELECT ?1, 1 + coalesce(max(number), 0), ?2 FROM backtest_parts "
                "WHERE backtest_key = ?1",
                (claim.key, part),
            )
            return append_events(connection, claim.key, events, self._retained)

        return await self._database.write(work)

    async def parts(self, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
        """Parts of the output of a job."""
        return await self._database.read(partial(_parts, key=key, after=after))

    async def compact(self, claim: JobRecord, count: int, part: bytes, skipped: int = 0) -> None:
        """Puts one part in the place of others, so that going on again reads fewer."""

        def work(connection: sqlite3.Connection) -> None:
            require_own(connection, claim)
            statement = "SELECT number FROM backtest_parts WHERE backtest_key = ? ORDER BY number LIMIT ? OFFSET ?"
            numbers = [number for (number,) in connection.execute(statement, (claim.key, count, skipped)).fetchall()]
            connection.execute(
                "DELETE FROM backtest_parts WHERE backtest_key = ? AND number BETWEEN ? AND ?",
                (claim.key, numbers[0], numbers[-1]),
            )
            connection.execute("INSERT INTO backtest_parts VALUES (?, ?, ?)", (claim.key, numbers[-1], part))

        await self._database.write(work)

    async def finish(self, claim: JobRecord, end: JobEnd, events: Sequence[JobEventDraft]) -> tuple[JobEvent, ...]:
        """Ends a job with all it found, or not at all."""

        def work(connection: sqlite3.Connection) -> tuple[JobEvent, ...]:
            require_own(connection, claim)
            for position, (label, data) in enumerate(end.series):
                values = (claim.key, position, label, data)
                connection.execute("INSERT INTO backtest_series VALUES (?, ?, ?, ?)", values)
            stored = append_events(connection, claim.key, events, self._retained)
            return stored + end_job(connection, claim.key, end, self._retained)

        return await self._database.write(work)

    async def release(self, claim: JobRecord, *, crashed: bool, yielded: bool = False) -> None:
        """Gives a job back."""

        def work(connection: sqlite3.Connection) -> None:
            require_own(connection, claim)
            count_time(connection, claim.key)
            connection.execute(
                "UPDATE backtests SET state = 'QUEUED', worker = NULL, lease_micros = NULL, counted_micros = NULL, "
                "crashes = crashes + ?, yielded = ?, queued_micros = ? WHERE key = ?",
                (int(crashed), int(yielded), now_micros(), claim.key),
            )

        await self._database.write(work)

    async def panel(self, name: str) -> StoredPanel:
        """Data of a job; the file is derived from the stored bytes where it is not there."""
        return await self._database.read(partial(_panel, name=name, panels=self._panels))

    async def series(self, owner: str, job_id: str, label: str) -> tuple[str, bytes]:
        """The record of a strategy."""
        return await self._database.read(partial(_series, owner=owner, job_id=job_id, label=label))


def _parts(connection: sqlite3.Connection, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
    statement = "SELECT number, data FROM backtest_parts WHERE backtest_key = ? AND number > ? ORDER BY number"
    found: list[tuple[int, bytes]] = []
    size = 0
    for number, data in connection.execute(statement, (key, after)):
        found.append((number, bytes(data)))
        size += len(data)
        if size >= PAGE_BYTES:
            break
    return tuple(found)


def _delete(connection: sqlite3.Connection, owner: str, job_id: str) -> list[str]:
    return delete_job(connection, get_job(connection, owner, job_id))


def delete_job(connection: sqlite3.Connection, job: JobRecord) -> list[str]:
    """Removes a job that is over; names of the data that went with it. Raises StillRunning."""
    if not job.state.is_final:
        raise StillRunning(f"{resource_name(job.id)} is not over; cancel it first")
    statement = "SELECT fingerprint FROM backtest_input_uses WHERE backtest_key = ?"
    names = [name for (name,) in connection.execute(statement, (job.key,)).fetchall()]
    connection.execute("DELETE FROM backtests WHERE key = ?", (job.key,))
    record_change(connection, ChangeKind.BACKTEST, job.owner, job.id)
    unused = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM backtest_input_uses WHERE fingerprint = ?)"
    gone = [name for name in names if connection.execute(unused, (name,)).fetchone()]
    connection.executemany("DELETE FROM backtest_inputs WHERE fingerprint = ?", [(name,) for name in gone])
    return gone


def _encoded(panels: Mapping[str, Panel]) -> Inputs:
    return {name: (json.dumps(panel.symbols), panel_bytes(panel)) for name, panel in panels.items()}


def _enqueue(connection: sqlite3.Connection, owner: str, draft: JobDraft, inputs: Inputs, max_queued: int) -> JobRecord:
    if draft.request_id is not None:
        first = _find(connection, owner, draft.request_id, draft.body)
        if first:
            return first
    taken = "SELECT 1 FROM backtests WHERE owner = ? AND id = ?"
    if draft.id and connection.execute(taken, (owner, draft.id)).fetchone():
        raise AlreadyExists(kind_of(draft.id), resource_name(draft.id))
    statement = "SELECT count(*) FROM backtests INDEXED BY backtests_queued WHERE state = 'QUEUED' AND caller = ?"
    (queued,) = connection.execute(statement, (draft.caller,)).fetchone()
    if queued >= max_queued:
        raise queue_full(queued)
    for name, (symbols, data) in inputs.items():
        connection.execute("INSERT INTO backtest_inputs VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (name, symbols, data))
    job_id, now = draft.id or secrets.token_hex(10), now_micros()
    row: dict[str, object] = {
        "owner": owner,
        "id": job_id,
        "request_id": draft.request_id,
        "body": draft.body,
        "label": draft.label,
        "caller": draft.caller,
        "state": JobState.QUEUED,
        "cost_estimate": draft.cost_estimate,
        "queued_micros": now,
        "epoch": secrets.token_hex(8),
        "created_micros": now,
        "fingerprint": draft.fingerprint,
        "inputs": inputs_to_json(draft.inputs),
        "request": draft.request,
    }
    names = ", ".join(row)
    statement = f"INSERT INTO backtests ({names}) VALUES (:{names.replace(', ', ', :')})"  # noqa: S608  # constants
    key = connection.execute(statement, row).lastrowid or 0
    record_used(connection, "backtests", key, draft.used)
    if draft.traceparent:
        connection.execute("INSERT INTO backtest_traces VALUES (?, ?)", (key, draft.traceparent))
    connection.executemany("INSERT INTO backtest_input_uses VALUES (?, ?)", [(key, name) for name in inputs])
    return get_job(connection, owner, job_id)


def _find(connection: sqlite3.Connection, owner: str, request_id: str, body: bytes) -> JobRecord | None:
    statement = "SELECT key, body FROM backtests WHERE owner = ? AND request_id = ?"
    row = connection.execute(statement, (owner, request_id)).fetchone()
    if row is None:
        return None
    if row[1] != body:
        raise RequestIdReused("request_id", request_id)
    return job_of_key(connection, row[0])


def _list(
    connection: sqlite3.Connection, scope: Scope, after: Position | None, limit: int, filters: ListFilter
) -> JobPage:
    condition, values = condition_of(after, scope, filters)
    statement = (
        f"SELECT {LISTED} FROM backtests WHERE {condition} AND id NOT GLOB 'sweeps/*' "  # noqa: S608  # constants
        f"ORDER BY {ORDER} LIMIT :limit"
    )
    rows = connection.execute(statement, {**values, "limit": limit + 1}).fetchall()
    records = tuple(record_of(row) for row in rows[:limit])
    if len(rows) <= limit:
        return JobPage(records, "")
    last = records[-1]
    position = Position(micros_of(last.created), last.id, last.key)
    return JobPage(records, token_of(position, "backtest", scope, filters))


def _cancel(connection: sqlite3.Connection, owner: str, job_id: str, retained: int) -> JobView:
    job = get_job(connection, owner, job_id)
    if job.state.is_final:
        return JobView(job, ())
    events = end_job(connection, job.key, JobEnd(JobState.CANCELLED), retained)
    return JobView(job_of_key(connection, job.key), events)


def _panel(connection: sqlite3.Connection, name: str, panels: PanelFiles) -> StoredPanel:
    row = connection.execute("SELECT symbols FROM backtest_inputs WHERE fingerprint = ?", (name,)).fetchone()
    if row is None:
        raise NotFound("input", name)
    symbols = tuple(json.loads(row[0]))
    known = panels.open(name, symbols)
    if known:
        return known
    (data,) = connection.execute("SELECT data FROM backtest_inputs WHERE fingerprint = ?", (name,)).fetchone()
    count = len(data) // (4 + 8 * len(symbols))
    days = np.frombuffer(data, "<i4", count)
    values = np.frombuffer(data, "<f8", offset=4 * count).reshape(count, len(symbols))
    return panels.keep(name, symbols, days, values)


def _series(connection: sqlite3.Connection, owner: str, job_id: str, label: str) -> tuple[str, bytes]:
    job = get_job(connection, owner, job_id)
    row = connection.execute(
        "SELECT label, data FROM backtest_series WHERE backtest_key = ?1 AND (?2 = '' OR label = ?2) "
        "ORDER BY position LIMIT 1",
        (job.key, label),
    ).fetchone()
    if row is None:
        raise no_series(job_id, job.state, label)
    return str(row[0]), bytes(row[1])


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)
