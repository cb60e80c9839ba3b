"""Stored data that a result was computed from, so that a correction of it can be noticed."""

from typing import Final

from domain.records import dataclass

ACTIONS: Final = "ACTION"
"""Stands beside the names of `PriceField` for corporate actions."""


@dataclass(frozen=True, slots=True)
class UsedRange:
    """Values of some symbols over a range of days."""

    field: str  # a PriceField, or ACTIONS
    symbols: tuple[str, ...]
    first: int  # day since 1970-01-01, inclusive
    last: int  # inclusive


@dataclass(frozen=True, slots=True)
class UsedData:
    """Everything stored that one result was computed from.

    A result is stale once a day of a range has another value or another corporate action than when it was read, or has
    one that came in before the newest day of its symbol. Values of later days change nothing.
    """

    last_correction: int  # number of the last correction that was stored before anything was read
    ranges: tuple[UsedRange, ...]
