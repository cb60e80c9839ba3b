"""What trading costs, for a call that chooses weights."""

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
) -> Costs:
    """Costs of going from the current weights to others, in basis points of what is traded, both sides counted.

    `impact` is the coefficient of the square-root law, about 1; it needs `daily_values`, what is traded of each asset
    in a day. That and `fixed_fee`, paid for each trade, are money, and need the `portfolio_value`.
    """
    return Costs(
        commission_bps=commission_bps,
        half_spread_bps=half_spread_bps,
        by_asset=[pb.AssetCost(symbol=symbol, cost_bps=bps) for symbol, bps in (by_asset_bps or {}).items()],
        impact=None if impact is None else pb.MarketImpact(square_root=pb.SquareRootImpact(coefficient=impact)),
        liquidity=[pb.AssetLiquidity(symbol=name, daily_value=value) for name, value in (daily_values or {}).items()],
        fixed_fee=fixed_fee,
        portfolio_value=portfolio_value,
    )
