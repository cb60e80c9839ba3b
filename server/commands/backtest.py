"""Commands of BacktestService."""

from collections.abc import Iterator

from domain.backtest.specification import BacktestSpecification
from domain.checks import Matrix
from domain.market_data.panel import Days, PricePanel, ReturnPanel
from domain.records import dataclass
from server.ports.market_data import PriceSelection


@dataclass(frozen=True, slots=True)
class BacktestCommand:
    """What to simulate, and how the job is kept."""

    data: PricePanel | ReturnPanel | PriceSelection
    specification: BacktestSpecification
    request: bytes  # as the converter reads it again, without data
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    wait_seconds: float = 0.0
    validate_only: bool = False
    content: bytes = b""  # hash of what determines the answer
    id: str | None = None  # the caller's choice
    label: str = ""
    opens: PricePanel | PriceSelection | None = None  # opening prices


@dataclass(frozen=True, slots=True)
class SeriesPieces:
    """A series in pieces of whole rows."""

    symbols: tuple[str, ...]  # of its columns; none for a series of one column
    dates: Days
    pieces: Iterator[tuple[Days, Matrix]]
