"""The cost model of an optimisation, from its message."""

from absfinance.v1 import cost_pb2

from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import BASIS_POINT, LinearCost
from domain.costs.model import CostModel
from domain.errors import NotSupported
from server.converters.paths import error_path, require_unique
from server.converters.weights import optional_field


def cost_from_proto(costs: cost_pb2.CostModel) -> CostModel:
    """Costs of trades and of shorts. Raises InvalidInput, or NotSupported by name."""
    for name in ("cash_rate_annual", "financing_rate_annual"):
        if getattr(costs, name):
            raise NotSupported(
                f"costs.{name} is not supported in an optimisation: all feasible weights have the same sum and leave "
                "the same cash; add the interest on it to the risk-free rate"
            )
    with error_path("costs"):
        require_unique("by_asset", [entry.symbol for entry in costs.by_asset])
        require_unique("liquidity", [entry.symbol for entry in costs.liquidity])
        return CostModel(
            LinearCost(
                costs.commission_bps, costs.half_spread_bps, {entry.symbol: entry.cost_bps for entry in costs.by_asset}
            ),
            impact=_impact(costs.impact) if costs.HasField("impact") else None,
            fixed_fee=costs.fixed_fee,
            portfolio_value=optional_field(costs, "portfolio_value"),
            liquidity={
                entry.symbol: Liquidity(entry.daily_value, optional_field(entry, "volatility_annual"))
                for entry in costs.liquidity
            },
            borrow_rate_annual=BASIS_POINT * costs.borrow_bps_annual,
        )


def _impact(impact: cost_pb2.MarketImpact) -> SquareRootImpact:
    if impact.WhichOneof("model") == "almgren":
        raise NotSupported(
            "costs.impact.almgren needs shares outstanding and a time of execution, which weights do not have; "
            "use costs.impact.square_root"
        )
    return SquareRootImpact(impact.square_root.coefficient)
