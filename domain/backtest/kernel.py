"""One rebalancing, exactly self-financing: what is bought is paid by what is sold, costs included.

Wealth after costs V' solves V' = V - sum_i c_i |w_i V' - h_i|, and holdings are exactly w V' afterwards, whatever the
order of the assets. With x = V' / V and u = h / V that is the root of f(x) = x + sum_i c_i |w_i x - u_i| - 1, which is
convex and, while costs of the whole target stay below the wealth, increasing: Newton's method from x = 1 comes down to
it in a few steps and ends exactly.
"""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.errors import DomainError

NEWTON_STEPS = 100
CASH_ROUNDING = 1e-12
"""A part of wealth below this is what rounding left of none."""


class WealthExhausted(DomainError):
    """Losses or costs took everything there was."""

    REASON = "WEALTH_EXHAUSTED"


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

    Raises WealthExhausted where there is nothing left to trade with.
    """
    held = units * prices
    wealth = float(held.sum()) + cash
    if wealth <= 0.0:
        raise WealthExhausted("there is no wealth left to invest")
    fractions = held / wealth
    kept = remaining_fraction(weights, fractions, rates)
    after = kept * wealth
    target = weights * after
    trades = np.abs(target - held)
    uninvested = 1.0 - float(weights.sum())
    return Rebalanced(
        units=target / prices,
        cash=after * uninvested if abs(uninvested) > CASH_ROUNDING else 0.0,
        costs=rates * trades,
        turnover_one_way=0.5 * float(trades.sum()) / wealth,
        wealth=after,
    )


def remaining_fraction(weights: Vector, fractions: Vector, rates: Vector) -> float:
    """Wealth after costs / wealth before, for target weights and current fractions of wealth (N,)."""
    if not rates.any():
        return 1.0
    x = 1.0
    for _ in range(NEWTON_STEPS):
        trades = weights * x - fractions
        slope = 1.0 + float(rates @ (weights * np.sign(trades)))
        if slope <= 0.0:
            break
        following = x - (x + float(rates @ np.abs(trades)) - 1.0) / slope
        if following >= x:  # it only comes down: from here on it is rounding
            return x
        x = following
        if x <= 0.0:
            break
    raise WealthExhausted("the costs of this rebalancing exceed the wealth")
