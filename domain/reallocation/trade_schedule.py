"""How the trades of a plan are spread over the periods of its horizon, and what that costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, ceiling, exact, exact_arithmetic
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.optimal_execution.planned_schedule import (
    AssetSchedule,
    PlannedSchedule,
    ScheduleTerms,
    schedule_plan,
)
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Trade
from domain.reallocation.valuation import Valuation
from domain.records import dataclass
from domain.warnings import ResultWarning

SECONDS = 20.0
"""For the search of a schedule within limits."""

PATH = "schedule.almgren_chriss"


@dataclass(frozen=True, slots=True)
class RemainingUnits:
    """One asset.

    Of a trade of the plan it is what remains to be traded, without sign; less than 0 where a hedge goes beyond it. Of
    an asset that only hedges it is what is held for that, negative for a short position.
    """

    symbol: str
    after: tuple[float, ...]  # each period, in units


@dataclass(frozen=True, slots=True)
class TradeSchedule:
    """Every asset that is traded, in the order of the snapshot."""

    assets: tuple[RemainingUnits, ...]
    expected_cost: float  # in money, against the prices before the first period
    standard_deviation: float  # of the cost, in money
    warnings: tuple[ResultWarning, ...] = ()


def schedule_of(
    request: ReallocationRequest,
    valuation: Valuation,
    trades: Sequence[Trade],
    check_cancelled: Callable[[], None],
) -> TradeSchedule | None:
    """The schedule that the request asks for: its periods divide the horizon; None without one or without trades.

    Raises InvalidInput for terms that do not fit the market; SolverTimedOut, SolverFailed.
    """
    if request.schedule is None or not trades:
        return None
    terms = replace(request.schedule, period_days=request.horizon_days / request.schedule.periods)
    quantities: dict[str, Decimal] = {}
    with exact_arithmetic():
        for trade in trades:
            quantities[trade.symbol] = quantities.get(trade.symbol, ZERO) + exact(trade.quantity)
    control, limits = SolverControl.for_seconds(SECONDS, check_cancelled), request.limits
    try:
        found = schedule_plan(quantities, request.market, terms, limits.max_participation, limits.fractional, control)
    except InvalidInput as error:
        if error.field == "schedule":
            raise
        raise error.with_path_prefix(PATH) from None
    return TradeSchedule(
        tuple(_remaining(asset, quantities) for asset in found.assets),
        found.cost.total,
        found.cost.standard_deviation,
        _warnings(request, valuation, terms, found),
    )


def _remaining(asset: AssetSchedule, quantities: Mapping[str, Decimal]) -> RemainingUnits:
    sign = 1 if quantities.get(asset.symbol, ZERO) > ZERO else -1
    # 0 has no sign.
    return RemainingUnits(asset.symbol, tuple(float(sign * left) + 0.0 for left in asset.remaining[1:]))


def _warnings(
    request: ReallocationRequest, valuation: Valuation, terms: ScheduleTerms, found: PlannedSchedule
) -> tuple[ResultWarning, ...]:
    """Says so where purchases come before the sales that pay for them."""
    with exact_arithmetic():
        period, missing = _most_missing(request, valuation, terms, found.assets)
    if missing <= ZERO:
        return ()
    message = (
        f"after period {period} the purchases of the schedule have taken {float(missing):g} more than the cash above "
        "its floor and the proceeds that have settled"
    )
    return (ResultWarning("SCHEDULE_NEEDS_CASH", "schedule", message),)


def _most_missing(
    request: ReallocationRequest, valuation: Valuation, terms: ScheduleTerms, assets: Sequence[AssetSchedule]
) -> tuple[int, Decimal]:
    """The period after which most cash is missing, from 1, and how much."""
    settling = ceiling(exact(request.settlement_days), exact(terms.period_days)) if request.settlement_days else 0
    settled, floor = request.cash, exact(request.limits.cash_floor)
    pending, worst = [ZERO] * settling, (0, ZERO)
    prices = {asset.symbol: request.market.quotes[asset.symbol].exact_price for asset in assets}
    for k in range(terms.periods):
        values = [(asset.symbol, asset.trades[k] * prices[asset.symbol]) for asset in assets]
        costs = sum((abs(value) * valuation.cost_rates.get(symbol, ZERO) for symbol, value in values), ZERO)
        bought = sum((value for _, value in values if value > ZERO), ZERO)
        pending.append(-sum((value for _, value in values if value < ZERO), ZERO))
        settled += pending.pop(0) - bought - costs
        if bought and floor - settled > worst[1]:
            worst = (k + 1, floor - settled)
    return worst
