"""Whether the market can take the required trades. Without a volume that is not known, and never assumed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from domain.market_data.snapshot import Snapshot


class LiquidityState(IntEnum):
    """From best to worst, as an assessment of several assets takes the worst."""

    SUFFICIENT = 1
    PARTIAL = 2
    UNKNOWN = 3
    INSUFFICIENT = 4


@dataclass(frozen=True, slots=True)
class AssetLiquidity:
    """One required trade; figures that need a volume are None without one."""

    symbol: str
    state: LiquidityState
    available_quantity: float | None = None  # units that can be traded within the horizon
    average_daily_volume: float | None = None
    participation: float | None = None  # trade / average daily volume
    days_to_trade: float | None = None  # at the largest participation


@dataclass(frozen=True, slots=True)
class LiquidityAssessment:
    """Every required trade."""

    assets: tuple[AssetLiquidity, ...]

    @property
    def state(self) -> LiquidityState:
        """The worst of all."""
        return max((asset.state for asset in self.assets), default=LiquidityState.SUFFICIENT)


def assess(
    required: Mapping[str, float], market: Snapshot, max_participation: float | None, horizon_days: int
) -> LiquidityAssessment:
    """Liquidity of required trades in units; without `max_participation` a whole day's volume can be traded a day."""
    return LiquidityAssessment(
        tuple(_asset(s, abs(q), market, max_participation or 1.0, horizon_days) for s, q in required.items() if q)
    )


def _asset(
    symbol: str, quantity: float, market: Snapshot, max_participation: float, horizon_days: int
) -> AssetLiquidity:
    quote = market.quotes.get(symbol)
    if quote is None or quote.average_daily_volume is None:
        return AssetLiquidity(symbol, LiquidityState.UNKNOWN)
    volume = quote.average_daily_volume
    if quote.halted or volume == 0.0:
        return AssetLiquidity(symbol, LiquidityState.INSUFFICIENT, 0.0, volume)
    daily = volume * max_participation
    available = daily * horizon_days
    state = LiquidityState.SUFFICIENT if quantity <= available else LiquidityState.PARTIAL
    days = quantity / daily if daily > 0.0 else math.inf
    # More days than a float counts are not a number of days.
    return AssetLiquidity(symbol, state, available, volume, quantity / volume, days if days < math.inf else None)
