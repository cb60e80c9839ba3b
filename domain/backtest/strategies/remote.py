"""A strategy whose decisions a service outside makes. Who asks the service is told from outside: nothing here calls."""

from dataclasses import field

import numpy as np

from domain.backtest.strategies.decision_log import DecisionLog, DecisionService, RecordedDecision
from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import LARGEST_LEVERAGE, Vector, fractions_of_one, positive
from domain.errors import DomainError, InvalidInput
from domain.portfolio import weights_by_symbol
from domain.records import dataclass
from domain.warnings import ResultWarning

DEFAULT_TIMEOUT_SECONDS = 10.0


class RemoteDecisionFailed(DomainError):
    """A service outside made no decision that can be used; the holdings drift on."""

    REASON = "REMOTE_DECISION_FAILED"


class RemoteCallFailed(RemoteDecisionFailed):
    """The service could not be reached, or returned an error."""

    REASON = "REMOTE_CALL_FAILED"


class RemoteCallTimedOut(RemoteDecisionFailed):
    """The service did not answer in time."""

    REASON = "REMOTE_CALL_TIMED_OUT"


class RemoteWeightsInvalid(RemoteDecisionFailed):
    """The service sent weights that cannot be used."""

    REASON = "REMOTE_WEIGHTS_INVALID"


_FAILURES = {kind.REASON: kind for kind in (RemoteCallFailed, RemoteCallTimedOut, RemoteWeightsInvalid)}


@dataclass(frozen=True, slots=True)
class RunDecisions:
    """Who decides in one run, and where decisions are kept."""

    service: DecisionService
    log: DecisionLog
    path: str  # field path of the strategy, which tells it from others of the run


@dataclass(frozen=True, slots=True)
class Remote(WithoutDates, FromHistory):
    """Decisions of the service at `target`; it sees all of the past. `with_decisions` binds it to those of a run.

    Raises InvalidInput for no target or a time of 0 or less.
    """

    target: str  # "host:port"
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    label: str = "remote"
    kind: str = "remote"
    leveraged: bool = False  # whether weights may sum to more than 1
    decisions: RunDecisions | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.target:
            raise InvalidInput("target", "must name the host and port of a service")
        positive("timeout", self.timeout_seconds)

    @property
    def lookback_window(self) -> LookbackWindow:
        """All dates; one is enough."""
        return LookbackWindow(1, None)

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """No warnings: the service is not asked before the run."""
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weights of this date's decision: the recorded one, or a new one that is recorded before it is used.

        Raises RemoteDecisionFailed where there are none.
        """
        decisions = self.decisions
        if decisions is None:
            raise RemoteDecisionFailed("there is no connection to services outside in this run")
        day = int(history.dates[-1])
        decision = decisions.log.find(decisions.path, day)
        if decision is None:
            made = self._made(decisions.service, history, check_cancelled)
            decision = decisions.log.store(decisions.path, day, made)
        if decision.reason:
            raise _FAILURES.get(decision.reason, RemoteDecisionFailed)(decision.message)
        return weights_by_symbol(
            "weights", decision.weights, history.symbols, leveraged=self.leveraged, largest=LARGEST_LEVERAGE
        )

    def _made(
        self, service: DecisionService, history: MarketHistory, check_cancelled: CancellationCheck
    ) -> RecordedDecision:
        """A new decision. A failure is one too: whoever continues the run must not have more luck."""
        try:
            sent = service.decide(self.target, self.label, history, self.timeout_seconds, check_cancelled)
            weights = weights_by_symbol(
                "weights", sent, history.symbols, leveraged=self.leveraged, largest=LARGEST_LEVERAGE
            )
            fractions_of_one("weights", sent.values())
            _refuse_outsiders(weights, history)
        except RemoteDecisionFailed as error:
            return RecordedDecision(reason=error.REASON, message=error.message)
        except InvalidInput as error:
            return RecordedDecision(reason=RemoteWeightsInvalid.REASON, message=f"{self.target} sent {error.message}")
        return RecordedDecision(dict(sent))


def _refuse_outsiders(weights: Vector, history: MarketHistory) -> None:
    """Raises InvalidInput for a weight of an asset that is no member of the universe."""
    outside = np.flatnonzero(weights != history.of_members(weights))
    if len(outside):
        symbol = history.symbols[int(outside[0])]
        raise InvalidInput("weights", f"must be 0 for {symbol}, which is no member of the universe on this date")
