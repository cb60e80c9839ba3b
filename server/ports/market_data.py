"""Stored prices and instruments, and the store that has them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from domain.market_data.panel import Panel
from domain.records import dataclass
from server.ports.panels import StoredPanel


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
    symbols_path: str = dataclasses.field(default="symbols", compare=False)  # in the request, of what names the symbols

    @property
    def path(self) -> str:
        """Of the whole selection; of the naming field itself where that is no part of a MarketDataSelection."""
        return self.symbols_path.removesuffix(".symbols").removesuffix(".universe")

    def under(self, prefix: str) -> "PriceSelection":
        """The same selection with its field seen from one level further out."""
        return dataclasses.replace(self, symbols_path=f"{prefix}.{self.symbols_path}")


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """Stored prices as a store is asked for them."""

    symbols: tuple[str, ...]
    start: int | None = None
    end: int | None = None
    field: PriceField = PriceField.CLOSE


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


class ImportSession(Protocol):
    """An import under way. Nothing of it is visible before `finish`, and everything after."""

    async def add(self, panel: Panel) -> None:
        """Stages a panel. Raises StorageFull, and StorageUnavailable where the import was idle for too long."""
        ...

    async def finish(self, value_count: int) -> ImportReceipt:
        """Makes the import visible, all of it or nothing.

        Raises InvalidInput where another number of values has come or a day has two, and RequestIdReused.
        """
        ...

    async def abandon(self) -> None:
        """Drops what was staged."""
        ...


class MarketDataStore(Protocol):
    """Prices and instruments."""

    async def begin_import(self, import_id: str, field: PriceField, source: str) -> ImportSession:
        """An import in parts. The same import again gives the first receipt."""
        ...

    async def import_prices(self, prices: PriceImport) -> ImportReceipt:
        """Stores all of it or nothing. The same import again gives the first receipt.

        Raises RequestIdReused where the id belongs to another content.
        """
        ...

    async def prices(self, query: PriceQuery) -> StoredPanel:
        """The panel over all dates on which any symbol has a value; NaN where one has none.

        Raises MissingMarketData for unknown symbols, with `field` "symbols", and for a range without any value. Only
        the service knows which field of the request named them.
        """
        ...

    async def list_instruments(self, after: str, limit: int, group: str | None) -> InstrumentPage:
        """Instruments whose symbol comes after `after`, or those among them with a label "kind=name"."""
        ...

    async def instruments(self, symbols: Sequence[str]) -> Mapping[str, Instrument]:
        """Those of the symbols that are stored."""
        ...

    async def having(self, field: PriceField, symbols: Sequence[str]) -> tuple[str, ...]:
        """Those of the symbols that have values of a field."""
        ...

    async def upsert_instruments(self, instruments: Sequence[Instrument]) -> int:
        """Stores instruments, replacing those with the same symbol."""
        ...

    async def last_correction(self) -> int:
        """Number of the last correction of prices or corporate actions that is visible; 0 before the first.

        What is read after it has all corrections up to this number.
        """
        ...
