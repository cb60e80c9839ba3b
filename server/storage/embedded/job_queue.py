"""Which job runs next, and whose it is: claims with leases."""

import sqlite3
from collections.abc import Mapping, Sequence

from server.ports.job_queue import QueuePolicy, QueueSnapshot, WaitingJob, expected_seconds
from server.ports.jobs import Claim, EventKind, JobEventDraft, JobTick
from server.storage.embedded.job_rows import append_events, count_time, job_of_key, now_micros, record_progress
from server.storage.job_refusals import RESTARTED, RESUMED
from server.storage.workers import WorkerLocks

# As ports.expected_seconds has it.
_EXPECTED = (
    "CASE WHEN fraction > 0 AND run_micros >= 1000000 THEN run_micros / 1e6 / fraction "
    "ELSE max(cost_estimate, run_micros / 1e5) END"
)
_FIRST_OF_EACH = (
    f"SELECT key, caller, {_EXPECTED} > :short AS is_long, min(queued_micros) "  # noqa: S608  # constant
    "FROM backtests INDEXED BY backtests_queued WHERE state = 'QUEUED' GROUP BY caller, is_long"
)
_RUNNING = (
    "SELECT key, caller, worker, lease_micros, queued_micros, cost_estimate, run_micros, fraction FROM backtests "
    "INDEXED BY backtests_running "
    "WHERE state = 'RUNNING'"
)


def queue_of(connection: sqlite3.Connection, worker: str, workers: WorkerLocks, policy: QueuePolicy) -> QueueSnapshot:
    """What waits and what runs; indexes keep the jobs that are over out of it."""
    now = now_micros()
    rows = connection.execute(_FIRST_OF_EACH, {"short": policy.short_seconds})
    waiting = [
        WaitingJob(k, caller, bool(is_long), (now - since) / 1e6) for k, caller, is_long, since in rows.fetchall()
    ]
    running: dict[str, int] = {}
    for key, caller, holder, lease, since, estimate, run, fraction in connection.execute(_RUNNING).fetchall():
        if lease < now or (holder != worker and workers.is_gone(holder)):
            is_long = expected_seconds(estimate, run / 1e6, fraction) > policy.short_seconds
            waiting.append(WaitingJob(key, caller, is_long, (now - since) / 1e6))
        else:
            running[caller] = running.get(caller, 0) + 1
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
    (yielded,) = connection.execute("SELECT yielded FROM backtests WHERE key = ?", (job.key,)).fetchone()
    connection.execute(
        "UPDATE backtests SET state = 'RUNNING', worker = :worker, attempt = attempt + 1, lease_micros = :lease, "
        "counted_micros = :now, yielded = 0 WHERE key = :key",
        {"key": job.key, "worker": worker, "lease": now_micros() + lease, "now": now_micros()},
    )
    row = connection.execute("SELECT data FROM backtest_checkpoints WHERE backtest_key = ?", (job.key,)).fetchone()
    if job_of_key(connection, job.key).attempt > 1 and not yielded:
        events = [JobEventDraft(EventKind.RESUMED, RESUMED if row else RESTARTED)]
        append_events(connection, job.key, events, retained)
    return Claim(job_of_key(connection, job.key), row[0] if row else None, job.waited_seconds)


def renew_leases(
    connection: sqlite3.Connection, worker: str, jobs: Sequence[int], lease: int, ticks: Mapping[int, JobTick]
) -> frozenset[int]:
    """Renews leases, counts time, and says how far jobs are; those the worker still has."""
    held: set[int] = set()
    for key in jobs:
        renewed = connection.execute(
            "UPDATE backtests SET lease_micros = ? WHERE key = ? AND worker = ? AND state = 'RUNNING'",
            (now_micros() + lease, key, worker),
        )
        if renewed.rowcount:
            held.add(key)
            count_time(connection, key)
            if key in ticks:
                record_progress(connection, key, ticks[key])
    return frozenset(held)
