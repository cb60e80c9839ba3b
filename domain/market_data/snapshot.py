"""Figures of some assets at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.checks import non_negative, positive


@dataclass(frozen=True, slots=True)
class Quote:
    """What is known of one asset now; None is not known."""

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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Quotes by symbol; a symbol without one has no price."""

    quotes: Mapping[str, Quote] = field(default_factory=dict)

    def price(self, symbol: str) -> float | None:
        """Of one unit, None where there is none."""
        quote = self.quotes.get(symbol)
        return None if quote is None else quote.price
