"""A plan whose trades pay for their market impact and their fees.

Where these are not weighed, lots are chosen by the costs in proportion to the traded value. Where what else the trades
cost would take cash below its floor, so much more cash is kept and the lots are chosen again, until what is kept pays
for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic
from domain.reallocation.plan import ReallocationPlan, plan
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Trade
from domain.reallocation.settlement import CashLedger
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
    if request.impact is None and not request.fees.any:
        return found, None
    least, reserve = found.least_drift, ZERO
    while True:
        impact = None if request.impact is None else impact_of(found.trades, request.market, request.impact)
        charges = (ZERO,) * len(found.trades) if impact is None else impact.charges
        with exact_arithmetic():
            paid = booked(request, valuation, found.trades, charges)
            _check_total(sum(charges, ZERO), valuation.net_asset_value)
            total = _charged(valuation, found.trades, paid)
            if total <= reserve or _affordable(request, found.trades, paid):
                break
            # Trades never exceed what is required or held, so that a reserve that doubles ends the search.
            reserve = max(total, 2 * reserve)
        found = plan(request, valuation, required, check_cancelled, reserve)
    warnings = () if impact is None else impact.warnings
    found = replace(found, least_drift=least, warnings=(*found.warnings, *warnings))
    return replace(found, trades=_paid(found.trades, paid), nearest=_nearest(request, valuation, found)), impact


def _nearest(request: ReallocationRequest, valuation: Valuation, found: ReallocationPlan) -> tuple[Trade, ...]:
    """The sales that raise a part of a negative cash, with all that they cost; none where that cannot be known."""
    try:
        impact = None if request.impact is None else impact_of(found.nearest, request.market, request.impact)
    except InvalidInput:  # the cash that is missing is the reason to tell
        return ()
    charges = (ZERO,) * len(found.nearest) if impact is None else impact.charges
    with exact_arithmetic():
        return _paid(found.nearest, booked(request, valuation, found.nearest, charges))


def _paid(trades: Sequence[Trade], paid: Sequence[tuple[Decimal, Decimal]]) -> tuple[Trade, ...]:
    return tuple(
        replace(trade, cost=float(cost), cash_after=float(cash))
        for trade, (cost, cash) in zip(trades, paid, strict=True)
    )


def _charged(valuation: Valuation, trades: Sequence[Trade], paid: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """What trades cost beside what is in proportion to their value."""
    total = ZERO
    for trade, (cost, _) in zip(trades, paid, strict=True):
        total += cost - abs(exact(trade.quantity)) * exact(trade.price) * valuation.cost_rates[trade.symbol]
    return total


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
    """Whether purchases leave the cash floor, and a negative cash is raised.

    Where lots were chosen without these costs and nothing is raised, only a plan that settles at once is looked into.
    """
    if request.weighs_trades or request.cash < ZERO:
        return _settles(request, trades, paid)
    after = [cash for trade, (_, cash) in zip(trades, paid, strict=True) if trade.quantity > 0.0]
    if not after:
        return True
    return request.settlement_days == 0 and min(after) >= exact(request.limits.cash_floor)


def _settles(request: ReallocationRequest, trades: Sequence[Trade], paid: Sequence[tuple[Decimal, Decimal]]) -> bool:
    """The same day by day, with the days until proceeds can be used."""
    floor, cash = exact(request.limits.cash_floor), request.cash
    ledger = CashLedger(cash, floor, request.settlement_days)
    for trade, (_, after) in zip(trades, paid, strict=True):
        ledger.begin(trade.day)
        moved, cash = after - cash, after
        if trade.quantity < 0.0:
            ledger.sell(moved)
        elif -moved > ledger.usable:
            return False
        else:
            ledger.buy(-moved)
    return not trades or cash >= min(floor, ZERO) or cash >= request.cash >= ZERO
