"""Decisions of jobs on Supabase, read and written by worker processes: a decision is committed before it is used."""

import json
from dataclasses import field
from typing import Any

from domain.backtest.strategies.decision_log import RecordedDecision
from domain.errors import Cancelled
from domain.records import dataclass
from server.ports.errors import LostClaim
from server.ports.jobs import JobRecord
from server.storage.supabase.access import Access
from server.storage.supabase.rpc import SyncRpc
from server.storage.texts import kept_text, text_of_kept


@dataclass(frozen=True, slots=True)
class SupabaseDecisions:
    """The decisions of all jobs, by the project they are in. It can be sent to a process, and then has the key."""

    access: Access

    def log(self, claim: JobRecord) -> "SupabaseDecisionLog":
        """The decisions of one job."""
        return SupabaseDecisionLog(self.access, claim.key, claim.worker or "", claim.attempt)


@dataclass(slots=True)
class SupabaseDecisionLog:
    """The decisions of one job, over a connection of its own."""

    access: Access
    key: int
    worker: str
    attempt: int
    _rpc: SyncRpc | None = field(default=None, init=False, repr=False)

    def find(self, path: str, day: int) -> RecordedDecision | None:
        """A decision that was stored before. Raises StorageUnavailable."""
        row = self._opened().call("find_backtest_decision", p_key=self.key, p_path=kept_text(path), p_day=day)
        return None if row is None else _decision_of(row)

    def store(self, path: str, day: int, decision: RecordedDecision) -> RecordedDecision:
        """Stores a decision unless there is one, and returns the one that is stored.

        Raises Cancelled where another attempt has the job, StorageFull, StorageUnavailable.
        """
        try:
            row = self._opened().call(
                "store_backtest_decision",
                p_key=self.key,
                p_worker=self.worker,
                p_attempt=self.attempt,
                p_path=kept_text(path),
                p_day=day,
                p_weights=json.dumps(dict(decision.weights)),  # the shortest text that reads back as the same numbers
                p_reason=kept_text(decision.reason),
                p_message=kept_text(decision.message),
            )
        except LostClaim:
            raise Cancelled("another worker has this job by now, or it is over") from None
        return _decision_of(row)

    def close(self) -> None:
        """Ends the connection."""
        if self._rpc is not None:
            self._rpc.close()
            self._rpc = None

    def _opened(self) -> SyncRpc:
        if self._rpc is None:
            self._rpc = SyncRpc(self.access)
        return self._rpc


def _decision_of(row: Any) -> RecordedDecision:
    return RecordedDecision(json.loads(row["weights"]), text_of_kept(row["reason"]), text_of_kept(row["message"]))
