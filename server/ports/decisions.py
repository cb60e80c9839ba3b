"""Decisions of services outside that jobs were told, kept until the job is deleted."""

from typing import Protocol

from domain.backtest.strategies.decision_log import DecisionLog
from server.ports.jobs import JobRecord


class DecisionStore(Protocol):
    """Where the decisions of jobs are.

    It is sent to worker processes with their job, and opens nothing before its first use there.
    """

    def log(self, claim: JobRecord) -> DecisionLog:
        """The decisions of a job, for the attempt that has claimed it.

        Its methods raise Cancelled where another attempt has the job by now, StorageFull and StorageUnavailable.
        """
        ...
