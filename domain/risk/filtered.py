"""Historical VaR after the changes of volatility are taken out of the returns and today's is put in."""

from itertools import accumulate

import numpy as np

from domain.checks import Vector

DECAY = 0.94
"""RiskMetrics 1996, for daily returns."""


def ewma_variances(returns: Vector, decay: float, start: float) -> Vector:
    """RiskMetrics' variance before each of T returns and after the last, (T + 1,); about zero, not about the mean.

    v_1 is given, v_t+1 = decay v_t + (1 - decay) r_t^2.
    """
    squares = (returns * returns).tolist()
    path = accumulate(squares, lambda variance, square: decay * variance + (1.0 - decay) * square, initial=start)
    return np.fromiter(path, np.float64, len(squares) + 1)


def volatility_filtered(returns: Vector, decay: float = DECAY) -> Vector | None:
    """Each of T returns times the next period's volatility over its own, (T,); None where a volatility is zero.

    Hull & White 1998, "Incorporating volatility updating into the historical simulation method for value-at-risk",
    with RiskMetrics' volatility, which starts from the mean square of all returns.
    """
    deviations = np.sqrt(ewma_variances(returns, decay, float(np.mean(returns * returns))))
    if not (deviations > 0.0).all():
        return None
    result: Vector = returns * (deviations[-1] / deviations[:-1])
    return result
