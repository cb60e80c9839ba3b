"""The trade list: whole lots, sells before the buys they fund, cash never below its floor."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.costs.linear import BASIS_POINT
from domain.market_data.snapshot import Snapshot
from domain.reallocation.liquidity import LiquidityAssessment
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.shortfall import Cause, Shortfall, ShortfallCode
from domain.warnings import ResultWarning

LOT_ROUNDING = 1e-9
"""How far, in lots, a quantity may be from a whole number and still be meant as one."""

FRACTION_ROUNDING = 1e-14

NEGLIGIBLE = 1e-9
"""A difference of less than this part of net asset value is not worth a word, where fractions may be traded."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One step of the plan."""

    step: int  # from 1
    symbol: str
    quantity: float  # units, negative to sell
    price: float
    cost: float
    cash_after: float
    day: int  # of the horizon, from 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Trades in order, and what they leave undone."""

    trades: tuple[Trade, ...]
    shortfalls: tuple[Shortfall, ...]
    warnings: tuple[ResultWarning, ...] = ()


@dataclass(slots=True)
class _Order:
    """A wish on its way to a trade."""

    symbol: str
    requested: float  # units
    price: float
    lot: float  # 0 where fractions may be traded
    rate: float  # cost as a fraction of the traded value
    quantity: float
    daily: float = math.inf  # most units a day
    causes: list[Cause] = field(default_factory=list)

    @property
    def value(self) -> float:
        """Of what is planned, in money, always positive."""
        return abs(self.quantity) * self.price

    def cut(self, quantity: float, cause: Cause) -> None:
        """Plans no more than a quantity (in units, without sign), for a cause."""
        kept = whole_lots(quantity, self.lot)
        if kept < abs(self.quantity):
            self.quantity = math.copysign(kept, self.requested)
            self.causes.append(cause)


def plan(request: ReallocationRequest, required: Mapping[str, float], liquidity: LiquidityAssessment) -> Plan:
    """Turns required trades in units into a list that can be carried out in its order."""
    orders = [_order(request, symbol, quantity) for symbol, quantity in required.items()]
    for order in orders:
        _limit(order, request, liquidity)
    _limit_turnover(orders, request)
    sells = [order for order in orders if order.quantity < 0.0]
    buys = [order for order in orders if order.quantity > 0.0]
    _limit_cash(sells, buys, request)
    trades = _scheduled(sells, buys, request)
    shortfalls = tuple(_shortfall(order, request) for order in orders if _falls_short(order, request))
    return Plan(trades, shortfalls, _warnings(trades, request.market))


def whole_lots(quantity: float, lot: float) -> float:
    """The largest multiple of a lot that is not above a quantity; the quantity itself where the lot is 0."""
    return quantity if lot == 0.0 else math.floor(quantity / lot + LOT_ROUNDING) * lot


def _order(request: ReallocationRequest, symbol: str, quantity: float) -> _Order:
    quote = request.market.quotes.get(symbol)
    if quote is None:
        return _Order(symbol, quantity, 0.0, 0.0, 0.0, 0.0, causes=[Cause(ShortfallCode.UNPRICED)])
    rate = cost_rate(request, symbol)
    lot = 0.0 if request.limits.fractional else quote.lot_size
    return _Order(symbol, quantity, quote.price, lot, rate, quantity)


def _limit(order: _Order, request: ReallocationRequest, liquidity: LiquidityAssessment) -> None:
    quote = request.market.quotes.get(order.symbol)
    if quote is None:
        return
    if quote.halted:
        order.cut(0.0, Cause(ShortfallCode.HALTED))
        return
    limits = request.limits
    if limits.max_participation is not None and quote.average_daily_volume is not None:
        order.daily = whole_lots(limits.max_participation * quote.average_daily_volume, order.lot)
        available = liquidity.available(order.symbol)
        if available is not None:
            most = min(available, order.daily * request.horizon_days)
            order.cut(most, Cause(ShortfallCode.PARTICIPATION, limits.max_participation))
    order.cut(abs(order.requested), Cause(ShortfallCode.LOT_SIZE, order.lot))
    _drop_small(order, request)


def _drop_small(order: _Order, request: ReallocationRequest) -> None:
    if 0.0 < order.value < request.limits.min_trade_value:
        order.cut(0.0, Cause(ShortfallCode.MIN_TRADE, request.limits.min_trade_value))


def _limit_turnover(orders: Sequence[_Order], request: ReallocationRequest) -> None:
    """Scales every trade by the same factor; half of all that is traded counts."""
    limit = request.limits.max_turnover
    if limit is None:
        return
    allowed = 2.0 * limit * net_asset_value(request)
    traded = sum(order.value for order in orders)
    if traded <= allowed * (1.0 + LOT_ROUNDING):
        return
    for order in orders:
        order.cut(abs(order.quantity) * allowed / traded, Cause(ShortfallCode.TURNOVER, limit))
        _drop_small(order, request)


