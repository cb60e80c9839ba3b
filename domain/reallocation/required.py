"""What the target needs against what is held."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from domain.costs.self_financing import WealthExhausted, post_cost_fraction
from domain.errors import InvalidInput
from domain.exact import exact, exact_arithmetic, quotient, ratio
from domain.reallocation.cancellation import checked
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.valuation import Valuation


def current_weights(request: ReallocationRequest, valuation: Valuation) -> Mapping[str, float]:
    """Current weights of the holdings and targets that have a price."""
    found = {symbol: ratio(worth, valuation.net_asset_value) for symbol, worth in valuation.values.items()}
    for symbol in request.target:
        if request.market.price(symbol) is not None:
            found.setdefault(symbol, 0.0)
    return found


def check_target(request: ReallocationRequest) -> None:
    """Raises InvalidInput for a target without a price."""
    for i, (symbol, weight) in enumerate(request.target.items()):
        if weight > 0.0 and symbol not in request.market.quotes:
            raise InvalidInput(f"target_weights.weights[{i}].symbol", f"{symbol} has no price in the market data")


def required_assets(request: ReallocationRequest) -> Sequence[str]:
    """Symbols of holdings and target, in a fixed order."""
    held = [symbol for symbol, units in request.portfolio.quantities.items() if units]
    return sorted({*held, *request.target})


def required_trades(
    request: ReallocationRequest,
    valuation: Valuation,
    symbols: Sequence[str],
    check_cancelled: Callable[[], None],
) -> Mapping[str, float]:
    """Units to buy or sell to reach the target exactly, costs paid, before lots and limits."""
    with exact_arithmetic():
        nav = valuation.net_asset_value * exact(_post_cost_fraction(request, valuation, symbols))
        found: dict[str, float] = {}
        for symbol in checked(symbols, check_cancelled):
            held = exact(request.portfolio.quantities.get(symbol, 0.0))
            quote = request.market.quotes.get(symbol)
            # Without a price its weight is unknown; it is kept, and the shortfall reports it.
            weight = exact(request.target.get(symbol, 0.0))
            wanted = -held if quote is None else quotient(weight * nav, quote.exact_price) - held
            if wanted:
                found[symbol] = float(wanted)
        return found


def nav_after(valuation: Valuation, request: ReallocationRequest) -> Decimal:
    """Net asset value after the costs of reaching the target."""
    return valuation.net_asset_value * exact(_post_cost_fraction(request, valuation, required_assets(request)))


def _post_cost_fraction(request: ReallocationRequest, valuation: Valuation, symbols: Sequence[str]) -> float:
    """Net asset value after the costs of reaching the target / before."""
    quotes = request.market.quotes
    priced = [symbol for symbol in symbols if symbol in quotes]
    current = current_weights(request, valuation)
    try:
        return post_cost_fraction(
            np.array([request.target.get(symbol, 0.0) for symbol in priced]),
            np.array([current.get(symbol, 0.0) for symbol in priced]),
            # What is halted is not traded, and costs nothing.
            np.array([0.0 if quotes[symbol].halted else float(valuation.cost_rates[symbol]) for symbol in priced]),
        )
    except WealthExhausted as error:
        raise InvalidInput("costs", f"are too high to reach the target: {error.message}") from None
