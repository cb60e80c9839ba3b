"""Portfolios: holdings, their value and weights. Cash is a field, never an asset."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.checks import LARGEST_FIGURE, Vector, figure, finite_number
from domain.errors import InvalidInput
from domain.records import dataclass

FULLY_INVESTED_TOLERANCE = 1e-6
"""How far weights may sum above 1 before they count as leverage."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Units of each asset, and cash in the currency of the prices."""

    quantities: Mapping[str, float]
    cash: float = 0.0

    def __post_init__(self) -> None:
        for symbol, quantity in self.quantities.items():
            finite_number(f"holdings[{symbol}].quantity", quantity)
        finite_number("cash", self.cash)

    def weights(self, symbols: Sequence[str], prices: Vector) -> dict[str, float]:
        """Fractions of net asset value at these prices (N,), for the symbols held.

        Raises InvalidInput for a holding without a price, or a net asset value of zero or less.
        """
        return self.weights_at(dict(zip(symbols, prices.tolist(), strict=True)))

    def weights_at(self, price: Mapping[str, float]) -> dict[str, float]:
        """The same at prices by symbol."""
        for i, symbol in enumerate(self.quantities):
            if symbol not in price or not np.isfinite(price[symbol]):
                raise InvalidInput(f"holdings[{i}].symbol", f"{symbol} has no price in the input")
        values = {symbol: quantity * price[symbol] for symbol, quantity in self.quantities.items()}
        net = sum(values.values()) + self.cash
        if net <= 0.0:
            raise InvalidInput("holdings", f"must have a net asset value above 0, has {net:g}")
        return {symbol: value / net for symbol, value in values.items()}


def weights_by_symbol(
    field_name: str,
    weights: Mapping[str, float],
    symbols: tuple[str, ...],
    *,
    leveraged: bool,
    largest: float = LARGEST_FIGURE,
) -> Vector:
    """Weights in the order of symbols, (N,), 0 where none is named.

    Raises InvalidInput for an unknown symbol, a weight of more than `largest` in size, or a sum above 1 where nothing
    may be borrowed; below 1 the rest is cash.
    """
    return weights_in_order(field_name, weights, positions(symbols), leveraged=leveraged, largest=largest)


def positions(symbols: Sequence[str]) -> dict[str, int]:
    """Index of each symbol."""
    return {symbol: i for i, symbol in enumerate(symbols)}


def weights_in_order(
    field_name: str,
    weights: Mapping[str, float],
    position: Mapping[str, int],
    *,
    leveraged: bool,
    largest: float = LARGEST_FIGURE,
) -> Vector:
    """The same where the positions of symbols are known already."""
    result = np.zeros(len(position))
    for i, (symbol, weight) in enumerate(weights.items()):
        if symbol not in position:
            raise InvalidInput(f"{field_name}[{i}].symbol", f"{symbol} is not a symbol of the input")
        if not abs(weight) <= largest:
            figure(f"{field_name}[{i}].weight", weight, largest)
        result[position[symbol]] = weight
    total = float(result.sum())
    if not leveraged and total > 1.0 + FULLY_INVESTED_TOLERANCE:
        raise InvalidInput(field_name, f"must sum to 1 or less without leverage, sum to {total:.9g}")
    return result
