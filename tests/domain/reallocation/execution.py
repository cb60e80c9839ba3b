"""Carries out a plan line by line in fractions, knowing nothing of how it was made."""

from dataclasses import dataclass
from fractions import Fraction

from domain.reallocation.modes import Direction
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.result import Reallocation


def fraction(value: float) -> Fraction:
    """The number that the caller wrote."""
    return Fraction(repr(float(value)))


@dataclass(frozen=True)
class Executed:
    """An account after all trades."""

    held: dict[str, Fraction]
    cash: Fraction
    cost: Fraction
    traded: Fraction
    nav_before: Fraction

    def drift(self, request: ReallocationRequest) -> Fraction:
        """Half the sum of absolute differences to the target."""
        values = {s: self.held.get(s, Fraction(0)) * fraction(q.price) for s, q in request.market.quotes.items()}
        nav = self.cash + sum(values.values())
        target = request.target
        return sum((abs(value / nav - fraction(target.get(s, 0.0))) for s, value in values.items()), Fraction(0)) / 2


def cost_rate(request: ReallocationRequest, symbol: str) -> Fraction:
    costs, spread = request.costs, request.market.quotes[symbol].spread_bps
    if symbol in costs.by_symbol_bps:
        return fraction(costs.by_symbol_bps[symbol]) / 10_000
    half = fraction(costs.half_spread_bps) if spread is None else fraction(spread) / 2
    return (fraction(costs.commission_bps) + half) / 10_000


def carry_out(request: ReallocationRequest, found: Reallocation) -> Executed:
    """Executes a plan; asserts everything that must hold on the way and at the end."""
    limits, market = request.limits, request.market
    held = {s: fraction(q) for s, q in request.portfolio.quantities.items()}
    start, cash = dict(held), fraction(request.portfolio.cash) + fraction(request.modes.cash_flow)
    first_cash, bought = cash, Fraction(0)
    floor, cost, traded = fraction(limits.cash_floor), Fraction(0), Fraction(0)
    nav_before = cash + sum(units * fraction(market.quotes[s].price) for s, units in held.items() if s in market.quotes)
    daily: dict[tuple[str, int], Fraction] = {}
    total: dict[str, Fraction] = {}
    order: list[tuple[int, bool]] = []
    for step, trade in enumerate(found.plan.trades, start=1):
        quote, units = market.quotes[trade.symbol], fraction(trade.quantity)
        value = abs(units) * fraction(quote.price)
        paid = value * cost_rate(request, trade.symbol)
        assert trade.step == step
        assert trade.price == quote.price
        assert not quote.halted
        assert units != 0
        assert trade.cost == float(paid)
        cash += (-value if units > 0 else value) - paid
        assert trade.cash_after == float(cash), "the plan's cash is not the cash of the trades"
        assert units < 0 or cash >= floor, "a purchase takes cash below its floor"
        cost, traded = cost + paid, traded + value
        bought += value + paid if units > 0 else Fraction(0)
        held[trade.symbol] = held.get(trade.symbol, Fraction(0)) + units
        assert held[trade.symbol] >= 0, "more is sold than is there"
        daily[trade.symbol, trade.day] = daily.get((trade.symbol, trade.day), Fraction(0)) + abs(units)
        total[trade.symbol] = total.get(trade.symbol, Fraction(0)) + abs(units)
        order.append((trade.day, units > 0))
    assert order == sorted(order), "a purchase comes before a sale of its day"
    assert all(day <= request.horizon_days for day, _ in order)
    for symbol, units in total.items():
        quote = market.quotes[symbol]
        sold_out = held[symbol] == 0 and request.target.get(symbol, 0.0) == 0.0
        if not limits.fractional and not sold_out:
            assert (units / fraction(quote.lot_size)).denominator == 1, "not whole lots"
    if limits.max_turnover is not None:
        assert traded <= 2 * fraction(limits.max_turnover) * nav_before
    if limits.max_participation is not None:
        for (symbol, _), units in daily.items():
            volume = market.quotes[symbol].average_daily_volume
            assert volume is None or units <= fraction(limits.max_participation) * fraction(volume)
    _check_modes(request, found, first_cash - floor, bought)
    if limits.max_cost_bps is not None:
        assert cost <= fraction(limits.max_cost_bps) * nav_before / 10_000
    executed = Executed(held, cash, cost, traded, nav_before)
    _check_summary(request, found, executed)
    _check_shortfalls(request, found, {s: held.get(s, Fraction(0)) - start.get(s, Fraction(0)) for s in held})
    return executed


def _check_modes(request: ReallocationRequest, found: Reallocation, cash: Fraction, bought: Fraction) -> None:
    """Only trades of the direction, of names that may be bought, from the cash that there is."""
    modes = request.modes
    for trade in found.plan.trades:
        assert modes.direction is not (Direction.SELL_ONLY if trade.quantity > 0.0 else Direction.BUY_ONLY)
        assert trade.quantity < 0.0 or not modes.no_new_names or request.portfolio.quantities.get(trade.symbol)
    assert not modes.retain_cash or bought <= max(cash, 0)


def _check_summary(request: ReallocationRequest, found: Reallocation, done: Executed) -> None:
    """Every figure to the last digit."""
    summary, quotes = found.summary, request.market.quotes
    nav = done.nav_before - done.cost
    assert summary.nav_before == float(done.nav_before)
    assert summary.nav_after == float(nav)
    assert summary.cash_after == float(done.cash)
    assert summary.cost == float(done.cost)
    assert summary.cost_bps == float(10_000 * done.cost / done.nav_before)
    assert summary.turnover_one_way == float(done.traded / done.nav_before / 2)
    assert summary.residual_drift == float(done.drift(request))
    assert summary.days_to_complete == max((t.day for t in found.plan.trades), default=0)
    for symbol, weight in summary.weights_after.items():
        assert weight == float(done.held[symbol] * fraction(quotes[symbol].price) / nav)


def _check_shortfalls(request: ReallocationRequest, found: Reallocation, change: dict[str, Fraction]) -> None:
    for shortfall in found.plan.shortfalls:
        assert fraction(shortfall.planned) == change.get(shortfall.symbol, 0)
        # Where cash has to be raised to its floor, an asset may be sold of which more is required, be it by one step of
        # a fraction; and one of which nothing is required may be bought.
        if shortfall.planned * shortfall.requested < 0.0 or (shortfall.planned and not shortfall.requested):
            raises_cash = request.cash < max(0.0, request.limits.cash_floor)
            assert raises_cash or not request.limits.fractional, "fractions never go away from the target"
        else:
            assert abs(shortfall.planned) < abs(shortfall.requested)
        assert shortfall.causes, "a shortfall without a cause"
        codes = {cause.code.value for cause in shortfall.causes}
        quote = request.market.quotes.get(shortfall.symbol)
        assert ("UNPRICED" in codes) == (quote is None)
        assert ("HALTED" in codes) == (quote is not None and quote.halted)
        assert not (request.limits.fractional and "LOT_SIZE" in codes)
        assert request.limits.max_turnover is not None or "TURNOVER" not in codes
        assert request.limits.min_trade_value > 0.0 or "MIN_TRADE" not in codes
        assert request.limits.max_participation is not None or "PARTICIPATION" not in codes
        if quote is not None and not quote.halted and "PARTICIPATION" in codes:
            volume = quote.average_daily_volume
            assert volume is not None
            daily = fraction(request.limits.max_participation or 0.0) * fraction(volume)
            assert daily * request.horizon_days < abs(fraction(shortfall.requested)) + request.horizon_days * fraction(
                quote.lot_size
            )
