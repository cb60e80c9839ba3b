"""The output of a reallocation: its outcome with schedule, taxes and harvest."""

from collections.abc import Callable
from dataclasses import replace

from domain.reallocation.harvest_report import harvest_report
from domain.reallocation.liquidity import LiquidityAssessment
from domain.reallocation.needs import Needs
from domain.reallocation.outcome import outcome_of
from domain.reallocation.planned import Planned
from domain.reallocation.result import Reallocation
from domain.reallocation.tax_report import tax_report
from domain.reallocation.trade_schedule import schedule_of
from domain.reallocation.unused_fields import unused_horizon
from domain.reallocation.valuation import Valuation


def output(
    needs: Needs,
    valuation: Valuation,
    liquidity: LiquidityAssessment,
    planned: Planned,
    check_cancelled: Callable[[], None],
) -> Reallocation:
    """The result. Raises InvalidInput for a schedule that cannot be computed."""
    request, trades = planned.request, planned.plan
    schedule = schedule_of(request, valuation, trades.trades, check_cancelled)
    more = (*(schedule.warnings if schedule else ()), *unused_horizon(request, liquidity))
    trades = replace(trades, warnings=(*trades.warnings, *more))
    return Reallocation(
        utilization=needs.report,
        liquidity=liquidity,
        outcome=outcome_of(request, needs.report, trades, planned.worth),
        plan=trades,
        summary=planned.summary,
        objective=planned.objective,
        impact=planned.impact,
        schedule=schedule,
        taxes=tax_report(request, trades.trades, check_cancelled),
        tax_benefit=planned.tax_benefit,
        harvest=harvest_report(needs.harvest, trades.trades),
        cost_benefit=planned.worth,
    )
