"""How a reallocation ends: a plan, the unchanged portfolio with the reason, or a failure."""

from collections.abc import Collection

from domain.reallocation.cost_benefit import CostBenefit
from domain.reallocation.modes import Deviation
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.result import Failure, Unchanged
from domain.reallocation.shortfall import Cause, ShortfallCode
from domain.reallocation.utilization import UtilizationReport

UNPAID = Cause(ShortfallCode.COST)
"""Of a difference that is only there because costs of other trades were counted."""


def outcome_of(
    request: ReallocationRequest, report: UtilizationReport, trades: ReallocationPlan, worth: CostBenefit | None
) -> ReallocationPlan | Unchanged | Failure:
    """The outcome of trades that were planned, and of what they are worth."""
    if trades.unraised_cash:
        text = f"sales cannot raise {trades.unraised_cash:g} of the cash that is missing"
        return Failure("CASH_NOT_RAISED", text, trades.nearest)
    if trades.trades:
        return trades
    if not report.exceeded:
        return Unchanged("every asset is within its thresholds")
    if worth is not None and not worth.worth_it:
        return Unchanged("the trades would cost more than the fall of the tracking variance is worth")
    if not trades.shortfalls:
        return Unchanged("the differences to the target are below what can be traded")
    causes = {cause for shortfall in trades.shortfalls for cause in shortfall.causes}
    codes = sorted({cause.code.value for cause in causes})
    if weighed := _weighed(request, causes):
        return Unchanged(f"no trade brings the portfolio nearer to its target by as much as its {weighed} weighs")
    small = {ShortfallCode.LOT_SIZE, ShortfallCode.MIN_TRADE}
    if all(cause.code in small or cause == UNPAID for cause in causes) and not request.thresholds.any_set:
        return Unchanged("every difference to the target is less than a lot or the least trade")
    return Failure("NOTHING_TRADABLE", f"no required trade can be done: {', '.join(codes)}")


def _weighed(request: ReallocationRequest, causes: Collection[Cause]) -> str:
    """What outweighs every trade; empty where anything else prevents one."""
    modes = request.modes
    weighed = {
        ShortfallCode.COST: modes.cost_aversion > 0.0 or request.fees.any,
        ShortfallCode.TAX: modes.tax_aversion > 0.0,
        ShortfallCode.TRACKING_ERROR: modes.deviation is Deviation.TRACKING_ERROR,
    }
    found = [code for code, is_weighed in weighed.items() if is_weighed and Cause(code) in causes]
    codes = {cause.code for cause in causes if cause.code is not ShortfallCode.TAX or cause.limit is not None}
    others = {ShortfallCode.CASH, ShortfallCode.COST, ShortfallCode.LOT_SIZE, ShortfallCode.MIN_TRADE, *found}
    return " and ".join(code.value.lower().replace("_", " ") for code in found) if codes <= others else ""
