"""The part of the drift that currencies made: weights now, less those at the rates of the last reallocation."""

from collections.abc import Mapping

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic, ratio
from domain.reallocation.request import ReallocationRequest


def currency_drifts(request: ReallocationRequest, current: Mapping[str, float]) -> dict[str, float] | None:
    """Of each asset with a price; None where the previous rates are not known.

    Raises InvalidInput where the previous rates leave a net asset value of zero or less.
    """
    prices = request.previous_prices
    if prices is None:
        return None
    held = request.portfolio.quantities
    with exact_arithmetic():
        values = {s: exact(units) * prices[s] for s, units in held.items() if s in prices}
        worth = sum(values.values(), request.cash)
        if worth <= ZERO:
            raise InvalidInput("snapshot.fx_rates", "previous rates must leave a net asset value above 0")
        return {s: weight - ratio(values.get(s, ZERO), worth) for s, weight in current.items()}
