"""A portfolio's returns as a distribution: a sample of observations, or all outcomes with their probabilities."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector, rounding_of
from domain.errors import NotSupported
from domain.records import dataclass
from domain.risk.measures import dispersion
from domain.risk.measures.tail import (
    QuantileMethod,
    conditional_value_at_risk,
    value_at_risk,
    weighted_value_at_risk,
)

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
        """Whether the returns of positive probability are all equal, up to rounding."""
        return bool(dispersion.is_constant(self.returns, self.probabilities, self.rounding))

    @property
    def probability_vector(self) -> Vector:
        """Probability of each outcome, (T,)."""
        return dispersion.probability_vector(len(self.returns), self.probabilities)

    @property
    def correction(self) -> float:
        """T / (T - 1) for a sample, whose second moment about its own mean is too small; 1 with probabilities."""
        return dispersion.sample_correction(len(self.returns), self.probabilities)

    @property
    def mean(self) -> float:
        """Mean per period."""
        return float(dispersion.mean(self.returns, self.probabilities))

    @property
    def deviation(self) -> float:
        """Standard deviation per period, where `is_known`; exactly 0 for a constant."""
        return float(dispersion.standard_deviation(self.returns, self.probabilities, self.rounding))

    def covariance_with(self, other: "Outcomes") -> float:
        """Covariance with other returns in the same outcomes, where `is_known`."""
        return float(dispersion.covariance(self.returns, other.returns, self.probabilities))

    def standardised_moment(self, order: int) -> float:
        """Mean of ((return - mean) / population deviation)^order: 3 gives skewness, 4 kurtosis; not for a constant."""
        return float(dispersion.standardised_moment(self.returns, order, self.probabilities))

    @property
    def quantile_method(self) -> QuantileMethod:
        """Equally likely outcomes are interpolated; unequal probabilities leave no unique line to interpolate on."""
        return QuantileMethod.LINEAR if self.uneven_probabilities is None else QuantileMethod.INVERSE_CDF

    @property
    def uneven_probabilities(self) -> Vector | None:
        """The probabilities where they differ by more than rounding, None where all outcomes are equally likely."""
        given = self.probabilities
        return given if given is not None and np.ptp(given) > EQUAL * given.max() else None

    def value_at_risk(self, confidence_level: float) -> float:
        """Historical VaR per period; losses are positive."""
        if self.quantile_method is QuantileMethod.LINEAR:
            return float(value_at_risk(self.returns, confidence_level))
        return weighted_value_at_risk(self.returns, self.probability_vector, confidence_level)

    def conditional_value_at_risk(self, confidence_level: float) -> float:
        """Historical CVaR per period; losses are positive."""
        return float(conditional_value_at_risk(self.returns, confidence_level, self.probabilities))

    def equally_likely(self, measure: str) -> Vector:
        """The returns, (T,). Raises NotSupported where their probabilities differ; `measure` is named in the text."""
        if self.uneven_probabilities is not None:
            raise NotSupported(f"{measure} needs equally likely outcomes; these have different probabilities")
        return self.returns

    def less(self, other: "Outcomes") -> "Outcomes":
        """The difference in each outcome."""
        return Outcomes(self.returns - other.returns, self.probabilities, self.rounding + other.rounding)

    def within(self, chosen: NDArray[np.bool_]) -> "Outcomes":
        """A part of the observations."""
        return Outcomes(self.returns[chosen], None, self.rounding)
