"""Rows of jobs and their events as records, and how a job ends."""

import json
import sqlite3
import time
from collections.abc import Iterable

from server.ports.changes import ChangeKind
from server.ports.errors import LostClaim, NotFound
from server.ports.jobs import (
    EventKind,
    JobEnd,
    JobEvent,
    JobEventDraft,
    JobRecord,
    JobState,
    JobTick,
    Stage,
    Weighing,
    is_sweep,
    kind_of,
    resource_name,
)
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.correction_rows import stale_micros
from server.storage.job_inputs import inputs_of
from server.storage.pages import time_of

_STALE = stale_micros("backtests")
_TRACEPARENT = "(SELECT t.traceparent FROM backtest_traces t WHERE t.backtest_key = backtests.key)"

COLUMNS = (
    "key, owner, id, state, label, epoch, request, inputs, fingerprint, created_micros, finished_micros, fraction, "
    "day, wealth, stage, last_event, dropped_event, attempt, crashes, worker, request_id, caller, cost_estimate, "
    f"run_micros, {_STALE}, {_TRACEPARENT}, result, error"
)
# A list shows many jobs and none of their results or corporate actions.
LISTED = COLUMNS.replace("request, inputs", "x'', json_set(inputs, '$[6]', NULL)").replace(
    "result, error", "NULL, NULL"
)

MOST_COUNTED_MICROS = 60_000_000
"""Time between two counts that is longer was slept through, or the clock was set."""


def get_job(connection: sqlite3.Connection, owner: str, job_id: str) -> JobRecord:
    """One job of an owner. Raises NotFound."""
    statement = f"SELECT {COLUMNS} FROM backtests WHERE owner = ? AND id = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (owner, job_id)).fetchone()
    if row is None:
        raise NotFound(kind_of(job_id), resource_name(job_id))
    return record_of(row)


def job_of_key(connection: sqlite3.Connection, key: int) -> JobRecord:
    """One job, whoever's it is. Raises NotFound."""
    statement = f"SELECT {COLUMNS} FROM backtests WHERE key = ?"  # noqa: S608  # constant columns
    row = connection.execute(statement, (key,)).fetchone()
    if row is None:
        raise NotFound("backtest", f"of the key {key}")
    return record_of(row)


def require_own(connection: sqlite3.Connection, claim: JobRecord) -> None:
    """Raises LostClaim where a job is over or belongs to another attempt."""
    row = connection.execute(
        "SELECT 1 FROM backtests WHERE key = ? AND state = 'RUNNING' AND worker = ? AND attempt = ?",
        (claim.key, claim.worker, claim.attempt),
    ).fetchone()
    if row is None:
        raise LostClaim(claim.id)


def count_time(connection: sqlite3.Connection, key: int) -> None:
    """Adds the time a job has run since it was last counted."""
    connection.execute(
        "UPDATE backtests SET run_micros = run_micros + min(max(:now - counted_micros, 0), :most), "
        "counted_micros = :now WHERE key = :key AND counted_micros IS NOT NULL",
        {"key": key, "now": now_micros(), "most": MOST_COUNTED_MICROS},
    )


def record_progress(connection: sqlite3.Connection, key: int, tick: JobTick) -> None:
    """How far a job is."""
    connection.execute(
        "UPDATE backtests SET fraction = ?, day = ?, wealth = ?, stage = ? WHERE key = ?",
        (tick.fraction, tick.day_or_failed_count, tick.nav_or_best_score, _stage_to_json(tick.stage), key),
    )


def events_after(connection: sqlite3.Connection, key: int, after: int) -> tuple[JobEvent, ...]:
    """Retained events of a job after a number."""
    rows = connection.execute(
        "SELECT number, micros, kind, message, day, reason, stage FROM backtest_events "
        "WHERE backtest_key = ? AND number > ? ORDER BY number",
        (key, after),
    )
    return tuple(
        JobEvent(n, time_of(m), JobEventDraft(EventKind(k), t, d, r, *_about(s))) for n, m, k, t, d, r, s in rows
    )


