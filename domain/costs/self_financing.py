"""Net asset value after a trade to target weights: sales pay for purchases, costs included.

The net asset value after costs V' solves V' = V - sum_i c_i |w_i V' - h_i|. With x = V' / V and u = h / V, x is the
root of f(x) = x + sum_i c_i |w_i x - u_i| - 1. f is convex and, while the costs of the whole target stay below the net
asset value, increasing: Newton's method from x = 1 descends to the root in a few steps and ends exactly.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import DomainError

NEWTON_STEPS = 100


class WealthExhausted(DomainError):
    """Losses or costs used up the whole net asset value.

    It stands here and not in `domain.errors`, which holds what a caller can meet as an error: inside a backtest it is a
    value, the reason of a failed rebalancing, and a reallocation refuses its costs by InvalidInput.
    """

    REASON = "WEALTH_EXHAUSTED"


def post_cost_fraction(weights: Vector, fractions: Vector, rates: Vector) -> float:
    """Net asset value after costs / before.

    Takes target weights, current fractions of the net asset value, and costs as fractions of the traded notional, each
    (N,). Raises WealthExhausted where the costs exceed the net asset value.
    """
    if not rates.any():
        return 1.0
    x = 1.0
    for _ in range(NEWTON_STEPS):
        trades = weights * x - fractions
        slope = 1.0 + float(rates @ (weights * np.sign(trades)))
        if slope <= 0.0:
            break
        following = x - (x + float(rates @ np.abs(trades)) - 1.0) / slope
        if following >= x:  # Newton only descends here: a rise is rounding
            return x
        x = following
        if x <= 0.0:
            break
    raise WealthExhausted("the costs of this rebalancing exceed the net asset value")
