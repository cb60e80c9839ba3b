"""What the services need from the outside, as protocols; `bootstrap` chooses who answers.

Every method is asynchronous: a store may be a file on this machine or a database far away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from domain.market_data.panel import Panel, PricePanel


class NotFound(Exception):
    """Nothing is stored under that name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name}")
        self.kind = kind
        self.name = name


class RequestIdReused(Exception):
    """An id that belongs to another request."""

    def __init__(self, field: str, request_id: str) -> None:
        super().__init__(f"{request_id!r} was used before, with another content")
        self.field = field
        self.request_id = request_id


class Overloaded(Exception):
    """There is more work than can be done in time; later it may go."""


class PriceField(StrEnum):
    """A figure of a trading day."""

    CLOSE = "CLOSE"
    OPEN = "OPEN"
    HIGH = "HIGH"
    LOW = "LOW"
    VOLUME = "VOLUME"


@dataclass(frozen=True, slots=True)
class PriceSelection:
    """Stored prices as a request names them: symbols, or all instruments with a label."""

    symbols: tuple[str, ...] = ()
    universe: str | None = None  # "kind=name"
    start: int | None = None  # first day since 1970-01-01, inclusive
    end: int | None = None  # last day, inclusive
    field: PriceField = PriceField.CLOSE


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """Stored prices as a store is asked for them."""

    symbols: tuple[str, ...]
    start: int | None = None
    end: int | None = None
    field: PriceField = PriceField.CLOSE


@dataclass(frozen=True, slots=True)
class StoredPanel:
    """A panel of stored prices over a read-only file that other processes can open too."""

    panel: PricePanel
    path: Path  # values as .npy, (T, N)
    fingerprint: str  # hash of symbols, dates and values


@dataclass(frozen=True, slots=True)
class PriceImport:
    """Everything of one import; NaN carries no value and overwrites none."""

    import_id: str
    field: PriceField
    source: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What an import changed, in values."""

    import_id: str
    inserted: int
    changed: int
    unchanged: int
    symbols: int


class TradableState(StrEnum):
    """Whether an asset can be traded."""

    TRADABLE = "TRADABLE"
    HALTED = "HALTED"
    DELISTED = "DELISTED"
    NOT_LISTED = "NOT_LISTED"


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is known about an asset beside its prices."""

    symbol: str
    display_name: str = ""
    currency: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    lot_size: float | None = None
    state: TradableState = TradableState.TRADABLE
    has_prices: bool = False


@dataclass(frozen=True, slots=True)
class InstrumentPage:
    """Instruments by symbol; `next_token` is empty at the end."""

    instruments: tuple[Instrument, ...]
    next_token: str


class MarketDataStore(Protocol):
    """Prices and instruments."""

    async def import_prices(self, prices: PriceImport) -> ImportReceipt:
        """Stores all of it or nothing. The same import again gives the first receipt.

        Raises RequestIdReused where the id belongs to another content.
        """
        ...

    async def prices(self, query: PriceQuery) -> StoredPanel:
        """The panel over all dates on which any symbol has a value; NaN where one has none.

        Raises MissingMarketData for unknown symbols and for a range without any value.
        """
        ...

    async def list_instruments(self, after: str, limit: int, group: str | None) -> InstrumentPage:
        """Instruments whose symbol comes after `after`, or those among them with a label "kind=name"."""
        ...

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments, replacing those with the same symbol."""
        ...


@dataclass(frozen=True, slots=True)
class OptimizationRecord:
    """A stored answer."""

    id: str
    created: datetime  # UTC
    request_id: str | None
    payload: bytes  # the response as a converter wrote it
    input_fingerprint: str


@dataclass(frozen=True, slots=True)
class OptimizationDraft:
    """An answer before it is stored."""

    payload: bytes
    input_fingerprint: str
    body: bytes  # hash of the request without its id
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class OptimizationPage:
    """Answers, newest first; `next_token` is empty at the end."""

    records: tuple[OptimizationRecord, ...]
    next_token: str


class OptimizationStore(Protocol):
    """Answers of Optimize."""

    async def find(self, request_id: str, body: bytes) -> OptimizationRecord | None:
        """The answer this request was given before. Raises RequestIdReused where the id belongs to another body."""
        ...

    async def save(self, draft: OptimizationDraft) -> OptimizationRecord:
        """Stores an answer; of two with one request id the first is kept and returned to both."""
        ...

    async def get(self, optimization_id: str) -> OptimizationRecord:
        """One answer. Raises NotFound."""
        ...

    async def list(self, token: str, limit: int) -> OptimizationPage:
        """A page of answers. Raises InvalidInput for a token that is not ours."""
        ...
