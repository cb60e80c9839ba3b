"""Euler risk contributions: how much of a portfolio's volatility each asset carries.

Volatility is positively homogeneous of degree one, so the contributions add up to it (Tasche 1999, "Risk contributions
and performance measurement").
"""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.market_data.moments import Moments


@dataclass(frozen=True, slots=True)
class RiskContributions:
    """Contributions of N assets to one risk figure, in that figure's own unit."""

    marginal: Vector  # (N,), change of the total per unit of weight
    by_asset: Vector  # (N,), weight times marginal; sums to total
    total: float

    @property
    def shares(self) -> Vector | None:
        """Fractions of the total, (N,), or None where the total is 0."""
        return self.by_asset / self.total if self.total > 0.0 else None


def volatility_contributions(moments: Moments, weights: Vector) -> RiskContributions:
    """Contributions to annual volatility: w_i (Sigma w)_i / sqrt(w'Sigma w).

    A riskless portfolio has total 0 and contributions 0, not NaN.
    """
    slope = moments.covariance @ weights * moments.periods_per_year
    variance = float(weights @ slope)
    if variance <= 0.0:
        nothing = np.zeros_like(weights)
        return RiskContributions(nothing, nothing, 0.0)
    total = variance**0.5
    return RiskContributions(slope / total, weights * slope / total, total)
