"""Schedules and market impact of planned trades on the wire."""

from absfinance.v1 import reallocation_pb2 as pb

from domain.errors import InvalidInput
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms
from domain.reallocation.trade_impact import TradeImpact
from domain.reallocation.trade_schedule import TradeSchedule
from server.converters.paths import error_path


def schedule_from_proto(schedule: pb.TradeSchedule) -> ScheduleTerms:
    """How trades are spread. Raises InvalidInput."""
    given = schedule.almgren_chriss
    with error_path("schedule.almgren_chriss"):
        if given.hedge and not given.correlation:
            raise InvalidInput("hedge", "has no effect without correlation: no asset moves with another")
        return ScheduleTerms(
            risk_aversion=given.risk_aversion,
            periods=given.periods,
            temporary=given.temporary,
            permanent=given.permanent,
            fixed=given.fixed,
            volatilities=tuple(given.volatilities) or None,
            correlation=tuple(given.correlation) or None,
            hedge=given.hedge,
        )


def set_schedule(plan: pb.ReallocationPlan, schedule: TradeSchedule | None) -> None:
    """Writes a schedule into its plan."""
    if schedule is None:
        return
    plan.expected_cost, plan.cost_standard_deviation = schedule.expected_cost, schedule.standard_deviation
    for asset in schedule.assets:
        plan.schedule.add(symbol=asset.symbol, remaining=asset.after)


def impact_to_proto(impact: TradeImpact | None) -> pb.ImpactSimulation | None:
    """None where there is no law of impact, or no trade."""
    if impact is None or not impact.charges:
        return None
    message = pb.ImpactSimulation(expected_cost=impact.expected_cost, cost_volatility=impact.standard_deviation)
    for asset in impact.assets:
        message.assets.add(
            symbol=asset.symbol,
            permanent_bps=asset.permanent_bps,
            temporary_bps=asset.temporary_bps,
            expected_cost=asset.expected_cost,
        )
    for probability, cost in impact.quantiles:
        message.quantiles.add(probability=probability, cost=cost)
    return message
