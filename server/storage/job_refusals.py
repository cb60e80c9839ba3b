"""What every store of jobs says where it refuses."""

from server.ports.errors import NotFound, QuotaExceeded
from server.ports.jobs import BACKTESTS, JobState, kind_of, resource_name

RESUMED = "another worker took over and goes on from its last checkpoint"
RESTARTED = "another worker took over and starts again: there was no checkpoint yet"


def queue_full(count: int) -> QuotaExceeded:
    """A caller has so many jobs that wait, which is as many as may."""
    text = f"{count} backtests of yours wait already; try again when some are over, or cancel some"
    return QuotaExceeded(text, "queued_jobs", count)


def named(kind: str, name: str) -> tuple[str, str]:
    """Kind and name of a job as its owner knows them: the database writes those of every job as of a backtest."""
    job_id = name.removeprefix(BACKTESTS)
    return (kind_of(job_id), resource_name(job_id)) if kind == "backtest" else (kind, name)


def no_series(job_id: str, state: JobState, label: str) -> NotFound:
    """A job that is over has no record of that label."""
    name = resource_name(job_id)
    if state is JobState.SUCCEEDED:
        return NotFound(
            "series",
            name,
            f"{name} has no series of {label!r}: no strategy, nor a benchmark that is one, has this label",
        )
    return NotFound("series", name, f"{name} has no series: it ended as {state.lower()}, and only a success has them")
