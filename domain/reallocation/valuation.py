"""Exact value of a portfolio and cost of its trades."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic
from domain.market_data.snapshot import SMALLEST_AMOUNT
from domain.reallocation.cancellation import checked
from domain.reallocation.request import ReallocationRequest
from domain.records import dataclass

_HALF = Decimal("0.5")
_BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Valuation:
    """Exact figures of a request, made once."""

    values: Mapping[str, Decimal]  # money in each holding that has a price
    net_asset_value: Decimal  # of these, and cash
    cost_rates: Mapping[str, Decimal]  # cost / traded value, of holdings, targets and substitutes with a price


def value(request: ReallocationRequest, check_cancelled: Callable[[], None]) -> Valuation:
    """Values a portfolio. Raises InvalidInput for a short position, or a net asset value that is not above almost 0."""
    quotes = request.market.quotes
    held = request.portfolio.quantities
    with exact_arithmetic():
        values: dict[str, Decimal] = {}
        for i, (symbol, units) in checked(enumerate(held.items()), check_cancelled):
            if units < 0.0:
                raise InvalidInput(
                    f"portfolio.holdings[{i}].quantity", f"{symbol} is short; only long positions are supported"
                )
            if symbol in quotes:
                values[symbol] = exact(units) * quotes[symbol].exact_price
        worth = sum(values.values(), request.cash)
        if worth <= ZERO:
            raised = worth > exact(request.modes.cash_flow)
            raise InvalidInput(
                "cash_flow" if raised else "portfolio",
                f"must leave a net asset value above 0, leaves {worth:g}"
                if raised
                else f"must have a net asset value above 0, has {worth:g}",
            )
        if worth < exact(SMALLEST_AMOUNT):
            raise InvalidInput("portfolio", f"must be worth at least {SMALLEST_AMOUNT:g} in all, is worth {worth:g}")
        substitutes = (by for _, by in request.taxes.limits.substitutes)
        symbols = [symbol for symbol in dict.fromkeys([*held, *request.target, *substitutes]) if symbol in quotes]
        rates = {symbol: _cost_rate(request, symbol) for symbol in checked(symbols, check_cancelled)}
    return Valuation(values, worth, rates)


def _cost_rate(request: ReallocationRequest, symbol: str) -> Decimal:
    """Cost of trading an asset as a fraction of the traded value; a quoted spread replaces the default."""
    # A commission that has a most is not in proportion to the value: it is no part of the rate.
    commission = ZERO if request.fees.limits_commission else commission_rate(request, symbol)
    return commission + spread_rate(request, symbol)


def cost_of(
    request: ReallocationRequest, valuation: Valuation, symbol: str, units: Decimal, crossed: Decimal
) -> Decimal:
    """Cost in money of trading so many units, the part crossed without the spread; both have the same sign."""
    price = request.market.quotes[symbol].exact_price
    paid = abs(units) * price * valuation.cost_rates[symbol]
    if request.fees.any:
        value = abs(units) * price
        paid = value * spread_rate(request, symbol) + commission_of(request, symbol, units)
        paid += request.fees.of_trade(units)
    return paid - abs(crossed) * price * spread_rate(request, symbol) if crossed else paid


def commission_of(request: ReallocationRequest, symbol: str, units: Decimal) -> Decimal:
    """Commission of one trade in money; a figure of an asset's own counts as one."""
    proportional = abs(units) * request.market.quotes[symbol].exact_price * commission_rate(request, symbol)
    return request.fees.commission(proportional, abs(units))


def commission_rate(request: ReallocationRequest, symbol: str) -> Decimal:
    """Commission as a fraction of the traded value, before a least or a most."""
    return exact(request.costs.by_symbol_bps.get(symbol, request.costs.commission_bps)) * _BASIS_POINT


def spread_rate(request: ReallocationRequest, symbol: str) -> Decimal:
    """The part of the cost rate of an asset that is the half-spread; 0 where it has a figure of its own."""
    costs, spread_bps = request.costs, request.market.quotes[symbol].spread_bps
    if symbol in costs.by_symbol_bps:
        return ZERO
    return (exact(costs.half_spread_bps) if spread_bps is None else exact(spread_bps) * _HALF) * _BASIS_POINT
