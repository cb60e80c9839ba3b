"""What every store of jobs says where it refuses."""

from server.ports.errors import NotFound, Overloaded
from server.ports.jobs import JobState

RESUMED = "another worker took over and goes on from its last checkpoint"
RESTARTED = "another worker took over and starts again: there was no checkpoint yet"


def queue_full(count: int) -> Overloaded:
    """A caller has so many jobs that wait."""
    return Overloaded(f"{count} backtests of yours wait already; try again when some are over, or cancel some")


def no_series(job_id: str, state: JobState, label: str) -> NotFound:
    """A job that is over has no record of that label."""
    name = f"backtests/{job_id}"
    if state is JobState.SUCCEEDED:
        return NotFound("series", name, f"{name} has no strategy or benchmark labelled {label!r}")
    return NotFound("series", name, f"{name} has no series: it ended as {state.lower()}, and only a success has them")
