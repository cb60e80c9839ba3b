"""One rebalancing, exactly self-financing: holdings are w V' afterwards, whatever the order of the assets."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.costs.self_financing import WealthExhausted, remaining_fraction

CASH_ROUNDING = 1e-12
"""A part of wealth below this is what rounding left of none."""


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """Positions after a rebalancing, and what it took."""

    units: Vector  # (N,)
    cash: float
    costs: Vector  # (N,), in money
    turnover_one_way: float  # half the sum of absolute trades, as a fraction of wealth before them
    wealth: float  # after costs


def rebalance(units: Vector, cash: float, prices: Vector, weights: Vector, rates: Vector) -> Rebalanced:
    """Trades N assets to target weights at these prices; `rates` are costs as fractions of the traded notional.

    What has a price of 0 is not traded: units of it stay, and its weight stays in cash.

    Raises WealthExhausted where there is nothing left to trade with.
    """
    held = units * prices
    wealth = float(held.sum()) + cash
    if wealth <= 0.0:
        raise WealthExhausted("there is no wealth left to invest")
    priced = prices > 0.0
    weights = np.where(priced, weights, 0.0)
    fractions = held / wealth
    kept = remaining_fraction(weights, fractions, rates)
    after = kept * wealth
    target = weights * after
    trades = np.abs(target - held)
    uninvested = 1.0 - float(weights.sum())
    return Rebalanced(
        units=np.where(priced, target / np.where(priced, prices, 1.0), units),
        cash=after * uninvested if abs(uninvested) > CASH_ROUNDING else 0.0,
        costs=rates * trades,
        turnover_one_way=0.5 * float(trades.sum()) / wealth,
        wealth=after,
    )
