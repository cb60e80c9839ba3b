"""Why less is traded than was wanted."""

from enum import StrEnum

from domain.records import dataclass


class ShortfallCode(StrEnum):
    """The cause."""

    LOT_SIZE = "LOT_SIZE"
    MIN_TRADE = "MIN_TRADE"
    PARTICIPATION = "PARTICIPATION"
    CASH = "CASH"
    TURNOVER = "TURNOVER"
    TAX = "TAX"  # the gain budget, in money; or a wash sale, in days
    HALTED = "HALTED"
    UNPRICED = "UNPRICED"
    DIRECTION = "DIRECTION"
    NEW_NAME = "NEW_NAME"
    COST = "COST"
    TRACKING_ERROR = "TRACKING_ERROR"  # it is lower without the rest
    LIQUIDITY = "LIQUIDITY"  # accounts share the volume; in units of all days


@dataclass(frozen=True, slots=True)
class Cause:
    """A limit that was met, in its own unit: a lot, money, units, a fraction."""

    code: ShortfallCode
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One asset; quantities in units, negative to sell."""

    symbol: str
    requested: float
    planned: float
    causes: tuple[Cause, ...]
