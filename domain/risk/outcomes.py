"""A portfolio's returns as a distribution: observations of an unknown one, or all outcomes of a known one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector, rounding_of
from domain.risk.measures import QuantileMethod, conditional_value_at_risk, value_at_risk, weighted_value_at_risk

UNDERFLOW = 1e-150
"""A spread below this has a square of zero."""

EQUAL = 1e-12
"""Probabilities that differ by less than this, relative to the largest, are equal but for rounding."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Returns per period, each date equally likely, or each scenario with its own probability.

    Without probabilities they are a sample: variance and covariance have the divisor T - 1. With them the distribution
    is known and nothing is corrected.
    """

    returns: Vector  # (T,)
    probabilities: Vector | None = None  # (T,), sum to 1
    rounding: float = 0.0  # a spread up to this is that of a constant

    @classmethod
    def of_portfolio(cls, returns: Matrix, weights: Vector, probabilities: Vector | None = None) -> "Outcomes":
        """Of N assets' returns (T, N) with constant weights (N,); 1 - sum of weights is cash that earns nothing."""
        gross = float(np.abs(weights).sum())
        return cls(returns @ weights, probabilities, gross * rounding_of(returns) + UNDERFLOW)

    @property
    def is_known(self) -> bool:
        """Whether variance is defined: a sample needs two observations for it."""
        return self.probabilities is not None or len(self.returns) > 1

    @property
    def is_constant(self) -> bool:
        """Whether the returns that can happen are all the same, but for rounding."""
        possible = self.returns if self.probabilities is None else self.returns[self.probabilities > 0.0]
        return bool(np.ptp(possible) <= self.rounding)

    @property
    def chances(self) -> Vector:
        """Probability of each outcome, (T,)."""
        count = len(self.returns)
        return np.full(count, 1.0 / count) if self.probabilities is None else self.probabilities

    @property
    def correction(self) -> float:
        """T / (T - 1) for a sample, by which a second moment about its own mean is too small; 1 for what is known."""
        count = len(self.returns)
        return count / (count - 1) if self.probabilities is None and count > 1 else 1.0

    @property
    def mean(self) -> float:
        """Mean per period."""
        return float(self.chances @ self.returns)

    @property
    def deviation(self) -> float:
        """Standard deviation per period, for what `is_known`; exactly 0 for a constant."""
        return 0.0 if self.is_constant else self.covariance_with(self) ** 0.5

    def covariance_with(self, other: "Outcomes") -> float:
        """Covariance with other returns in the same outcomes, for what `is_known`."""
        product = float(self.chances @ ((self.returns - self.mean) * (other.returns - other.mean)))
        count = len(self.returns)
        return product if self.probabilities is not None else product * count / (count - 1)

    def standardised_moment(self, order: int) -> float:
        """Mean of ((return - mean) / population deviation)^order: 3 gives skewness, 4 kurtosis; not for a constant."""
        away = self.returns - self.mean
        deviation = float(self.chances @ (away * away)) ** 0.5
        scaled = away / deviation
        power = scaled * scaled  # a power of an array is ten times slower than its products
        for _ in range(order - 2):
            power *= scaled
        return float(self.chances @ power)

    @property
    def quantile_method(self) -> QuantileMethod:
        """Equally likely scenarios are read as observations are; uneven ones leave no line to interpolate on."""
        return QuantileMethod.LINEAR if self.uneven_probabilities is None else QuantileMethod.INVERSE_CDF

    @property
    def uneven_probabilities(self) -> Vector | None:
        """The probabilities where they differ by more than rounding, None where all outcomes are equally likely."""
        chances = self.probabilities
        return chances if chances is not None and np.ptp(chances) > EQUAL * chances.max() else None

    def value_at_risk(self, confidence_level: float) -> float:
        """Historical VaR."""
        if self.quantile_method is QuantileMethod.LINEAR:
            return value_at_risk(self.returns, confidence_level)
        return weighted_value_at_risk(self.returns, self.chances, confidence_level)

    def conditional_value_at_risk(self, confidence_level: float) -> float:
        """Historical CVaR."""
        return conditional_value_at_risk(self.returns, confidence_level, self.probabilities)

    def less(self, other: "Outcomes") -> "Outcomes":
        """The difference in each outcome."""
        return Outcomes(self.returns - other.returns, self.probabilities, self.rounding + other.rounding)

    def within(self, chosen: NDArray[np.bool_]) -> "Outcomes":
        """A part of the observations."""
        return Outcomes(self.returns[chosen], None, self.rounding)
