"""Latest market figures of assets, and whether trades can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from absfinance.v1.liquidity_pb2 import LiquidityState

from absfin.choices import plain_name
from absfin.data import date_from_proto
from absfin.results import optional_figure


@dataclass(frozen=True, slots=True)
class MarketMetrics:
    """Latest figures of one asset; None is unknown."""

    last_price: float | None
    as_of: date | None  # of the last price
    average_daily_volume: float | None  # in units
    spread_bps: float | None  # an estimate, off by tens of basis points for narrow spreads
    volatility_annual: float | None

    @classmethod
    def from_proto(cls, message: Any) -> "MarketMetrics":
        """From the message."""
        return cls(
            optional_figure(message, "last_price"),
            date_from_proto(message.as_of) if message.HasField("as_of") else None,
            optional_figure(message, "average_daily_volume"),
            optional_figure(message, "spread_bps"),
            optional_figure(message, "volatility_annual"),
        )


@dataclass(frozen=True, slots=True)
class AssetLiquidity:
    """Liquidity of one trade; None is unknown."""

    state: str  # sufficient, partial, insufficient or unknown
    available_quantity: float | None  # units that can be traded within the horizon
    average_daily_volume: float | None  # in units
    participation: float | None  # trade / average daily volume
    days_to_trade: float | None
    score: float | None  # part of the trade that can be done within the horizon


@dataclass(frozen=True, slots=True)
class Liquidity:
    """Liquidity of trades: the worst state, the least score, and those of each asset by symbol."""

    state: str
    score: float | None
    assets: Mapping[str, AssetLiquidity]
    from_remote_service: bool  # assessed by another service than the server

    @classmethod
    def from_proto(cls, message: Any) -> "Liquidity":
        """From the message."""
        assets = {
            one.symbol: AssetLiquidity(
                plain_name(LiquidityState, one.state),
                optional_figure(one, "available_quantity"),
                optional_figure(one, "average_daily_volume"),
                optional_figure(one, "participation"),
                optional_figure(one, "days_to_trade"),
                optional_figure(one, "score"),
            )
            for one in message.assets
        }
        state = plain_name(LiquidityState, message.state)
        return cls(state, optional_figure(message, "score"), assets, message.from_remote_service)
