"""Decisions of services outside, kept so that a run that is continued or repeated has the same result.

A decision is stored before it is used: what a run did can then be done again without asking.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from domain.backtest.strategies.history import MarketHistory
from domain.cancellation import CancellationCheck
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """What came of one decision: weights that passed their checks, or why there are none."""

    weights: Mapping[str, float] = field(default_factory=dict)  # symbols without a weight are left out
    reason: str = ""  # not empty for a decision that failed
    message: str = ""


class DecisionService(Protocol):
    """Asks a service outside for the weights of one decision."""

    def decide(
        self,
        target: str,
        label: str,
        history: MarketHistory,
        timeout_seconds: float,
        check_cancelled: CancellationCheck,
    ) -> Mapping[str, float]:
        """Weights by symbol, as the service sent them. Raises RemoteCallFailed, RemoteCallTimedOut, Cancelled."""
        ...


class DecisionLog(Protocol):
    """Decisions of one run, by the field path of their strategy and the day, since 1970-01-01."""

    def find(self, path: str, day: int) -> RecordedDecision | None:
        """A decision that was stored before."""
        ...

    def store(self, path: str, day: int, decision: RecordedDecision) -> RecordedDecision:
        """Stores a decision durably, and returns the one to use: the one stored first where there is one already."""
        ...


@dataclass(slots=True)
class DecisionsInMemory:
    """A log that lasts as long as the process, for runs that nothing continues."""

    decisions: dict[tuple[str, int], RecordedDecision] = field(default_factory=dict)

    def find(self, path: str, day: int) -> RecordedDecision | None:
        """A decision that was stored before."""
        return self.decisions.get((path, day))

    def store(self, path: str, day: int, decision: RecordedDecision) -> RecordedDecision:
        """Keeps it, unless there is one already."""
        return self.decisions.setdefault((path, day), decision)
