"""Stored results that became stale, for those who are told."""

from collections.abc import Sequence
from typing import Protocol

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class StaleResult:
    """A stored result whose data was corrected."""

    owner: str
    name: str  # such as "optimizations/{id}"
    label: str
    request_id: str | None
    since: int  # when the data was corrected first, microseconds since 1970-01-01


class StaleResults(Protocol):
    """Results of every kind and everybody."""

    async def since(self, symbols: Sequence[str], time: int, limit: int) -> Sequence[StaleResult]:
        """Results that a correction of one of the symbols at a time, in microseconds, or later has made stale.

        Those that were stale before are left out; of each kind there are at most so many, the newest first.
        """
        ...
