"""Costs of trading and of holding: of a call that chooses weights, of a backtest, of a reallocation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from absfinance.v1 import cost_pb2 as pb
from absfinance.v1.frequency_pb2 import Frequency as FrequencyEnum

from absfin.choices import DayCount, Frequency, Hurdle, choice
from absfin.data import date_to_proto

Costs = pb.CostModel
RateAnnual = float | Mapping[date, float]
"""A rate as a fraction per year, or rates by date, each from its date on."""


@dataclass(frozen=True, slots=True)
class PerformanceFee:
    """A fee on gains above the high-water mark, at the end of each period of crystallisation."""

    rate: float  # fraction of the gain
    hurdle_annual: float | None = None  # return per year without a fee
    hurdle: Hurdle = "hard"  # on the gain above the hurdle; "soft": on the whole gain once it is passed
    crystallization: Frequency = "annual"

    def __post_init__(self) -> None:
        choice(pb.PerformanceFee.Hurdle, "hurdle", self.hurdle)
        choice(FrequencyEnum, "crystallization", self.crystallization)

    def to_proto(self) -> pb.PerformanceFee:
        """The message."""
        return pb.PerformanceFee(
            rate=self.rate,
            hurdle_annual=self.hurdle_annual,
            hurdle=choice(pb.PerformanceFee.Hurdle, "hurdle", self.hurdle),
            crystallization=choice(FrequencyEnum, "crystallization", self.crystallization),
        )


@dataclass(frozen=True, slots=True)
class AlmgrenImpact:
    """The impact of Almgren et al. 2005, of a backtest or a reallocation, by shares outstanding."""

    shares_outstanding: Mapping[str, float]  # in the units of the prices
    gamma: float | None = None  # 0.314 if None
    eta: float | None = None  # 0.142 if None
    execution_days: float | None = None  # days over which a trade is executed, 1 if None

    def to_proto(self) -> pb.MarketImpact:
        """The message."""
        shares = [
            pb.AlmgrenImpact.SharesOutstanding(symbol=symbol, quantity=quantity)
            for symbol, quantity in self.shares_outstanding.items()
        ]
        law = pb.AlmgrenImpact(
            gamma=self.gamma, eta=self.eta, execution_days=self.execution_days, shares_outstanding=shares
        )
        return pb.MarketImpact(almgren=law)


def trading_costs(
    commission_bps: float = 0.0,
    half_spread_bps: float = 0.0,
    *,
    by_asset_bps: Mapping[str, float] | None = None,
    impact: float | AlmgrenImpact | None = None,
    daily_values: Mapping[str, float] | None = None,
    fixed_fee: float | None = None,
    portfolio_value: float | None = None,
    volatilities_annual: Mapping[str, float] | None = None,
    liquidity_lookback_periods: int | None = None,
    commission_per_share: float | None = None,
    min_commission: float | None = None,
    max_commission: float | None = None,
    borrow_bps_annual: float | None = None,
    borrow_bps_annual_by_asset: Mapping[str, float] | None = None,
    cash_rate_annual: RateAnnual | None = None,
    financing_rate_annual: RateAnnual | None = None,
    day_count: DayCount = "act_365f",
    management_fee_annual: float | None = None,
    performance_fee: PerformanceFee | None = None,
) -> Costs:
    """Costs of trading in basis points of the traded value, purchases and sales alike, and costs of holding.

    `impact` is the coefficient of the square-root law, about 1, or the law of Almgren; it needs `daily_values`, the
    traded value of each asset in a day, and `volatilities_annual`, which a call that chooses weights has of itself. A
    backtest takes volatilities that are not given from the `liquidity_lookback_periods` dates before each fill, and of
    stored prices the daily values too. `daily_values` and `fixed_fee`, paid for each trade, are money, and need the
    `portfolio_value` where weights are chosen.
    `commission_per_share` is money for each unit traded; `min_commission` and `max_commission` are money for a trade.

    The costs of holding are those of a backtest: short positions cost `borrow_bps_annual`; cash earns
    `cash_rate_annual`, and borrowed money costs `financing_rate_annual`, a fraction per year or rates by date, over
    days counted by `day_count`; `management_fee_annual` is a fraction of net asset value per year.
    """
    volatilities = volatilities_annual or {}
    return Costs(
        commission_bps=commission_bps,
        half_spread_bps=half_spread_bps,
        by_asset=_by_asset(by_asset_bps or {}, borrow_bps_annual_by_asset or {}),
        impact=_impact(impact),
        liquidity=[
            pb.AssetLiquidity(symbol=symbol, daily_value=value, volatility_annual=volatilities.get(symbol))
            for symbol, value in (daily_values or {}).items()
        ],
        liquidity_lookback_periods=liquidity_lookback_periods,
        fixed_fee=fixed_fee,
        portfolio_value=portfolio_value,
        commission_per_share=commission_per_share,
        min_commission=min_commission,
        max_commission=max_commission,
        borrow_bps_annual=borrow_bps_annual,
        **_rate_fields("cash_rate", cash_rate_annual),
        **_rate_fields("financing_rate", financing_rate_annual),
        day_count=choice(pb.DayCount, "day_count", day_count) if day_count != "act_365f" else None,
        management_fee_annual=management_fee_annual,
        performance_fee=None if performance_fee is None else performance_fee.to_proto(),
    )


def costs_of(costs: Costs | None, commission_bps: float, half_spread_bps: float) -> Costs:
    """The costs of a call that takes either a model of costs or two figures. Raises ValueError where it has both."""
    if costs is None:
        return Costs(commission_bps=commission_bps, half_spread_bps=half_spread_bps)
    if commission_bps or half_spread_bps:
        raise ValueError("costs: give either costs or commission_bps and half_spread_bps")
    return costs


def _impact(impact: float | AlmgrenImpact | None) -> pb.MarketImpact | None:
    if impact is None or isinstance(impact, AlmgrenImpact):
        return None if impact is None else impact.to_proto()
    return pb.MarketImpact(square_root=pb.SquareRootImpact(coefficient=impact))


def _by_asset(trading: Mapping[str, float], borrow: Mapping[str, float]) -> list[pb.AssetCost]:
    """Costs of single assets, 0 for none; one with a borrow fee alone keeps the trading costs of all."""
    return [
        pb.AssetCost(symbol=symbol, trading_cost_bps=trading.get(symbol), borrow_bps_annual=borrow.get(symbol))
        for symbol in dict.fromkeys([*trading, *borrow])
    ]


def _rate_fields(name: str, rate: RateAnnual | None) -> dict[str, Any]:
    """A rate that holds throughout, or one for each date in order."""
    if rate is None or isinstance(rate, float | int):
        return {f"{name}_annual": rate}
    return {f"{name}s": [pb.RateStep(date=date_to_proto(day), rate_annual=r) for day, r in sorted(rate.items())]}
