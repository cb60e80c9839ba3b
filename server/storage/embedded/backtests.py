"""Jobs in SQLite: claims with leases and fencing, checkpoints, and the log of what happened."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np

from domain.market_data.fingerprint import panel_bytes
from server.ports import (
    Claim,
    EventKind,
    JobDraft,
    JobEnd,
    JobEvent,
    JobInputs,
    JobNews,
    JobPage,
    JobRecord,
    JobState,
    JobTick,
    JobView,
    LostClaim,
    NotFound,
    RequestIdReused,
    StillRunning,
    StoredPanel,
)
from server.storage.embedded.database import Database
from server.storage.embedded.pages import sequence_of
from server.storage.embedded.panels import PanelFiles
from server.storage.embedded.workers import WorkerLocks

_COLUMNS = (
    "id, state, label, epoch, request, inputs, fingerprint, created_micros, finished_micros, fraction, day, wealth, "
    "last_event, dropped_event, attempt, crashes, worker, request_id, result, error"
)
# A list shows many jobs and none of their results.
_LISTED = _COLUMNS.replace("request, inputs", "x'', inputs").replace("result, error", "NULL, NULL")
_OPEN = "state IN ('QUEUED', 'RUNNING')"


class EmbeddedBacktests:
    """The store of jobs of one machine; several processes may share it."""

    def __init__(self, database: Database, panels: PanelFiles, workers: WorkerLocks, retained_events: int) -> None:
        self._database = database
        self._panels = panels
        self._workers = workers
        self._retained = retained_events

    async def enqueue(self, draft: JobDraft) -> JobRecord:
        """Stores a job with its data in one transaction."""
        return await self._database.write(partial(_enqueue, draft=draft))

    async def find(self, request_id: str, body: bytes) -> JobRecord | None:
        """The job this request started before."""
        return await self._database.read(partial(_find, request_id=request_id, body=body))

    async def get(self, job_id: str) -> JobRecord:
        """One job."""
        return await self._database.read(partial(_get, job_id=job_id))

    async def list(self, token: str, limit: int, state: JobState | None) -> JobPage:
        """A page of jobs, newest first."""
        before = sequence_of(token)
        return await self._database.read(partial(_list, before=before, limit=limit, state=state))

    async def delete(self, job_id: str) -> None:
        """Removes a job, and its data where no other job has it."""
        await self._database.write(partial(_delete, job_id=job_id))

    async def view(self, job_id: str, after: int) -> JobView:
        """A job and its events, as of one moment."""
        return await self._database.read(
            lambda connection: JobView(_get(connection, job_id), _events(connection, job_id, after))
        )

    async def cancel(self, job_id: str) -> JobView:
        """Ends a job at once: whoever still works on it has lost its claim."""
        return await self._database.write(partial(_cancel, job_id=job_id, retained=self._retained))

    async def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """Takes the oldest job that nobody has."""
        if not await self._database.read(partial(_claimable, worker=worker, workers=self._workers)):
            return None
        work = partial(
            _claim, worker=worker, lease=_micros(lease_seconds), workers=self._workers, retained=self._retained
        )
        return await self._database.write(work)

    async def heartbeat(
        self, worker: str, jobs: Sequence[str], lease_seconds: float, ticks: Mapping[str, JobTick]
    ) -> frozenset[str]:
        """Renews leases."""
        work = partial(_heartbeat, worker=worker, jobs=jobs, lease=_micros(lease_seconds), ticks=ticks)
        return await self._database.write(work)

    async def save(
        self, claim: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, news: Sequence[JobNews]
    ) -> tuple[JobEvent, ...]:
        """Keeps a checkpoint with its part of the output and its events, or nothing of them."""

        def work(connection: sqlite3.Connection) -> tuple[JobEvent, ...]:
            _own(connection, claim)
            _progressed(connection, claim.id, tick)
            connection.execute("INSERT OR REPLACE INTO backtest_checkpoints VALUES (?, ?)", (claim.id, checkpoint))
            connection.execute(
                "INSERT INTO backtest_parts SELECT ?1, 1 + coalesce(max(number), 0), ?2 FROM backtest_parts "
                "WHERE backtest_id = ?1",
                (claim.id, part),
            )
            return _append(connection, claim.id, news, self._retained)

        return await self._database.write(work)

    async def finish(self, claim: JobRecord, end: JobEnd, news: Sequence[JobNews]) -> tuple[JobEvent, ...]:
        """Ends a job with all it found, or not at all."""

        def work(connection: sqlite3.Connection) -> tuple[JobEvent, ...]:
            _own(connection, claim)
            for position, (label, data) in enumerate(end.series):
                values = (claim.id, position, label, data)
                connection.execute("INSERT INTO backtest_series VALUES (?, ?, ?, ?)", values)
            events = _append(connection, claim.id, news, self._retained)
            return events + _end(connection, claim.id, end, self._retained)

        return await self._database.write(work)

    async def release(self, claim: JobRecord, *, crashed: bool) -> None:
        """Gives a job back."""

        def work(connection: sqlite3.Connection) -> None:
            _own(connection, claim)
            connection.execute(
                "UPDATE backtests SET state = 'QUEUED', worker = NULL, lease_micros = NULL, crashes = crashes + ? "
                "WHERE id = ?",
                (int(crashed), claim.id),
            )

        await self._database.write(work)

    async def panel(self, name: str) -> StoredPanel:
        """Data of a job; the file is derived from the stored bytes where it is not there."""
        return await self._database.read(partial(_panel, name=name, panels=self._panels))

    async def series(self, job_id: str, label: str) -> tuple[str, bytes]:
        """The record of a strategy."""
        return await self._database.read(partial(_series, job_id=job_id, label=label))


def _enqueue(connection: sqlite3.Connection, draft: JobDraft) -> JobRecord:
    if draft.request_id is not None:
        first = _find(connection, draft.request_id, draft.body)
        if first:
            return first
    for name, panel in draft.panels.items():
        connection.execute(
            "INSERT INTO backtest_inputs VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (name, json.dumps(panel.symbols), panel_bytes(panel)),
        )
    job_id = secrets.token_hex(10)
    values = (
        job_id,
        draft.request_id,
        draft.body,
        draft.request,
        _inputs_to_json(draft.inputs),
        draft.label,
        secrets.token_hex(8),
        _now(),
        draft.fingerprint,
    )
    connection.execute(
        "INSERT INTO backtests "
        "(id, request_id, body, request, inputs, label, epoch, state, created_micros, fingerprint) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'QUEUED', ?, ?)",
        values,
    )
    return _get(connection, job_id)


def _find(connection: sqlite3.Connection, request_id: str, body: bytes) -> JobRecord | None:
    row = connection.execute("SELECT id, body FROM backtests WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        return None
    if row[1] != body:
        raise RequestIdReused("request_id", request_id)
    return _get(connection, row[0])


def _get(connection: sqlite3.Connection, job_id: str) -> JobRecord:
    statement = f"SELECT {_COLUMNS} FROM backtests WHERE id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (job_id,)).fetchone()
    if row is None:
        raise NotFound("backtest", f"backtests/{job_id}")
    return _record(row)


def _list(connection: sqlite3.Connection, before: int | None, limit: int, state: JobState | None) -> JobPage:
    statement = (
        f"SELECT sequence, {_LISTED} FROM backtests "  # noqa: S608  # constant columns
        "WHERE (:before IS NULL OR sequence < :before) AND (:state IS NULL OR state = :state) "
        "ORDER BY sequence DESC LIMIT :limit"
    )
    rows = connection.execute(statement, {"before": before, "state": state, "limit": limit + 1}).fetchall()
    records = tuple(_record(row[1:]) for row in rows[:limit])
    return JobPage(records, str(rows[limit - 1][0]) if len(rows) > limit else "")


def _delete(connection: sqlite3.Connection, job_id: str) -> None:
    record = _get(connection, job_id)
    if not record.state.is_final:
        raise StillRunning(f"backtests/{job_id} is not over; cancel it first")
    connection.execute("DELETE FROM backtests WHERE id = ?", (job_id,))
    for name in (record.inputs.data, *record.inputs.benchmarks.values()):
        connection.execute(
            "DELETE FROM backtest_inputs WHERE fingerprint = ?1 "
            "AND NOT EXISTS (SELECT 1 FROM backtests WHERE instr(inputs, ?1) > 0)",
            (name,),
        )


def _events(connection: sqlite3.Connection, job_id: str, after: int) -> tuple[JobEvent, ...]:
    rows = connection.execute(
        "SELECT number, micros, kind, message, day, reason FROM backtest_events "
        "WHERE backtest_id = ? AND number > ? ORDER BY number",
        (job_id, after),
    )
    return tuple(JobEvent(n, _time(m), JobNews(EventKind(k), t, d, r)) for n, m, k, t, d, r in rows)


def _append(
    connection: sqlite3.Connection, job_id: str, news: Iterable[JobNews], retained: int
) -> tuple[JobEvent, ...]:
    row = connection.execute("SELECT last_event FROM backtests WHERE id = ?", (job_id,)).fetchone()
    before = number = int(row[0])
    for one in news:
        number += 1
        connection.execute(
            "INSERT INTO backtest_events VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job_id, number, _now(), one.kind, one.day, one.reason, one.message),
        )
    dropped = max(0, number - retained)
    connection.execute("DELETE FROM backtest_events WHERE backtest_id = ? AND number <= ?", (job_id, dropped))
    connection.execute(
        "UPDATE backtests SET last_event = ?, dropped_event = max(dropped_event, ?) WHERE id = ?",
        (number, dropped, job_id),
    )
    return _events(connection, job_id, before)


def _end(connection: sqlite3.Connection, job_id: str, end: JobEnd, retained: int) -> tuple[JobEvent, ...]:
    done = ", fraction = 1" if end.state is JobState.SUCCEEDED else ""
    connection.execute(
        f"UPDATE backtests SET state = ?, finished_micros = ?, result = ?, error = ?, worker = NULL, "  # noqa: S608  # constant
        f"lease_micros = NULL{done} WHERE id = ?",
        (end.state, _now(), end.result, end.error, job_id),
    )
    connection.execute("DELETE FROM backtest_checkpoints WHERE backtest_id = ?", (job_id,))
    connection.execute("DELETE FROM backtest_parts WHERE backtest_id = ?", (job_id,))
    return _append(connection, job_id, [JobNews(EventKind.FINISHED, end.state)], retained)


def _cancel(connection: sqlite3.Connection, job_id: str, retained: int) -> JobView:
    if _get(connection, job_id).state.is_final:
        return JobView(_get(connection, job_id), ())
    events = _end(connection, job_id, JobEnd(JobState.CANCELLED), retained)
    return JobView(_get(connection, job_id), events)


def _claimable(connection: sqlite3.Connection, worker: str, workers: WorkerLocks) -> str | None:
    rows = connection.execute(
        f"SELECT id, state, worker, lease_micros FROM backtests WHERE {_OPEN} ORDER BY sequence"  # noqa: S608  # constant
    )
    for job_id, state, owner, lease in rows.fetchall():
        free = state == JobState.QUEUED or lease < _now() or (owner != worker and workers.is_gone(owner))
        if free:
            return str(job_id)
    return None


def _claim(
    connection: sqlite3.Connection, worker: str, lease: int, workers: WorkerLocks, retained: int
) -> Claim | None:
    job_id = _claimable(connection, worker, workers)
    if job_id is None:
        return None
    connection.execute(
        "UPDATE backtests SET state = 'RUNNING', worker = ?, attempt = attempt + 1, lease_micros = ? WHERE id = ?",
        (worker, _now() + lease, job_id),
    )
    row = connection.execute("SELECT data FROM backtest_checkpoints WHERE backtest_id = ?", (job_id,)).fetchone()
    parts = connection.execute("SELECT data FROM backtest_parts WHERE backtest_id = ? ORDER BY number", (job_id,))
    stored = tuple(data for (data,) in parts.fetchall())
    if _get(connection, job_id).attempt > 1:
        where = "goes on from its last checkpoint" if row else "starts again: there was no checkpoint yet"
        _append(connection, job_id, [JobNews(EventKind.RESUMED, f"another worker took over and {where}")], retained)
    return Claim(_get(connection, job_id), row[0] if row else None, stored)


def _heartbeat(
    connection: sqlite3.Connection, worker: str, jobs: Sequence[str], lease: int, ticks: Mapping[str, JobTick]
) -> frozenset[str]:
    held: set[str] = set()
    for job_id in jobs:
        renewed = connection.execute(
            "UPDATE backtests SET lease_micros = ? WHERE id = ? AND worker = ? AND state = 'RUNNING'",
            (_now() + lease, job_id, worker),
        )
        if renewed.rowcount:
            held.add(job_id)
            if job_id in ticks:
                _progressed(connection, job_id, ticks[job_id])
    return frozenset(held)


def _own(connection: sqlite3.Connection, claim: JobRecord) -> None:
    row = connection.execute(
        "SELECT 1 FROM backtests WHERE id = ? AND state = 'RUNNING' AND worker = ? AND attempt = ?",
        (claim.id, claim.worker, claim.attempt),
    ).fetchone()
    if row is None:
        raise LostClaim(claim.id)


def _progressed(connection: sqlite3.Connection, job_id: str, tick: JobTick) -> None:
    connection.execute(
        "UPDATE backtests SET fraction = ?, day = ?, wealth = ? WHERE id = ?",
        (tick.fraction, tick.day, tick.wealth, job_id),
    )


def _panel(connection: sqlite3.Connection, name: str, panels: PanelFiles) -> StoredPanel:
    row = connection.execute("SELECT symbols, data FROM backtest_inputs WHERE fingerprint = ?", (name,)).fetchone()
    if row is None:
        raise NotFound("input", name)
    symbols = tuple(json.loads(row[0]))
    known = panels.open(name, symbols)
    if known:
        return known
    count = len(row[1]) // (4 + 8 * len(symbols))
    days = np.frombuffer(row[1], "<i4", count)
    values = np.frombuffer(row[1], "<f8", offset=4 * count).reshape(count, len(symbols))
    return panels.keep(name, symbols, days, values)


def _series(connection: sqlite3.Connection, job_id: str, label: str) -> tuple[str, bytes]:
    _get(connection, job_id)
    row = connection.execute(
        "SELECT label, data FROM backtest_series WHERE backtest_id = ?1 AND (?2 = '' OR label = ?2) "
        "ORDER BY position LIMIT 1",
        (job_id, label),
    ).fetchone()
    if row is None:
        raise NotFound("series", f"backtests/{job_id}, series of {label!r}" if label else f"backtests/{job_id}, series")
    return str(row[0]), bytes(row[1])


def _inputs_to_json(inputs: JobInputs) -> str:
    groups = {name: list(symbols) for name, symbols in inputs.groups.items()}
    return json.dumps([inputs.data, inputs.kind, dict(inputs.benchmarks), groups])


def _record(row: tuple[object, ...]) -> JobRecord:
    (
        job_id, state, label, epoch, request, inputs, fingerprint, created, finished, fraction, day, wealth,
        last_event, dropped_event, attempt, crashes, worker, request_id, result, error,
    ) = row  # fmt: skip
    data, kind, benchmarks, groups = json.loads(str(inputs))
    return JobRecord(
        id=str(job_id),
        state=JobState(str(state)),
        label=str(label),
        epoch=str(epoch),
        request=request,  # type: ignore[arg-type]  # sqlite3 knows no types; the schema does, as for those below
        inputs=JobInputs(data, kind, benchmarks, {name: tuple(symbols) for name, symbols in groups.items()}),
        fingerprint=str(fingerprint),
        created=_time(created),  # type: ignore[arg-type]
        finished=None if finished is None else _time(finished),  # type: ignore[arg-type]
        tick=None if day is None else JobTick(fraction, day, wealth),  # type: ignore[arg-type]
        last_event=last_event,  # type: ignore[arg-type]
        dropped_event=dropped_event,  # type: ignore[arg-type]
        attempt=attempt,  # type: ignore[arg-type]
        crashes=crashes,  # type: ignore[arg-type]
        worker=worker,  # type: ignore[arg-type]
        request_id=request_id,  # type: ignore[arg-type]
        result=result,  # type: ignore[arg-type]
        error=error,  # type: ignore[arg-type]
    )


def _now() -> int:
    return time.time_ns() // 1000


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
