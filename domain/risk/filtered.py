"""Historical VaR after the changes of volatility are taken out of the returns and today's is put in."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector

DECAY = 0.94
"""RiskMetrics 1996, for daily returns."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """Returns as they would have been with the volatility that is expected for the next period."""

    returns: Vector  # (T,)
    volatility_next: float


def ewma_variances(returns: Vector, decay: float) -> Vector:
    """RiskMetrics' variance before each of T returns and after the last, (T + 1,); about zero, not about the mean.

    v_1 is the mean square of all returns, v_t+1 = decay v_t + (1 - decay) r_t^2.
    """
    squares = (returns * returns).tolist()
    variance = sum(squares) / len(squares)
    found = [variance]
    for square in squares:
        variance = decay * variance + (1.0 - decay) * square
        found.append(variance)
    return np.array(found)


def volatility_filtered(returns: Vector, decay: float = DECAY) -> Filtered | None:
    """Each return times the next period's volatility over its own; None where a volatility is zero.

    Hull & White 1998, "Incorporating volatility updating into the historical simulation method for value-at-risk",
    with RiskMetrics' volatility.
    """
    deviations = np.sqrt(ewma_variances(returns, decay))
    if not (deviations > 0.0).all():
        return None
    return Filtered(returns * (deviations[-1] / deviations[:-1]), float(deviations[-1]))
