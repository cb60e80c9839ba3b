"""A portfolio's returns as a distribution: observations of an unknown one, or all outcomes of a known one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.market_data.panel import Scenarios
from domain.risk.measures import QuantileMethod, conditional_value_at_risk, value_at_risk, weighted_value_at_risk

ROUNDING = 4e-15
"""Largest spread of returns taken for rounding: a simple return is the difference of two numbers near one."""


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
        return cls(returns @ weights, probabilities, gross * rounding_of(returns))

    @property
    def is_constant(self) -> bool:
        """Whether the returns are all the same, but for rounding."""
        return bool(np.ptp(self.returns) <= self.rounding)

    @property
    def chances(self) -> Vector:
        """Probability of each outcome, (T,)."""
        count = len(self.returns)
        return np.full(count, 1.0 / count) if self.probabilities is None else self.probabilities

    @property
    def mean(self) -> float:
        """Mean per period."""
        return float(self.chances @ self.returns)

    @property
    def deviation(self) -> float | None:
        """Standard deviation per period, None for a single observation."""
        variance = self.covariance_with(self)
        if variance is None:
            return None
        return 0.0 if self.is_constant else variance**0.5

    def covariance_with(self, other: "Outcomes") -> float | None:
        """Covariance with other returns over the same outcomes, None for a single observation."""
        product = float(self.chances @ ((self.returns - self.mean) * (other.returns - other.mean)))
        count = len(self.returns)
        if self.probabilities is not None:
            return product
        return product * count / (count - 1) if count > 1 else None

    def central_moment(self, order: int) -> float:
        """Mean of (return - mean)^order, not corrected for the size of a sample."""
        return float(self.chances @ (self.returns - self.mean) ** order)

    @property
    def skewness(self) -> float | None:
        """Third central moment over the cube of the population deviation, None where nothing varies."""
        return None if self.is_constant else self.central_moment(3) / self.central_moment(2) ** 1.5

    @property
    def excess_kurtosis(self) -> float | None:
        """Fourth central moment over the fourth power of the population deviation, less 3; None likewise."""
        return None if self.is_constant else self.central_moment(4) / self.central_moment(2) ** 2 - 3.0

    @property
    def quantile_method(self) -> QuantileMethod:
        """Equally likely scenarios are read as observations are; uneven ones leave nothing to interpolate."""
        uneven = self.probabilities is not None and np.ptp(self.probabilities) > 1e-12 * self.probabilities.max()
        return QuantileMethod.INVERSE_CDF if uneven else QuantileMethod.LINEAR

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

    def at(self, kept: NDArray[np.bool_]) -> "Outcomes":
        """Some of the outcomes, (T,); probabilities are scaled to sum to 1 again."""
        if self.probabilities is None:
            return Outcomes(self.returns[kept], None, self.rounding)
        chances = self.probabilities[kept]
        return Outcomes(self.returns[kept], chances / chances.sum(), self.rounding)


def rounding_of(returns: Matrix | Vector) -> float:
    """The spread that rounding alone can give to returns of this size."""
    return ROUNDING * (1.0 + float(np.abs(returns).max(initial=0.0)))


def of_scenarios(scenarios: Scenarios, weights: Vector) -> Outcomes:
    """The distribution of a portfolio's return over scenarios."""
    return Outcomes.of_portfolio(scenarios.values, weights, scenarios.probabilities)
