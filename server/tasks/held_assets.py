"""What a stored portfolio holds at stored prices, for an optimisation that weighs or limits trades."""

from domain.errors import InvalidInput
from domain.portfolio import Portfolio
from domain.reallocation.market import liquidity_of, net_asset_value
from domain.reallocation.request import check_amounts
from server.commands.reallocation import OptimizedTarget
from server.commands.stored import StoredData
from server.converters.portfolios import mandate_from_bytes
from server.converters.recomputations import HeldAssets
from server.ports.market_data import PriceSelection
from server.tasks.stored_market import stored_snapshot


def held_assets(payload: bytes, selection: PriceSelection, found: StoredData) -> HeldAssets:
    """Weights and figures that a plan for the same mandate optimises its target with.

    Weights are of all symbols of the selection that are assets, 0 of those that are not held: an account of cash
    alone has weights too. Raises InvalidInput for a holding without a price and a net asset value of zero or less.
    """
    mandate = mandate_from_bytes(payload)
    if not isinstance(mandate.target, OptimizedTarget):
        raise InvalidInput("mandate.optimize", "must be given: the mandate has no optimisation to repeat")
    market = stored_snapshot(selection, found)
    check_amounts(mandate.portfolio, market)
    factors = mandate.target.specification.estimation.factors
    symbols = tuple(symbol for symbol in found.panels[selection].symbols if symbol not in factors)
    units = {symbol: quantity for symbol, quantity in mandate.portfolio.quantities.items() if quantity}
    held = Portfolio(units, mandate.portfolio.cash)
    weights = held.weights_at({symbol: quote.price for symbol, quote in market.quotes.items()})
    return HeldAssets(
        {symbol: weights.get(symbol, 0.0) for symbol in symbols},
        net_asset_value(held, market),
        liquidity_of(market, symbols),
    )
