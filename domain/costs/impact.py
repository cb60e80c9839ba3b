"""How a trade moves the price against itself: the square-root law, and that of Almgren et al. 2005.

Square root: Q units of an asset of which ADV trade in a day move its price by I = Y sigma sqrt(Q / ADV), sigma its
volatility a day (Toth et al. 2011). Every unit pays the impact of those before it, so that all Q together cost the
integral of I: (2/3) Y sigma sqrt(Q / ADV) of their value. In fractions of a net asset value V, a trade of x costs
(2/3) Y sigma sqrt(V / daily value) x^1.5, the 3/2 power of Boyd et al. 2017, eq. 2.2, with b = (2/3) Y.

Almgren, Thum, Hauptmann and Li 2005: X of the V units of a day, traded evenly over T days, move the price for good by
I = gamma sigma (X / V) (Theta / V)^(1/4), Theta the shares outstanding. On average a trade pays half of that, and
eta sigma (X / (V T))^(3/5) for its haste, both fractions of its value.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

import numpy as np

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import Matrix, Vector, non_negative, positive
from domain.errors import InvalidInput
from domain.records import dataclass

EXECUTED = 2.0 / 3.0
"""Average impact of a trade as a fraction of that of its last unit: the integral of sqrt(q) from 0 to 1."""

GAMMA, ETA = 0.314, 0.142
"""Published estimates of the two coefficients, from 29 509 orders in stocks of the United States."""

HASTE, SIZE = 0.6, 0.25
"""Published exponents, of the rate of trading and of Theta / V."""


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
class ImpactInMoney:
    """A trade of d in money at a price p costs `rates` d^`power` + `permanent` d^2 p^`price_power`, in money."""

    rates: Matrix  # (R, N)
    power: float
    permanent: Matrix  # (R, N)
    price_power: float


class ImpactLaw(Protocol):
    """What trades of assets cost by their daily values and volatilities."""

    def in_money(self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix) -> ImpactInMoney:
        """The law for trades in money; both tables have N columns and as many rows, or one.

        Raises InvalidInput for an asset of which the law lacks a figure.
        """
        ...


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

    def in_money(self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix) -> ImpactInMoney:
        """The law for trades in money."""
        rates = self.rates(volatilities_annual, 1.0 / daily_values)
        return ImpactInMoney(rates, 1.5, np.zeros_like(rates), 0.0)


@dataclass(frozen=True, slots=True)
class AlmgrenImpact:
    """The law of Almgren et al. 2005 for trades that take `execution_days` days."""

    gamma: float = GAMMA
    eta: float = ETA
    execution_days: float = 1.0
    shares_outstanding: Mapping[str, float] = field(default_factory=dict)  # units of the prices, on the first date

    def __post_init__(self) -> None:
        non_negative("impact.almgren.gamma", self.gamma)
        non_negative("impact.almgren.eta", self.eta)
        positive("impact.almgren.execution_days", self.execution_days)
        for i, quantity in enumerate(self.shares_outstanding.values()):
            positive(f"impact.almgren.shares_outstanding[{i}].quantity", quantity)

    def in_money(self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix) -> ImpactInMoney:
        """The law for trades in money: Theta / V is the value of all shares over the daily value.

        Raises InvalidInput for an asset without shares outstanding.
        """
        for symbol in symbols:
            if symbol not in self.shares_outstanding:
                rule = f"must give the shares outstanding of {symbol}: the impact of its trades depends on them"
                raise InvalidInput("costs.impact.almgren.shares_outstanding", rule)
        shares = np.array([self.shares_outstanding[symbol] for symbol in symbols])
        daily = volatilities_annual / TRADING_DAYS_PER_YEAR**0.5
        permanent = 0.5 * self.gamma * daily / daily_values * (shares / daily_values) ** SIZE
        rates = self.eta * daily * (daily_values * self.execution_days) ** -HASTE
        return ImpactInMoney(rates, 1.0 + HASTE, permanent, SIZE)
