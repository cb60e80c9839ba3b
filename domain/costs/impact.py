"""How a trade moves the price against itself, by the square-root law.

Q units of an asset of which ADV trade in a day move its price by I = Y sigma sqrt(Q / ADV), sigma its volatility a day
(Toth et al. 2011). Every unit pays the impact of those before it, so that all Q together cost the integral of I:
(2/3) Y sigma sqrt(Q / ADV) of their value. In fractions of a net asset value V, a trade of x costs
(2/3) Y sigma sqrt(V / daily value) x^1.5, the 3/2 power of Boyd et al. 2017, eq. 2.2, with b = (2/3) Y.
"""

from dataclasses import dataclass

import numpy as np

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import Vector, non_negative, positive

EXECUTED = 2.0 / 3.0
"""Average impact of a trade as a fraction of that of its last unit: the integral of sqrt(q) from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How much of an asset is traded, and how much it moves."""

    daily_value: float  # in the currency of the portfolio
    volatility_annual: float | None = None  # None is that of the moments

    def __post_init__(self) -> None:
        positive("daily_value", self.daily_value)
        if self.volatility_annual is not None:
            non_negative("volatility_annual", self.volatility_annual)


@dataclass(frozen=True, slots=True)
class SquareRootImpact:
    """The law with its one parameter."""

    coefficient: float  # Y, dimensionless, about 1

    def __post_init__(self) -> None:
        positive("impact.square_root.coefficient", self.coefficient)

    def rates(self, volatilities_annual: Vector, days_of_trading: Vector) -> Vector:
        """a of each asset (N,), where a trade of x costs a x^1.5, both fractions of net asset value.

        `days_of_trading` is the net asset value over what is traded of each asset in a day, (N,).
        """
        daily = volatilities_annual / TRADING_DAYS_PER_YEAR**0.5
        result: Vector = EXECUTED * self.coefficient * daily * np.sqrt(days_of_trading)
        return result
