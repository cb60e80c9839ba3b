"""What planned trades do to prices, as a distribution: mean and variance in closed form, quantiles of the normal.

Each day's trade is spread evenly over its time; from one day to the next only the permanent part of the impact stays.
Where that time is less than a day, what is left waits for the rest of it, which adds (1 - length) x sum of R_k' S R_k.
An asset is held until it is sold (or missing until it is bought), and its price moves meanwhile: with R_k left after
day k and S the covariance of returns of a day, the variance is the integral of R(t)' S R(t),
    length x sum of (R_(k-1)' S R_(k-1) + R_(k-1)' S R_k + R_k' S R_k) / 3,
for one trade over T days sigma^2 X^2 T / 3 (Almgren, Thum, Hauptmann and Li 2005, for linear trajectories).
"""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Protocol

import numpy as np

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import Matrix, Vector, figures, freeze, open_fraction, positive, square, symmetric, unique_symbols
from domain.costs.linear import BASIS_POINT
from domain.errors import InvalidInput
from domain.records import dataclass


class MoneyImpact(Protocol):
    """A trade of d in money at a price p costs `rates` d^`power` + `permanent` d^2 p^`price_power`, in money."""

    @property
    def rates(self) -> Matrix:
        """(1, N)."""
        ...

    @property
    def power(self) -> float:
        """Above 1."""
        ...

    @property
    def permanent(self) -> Matrix:
        """(1, N)."""
        ...

    @property
    def price_power(self) -> float:
        """0 where the law does not depend on prices."""
        ...


class ImpactLaw(Protocol):
    """What trades of assets cost by their daily values and volatilities, each (1, N)."""

    def in_money(self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix) -> MoneyImpact:
        """The law for trades in money. Raises InvalidInput for an asset of which the law lacks a figure."""
        ...


@dataclass(frozen=True, slots=True)
class ImpactCoefficients:
    """The figures of a law for given assets."""

    rates: Matrix
    power: float
    permanent: Matrix
    price_power: float = 0.0


@dataclass(frozen=True, slots=True)
class ThreeHalvesImpact:
    """A trade of d costs b sigma d^1.5 / sqrt(V): sigma of a day, V the daily value (Boyd et al. 2017, eq. 2.2).

    It is the square-root law of coefficient Y with b = (2/3) Y.
    """

    coefficient: float  # b, dimensionless, about 1

    def __post_init__(self) -> None:
        positive("coefficient", self.coefficient)

    def in_money(
        self, symbols: tuple[str, ...], volatilities_annual: Matrix, daily_values: Matrix
    ) -> ImpactCoefficients:
        """The law for trades in money; it needs no figures by symbol."""
        rates = self.coefficient * volatilities_annual / math.sqrt(TRADING_DAYS_PER_YEAR) / np.sqrt(daily_values)
        return ImpactCoefficients(rates, 1.5, np.zeros_like(rates))


@dataclass(frozen=True, slots=True)
class PlannedValues:
    """Trades of K days in N assets, and what their impact depends on."""

    symbols: tuple[str, ...]
    values: Matrix  # (K, N), money bought in each day, negative to sell
    prices: Vector  # (N,)
    volatilities_annual: Vector  # (N,), of returns
    daily_values: Vector  # (N,), money traded in the market in a day
    correlation: Matrix | None = None  # (N, N) of returns; None is none
    day_length: float = 1.0  # part of a trading day over which a day's trade is spread

    def __post_init__(self) -> None:
        unique_symbols("symbols", self.symbols)
        size = len(self.symbols)
        values = figures("values", self.values)
        if values.ndim != 2 or values.shape[1] != size:
            raise InvalidInput("values", f"must have a column for each of {size} assets, has the shape {values.shape}")
        object.__setattr__(self, "values", freeze(values))
        for name, least in (("prices", True), ("volatilities_annual", False), ("daily_values", True)):
            array = figures(name, getattr(self, name))
            if array.shape != (size,):
                raise InvalidInput(name, f"must have {size} entries")
            bad = array <= 0.0 if least else array < 0.0
            if bad.any():
                rule = "must be above 0" if least else "must be 0 or more"
                raise InvalidInput(f"{name}[{int(bad.argmax())}]", rule)
            object.__setattr__(self, name, freeze(array))
        positive("day_length", self.day_length)
        if self.correlation is not None:
            matrix = symmetric("correlation", square("correlation", self.correlation, size))
            object.__setattr__(self, "correlation", freeze(matrix))


@dataclass(frozen=True, slots=True)
class ImpactDistribution:
    """Cost of impact and of the moves of prices meanwhile, against the prices before the first trade."""

    symbols: tuple[str, ...]
    permanent_bps: Vector  # (N,), move of each price for good
    temporary_bps: Vector  # (N,), cost of the haste, of the traded value
    expected: Vector  # (N,), in money
    variance: float  # in money squared

    @property
    def mean(self) -> float:
        """Expected cost of all assets, in money."""
        return float(self.expected.sum())

    @property
    def standard_deviation(self) -> float:
        """In money."""
        return math.sqrt(self.variance)

    def quantile(self, probability: float) -> float:
        """The cost that is not exceeded with a probability strictly between 0 and 1, in money."""
        open_fraction("probability", probability)
        return self.mean + self.standard_deviation * NormalDist().inv_cdf(probability)

    def quantiles(self, *probabilities: float) -> Mapping[float, float]:
        """Of several probabilities."""
        return {probability: self.quantile(probability) for probability in probabilities}


def simulate_impact(planned: PlannedValues, law: ImpactLaw) -> ImpactDistribution:
    """The distribution of the cost of planned trades by a law.

    Raises InvalidInput for an asset of which the law lacks a figure.
    """
    impact = law.in_money(planned.symbols, planned.volatilities_annual[None, :], planned.daily_values[None, :])
    traded = np.abs(planned.values).sum(axis=0)
    temporary = (impact.rates[0] * np.abs(planned.values) ** impact.power).sum(axis=0)
    # Every unit pays half of the move that all units of the asset together make.
    net = np.abs(planned.values.sum(axis=0))
    half_move = impact.permanent[0] * net * planned.prices**impact.price_power
    return ImpactDistribution(
        planned.symbols,
        permanent_bps=freeze(2.0 * half_move / BASIS_POINT),
        temporary_bps=freeze(np.divide(temporary, traded, out=np.zeros_like(traded), where=traded > 0.0) / BASIS_POINT),
        expected=freeze(temporary + half_move * net),
        variance=_variance(planned),
    )


def _variance(planned: PlannedValues) -> float:
    """Of what is still to be traded, (K + 1, N), from before the first day."""
    left = np.vstack([np.cumsum(planned.values[::-1], axis=0)[::-1], np.zeros(len(planned.symbols))])
    risk = left * planned.volatilities_annual / math.sqrt(TRADING_DAYS_PER_YEAR)
    spread = risk if planned.correlation is None else risk @ planned.correlation
    start, end = risk[:-1], risk[1:]
    # The covariance is symmetric: R_(k-1)' S R_k is taken once.
    waiting = float((end * spread[1:]).sum())
    total = float((start * spread[:-1]).sum() + (start * spread[1:]).sum()) + waiting
    return max(planned.day_length * total / 3.0 + max(1.0 - planned.day_length, 0.0) * waiting, 0.0)
