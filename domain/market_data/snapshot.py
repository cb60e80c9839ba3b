"""Figures of some assets at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.checks import non_negative, positive
from domain.errors import InvalidInput

LARGEST_AMOUNT = 1e21
"""Largest valid price, quantity or amount of money: far above any currency, far below overflow."""

SMALLEST_AMOUNT = 1e-21
"""Smallest valid price, lot or volume above 0."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Current data of one asset; None is unknown."""

    price: float
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None
    volatility_annual: float | None = None
    lot_size: float = 1.0
    halted: bool = False

    def __post_init__(self) -> None:
        positive("price", self.price)
        positive("lot_size", self.lot_size)
        for name in ("average_daily_volume", "spread_bps", "volatility_annual"):
            value: float | None = getattr(self, name)
            if value is not None:
                non_negative(name, value)
        for name in ("price", "lot_size", "average_daily_volume"):
            value = getattr(self, name)
            if value and not SMALLEST_AMOUNT <= value <= LARGEST_AMOUNT:
                raise InvalidInput(name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}, is {value:g}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Quotes by symbol; a symbol without one has no price."""

    quotes: Mapping[str, Quote] = field(default_factory=dict)

    def price(self, symbol: str) -> float | None:
        """Of one unit, None where there is none."""
        quote = self.quotes.get(symbol)
        return None if quote is None else quote.price
