"""Fills that are recorded, and the store that has them beside their portfolios."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from domain.records import dataclass
from server.ports.portfolios import PortfolioRecord


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A recorded fill."""

    fill_id: str
    symbol: str
    day: int  # of the fill, since 1970-01-01
    content: bytes  # as it was sent, with what it is a fill of
    outcome: bytes  # gains and disallowed losses, as a converter wrote them
    reallocation: str = ""  # id of its plan; empty for none
    disallows: tuple[str, ...] = ()  # fills that sold at a loss of which this purchase disallows a part
    is_open: bool = False  # whether a purchase may still disallow a part of its loss


@dataclass(frozen=True, slots=True)
class FillsQuery:
    """What is needed to record fills of a plan or of a portfolio; one of the two ids is empty."""

    reallocation: str
    portfolio: str
    fill_ids: tuple[str, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedFills:
    """One state of a portfolio and of its fills."""

    portfolio: PortfolioRecord | None  # None where the portfolio of a plan is not stored
    plan: bytes | None = None  # the reallocation, as a converter wrote it
    fills: Sequence[StoredFill] = ()
    last_days: Mapping[str, int] = field(default_factory=dict)  # of the last fill of each symbol


@dataclass(frozen=True, slots=True)
class FillsChange:
    """A portfolio after fills, and these; `etag` is that of the state they were added to."""

    portfolio: str  # id
    etag: str
    payload: bytes
    new: tuple[StoredFill, ...]
    changed: tuple[StoredFill, ...]  # earlier fills with another outcome
    reallocation: str = ""  # id of the plan they are fills of; empty for none
    completes: bool = False  # whether all of that plan is then filled


class FillStore(Protocol):
    """Recorded fills of an owner's portfolios."""

    async def load(self, owner: str, query: FillsQuery) -> RecordedFills:
        """A portfolio with those fills that bear on new ones. Raises NotFound.

        They are the fills with the ids of the query, the sales of which they disallow a loss, all fills of the plan,
        and the fills of the symbols whose loss is open.
        """
        ...

    async def commit(self, owner: str, change: FillsChange) -> PortfolioRecord:
        """Stores portfolio and fills in one transaction. Raises NotFound, EtagMismatch, StorageFull.

        The plan of the fills says how much of it is filled; every other one of the portfolio is superseded.
        """
        ...
