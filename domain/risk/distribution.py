"""One period's returns of a portfolio as a distribution: what happened, scenarios, or a normal law by its moments."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from domain.checks import Vector
from domain.risk.measures import conditional_value_at_risk, value_at_risk

STANDARD_NORMAL = NormalDist()

CONSTANT = 1e-13
"""A standard deviation below this fraction of the largest return is rounding of a constant."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Mean, standard deviation, population skewness and excess kurtosis; the last two None where nothing varies."""

    mean: float
    deviation: float
    skewness: float | None
    excess_kurtosis: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """T returns that happened, equally likely; standard deviation with divisor T - 1."""

    returns: Vector
    quantile_method: str = "linear"

    def shape(self) -> Shape:
        """Sample mean and deviation, population skewness and kurtosis."""
        return _shape(self.returns, np.full(len(self.returns), 1.0 / len(self.returns)), sample=True)

    def value_at_risk(self, confidence_level: float) -> float:
        """By the linearly interpolated quantile (Hyndman & Fan 1996, type 7)."""
        return value_at_risk(self.returns, confidence_level)

    def conditional_value_at_risk(self, confidence_level: float) -> float:
        """Rockafellar & Uryasev, with the fraction of the border observation."""
        return conditional_value_at_risk(self.returns, confidence_level)


@dataclass(frozen=True, slots=True)
class Weighted:
    """S outcomes with their exact probabilities."""

    returns: Vector
    probabilities: Vector
    quantile_method: str = "inverse_cdf"

    def shape(self) -> Shape:
        """Probability-weighted moments, without a small-sample correction."""
        return _shape(self.returns, self.probabilities, sample=False)

    def value_at_risk(self, confidence_level: float) -> float:
        """The smallest loss l with P(loss <= l) >= confidence."""
        order = np.argsort(-self.returns, kind="stable")
        cumulative = np.cumsum(self.probabilities[order])
        place = int(np.searchsorted(cumulative, confidence_level - 1e-12))
        return -float(self.returns[order[min(place, len(order) - 1)]])

    def conditional_value_at_risk(self, confidence_level: float) -> float:
        """Rockafellar & Uryasev, with the fraction of the border outcome."""
        return conditional_value_at_risk(self.returns, confidence_level, self.probabilities)


Distribution = Observed | Weighted


def gaussian_value_at_risk(shape: Shape, confidence_level: float) -> float:
    """-(mean + z deviation) with z the normal quantile at 1 - confidence."""
    return -(shape.mean + STANDARD_NORMAL.inv_cdf(1.0 - confidence_level) * shape.deviation)


def gaussian_conditional_value_at_risk(shape: Shape, confidence_level: float) -> float:
    """-mean + deviation phi(z) / (1 - confidence)."""
    tail = 1.0 - confidence_level
    return -shape.mean + shape.deviation * STANDARD_NORMAL.pdf(STANDARD_NORMAL.inv_cdf(tail)) / tail


def cornish_fisher_value_at_risk(shape: Shape, confidence_level: float) -> float | None:
    """The Gaussian figure with z corrected for skewness and kurtosis (Favre & Galeano 2002).

    None where nothing varies.
    """
    if shape.skewness is None or shape.excess_kurtosis is None:
        return None
    z, s, k = STANDARD_NORMAL.inv_cdf(1.0 - confidence_level), shape.skewness, shape.excess_kurtosis
    corrected = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    return -(shape.mean + corrected * shape.deviation)


def _shape(returns: Vector, probabilities: Vector, *, sample: bool) -> Shape:
    mean = float(probabilities @ returns)
    away = returns - mean
    variance = float(probabilities @ away**2)
    if variance**0.5 <= CONSTANT * float(np.abs(returns).max()):
        return Shape(mean, 0.0, None, None)
    count = len(returns)
    deviation = (variance * count / (count - 1)) ** 0.5 if sample else variance**0.5
    skewness = float(probabilities @ away**3) / variance**1.5
    kurtosis = float(probabilities @ away**4) / variance**2 - 3.0
    return Shape(mean, deviation, skewness, kurtosis)
