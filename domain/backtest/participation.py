"""How much of each asset may be traded on each date: a fraction of what is traded of it in the market."""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.liquidity_tables import can_be_traded, daily_values, spans
from domain.backtest.market import Market
from domain.backtest.specification import BacktestSpecification
from domain.checks import Matrix
from domain.costs.model import NAMED
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.warnings import ResultWarning

_REASON = "execution.max_participation limits its trades"


@dataclass(frozen=True, slots=True)
class ParticipationLimit:
    """The limit in R rows, one for each date or one for all, and on which dates it is known and above 0."""

    most_traded: Matrix  # (R, N), money
    known: NDArray[np.bool_] | None  # (T, N); None where every limit is


def participation_limit(specification: BacktestSpecification, market: Market) -> ParticipationLimit | None:
    """The limit of each date, by volumes that are given or those of the dates before; None without one.

    Where nothing was traded on those dates nothing may be traded, as where it is not known. Raises InvalidInput for an
    asset whose daily value is neither given nor stored, and for liquidity that nothing uses.
    """
    limit, costs = specification.max_participation, specification.costs
    if limit is None and costs.liquidity and costs.impact is None:
        raise InvalidInput("costs.liquidity", "has no effect without costs.impact or execution.max_participation")
    if limit is None:
        return None
    daily = daily_values(costs, market, _REASON)
    known = daily > 0.0
    most = np.ascontiguousarray(np.where(known, limit * daily, 0.0))
    return ParticipationLimit(most, None if known.all() else np.broadcast_to(known, market.panel.values.shape))


def unknown_limits(specification: BacktestSpecification, market: Market, first_fill: int) -> tuple[ResultWarning, ...]:
    """A warning that names assets whose trades wait because no volume of the dates before is known or above 0."""
    limit = participation_limit(specification, market)
    if limit is None or limit.known is None:
        return ()
    waiting = ~limit.known[first_fill:] & can_be_traded(market)[first_fill:]
    if not waiting.any():
        return ()
    message = (
        f"no volume above 0 is known of {spans(market, first_fill, waiting, NAMED)} in the "
        f"{specification.costs.liquidity_lookback} dates before each; trades of these dates wait"
    )
    return (ResultWarning("LIQUIDITY_UNKNOWN", "execution.max_participation", message),)
