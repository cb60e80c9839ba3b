"""Stored corporate actions, and the store that has them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.market_data.corporate_actions import CorporateAction
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """What a list of corporate actions shows; empty shows everything."""

    symbols: tuple[str, ...] = ()
    start: int | None = None  # first day since 1970-01-01, inclusive
    end: int | None = None  # last day, inclusive


@dataclass(frozen=True, slots=True)
class ActionPage:
    """Corporate actions by symbol, date and kind; `next_token` is empty at the end."""

    actions: tuple[CorporateAction, ...]
    next_token: str


class CorporateActionStore(Protocol):
    """Corporate actions. A symbol has one of a kind on a date, and one delisting at all."""

    async def upsert(self, actions: Sequence[CorporateAction]) -> int:
        """Stores actions, replacing those of the same symbol, date and kind; a delisting replaces any of its symbol.

        Returns how many. Raises StorageFull.
        """
        ...

    async def page(self, token: str, size: int, filters: ActionFilter) -> ActionPage:
        """A page of actions. Raises InvalidInput for a token that belongs to another list, or is none."""
        ...

    async def all(self, filters: ActionFilter) -> tuple[CorporateAction, ...]:
        """All actions that a list would show."""
        ...

    async def first_days(self, symbols: Sequence[str]) -> Mapping[str, int | None]:
        """Day of the first closing price of each symbol, None where it has none; unknown symbols are left out."""
        ...