def append_events(
    connection: sqlite3.Connection, key: int, events: Iterable[JobEventDraft], retained: int
) -> tuple[JobEvent, ...]:
    """Adds to the log of a job and drops the oldest beyond `retained`."""
    row = connection.execute("SELECT last_event FROM backtests WHERE key = ?", (key,)).fetchone()
    before = number = int(row[0])
    for one in events:
        number += 1
        connection.execute(
            "INSERT INTO backtest_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (key, number, now_micros(), one.kind, one.day, one.reason, one.message, _about_to_json(one)),
        )
    dropped = max(0, number - retained)
    connection.execute("DELETE FROM backtest_events WHERE backtest_key = ? AND number <= ?", (key, dropped))
    connection.execute(
        "UPDATE backtests SET last_event = ?, dropped_event = max(dropped_event, ?) WHERE key = ?",
        (number, dropped, key),
    )
    return events_after(connection, key, before)


def end_job(connection: sqlite3.Connection, key: int, end: JobEnd, retained: int) -> tuple[JobEvent, ...]:
    """Ends a job and drops what it needed to go on."""
    count_time(connection, key)
    done = ", fraction = 1" if end.state is JobState.SUCCEEDED else ""
    owner, job_id = connection.execute(
        f"UPDATE backtests SET state = ?, finished_micros = ?, result = ?, error = ?, worker = NULL, "  # noqa: S608  # constant
        f"lease_micros = NULL, counted_micros = NULL{done} WHERE key = ? RETURNING owner, id",
        (end.state, now_micros(), end.result, end.error, key),
    ).fetchone()
    if end.tick is not None:
        record_progress(connection, key, end.tick)
    record_change(connection, ChangeKind.BACKTEST, owner, job_id)
    connection.execute("DELETE FROM backtest_checkpoints WHERE backtest_key = ?", (key,))
    if end.state is JobState.SUCCEEDED or not is_sweep(job_id):  # else its trials that are over are still listed
        connection.execute("DELETE FROM backtest_parts WHERE backtest_key = ?", (key,))
    return append_events(connection, key, [JobEventDraft(EventKind.FINISHED, end.state)], retained)


def record_of(row: tuple[object, ...]) -> JobRecord:
    """A row of `COLUMNS` or `LISTED`."""
    (
        key, owner, job_id, state, label, epoch, request, inputs, fingerprint, created, finished, fraction, day, wealth,
        stage, last_event, dropped_event, attempt, crashes, worker, request_id, caller, cost_estimate, run_micros,
        stale, traceparent, result, error,
    ) = row  # fmt: skip
    return JobRecord(
        key=key,  # type: ignore[arg-type]  # sqlite3 knows no types; the schema does, as for those below
        owner=str(owner),
        id=str(job_id),
        state=JobState(str(state)),
        label=str(label),
        epoch=str(epoch),
        request=request,  # type: ignore[arg-type]
        inputs=inputs_of(str(inputs)),
        fingerprint=str(fingerprint),
        created=time_of(created),  # type: ignore[arg-type]
        finished=None if finished is None else time_of(finished),  # type: ignore[arg-type]
        tick=None if day is None else JobTick(fraction, day, wealth, _stage_of(stage)),  # type: ignore[arg-type]
        last_event=last_event,  # type: ignore[arg-type]
        dropped_event=dropped_event,  # type: ignore[arg-type]
        attempt=attempt,  # type: ignore[arg-type]
        crashes=crashes,  # type: ignore[arg-type]
        worker=worker,  # type: ignore[arg-type]
        request_id=request_id,  # type: ignore[arg-type]
        caller=str(caller),
        cost_estimate=cost_estimate,  # type: ignore[arg-type]
        run_seconds=run_micros / 1e6,  # type: ignore[operator]
        result=result,  # type: ignore[arg-type]
        error=error,  # type: ignore[arg-type]
        stale_since=None if stale is None else time_of(stale),  # type: ignore[arg-type]
        traceparent=str(traceparent or ""),
    )


def _stage_to_json(stage: Stage | None) -> str:
    return "" if stage is None else json.dumps([stage.label, stage.index, stage.count])


def _stage_of(text: object) -> Stage | None:
    return Stage(*json.loads(str(text))) if text else None


def _about_to_json(event: JobEventDraft) -> str:
    """The strategy that an event is about, and the figures of its decision where there are some."""
    weighing = event.weighing
    if event.stage is None or weighing is None:
        return _stage_to_json(event.stage)
    stage = event.stage
    return json.dumps([stage.label, stage.index, stage.count, weighing.benefit_annual, weighing.cost_annual])


def _about(text: object) -> tuple[Stage | None, Weighing | None]:
    """As `_about_to_json` wrote them."""
    if not text:
        return None, None
    label, index, count, *figures = json.loads(str(text))
    return Stage(label, index, count), Weighing(*figures) if figures else None


def now_micros() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000
