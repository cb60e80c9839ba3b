"""The order in which waiting jobs get a worker."""

import sys
from collections.abc import Mapping

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How jobs share the workers."""

    short_seconds: float = 60.0  # a job that is expected to run for longer is long
    slice_seconds: float = 30.0  # a long job runs so long before it makes room for others that wait
    max_queued: int = 1000  # waiting jobs of a caller
    max_running: int = 0  # jobs of a caller that run at a time, on all servers of a store; 0 sets no limit
    max_job_seconds: float = 0.0  # a job may run for so long in all; 0 sets no limit


def expected_seconds(cost_estimate: float, run_seconds: float, fraction: float) -> float:
    """How long a job runs in all: by its pace once it has run for a second, by its estimate before.

    Without a pace a job that has run for t s is taken for one of 10 t s, so that an unknown one becomes a long one.
    """
    if fraction > 0.0 and run_seconds >= 1.0:
        return run_seconds / fraction
    return max(cost_estimate, 10.0 * run_seconds)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """The job of a caller that has waited longest, among the short ones or among the long ones."""

    key: int
    caller: str
    is_long: bool
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """Jobs that wait, at most two of each caller and those of workers that are gone, and how many run by caller."""

    waiting: tuple[WaitingJob, ...]
    running: Mapping[str, int]

    def best(self, policy: QueuePolicy) -> WaitingJob | None:
        """The job to run next.

        Callers that run fewer jobs go first, then short jobs and those that have waited for ten slices, then those
        that have waited longest. Jobs of a caller that runs as many as it may are left waiting.
        """
        allowed = policy.max_running or sys.maxsize

        def rank(job: WaitingJob) -> tuple[int, bool, float]:
            later = job.is_long and job.waited_seconds < 10.0 * policy.slice_seconds
            return self.running.get(job.caller, 0), later, -job.waited_seconds

        may_run = (job for job in self.waiting if self.running.get(job.caller, 0) < allowed)
        return min(may_run, key=rank, default=None)

    def after_yielding(self, job: WaitingJob) -> "QueueSnapshot":
        """The queue if a job that runs were given back."""
        running = {**self.running, job.caller: self.running.get(job.caller, 1) - 1}
        return QueueSnapshot((*self.waiting, job), running)
