"""Costs of trading: of a call that chooses weights, of a backtest, of a reallocation."""

from collections.abc import Mapping

from absfinance.v1 import cost_pb2 as pb

Costs = pb.CostModel


def trading_costs(
    commission_bps: float = 0.0,
    half_spread_bps: float = 0.0,
    *,
    by_asset_bps: Mapping[str, float] | None = None,
    impact: float | None = None,
    daily_values: Mapping[str, float] | None = None,
    fixed_fee: float | None = None,
    portfolio_value: float | None = None,
    volatilities_annual: Mapping[str, float] | None = None,
    borrow_bps_annual: float | None = None,
    cash_rate_annual: float | None = None,
    financing_rate_annual: float | None = None,
) -> Costs:
    """Costs of trading in basis points of the traded value, purchases and sales alike.

    `impact` is the coefficient of the square-root law, about 1; it needs `daily_values`, the traded value of each
    asset in a day, and uses `volatilities_annual` where they are given. `daily_values` and `fixed_fee`, paid for each
    trade, are money, and need the `portfolio_value` where weights are chosen. Short positions cost
    `borrow_bps_annual`; `cash_rate_annual` and `financing_rate_annual` are interest as fractions per year. A model of
    costs that this function does not cover is built as a `Costs` message.
    """
    volatilities = volatilities_annual or {}
    return Costs(
        commission_bps=commission_bps,
        half_spread_bps=half_spread_bps,
        by_asset=[pb.AssetCost(symbol=symbol, cost_bps=bps) for symbol, bps in (by_asset_bps or {}).items()],
        impact=None if impact is None else pb.MarketImpact(square_root=pb.SquareRootImpact(coefficient=impact)),
        liquidity=[
            pb.AssetLiquidity(symbol=symbol, daily_value=value, volatility_annual=volatilities.get(symbol))
            for symbol, value in (daily_values or {}).items()
        ],
        fixed_fee=fixed_fee,
        portfolio_value=portfolio_value,
        borrow_bps_annual=borrow_bps_annual,
        cash_rate_annual=cash_rate_annual,
        financing_rate_annual=financing_rate_annual,
    )


def costs_of(costs: Costs | None, commission_bps: float, half_spread_bps: float) -> Costs:
    """The costs of a call that takes either a model of costs or two figures. Raises ValueError where it has both."""
    if costs is None:
        return Costs(commission_bps=commission_bps, half_spread_bps=half_spread_bps)
    if commission_bps or half_spread_bps:
        raise ValueError("costs: give either costs or commission_bps and half_spread_bps")
    return costs
