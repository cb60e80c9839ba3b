"""Costs of trades and of holding, from their message."""

from collections.abc import Iterable, Mapping

from absfinance.v1 import cost_pb2

from domain.calendar import Frequency
from domain.costs.fees import Fees
from domain.costs.holding import DayCount, HoldingCosts, Hurdle, PerformanceFeeTerms, Rate
from domain.costs.impact import ETA, GAMMA, AlmgrenImpact, Liquidity, SquareRootImpact
from domain.costs.linear import BASIS_POINT, LinearCost
from domain.costs.model import LIQUIDITY_LOOKBACK, CostModel
from domain.errors import InvalidInput, NotSupported
from domain.reallocation.request import ImpactTerms
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
_COMMISSIONS = ("commission_bps", "commission_per_share", "min_commission", "by_asset")
_ACCRUING = (
    "borrow_bps_annual",
    "cash_rate_annual",
    "financing_rate_annual",
    "cash_rates",
    "financing_rates",
    "management_fee_annual",
    "performance_fee",
)
_PLANNED = ("commission_bps", "half_spread_bps", "by_asset", "impact", "liquidity", "fixed_fee", *_OF_UNITS)
_REPEATED = frozenset({"by_asset", "cash_rates", "financing_rates"})
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
    if costs.HasField("liquidity_lookback_periods"):
        raise NotSupported(
            "costs.liquidity_lookback_periods is not supported in an optimisation, which has no fills",
            field="costs.liquidity_lookback_periods",
        )
    if costs.impact.HasField("almgren"):
        raise NotSupported(
            "costs.impact.almgren is not supported in an optimisation, which has no time of execution; "
            "use costs.impact.square_root",
            field="costs.impact.almgren",
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
    """Costs of trades and of holding in a simulation.

    Raises InvalidInput, also for a field without effect, or NotSupported by name.
    """
    model = _cost_model(costs)
    with error_path("costs"):
        _refuse_without_effect(costs)
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


def planned_costs_from_proto(costs: cost_pb2.CostModel) -> tuple[LinearCost, ImpactTerms | None]:
    """Costs of planned trades: in proportion to their value, and of their impact.

    Raises NotSupported for other kinds, InvalidInput for liquidity without impact.
    """
    for field, _ in costs.ListFields():
        if field.name not in _PLANNED:
            raise NotSupported(f"costs.{field.name} is not supported here yet", field=f"costs.{field.name}")
    for i, entry in enumerate(costs.by_asset):
        if entry.HasField("borrow_bps_annual"):
            path = f"costs.by_asset[{i}].borrow_bps_annual"
            raise NotSupported(f"{path} is not supported here: nothing is sold short", field=path)
    model = _cost_model(costs)
    if model.impact is not None:
        return model.linear, ImpactTerms(model.impact, model.liquidity)
    if model.liquidity:
        raise InvalidInput("costs.liquidity", "has no effect without costs.impact")
    return model.linear, None


def fees_from_proto(costs: cost_pb2.CostModel) -> Fees:
    """Costs of planned trades that are not in proportion to their value.

    Raises InvalidInput for a most commission below the least one, or without effect.
    """
    with error_path("costs"):
        _refuse_most_of_no_commission(costs)
        return Fees(
            costs.fixed_fee,
            costs.commission_per_share,
            costs.min_commission,
            optional_field(costs, "max_commission"),
        )


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
            liquidity_lookback=costs.liquidity_lookback_periods or LIQUIDITY_LOOKBACK,
            by_asset=tuple(entry.symbol for entry in costs.by_asset),
        )


def _refuse_without_effect(costs: cost_pb2.CostModel) -> None:
    """Raises InvalidInput for figures that nothing is charged by in a simulation."""
    if costs.HasField("portfolio_value"):
        rule = "must be left out: a backtest knows the net asset value; give initial_capital"
        raise InvalidInput("portfolio_value", rule)
    _refuse_most_of_no_commission(costs)
    borrows = any(entry.HasField("borrow_bps_annual") for entry in costs.by_asset)
    counted = borrows or any(_is_set(costs, name) for name in _ACCRUING)
    if _DAY_COUNTS[costs.day_count] is not DayCount.ACT_365F and not counted:
        raise InvalidInput("day_count", "has no effect without interest or a fee that it counts the days of")


def _refuse_most_of_no_commission(costs: cost_pb2.CostModel) -> None:
    if costs.HasField("max_commission") and not any(_is_set(costs, name) for name in _COMMISSIONS):
        raise InvalidInput("max_commission", f"has no effect without a commission: {', '.join(_COMMISSIONS)}")


def _is_set(costs: cost_pb2.CostModel, name: str) -> bool:
    return bool(getattr(costs, name)) if name in _REPEATED else costs.HasField(name)


def _linear(costs: cost_pb2.CostModel) -> LinearCost:
    by_symbol = {
        entry.symbol: bps
        for i, entry in enumerate(costs.by_asset)
        if (bps := _trading_cost(f"by_asset[{i}]", entry)) is not None
    }
    return LinearCost(costs.commission_bps, costs.half_spread_bps, by_symbol)


def _trading_cost(path: str, entry: cost_pb2.AssetCost) -> float | None:
    """Trading costs of one asset in basis points; None where those of all assets hold.

    `cost_bps` cannot tell 0 from absent: it is 0 in an entry for nothing else, and absent beside a borrow fee.
    """
    if entry.HasField("trading_cost_bps"):
        if entry.cost_bps:
            raise InvalidInput(f"{path}.cost_bps", "must be left out beside trading_cost_bps, which is the same")
        return entry.trading_cost_bps
    return entry.cost_bps if entry.cost_bps or not entry.HasField("borrow_bps_annual") else None


def _steps(path: str, steps: Iterable[cost_pb2.RateStep]) -> tuple[tuple[int, float], ...]:
    return tuple((days_from_proto(f"{path}[{i}].date", step.date), step.rate_annual) for i, step in enumerate(steps))


def _performance_fee(fee: cost_pb2.PerformanceFee) -> PerformanceFeeTerms:
    hurdle = Hurdle.SOFT if fee.hurdle == cost_pb2.PerformanceFee.HURDLE_SOFT else Hurdle.HARD
    if fee.hurdle != cost_pb2.PerformanceFee.HURDLE_UNSPECIFIED and not fee.HasField("hurdle_annual"):
        raise InvalidInput("performance_fee.hurdle_annual", f"must be given with HURDLE_{hurdle}")
    return PerformanceFeeTerms(
        fee.rate,
        fee.hurdle_annual,
        hurdle,
        frequency_from_proto(fee.crystallization, unspecified=Frequency.ANNUAL),
    )


def _impact(impact: cost_pb2.MarketImpact) -> SquareRootImpact | AlmgrenImpact:
    if impact.WhichOneof("model") == "square_root":
        return SquareRootImpact(impact.square_root.coefficient)
    given = impact.almgren
    require_unique("impact.almgren.shares_outstanding", [entry.symbol for entry in given.shares_outstanding])
    return AlmgrenImpact(
        gamma=given.gamma if given.HasField("gamma") else GAMMA,
        eta=given.eta if given.HasField("eta") else ETA,
        execution_days=given.execution_days if given.HasField("execution_days") else 1.0,
        shares_outstanding={entry.symbol: entry.quantity for entry in given.shares_outstanding},
    )
