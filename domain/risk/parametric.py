"""VaR and CVaR of a distribution that is fitted to a portfolio's returns: normal, Cornish-Fisher, Student's t."""

import math
from statistics import NormalDist

import numpy as np

from domain.checks import Vector
from domain.records import dataclass

NORMAL = NormalDist()

MOST_DEGREES = 1e3
"""Degrees of freedom from which on a t distribution is a normal one for every purpose here."""

FEWEST_DEGREES = 0.2
VANISHING = 1e-6
"""A scale below this, in standard deviations of the returns, means that most returns are equal."""

ROUNDS = 500
CLOSE = 1e-13


def gaussian_value_at_risk(mean: float, deviation: float, confidence_level: float) -> float:
    """VaR of a normal distribution: -(mean + z deviation), z its standard (1 - confidence) quantile."""
    return -(mean + NORMAL.inv_cdf(1.0 - confidence_level) * deviation)


def gaussian_conditional_value_at_risk(mean: float, deviation: float, confidence_level: float) -> float:
    """CVaR of a normal distribution: -mean + deviation phi(z) / (1 - confidence) (Rockafellar & Uryasev 2000)."""
    tail = 1.0 - confidence_level
    return -mean + deviation * NORMAL.pdf(NORMAL.inv_cdf(tail)) / tail


@dataclass(frozen=True, slots=True)
class Shape:
    """Four moments of returns per period."""

    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float

    def quantile(self, confidence_level: float) -> float:
        """The standard (1 - confidence) quantile, corrected to fourth order (Favre & Galeano 2002, equation 8)."""
        z, s, k = NORMAL.inv_cdf(1.0 - confidence_level), self.skewness, self.excess_kurtosis
        return z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36


def cornish_fisher_value_at_risk(shape: Shape, confidence_level: float) -> float:
    """Gaussian VaR with its quantile corrected for skewness and excess kurtosis.

    It is the Gaussian VaR where both are 0; far from normal (Maillard 2012) the expansion is no longer a quantile
    function.
    """
    return -(shape.mean + shape.quantile(confidence_level) * shape.deviation)


def cornish_fisher_conditional_value_at_risk(shape: Shape, confidence_level: float) -> float:
    """Mean loss beyond the corrected quantile under the Edgeworth expansion of the same moments, not below the VaR.

    Boudt, Peterson & Croux 2008, "Estimation and decomposition of downside risk for portfolios with non-normal
    returns", equations 11 and 22. Integrals of z^p phi(z) from minus infinity to the quantile are closed forms.
    """
    g, s, k = shape.quantile(confidence_level), shape.skewness, shape.excess_kurtosis
    density, below = NORMAL.pdf(g), NORMAL.cdf(g)

    def powers(order: int) -> float:
        """Minus the integral of z^(order + 1) phi(z) up to g, by parts."""
        if order == 0:
            return density
        if order == -1:
            return -below
        return g**order * density + order * powers(order - 2)

    total = (
        powers(0)
        + (powers(4) - 6.0 * powers(2) + 3.0 * powers(0)) * k / 24.0
        + (powers(3) - 3.0 * powers(1)) * s / 6.0
        + (powers(6) - 15.0 * powers(4) + 45.0 * powers(2) - 15.0 * powers(0)) * s**2 / 72.0
    )
    return -shape.mean + shape.deviation * max(total / (1.0 - confidence_level), -g)


@dataclass(frozen=True, slots=True)
class StudentT:
    """Location, scale and degrees of freedom; infinitely many are the normal distribution."""

    location: float
    scale: float
    degrees: float

    def value_at_risk(self, confidence_level: float) -> float:
        """VaR: -(location + t scale), t the standard (1 - confidence) quantile."""
        return -(self.location + _quantile(self.degrees, 1.0 - confidence_level) * self.scale)

    def conditional_value_at_risk(self, confidence_level: float) -> float | None:
        """CVaR, None where the distribution has no mean (McNeil, Frey & Embrechts 2015, example 2.15)."""
        if self.degrees <= 1.0:
            return None
        tail, t = 1.0 - confidence_level, _quantile(self.degrees, 1.0 - confidence_level)
        if math.isinf(self.degrees):
            return gaussian_conditional_value_at_risk(self.location, self.scale, confidence_level)
        v = self.degrees
        constant = math.exp(math.lgamma((v + 1) / 2) - math.lgamma(v / 2)) / math.sqrt(v * math.pi)
        density = constant * (1.0 + t * t / v) ** (-(v + 1) / 2)
        return float(-self.location + self.scale * density / tail * (v + t * t) / (v - 1.0))


def fit_student_t(returns: Vector) -> StudentT | None:
    """The t distribution of greatest likelihood for T returns that vary, None where its scale would vanish.

    Location and scale for given degrees by expectation and maximisation, as fast as Kent, Tyler & Vardi 1994 make it;
    the degrees where the derivative of the greatest likelihood is zero.
    """
    from scipy.optimize import brentq  # a quarter of a second, only where a t distribution is asked for

    centre, spread = float(returns.mean()), float(returns.std())
    fit = _Profile((returns - centre) / spread)
    if fit.slope(1.0 / MOST_DEGREES) <= 0.0:
        degrees = math.inf
    elif fit.slope(1.0 / FEWEST_DEGREES) > 0.0:
        return None
    else:
        degrees = 1.0 / brentq(fit.slope, 1.0 / MOST_DEGREES, 1.0 / FEWEST_DEGREES, xtol=CLOSE)
        fit.slope(1.0 / degrees)
    if math.isinf(degrees):
        return StudentT(centre, spread, degrees)
    return None if fit.scale <= VANISHING else StudentT(centre + fit.location * spread, fit.scale * spread, degrees)


class _Profile:
    """Location and scale of the greatest likelihood for each number of degrees; each search starts at the last."""

    def __init__(self, returns: Vector) -> None:
        self._returns = returns
        self.location, self.scale = float(np.median(returns)), 1.0

    def slope(self, inverse: float) -> float:
        """Derivative of the greatest likelihood with respect to 1 / degrees, per return."""
        from scipy.special import digamma

        v = 1.0 / inverse
        squared = self._maximise(v)
        by_degrees = (
            digamma((v + 1.0) / 2.0)
            - digamma(v / 2.0)
            - inverse
            - float(np.mean(np.log1p(squared * inverse)))
            + (1.0 + inverse) * float(np.mean(squared / (v + squared)))
        )
        return -0.5 * v * v * float(by_degrees)

    def _maximise(self, v: float) -> Vector:
        """Moves to the greatest likelihood for v degrees; the squared standardised returns there."""
        x = self._returns
        for _ in range(ROUNDS):
            squared = ((x - self.location) / self.scale) ** 2
            weights = 1.0 / (v + squared)
            total = float(weights.sum())
            location = float(weights @ x) / total
            scale = math.sqrt(float(weights @ (x - location) ** 2) / total)
            moved = abs(location - self.location) + abs(scale - self.scale)
            self.location, self.scale = location, max(scale, VANISHING)
            if moved <= CLOSE or scale <= VANISHING:
                break
        result: Vector = ((x - self.location) / self.scale) ** 2
        return result


def _quantile(degrees: float, probability: float) -> float:
    if math.isinf(degrees):
        return NORMAL.inv_cdf(probability)
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))
