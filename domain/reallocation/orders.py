"""Turns required trades into orders: lots, maximum quantities, and blocking causes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import FRACTION_DIGITS, ONE, ZERO, ceiling, decimal_step, exact
from domain.reallocation.cancellation import checked
from domain.reallocation.lots import MOST_LOTS
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.shortfall import Cause, ShortfallCode
from domain.reallocation.valuation import Valuation
from domain.reallocation.volume_shares import VolumeCap
from domain.records import dataclass


@dataclass(slots=True)
class Order:
    """One required trade and its limits. Quantities are units without sign; sums of them are exact."""

    symbol: str
    requested: float  # units, negative to sell
    held: Decimal
    price: Decimal = ZERO
    lot: Decimal = ZERO  # 0 without a price
    rate: Decimal = ZERO  # cost as a fraction of the traded value
    wanted: Decimal = ZERO
    most: Decimal | None = None  # within the limits of market and holding, in whole lots a day; None is no limit
    allowed: Decimal | None = None  # the same before a day's limit is cut to whole lots
    daily: Decimal | None = None  # the most in one day
    by_day: tuple[Decimal, ...] | None = None  # the most in each day, 0 after the last one; None is no limit
    sells_all: bool = False  # the target is 0: an odd lot is sold too
    reversed: bool = False  # traded away from the target: a purchase is required and holdings are sold, or the reverse
    quantity: Decimal = ZERO  # planned
    causes: list[Cause] = field(default_factory=list)

    @property
    def buys(self) -> bool:
        """Whether it is a purchase."""
        return (self.requested > 0.0) is not self.reversed

    @property
    def missing(self) -> Decimal:
        """Units between the planned and the required trade."""
        return self.wanted + self.quantity if self.reversed else self.wanted - self.quantity

    @property
    def scalable(self) -> Decimal:
        """Required and allowed units, not cut to whole lots; a limit on turnover scales them."""
        if self.reversed:
            return ZERO
        return self.wanted if self.allowed is None else min(self.wanted, self.allowed)

    @property
    def value(self) -> Decimal:
        """Value of the planned trade, in money."""
        return self.quantity * self.price

    @property
    def reachable(self) -> Decimal:
        """Required units within the limits."""
        if self.reversed:
            return ZERO
        return self.wanted if self.most is None else min(self.wanted, self.most)

    @property
    def at_once(self) -> bool:
        """Whether no day has a limit of its own."""
        return self.daily is None and self.by_day is None

    @property
    def most_trades(self) -> int:
        """Trades that its quantity takes at most."""
        if self.by_day is not None:
            return len(self.by_day)
        return ceiling(self.quantity, self.daily) if self.daily else 1

    def on_day(self, day: int) -> Decimal | None:
        """The most that can be traded on a day of the horizon, from 1; None is no limit."""
        if self.by_day is None:
            return self.daily
        most = self.by_day[day - 1] if day <= len(self.by_day) else ZERO
        return most if self.daily is None else min(most, self.daily)

    def within(self, days: int) -> Decimal | None:
        """The most that can be traded in the first days; None is no limit."""
        if self.by_day is None:
            return None if self.daily is None else days * self.daily
        return sum((most if self.daily is None else min(most, self.daily) for most in self.by_day[:days]), ZERO)

    @property
    def cash_per_unit(self) -> Decimal:
        """Paid for a unit bought, or received for a unit sold, costs included."""
        return self.price * (ONE + self.rate if self.buys else ONE - self.rate)


def orders_of(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> list[Order]:
    """An order for each required trade.

    Where cash is negative, also one of 0 for every other holding with a price: it may have to be sold.
    Raises InvalidInput for more lots in one order than can be counted.
    """
    wanted = dict(required)
    if request.cash < ZERO:
        for symbol, units in request.portfolio.quantities.items():
            if units and symbol in request.market.quotes:
                wanted.setdefault(symbol, 0.0)
    places = {symbol: i for i, symbol in enumerate(request.market.quotes)}
    orders: list[Order] = []
    for symbol, units in checked(wanted.items(), check_cancelled):
        rate = valuation.cost_rates.get(symbol, ZERO)
        orders.append(_order(request, symbol, units, rate, places.get(symbol, -1)))
    return orders


def unwanted_orders(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    check_cancelled: Callable[[], None],
) -> list[Order]:
    """An order of 0 for every holding with a price of which no trade is required."""
    places = {symbol: i for i, symbol in enumerate(request.market.quotes)}
    return [
        _order(request, symbol, 0.0, valuation.cost_rates[symbol], places[symbol])
        for symbol, units in checked(request.portfolio.quantities.items(), check_cancelled)
        if units and symbol in places and symbol not in required
    ]


def opposite(request: ReallocationRequest, order: Order) -> Order:
    """An order for the same asset in the other direction, of which nothing is required."""
    other = Order(
        order.symbol, order.requested, order.held, order.price, order.lot, order.rate, order.wanted, reversed=True
    )
    _limit(request, other)
    sold = Cause(ShortfallCode.CASH, request.limits.cash_floor)
    whole = other.buys and not request.limits.fractional
    other.causes = [Cause(ShortfallCode.LOT_SIZE, float(order.lot)) if whole else sold]
    return other


def _order(request: ReallocationRequest, symbol: str, units: float, rate: Decimal, place: int) -> Order:
    quote = request.market.quotes.get(symbol)
    held = exact(request.portfolio.quantities.get(symbol, 0.0))
    order = Order(symbol, units, held, wanted=abs(exact(units)))
    if quote is None:
        order.causes.append(Cause(ShortfallCode.UNPRICED))
        return order
    order.price, order.rate = quote.exact_price, rate
    order.sells_all = units < 0.0 and not request.target.get(symbol, 0.0)
    order.lot = _lot(request, order, place)
    _limit(request, order)
    return order


def _lot(request: ReallocationRequest, order: Order, place: int) -> Decimal:
    size = max(order.held, order.wanted)
    if request.limits.fractional:
        return decimal_step(size, FRACTION_DIGITS)
    lot_size = request.market.quotes[order.symbol].lot_size
    lot = exact(lot_size)
    if lot_size.is_integer() and size + lot < MOST_LOTS:
        return lot
    step = _told_exactly(size + lot)
    # A lot of more digits than a float always keeps is a rounded number itself, and so are its multiples.
    written = len(lot.normalize().as_tuple().digits) <= FRACTION_DIGITS
    if size > MOST_LOTS * lot or (written and lot % step != ZERO):
        raise InvalidInput(
            f"snapshot.assets[{place}].lot_size",
            f"must be a multiple of {step:.0e} for {size:.6g} units of {order.symbol}: quantities are numbers of "
            "64 bits; or set limits.fractional",
        )
    return lot


def _told_exactly(size: Decimal) -> Decimal:
    """The least power of ten of which floats up to a positive size tell all multiples apart."""
    between = exact(math.ulp(float(size)))
    found = Decimal((0, (1,), between.adjusted()))
    return found if found >= between else 10 * found


def _limit(request: ReallocationRequest, order: Order) -> None:
    quote, limits = request.market.quotes[order.symbol], request.limits
    if not order.buys:
        order.most = order.allowed = order.held
    refusal = request.modes.refusal(buys=order.buys, held=order.held > ZERO)
    if refusal is not None:
        order.most = order.allowed = ZERO
        order.causes.append(Cause(refusal))
    if quote.halted:
        order.most = order.allowed = ZERO
        order.causes.append(Cause(ShortfallCode.HALTED))
    elif refusal is None:
        if limits.max_participation is not None and quote.average_daily_volume is not None:
            daily = exact(limits.max_participation) * exact(quote.average_daily_volume)
            _limit_days(order, daily, request.horizon_days, limits.max_participation)
        if order.symbol in request.shared_volume:
            _limit_to_share(order, request.shared_volume[order.symbol])


def _limit_days(order: Order, daily: Decimal, days: int, participation: float) -> None:
    if order.sells_all and order.held <= daily:
        return  # all of it in one day, an odd lot too
    order.daily = daily // order.lot * order.lot
    within = order.daily * days
    order.most = within if order.most is None else min(order.most, within)
    allowed = daily * days
    order.allowed = allowed if order.allowed is None else min(order.allowed, allowed)
    if within < order.wanted:
        order.causes.append(Cause(ShortfallCode.PARTICIPATION, participation))


def _limit_to_share(order: Order, cap: VolumeCap) -> None:
    if order.sells_all and order.held <= cap.first:
        return
    order.by_day, within = cap.by_day, cap.total
    order.most = within if order.most is None else min(order.most, within)
    order.allowed = within if order.allowed is None else min(order.allowed, within)
    if within < cap.wanted or order.wanted - within >= order.lot:
        order.causes.append(Cause(ShortfallCode.LIQUIDITY, float(within)))
