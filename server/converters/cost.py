"""Costs of trades and of holding, from their message."""

from collections.abc import Iterable, Mapping

from absfinance.v1 import cost_pb2

from domain.calendar import Frequency
from domain.costs.holding import DayCount, HoldingCosts, Hurdle, PerformanceFeeTerms, Rate
from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import BASIS_POINT, LinearCost
from domain.costs.model import CostModel
from domain.errors import NotSupported
from server.converters.dates import days_from_proto
from server.converters.frequency import frequency_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.weights import optional_field

_DAY_COUNTS: Mapping[int, DayCount] = {
    cost_pb2.DAY_COUNT_UNSPECIFIED: DayCount.ACT_365F,
    cost_pb2.DAY_COUNT_ACT_365F: DayCount.ACT_365F,
    cost_pb2.DAY_COUNT_ACT_360: DayCount.ACT_360,
    cost_pb2.DAY_COUNT_BARS: DayCount.BARS,
}
_OF_UNITS = ("commission_per_share", "min_commission", "max_commission")
_OF_HOLDING = ("cash_rate_annual", "financing_rate_annual", "management_fee_annual", "cash_rates", "financing_rates")


def cost_from_proto(costs: cost_pb2.CostModel) -> CostModel:
    """Costs of trades and of shorts. Raises InvalidInput, or NotSupported by name."""
    for name in _OF_UNITS:
        if costs.HasField(name):
            raise NotSupported(
                f"costs.{name} is not supported in an optimisation: it is an amount for units, and weights have none",
                field=f"costs.{name}",
            )
    for i, entry in enumerate(costs.by_asset):
        if entry.HasField("borrow_bps_annual"):
            raise NotSupported(
                f"costs.by_asset[{i}].borrow_bps_annual is not supported in an optimisation: it has one fee for all",
                field=f"costs.by_asset[{i}].borrow_bps_annual",
            )
    for name in _OF_HOLDING:
        if getattr(costs, name):
            raise NotSupported(
                f"costs.{name} is not supported in an optimisation: all feasible weights have the same sum and leave "
                "the same cash; add the interest on it to the risk-free rate",
                field=f"costs.{name}",
            )
    return _cost_model(costs)


def simulated_costs_from_proto(costs: cost_pb2.CostModel) -> tuple[CostModel, HoldingCosts]:
    """Costs of trades and of holding in a simulation. Raises InvalidInput, or NotSupported by name."""
    model = _cost_model(costs)
    with error_path("costs"):
        return model, HoldingCosts(
            cash=Rate(costs.cash_rate_annual, _steps("cash_rates", costs.cash_rates)),
            financing=_financing(costs),
            day_count=_DAY_COUNTS[costs.day_count],
            management_fee_annual=costs.management_fee_annual,
            performance_fee=_performance_fee(costs.performance_fee) if costs.HasField("performance_fee") else None,
        )


def _financing(costs: cost_pb2.CostModel) -> Rate | None:
    """None where nothing is said about it."""
    if not costs.HasField("financing_rate_annual") and not costs.financing_rates:
        return None
    return Rate(costs.financing_rate_annual, _steps("financing_rates", costs.financing_rates))


def linear_cost_from_proto(costs: cost_pb2.CostModel) -> LinearCost:
    """Proportional costs. Raises NotSupported for other kinds."""
    for field, _ in costs.ListFields():
        if field.name not in ("commission_bps", "half_spread_bps", "by_asset"):
            raise NotSupported(f"costs.{field.name} is not supported here yet", field=f"costs.{field.name}")
    return _linear(costs)


def _cost_model(costs: cost_pb2.CostModel) -> CostModel:
    with error_path("costs"):
        require_unique("by_asset", [entry.symbol for entry in costs.by_asset])
        require_unique("liquidity", [entry.symbol for entry in costs.liquidity])
        return CostModel(
            _linear(costs),
            impact=_impact(costs.impact) if costs.HasField("impact") else None,
            fixed_fee=costs.fixed_fee,
            portfolio_value=optional_field(costs, "portfolio_value"),
            liquidity={
                entry.symbol: Liquidity(entry.daily_value, optional_field(entry, "volatility_annual"))
                for entry in costs.liquidity
            },
            borrow_rate_annual=BASIS_POINT * costs.borrow_bps_annual,
            borrow_by_symbol={
                entry.symbol: BASIS_POINT * entry.borrow_bps_annual
                for entry in costs.by_asset
                if entry.HasField("borrow_bps_annual")
            },
            commission_per_unit=costs.commission_per_share,
            least_commission=costs.min_commission,
            most_commission=optional_field(costs, "max_commission"),
        )


def _linear(costs: cost_pb2.CostModel) -> LinearCost:
    by_symbol = {entry.symbol: entry.cost_bps for entry in costs.by_asset if _has_cost(entry)}
    return LinearCost(costs.commission_bps, costs.half_spread_bps, by_symbol)


def _has_cost(entry: cost_pb2.AssetCost) -> bool:
    """Whether an entry replaces the usual trading costs; one for a borrow fee alone does not."""
    return bool(entry.cost_bps) or not entry.HasField("borrow_bps_annual")


def _steps(path: str, steps: Iterable[cost_pb2.RateStep]) -> tuple[tuple[int, float], ...]:
    return tuple((days_from_proto(f"{path}[{i}].date", step.date), step.rate_annual) for i, step in enumerate(steps))


def _performance_fee(fee: cost_pb2.PerformanceFee) -> PerformanceFeeTerms:
    return PerformanceFeeTerms(
        fee.rate,
        fee.hurdle_annual,
        Hurdle.SOFT if fee.hurdle == cost_pb2.PerformanceFee.HURDLE_SOFT else Hurdle.HARD,
        frequency_from_proto(fee.crystallization, unspecified=Frequency.ANNUAL),
    )


def _impact(impact: cost_pb2.MarketImpact) -> SquareRootImpact:
    if impact.WhichOneof("model") == "almgren":
        raise NotSupported(
            "costs.impact.almgren needs shares outstanding and a time of execution, which weights do not have; "
            "use costs.impact.square_root",
            field="costs.impact.almgren",
        )
    return SquareRootImpact(impact.square_root.coefficient)
