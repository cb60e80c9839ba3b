"""The command of RecordFills and what comes of it."""

from collections.abc import Mapping
from decimal import Decimal

from domain.reallocation.account import Execution
from domain.records import dataclass
from server.ports.fills import FillsChange, FillsQuery
from server.ports.portfolios import PortfolioRecord


@dataclass(frozen=True, slots=True)
class SentFill:
    """A fill, and the bytes by which it is known again."""

    execution: Execution
    content: bytes


@dataclass(frozen=True, slots=True)
class RecordFillsCommand:
    """Fills of a plan, or of a portfolio; one of the two ids is empty."""

    reallocation: str
    portfolio: str
    etag: str  # empty for any version
    fills: tuple[SentFill, ...]
    last_prices: Mapping[str, Decimal]
    fees_in_gains: bool = False

    @property
    def query(self) -> FillsQuery:
        """What of the store it needs."""
        executions = [fill.execution for fill in self.fills]
        symbols = dict.fromkeys(execution.symbol for execution in executions)
        ids = tuple(execution.fill_id for execution in executions)
        return FillsQuery(self.reallocation, self.portfolio, ids, tuple(symbols))


@dataclass(frozen=True, slots=True)
class FillsAnswer:
    """The portfolio after the fills, as it is where all of them are recorded already, and the rest of the answer."""

    after: FillsChange | PortfolioRecord
    payload: bytes
