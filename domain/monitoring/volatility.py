"""The volatility regime: current volatility against its own long-run level.

Current volatility is the exponentially weighted one of RiskMetrics (J.P. Morgan and Reuters 1996, "RiskMetrics
Technical Document", 4th edition, section 5.2, table 5.1 and equation 5.3): variance(t + 1) = decay variance(t) +
(1 - decay) return(t)^2 with a mean of 0, and a decay of 0.94 for daily returns. Over T returns its weights are divided
by their sum, 1 - decay^T. The long-run level is the equally weighted one of the same table over the lookback. A ratio
of 1 is the usual market; a regime begins where the ratio passes its threshold and ends below the clearing one.
"""

import numpy as np

from domain.checks import Vector


def volatility_ratio(returns: Vector, decay: float) -> float:
    """Exponentially over equally weighted root mean square of returns (T,), oldest first; 0 where all are 0."""
    squares = returns * returns
    ages = np.arange(len(returns) - 1, -1, -1)
    weights = decay**ages
    current = float(weights @ squares) / float(weights.sum())
    usual = float(squares.mean())
    return float(np.sqrt(current / usual)) if usual > 0.0 else 0.0
