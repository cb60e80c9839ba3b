"""Fields of a request that have no effect with its data: they are named in a warning."""

from domain.reallocation.liquidity import LiquidityAssessment
from domain.reallocation.request import ReallocationRequest
from domain.warnings import ResultWarning

CODE = "FIELD_WITHOUT_EFFECT"


def unused_horizon(request: ReallocationRequest, liquidity: LiquidityAssessment) -> tuple[ResultWarning, ...]:
    """A warning where more than one day changes neither the plan nor the liquidity of what is required.

    Days count for what settles late, for a schedule, and for volumes: those of a service outside or of other accounts,
    and any that is known of a required trade.
    """
    if request.horizon_days == 1 or not liquidity.assets:
        return ()
    counts = request.settlement_days > 0 or request.schedule is not None or liquidity.remote or request.shared_volume
    if counts or any(asset.average_daily_volume for asset in liquidity.assets):
        return ()
    message = (
        f"{request.horizon_days} days are planned like one: nothing settles late, there is no schedule, and no volume "
        "of what is to be traded is known"
    )
    return (ResultWarning(CODE, "horizon_days", message),)
