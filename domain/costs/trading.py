"""Costs of trading away from current weights, as a function of the new weights."""

import numpy as np

from domain.checks import Vector
from domain.records import dataclass

TRADED = 1e-7
"""A smaller change of weight is a rounding error of a solver, and pays no fee."""


@dataclass(frozen=True, slots=True)
class TradingCosts:
    """Costs of trading away from current weights, and of a year of what is short; all fractions of net asset value."""

    rates: Vector  # (N,), fraction of the traded notional
    current: Vector  # (N,)
    impact: Vector | None = None  # (N,), a trade of x costs this times x^1.5
    fee: float = 0.0  # of each asset whose weight changes
    paid: float = 0.0  # whatever is traded
    borrow_rate_annual: float = 0.0  # on shorts

    def of(self, weights: Vector) -> float:
        """Cost of going to weights (N,)."""
        trades = np.abs(weights - self.current)
        cost = self.paid + float(self.rates @ trades) + self.fee * int(np.count_nonzero(trades > TRADED))
        return cost if self.impact is None else cost + float(self.impact @ trades**1.5)

    def first_year(self, weights: Vector) -> float:
        """Cost in the first year: trading to weights (N,), and borrowing the short ones."""
        return self.of(weights) + self.borrow_rate_annual * float(np.maximum(-weights, 0.0).sum())
