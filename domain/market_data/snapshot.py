"""Figures of some assets at one moment."""

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal

from domain.checks import non_negative, positive
from domain.errors import InvalidInput
from domain.exact import exact, exact_arithmetic
from domain.records import dataclass

LARGEST_AMOUNT = 1e21
"""Largest valid price, quantity or amount of money: far above any currency, far below overflow."""

SMALLEST_AMOUNT = 1e-21
"""Smallest valid price, lot or volume above 0."""

LARGEST_VOLATILITY = 1e6
"""Largest valid volatility per year: far above any asset's, far below overflow."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Current data of one asset; None is unknown."""

    price: float
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None
    volatility_annual: float | None = None
    lot_size: float = 1.0
    halted: bool = False
    converted_price: Decimal | None = None  # all digits of a price that was converted from another currency
    exact_price: Decimal = field(init=False, compare=False, repr=False)  # of one unit

    def __post_init__(self) -> None:
        positive("price", self.price)
        positive("lot_size", self.lot_size)
        for name in ("average_daily_volume", "spread_bps", "volatility_annual"):
            value: float | None = getattr(self, name)
            if value is not None:
                non_negative(name, value)
        if self.volatility_annual is not None and self.volatility_annual > LARGEST_VOLATILITY:
            raise InvalidInput("volatility_annual", f"must be at most {LARGEST_VOLATILITY:g}")
        for name in ("price", "lot_size", "average_daily_volume"):
            value = getattr(self, name)
            if value and not SMALLEST_AMOUNT <= value <= LARGEST_AMOUNT:
                raise InvalidInput(name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}, is {value:g}")
        price = exact(self.price) if self.converted_price is None else self.converted_price
        object.__setattr__(self, "exact_price", price)  # read dozens of times by every plan

    def at_rate(self, rate: float, field_name: str = "price") -> "Quote":
        """The same in a currency of which one unit of this one costs `rate`; the product is exact.

        Raises InvalidInput, with `field_name`, where the price is then too small or too large.
        """
        with exact_arithmetic():
            price = exact(self.price) * exact(rate)
        if not SMALLEST_AMOUNT <= price <= LARGEST_AMOUNT:
            raise InvalidInput(field_name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g} at its rate")
        return replace(self, price=float(price), converted_price=price)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Quotes by symbol; a symbol without one has no price."""

    quotes: Mapping[str, Quote] = field(default_factory=dict)

    def price(self, symbol: str) -> float | None:
        """Of one unit, None where there is none."""
        quote = self.quotes.get(symbol)
        return None if quote is None else quote.price
