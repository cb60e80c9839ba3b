"""A plan whose trades pay for their market impact.

Lots are chosen by the costs in proportion to the traded value. Where the impact of the trades would take cash below its
floor, so much more cash is kept and the lots are chosen again, until what is kept pays for the impact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic
from domain.reallocation.plan import ReallocationPlan, plan
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Trade
from domain.reallocation.trade_impact import TradeImpact, impact_of
from domain.reallocation.valuation import Valuation, cost_of


def plan_with_impact(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> tuple[ReallocationPlan, TradeImpact | None]:
    """The plan, and the impact that is part of the costs of its trades; None where no law is given.

    `least_drift` is that of costs without impact. Raises InvalidInput for an impact of the whole net asset value, and
    what `plan` and `impact_of` raise.
    """
    found = plan(request, valuation, required, check_cancelled)
    if request.impact is None:
        return found, None
    least, reserve = found.least_drift, ZERO
    while True:
        impact = impact_of(found.trades, request.market, request.impact)
        with exact_arithmetic():
            total = sum(impact.charges, ZERO)
            paid = booked(request, valuation, found.trades, impact.charges)
            _check_total(total, valuation.net_asset_value)
            if total <= reserve or _affordable(request, found.trades, paid):
                break
            # Trades never exceed what is required or held, so that a reserve that doubles ends the search.
            reserve = max(total, 2 * reserve)
        found = plan(request, valuation, required, check_cancelled, reserve)
    trades = tuple(
        replace(trade, cost=float(cost), cash_after=float(cash))
        for trade, (cost, cash) in zip(found.trades, paid, strict=True)
    )
    return replace(found, trades=trades, least_drift=least, warnings=(*found.warnings, *impact.warnings)), impact


def _check_total(impact: Decimal, worth: Decimal) -> None:
    if not impact < worth:
        rule = f"of all trades must be below the net asset value, is {impact:.6g}: limits.max_participation limits it"
        raise InvalidInput("costs.impact", rule)


def booked(
    request: ReallocationRequest, valuation: Valuation, trades: Sequence[Trade], charges: Sequence[Decimal]
) -> list[tuple[Decimal, Decimal]]:
    """Cost of each trade, impact included, and cash after it."""
    cash, found = request.cash, []
    for trade, charge in zip(trades, charges, strict=True):
        units = exact(trade.quantity)
        value = units * request.market.quotes[trade.symbol].exact_price
        cost = cost_of(request, valuation, trade.symbol, units, exact(trade.crossed)) + charge
        cash -= value + cost
        found.append((cost, cash))
    return found


def _affordable(request: ReallocationRequest, trades: Sequence[Trade], paid: Sequence[tuple[Decimal, Decimal]]) -> bool:
    """Whether purchases leave the cash floor and nothing is to be raised; what is yet to settle is not looked into."""
    if request.cash < ZERO:
        return False
    after = [cash for trade, (_, cash) in zip(trades, paid, strict=True) if trade.quantity > 0.0]
    if not after:
        return True
    return request.settlement_days == 0 and min(after) >= exact(request.limits.cash_floor)
