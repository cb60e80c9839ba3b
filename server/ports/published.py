"""Prices that are published as they come: bars of days that have ended, and quotes."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from domain.records import dataclass
from server.ports.changes import Quote


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of a day that has ended."""

    symbol: str
    day: int  # since 1970-01-01
    close: float
    revision: int = 0
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None


class Rejection(StrEnum):
    """Why an observation was not stored."""

    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"  # no instrument is stored under it
    STALE_REVISION = "STALE_REVISION"  # a bar of a higher revision is stored
    CONFLICTING_REVISION = "CONFLICTING_REVISION"  # a bar of this revision is stored, with other figures
    STALE_QUOTE = "STALE_QUOTE"  # a newer quote is stored
    FUTURE_BAR = "FUTURE_BAR"  # of a date that has not come in UTC
    FUTURE_QUOTE = "FUTURE_QUOTE"  # of a time that has not come
    DUPLICATE_IN_BATCH = "DUPLICATE_IN_BATCH"  # the batch has a higher or later one of the same date or symbol


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: places in it of what was not stored."""

    accepted: int  # with those that were stored before, and are the same
    rejected: Mapping[int, Rejection]


class PublishedPrices(Protocol):
    """What becomes of bars and quotes, each in one transaction with its changes.

    A large batch may take several, each with all bars of its symbols: one that was cut off is sent again, and what was
    stored of it changes nothing.
    """

    async def publish_bars(self, bars: Sequence[Bar]) -> Outcome:
        """Stores bars among the prices of their symbols; each revision of a date once.

        A bar whose revision is that of the stored one, with the same figures, is accepted and changes nothing.
        """
        ...

    async def publish_quotes(self, quotes: Sequence[Quote]) -> Outcome:
        """Stores the latest quote of each symbol; the same quote again is accepted and changes nothing."""
        ...

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quotes of those symbols that have one."""
        ...
