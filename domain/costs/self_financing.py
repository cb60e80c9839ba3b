"""What is left after a trade to target weights: what is bought is paid by what is sold, costs included.

Wealth after costs V' solves V' = V - sum_i c_i |w_i V' - h_i|. With x = V' / V and u = h / V that is the root of
f(x) = x + sum_i c_i |w_i x - u_i| - 1, which is convex and, while costs of the whole target stay below the wealth,
increasing: Newton's method from x = 1 comes down to it in a few steps and ends exactly.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import DomainError

NEWTON_STEPS = 100


class WealthExhausted(DomainError):
    """Losses or costs took everything there was."""

    REASON = "WEALTH_EXHAUSTED"


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
