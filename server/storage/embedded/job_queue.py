"""Which job runs next, and whose it is: claims with leases."""

import sqlite3
from collections.abc import Mapping, Sequence

from server.ports.job_queue import QueuePolicy, QueueSnapshot, WaitingJob, expected_seconds
from server.ports.jobs import Claim, EventKind, JobEventDraft, JobTick
from server.storage.embedded.job_rows import append_events, count_time, get_job, now_micros, record_progress
from server.storage.workers import WorkerLocks

# As ports.expected_seconds has it.
_EXPECTED = (
    "CASE WHEN fraction > 0 AND run_micros >= 1000000 THEN run_micros / 1e6 / fraction "
    "ELSE max(cost_estimate, run_micros / 1e5) END"
)
_FIRST_OF_EACH = (
    f"SELECT id, owner, {_EXPECTED} > :short AS is_long, min(queued_micros) FROM backtests INDEXED BY backtests_queued "  # noqa: S608  # constant
    "WHERE state = 'QUEUED' GROUP BY owner, is_long"
)
_RUNNING = (
    "SELECT id, owner, worker, lease_micros, queued_micros, cost_estimate, run_micros, fraction FROM backtests "
    "INDEXED BY backtests_running "
    "WHERE state = 'RUNNING'"
)


def queue_of(connection: sqlite3.Connection, worker: str, workers: WorkerLocks, policy: QueuePolicy) -> QueueSnapshot:
    """What waits and what runs; indexes keep the jobs that are over out of it."""
    now = now_micros()
    rows = connection.execute(_FIRST_OF_EACH, {"short": policy.short_seconds})
    waiting = [WaitingJob(i, owner, bool(is_long), (now - since) / 1e6) for i, owner, is_long, since in rows.fetchall()]
    running: dict[str, int] = {}
    for job_id, owner, holder, lease, since, estimate, run, fraction in connection.execute(_RUNNING).fetchall():
        if lease < now or (holder != worker and workers.is_gone(holder)):
            is_long = expected_seconds(estimate, run / 1e6, fraction) > policy.short_seconds
            waiting.append(WaitingJob(job_id, owner, is_long, (now - since) / 1e6))
        else:
            running[owner] = running.get(owner, 0) + 1
    return QueueSnapshot(tuple(waiting), running)


def claim_next(
    connection: sqlite3.Connection,
    worker: str,
    lease: int,
    workers: WorkerLocks,
    policy: QueuePolicy,
    retained: int,
) -> Claim | None:
    """Takes the job that is next; `lease` is in microseconds."""
    job = queue_of(connection, worker, workers, policy).best(policy)
    if job is None:
        return None
    (yielded,) = connection.execute("SELECT yielded FROM backtests WHERE id = ?", (job.id,)).fetchone()
    connection.execute(
        "UPDATE backtests SET state = 'RUNNING', worker = :worker, attempt = attempt + 1, lease_micros = :lease, "
        "counted_micros = :now, yielded = 0 WHERE id = :id",
        {"id": job.id, "worker": worker, "lease": now_micros() + lease, "now": now_micros()},
    )
    row = connection.execute("SELECT data FROM backtest_checkpoints WHERE backtest_id = ?", (job.id,)).fetchone()
    parts = connection.execute("SELECT data FROM backtest_parts WHERE backtest_id = ? ORDER BY number", (job.id,))
    stored = tuple(data for (data,) in parts.fetchall())
    if get_job(connection, job.id).attempt > 1 and not yielded:
        where = "goes on from its last checkpoint" if row else "starts again: there was no checkpoint yet"
        events = [JobEventDraft(EventKind.RESUMED, f"another worker took over and {where}")]
        append_events(connection, job.id, events, retained)
    return Claim(get_job(connection, job.id), row[0] if row else None, stored, job.waited_seconds)


def renew_leases(
    connection: sqlite3.Connection, worker: str, jobs: Sequence[str], lease: int, ticks: Mapping[str, JobTick]
) -> frozenset[str]:
    """Renews leases, counts time, and says how far jobs are; those the worker still has."""
    held: set[str] = set()
    for job_id in jobs:
        renewed = connection.execute(
            "UPDATE backtests SET lease_micros = ? WHERE id = ? AND worker = ? AND state = 'RUNNING'",
            (now_micros() + lease, job_id, worker),
        )
        if renewed.rowcount:
            held.add(job_id)
            count_time(connection, job_id)
            if job_id in ticks:
                record_progress(connection, job_id, ticks[job_id])
    return frozenset(held)
