"""An account of a batch whose accounts share volume or trade with each other: what it wants, gets, and crosses.

First every account is planned with no limit but its own. What it then trades is what it wants; its part of the volume
is a limit of a second plan, which is made where the first one does not fit.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from domain.exact import FRACTION_DIGITS, ZERO, decimal_step, exact, exact_arithmetic
from domain.market_data.snapshot import Quote
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.plan_with_impact import booked
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.result import Reallocation
from domain.reallocation.schedule import Trade
from domain.reallocation.shared_liquidity import SharingRule
from domain.reallocation.summary import summarise
from domain.reallocation.trade_impact import impact_of
from domain.reallocation.valuation import value
from domain.reallocation.volume_shares import Market, Share, VolumeCap, Want
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class SharedTerms:
    """What the accounts of a batch share."""

    max_participation: float | None  # of average daily volume, per day, of all of them; None is no limit
    rule: SharingRule = SharingRule.PRO_RATA


@dataclass(frozen=True, slots=True)
class Consent:
    """What one account says of the others."""

    may_cross: bool = False
    priority: int = 0  # lower comes first


NO_CONSENT = Consent()
"""Of an account that says nothing of the others."""


def wants_of(request: ReallocationRequest, found: Reallocation, consent: Consent) -> dict[str, Want]:
    """What a plan without a share of the volume trades, by symbol."""
    days: dict[str, dict[int, Decimal]] = {}
    for trade in found.plan.trades:
        days.setdefault(trade.symbol, {})[trade.day] = exact(trade.quantity)
    with exact_arithmetic():
        return {symbol: _want(request, symbol, by_day, consent) for symbol, by_day in days.items()}


def market_of(quote: Quote, days: int, terms: SharedTerms) -> Market:
    """What accounts share of an asset; without a volume it has no limit, as in a plan of one account."""
    daily: Decimal | None = None
    if terms.max_participation is not None and quote.average_daily_volume is not None:
        with exact_arithmetic():
            daily = exact(terms.max_participation) * exact(quote.average_daily_volume)
    return Market(daily, exact(quote.lot_size), days, terms.rule)


def with_shares(
    request: ReallocationRequest, wants: Mapping[str, Want], shares: Mapping[str, Share]
) -> ReallocationRequest:
    """The request of the second plan: of an asset with a volume it trades no more than its share."""
    caps: dict[str, VolumeCap] = {}
    with exact_arithmetic():
        for symbol, quote in request.market.quotes.items():
            share = shares.get(symbol)
            if share is None:
                if quote.average_daily_volume is not None:
                    caps[symbol] = VolumeCap((), ZERO)
            elif share.by_day is not None:
                caps[symbol] = VolumeCap(share.by_day, sum(map(abs, wants[symbol].by_day), ZERO))
    return replace(request, shared_volume=caps)


def traded_first(found: Reallocation) -> dict[str, Decimal]:
    """Units that a plan trades on the first day, negative to sell."""
    return {trade.symbol: exact(trade.quantity) for trade in found.plan.trades if trade.day == 1}


def with_crosses(
    request: ReallocationRequest,
    found: Reallocation,
    crossed: Mapping[str, Decimal],
    check_cancelled: Callable[[], None],
) -> Reallocation:
    """The answer with units that are crossed, which pay neither spread nor market impact; without sign, by symbol.

    The trades stay the same. `gap` stays that of the plan at the costs it was made with.
    """
    if not crossed:
        return found
    valuation = value(request, check_cancelled)
    trades = tuple(_crossed(trade, crossed) for trade in found.plan.trades)
    impact = None if request.impact is None else impact_of(trades, request.market, request.impact)
    charges = (ZERO,) * len(trades) if impact is None else impact.charges
    with exact_arithmetic():
        paid = booked(request, valuation, trades, charges)
    plan = replace(
        found.plan,
        trades=tuple(
            replace(trade, cost=float(cost), cash_after=float(cash))
            for trade, (cost, cash) in zip(trades, paid, strict=True)
        ),
    )
    summary = summarise(request, valuation, plan, check_cancelled, None if impact is None else charges)
    outcome = plan if isinstance(found.outcome, ReallocationPlan) else found.outcome
    return replace(found, outcome=outcome, plan=plan, summary=summary, impact=impact)


def _want(request: ReallocationRequest, symbol: str, by_day: Mapping[int, Decimal], consent: Consent) -> Want:
    quote, limits = request.market.quotes[symbol], request.limits
    total = sum(map(abs, by_day.values()), ZERO)
    most_daily: Decimal | None = None
    if limits.max_participation is not None and quote.average_daily_volume is not None:
        most_daily = exact(limits.max_participation) * exact(quote.average_daily_volume)
    return Want(
        by_day=tuple(by_day.get(day, ZERO) for day in range(1, max(by_day) + 1)),
        lot=decimal_step(total, FRACTION_DIGITS) if limits.fractional else exact(quote.lot_size),
        most_daily=most_daily,
        may_cross=consent.may_cross,
        priority=consent.priority,
    )


def _crossed(trade: Trade, crossed: Mapping[str, Decimal]) -> Trade:
    units = crossed.get(trade.symbol, ZERO)
    if trade.day != 1 or not units:
        return trade
    return replace(trade, crossed=float(units if trade.quantity > 0.0 else -units))
