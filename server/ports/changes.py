"""What changed in the stores, in the order in which it became visible: the truth that listeners read.

A change is written in the transaction of the data it is about, so that there is none without the other.
"""

from enum import StrEnum
from typing import Protocol

from domain.records import dataclass
from server.ports.market_data import PriceField


class ChangeKind(StrEnum):
    """What changed."""

    PRICES = "PRICES"  # prices of a symbol, by an import or by bars that were published
    QUOTE = "QUOTE"  # the latest quote of a symbol
    INSTRUMENT = "INSTRUMENT"
    CORPORATE_ACTION = "CORPORATE_ACTION"
    PORTFOLIO = "PORTFOLIO"  # made, changed or deleted
    OPTIMIZATION = "OPTIMIZATION"  # a result was stored or deleted
    REALLOCATION = "REALLOCATION"
    BACKTEST = "BACKTEST"  # has ended, or was deleted


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Which prices of a symbol are others than before."""

    field: PriceField
    first: int  # first day with another or a new value, since 1970-01-01
    last: int  # last day
    replaced: bool  # a value that was there before is another one, or one came in before the newest day


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of a moment; at least one of the three is there."""

    symbol: str
    time: int  # microseconds since 1970-01-01
    bid: float | None = None
    ask: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change. A listener reads what changed anew: a change says what, not how it is now."""

    cursor: str  # the place after it, to go on from
    kind: ChangeKind
    owner: str  # whose; empty for what belongs to everybody
    name: str  # symbol, or the id of a portfolio or result
    time: int  # when it was written, microseconds since 1970-01-01
    revision: int = 0  # of one thing they increase: its number in the log where nothing else counts
    prices: PriceChange | None = None  # of PRICES
    quote: Quote | None = None  # of QUOTE


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in order; `next_cursor` is where to go on, also where there are none."""

    changes: tuple[Change, ...]
    next_cursor: str
    is_last: bool  # nothing that is visible now comes after them


@dataclass(frozen=True, slots=True)
class ChangeLag:
    """How far a place is behind the log."""

    changes: int  # at most 100 000 are counted
    seconds: float  # since the oldest of them was written; 0 where there are none


class ChangeLog(Protocol):
    """The log of changes of everybody."""

    async def changes_since(self, cursor: str, limit: int) -> ChangePage:
        """Changes after a place, the oldest retained ones where it is empty.

        None that becomes visible later comes before one that was returned: what a transaction that is still open may
        write is waited for. Raises CursorGone where changes after the place are no longer retained.
        """
        ...

    async def newest(self) -> str:
        """The place after everything that is visible now."""
        ...

    async def lag(self, cursor: str) -> ChangeLag:
        """How far a place is behind."""
        ...

    async def forget(self, cursor: str, before: int) -> int:
        """Removes changes up to a place that were written before a time, in microseconds; how many."""
        ...