def _limit_cash(sells: Sequence[_Order], buys: list[_Order], request: ReallocationRequest) -> None:
    """Buys share what sells and cash give, each the same part of its wish; what lots leave over goes on in turn."""
    cash = request.portfolio.cash - request.limits.cash_floor
    cash += sum(order.value * (1.0 - order.rate) for order in sells)
    wanted = sum(order.value * (1.0 + order.rate) for order in buys)
    if wanted <= cash or not buys:
        return
    wishes = [abs(order.quantity) for order in buys]
    share = max(cash, 0.0) / wanted
    for order in buys:
        order.cut(abs(order.quantity) * share, Cause(ShortfallCode.CASH, request.limits.cash_floor))
        _drop_small(order, request)
    left = cash - sum(order.value * (1.0 + order.rate) for order in buys)
    # Largest missing value first: one more lot where it fits brings the portfolio closest to its target.
    for order, wish in sorted(
        zip(buys, wishes, strict=True), key=lambda pair: -(pair[1] - pair[0].quantity) * pair[0].price
    ):
        one = order.lot * order.price * (1.0 + order.rate)
        if (
            order.lot > 0.0
            and order.quantity > 0.0
            and order.quantity + order.lot <= wish + LOT_ROUNDING
            and one <= left
        ):
            order.quantity += order.lot
            left -= one


def _scheduled(sells: Sequence[_Order], buys: Sequence[_Order], request: ReallocationRequest) -> tuple[Trade, ...]:
    """Day by day, sells first; a buy waits for the day whose cash can pay it."""
    found: list[Trade] = []
    cash = request.portfolio.cash
    left = {order.symbol: abs(order.quantity) for order in (*sells, *buys)}
    for day in range(1, request.horizon_days + 1):
        if not any(left.values()):
            break
        for order in sorted(sells, key=lambda one: -one.value):
            amount = _today(order, left)
            cash += amount * order.price * (1.0 - order.rate)
            _book(found, order, -amount, cash, day, left)
        for order in sorted(buys, key=lambda one: -one.value):
            unit = order.price * (1.0 + order.rate)
            amount = min(_today(order, left), _affordable(cash - request.limits.cash_floor, unit, order.lot))
            cash -= amount * unit
            _book(found, order, amount, cash, day, left)
    for order in (*sells, *buys):
        if left[order.symbol] > 0.0:
            done = abs(order.quantity) - left[order.symbol]
            # Sells that come day by day may fund a buy later than the horizon allows.
            order.cut(done, Cause(ShortfallCode.CASH, request.limits.cash_floor))
    return tuple(found)


def _affordable(cash: float, unit: float, lot: float) -> float:
    """Units that this much cash pays for, and not a rounding more."""
    if cash <= 0.0:
        return 0.0
    amount = whole_lots(cash / unit, lot)
    if amount * unit <= cash:
        return amount
    return amount - lot if lot > 0.0 else amount * (1.0 - FRACTION_ROUNDING)


def _today(order: _Order, left: Mapping[str, float]) -> float:
    return min(left[order.symbol], order.daily)


def _book(found: list[Trade], order: _Order, quantity: float, cash: float, day: int, left: dict[str, float]) -> None:
    if quantity == 0.0:
        return
    left[order.symbol] -= abs(quantity)
    if left[order.symbol] < LOT_ROUNDING * max(order.lot, abs(order.quantity)):
        left[order.symbol] = 0.0
    cost = abs(quantity) * order.price * order.rate
    found.append(Trade(len(found) + 1, order.symbol, quantity, order.price, cost, cash, day))


def cost_rate(request: ReallocationRequest, symbol: str) -> float:
    """Cost of trading an asset as a fraction of the traded value; a quoted spread takes the place of the usual one."""
    spread_bps = request.market.quotes[symbol].spread_bps
    return request.costs.rate(symbol, half_spread=None if spread_bps is None else 0.5 * BASIS_POINT * spread_bps)


def net_asset_value(request: ReallocationRequest) -> float:
    """Of what has a price, and cash."""
    prices = ((request.market.price(symbol), units) for symbol, units in request.portfolio.quantities.items())
    return request.portfolio.cash + sum(units * price for price, units in prices if price is not None)


def _falls_short(order: _Order, request: ReallocationRequest) -> bool:
    missing = abs(order.requested) - abs(order.quantity)
    if order.price == 0.0:
        return True
    return missing * order.price > NEGLIGIBLE * net_asset_value(request)


def _shortfall(order: _Order, request: ReallocationRequest) -> Shortfall:
    causes = tuple(dict.fromkeys(order.causes))
    return Shortfall(order.symbol, order.requested, order.quantity, causes)


def _warnings(trades: Sequence[Trade], market: Snapshot) -> tuple[ResultWarning, ...]:
    unknown = sorted({t.symbol for t in trades if market.quotes[t.symbol].average_daily_volume is None})
    if not unknown:
        return ()
    message = f"liquidity is not known, there is no volume: {', '.join(unknown)}"
    return (ResultWarning("LIQUIDITY_UNKNOWN", "", message),)
