"""What is noticed: the kinds of events, how important they are, and signals."""

import hashlib
import json
from enum import IntEnum, StrEnum

from domain.records import dataclass


class EventKind(StrEnum):
    """Something that happens in the market or to a portfolio, by the name the contract gives it."""

    PRICES = "PRICES"  # new prices; an event, never a signal
    DRIFT = "DRIFT"
    LIMIT = "LIMIT"
    VOLATILITY = "VOLATILITY"
    DRAWDOWN = "DRAWDOWN"
    LIQUIDITY = "LIQUIDITY"
    PRICE_STALE = "PRICE_STALE"
    PRICE_JUMP = "PRICE_JUMP"
    MANDATE_DUE = "MANDATE_DUE"
    LOT_LONG_TERM = "LOT_LONG_TERM"
    RESULT_STALE = "RESULT_STALE"  # noticed where results are stored, not here


class Severity(IntEnum):
    """How important a signal is."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3


class Phase(StrEnum):
    """Whether a figure has passed its threshold, or is back."""

    RAISED = "RAISED"
    CLEARED = "CLEARED"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a signal is about; without any of these, the whole portfolio."""

    symbol: str = ""
    group: str = ""
    measure: str = ""  # such as CONDITIONAL_VALUE_AT_RISK or days_to_liquidate
    lot_id: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A figure has passed its threshold, or is back. Units are those of the figure's definition in docs/events.md."""

    kind: EventKind
    phase: Phase
    severity: Severity  # INFO where it is cleared
    portfolio: str
    subject: Subject
    figure: float
    threshold: float
    time: int  # of the event that raised or cleared it, microseconds since 1970-01-01
    since: int  # of the event that raised it
    message: str  # for people; it may change

    @property
    def dedupe_key(self) -> str:
        """The same for the same occurrence, however often it is computed; another one for every other occurrence."""
        subject = (self.subject.symbol, self.subject.group, self.subject.measure, self.subject.lot_id)
        parts = (self.kind, self.phase, self.portfolio, *subject, repr(self.threshold), self.time, self.since)
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    @property
    def order(self) -> tuple[str, str, Subject, float, str]:
        """Orders the signals of one event, whatever the order of portfolios and assets in it."""
        return self.portfolio, self.kind, self.subject, self.threshold, self.phase
