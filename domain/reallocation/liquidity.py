"""Whether the market can take the required trades. Without a volume that is not known, and never assumed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import IntEnum

from domain.exact import exact, exact_arithmetic, ratio
from domain.market_data.snapshot import LARGEST_AMOUNT, SMALLEST_AMOUNT, Snapshot
from domain.records import dataclass

WHOLE_DAY = 1.0
"""Largest share of the average daily volume where a plan has no limit."""


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
    score: float | None = None  # part of the trade that can be done within the horizon


@dataclass(frozen=True, slots=True)
class LiquidityAssessment:
    """Every required trade."""

    assets: tuple[AssetLiquidity, ...]
    remote: bool = False  # assessed by a service outside, and not by the volumes of the market

    @property
    def state(self) -> LiquidityState:
        """The worst of all."""
        return max((asset.state for asset in self.assets), default=LiquidityState.SUFFICIENT)

    @property
    def score(self) -> float | None:
        """The least of all, 1 without any; None where one is not known."""
        scores = [asset.score for asset in self.assets if asset.score is not None]
        return min(scores, default=1.0) if len(scores) == len(self.assets) else None

    def completed(self, required: Iterable[str]) -> "LiquidityAssessment":
        """The same, where the liquidity of the required trades that were not assessed is unknown."""
        known = {asset.symbol for asset in self.assets}
        missing = (AssetLiquidity(symbol, LiquidityState.UNKNOWN) for symbol in required if symbol not in known)
        return replace(self, assets=(*self.assets, *missing))

    def volumes_of(self, market: Snapshot, max_participation: float | None, horizon_days: int) -> Snapshot:
        """The market with the average daily volumes that what is available here implies, so that a plan keeps to it.

        `max_participation` and `horizon_days` are those of the assessment.
        """
        quotes = dict(market.quotes)
        with exact_arithmetic():
            share = exact(max_participation or WHOLE_DAY) * horizon_days
            for asset in self.assets:
                if asset.symbol in quotes:
                    available = asset.available_quantity
                    volume = None if available is None else _implied_volume(exact(available), share)
                    quotes[asset.symbol] = replace(quotes[asset.symbol], average_daily_volume=volume)
        return Snapshot(quotes)


def assess(
    required: Mapping[str, float], market: Snapshot, max_participation: float | None, horizon_days: int
) -> LiquidityAssessment:
    """Liquidity of required trades in units; without `max_participation` a whole day's volume can be traded a day."""
    return LiquidityAssessment(
        tuple(_asset(s, abs(q), market, max_participation or WHOLE_DAY, horizon_days) for s, q in required.items())
    )


def _implied_volume(available: Decimal, share: Decimal) -> float:
    """The least volume of which a share is what is available, within the amounts that a quote may have."""
    volume = ratio(available, share)
    if exact(volume) * share < available:
        volume = math.nextafter(volume, math.inf)  # a lot less would be traded otherwise
    return 0.0 if volume < SMALLEST_AMOUNT else min(volume, LARGEST_AMOUNT)


def _asset(
    symbol: str, quantity: float, market: Snapshot, max_participation: float, horizon_days: int
) -> AssetLiquidity:
    quote = market.quotes.get(symbol)
    if quote is None or quote.average_daily_volume is None:
        return AssetLiquidity(symbol, LiquidityState.UNKNOWN)
    volume = quote.average_daily_volume
    if quote.halted or volume == 0.0:
        return AssetLiquidity(symbol, LiquidityState.INSUFFICIENT, 0.0, volume, score=0.0)
    daily = volume * max_participation
    available = daily * horizon_days
    state = LiquidityState.SUFFICIENT if quantity <= available else LiquidityState.PARTIAL
    days = quantity / daily if daily > 0.0 else math.inf
    return AssetLiquidity(
        symbol,
        state,
        available,
        volume,
        quantity / volume,
        days if days < math.inf else None,  # more days than a float counts are not a number of days
        min(available / quantity, 1.0) if quantity else 1.0,
    )
