"""Measures that weigh outcomes by their rank: each is a weighted sum of the sorted outcomes.

The weights never rise from the worst outcome to the best, which makes such a measure the largest of its own weighted
sums over all orders of the outcomes, hence convex (Yager 1988; Cajas 2021, "OWA portfolio optimization").
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput, NotSupported
from domain.risk.measures.dispersion import probability_vector, sample_correction
from domain.risk.measures.risk_measure import RiskMeasure

Spectrum = Callable[[Vector], Vector]
"""Cumulative weight that a measure puts on the worst u of the probability, 0 <= u <= 1, as a weight of losses."""


def gini_spectrum(u: Vector) -> Vector:
    """The mean difference of two outcomes, E|X - Y| = 2 times the integral of (1 - 2u) over the losses' quantiles."""
    return 2.0 * u * (1.0 - u)


def tail_gini_spectrum(confidence_level: float) -> Spectrum:
    """2 / a^2 times the integral of (a - u) over the worst a = 1 - confidence (Ogryczak & Ruszczynski 2002)."""
    tail = 1.0 - confidence_level

    def spectrum(u: Vector) -> Vector:
        inside = np.minimum(u, tail)
        result: Vector = (2.0 * tail * inside - inside**2) / tail**2
        return result

    return spectrum


def tail_spectrum(confidence_level: float) -> Spectrum:
    """CVaR: all of the weight evenly on the worst 1 - confidence (Acerbi 2002)."""
    tail = 1.0 - confidence_level
    return lambda u: np.minimum(u, tail) / tail


def worst_spectrum(u: Vector) -> Vector:
    """All of the weight on the worst outcome that can happen."""
    return np.where(u > 0.0, 1.0, 0.0)


def both_tails(spectrum: Spectrum) -> Spectrum:
    """A measure of losses plus the same measure of gains."""
    return lambda u: spectrum(u) - (spectrum(np.ones_like(u)) - spectrum(1.0 - u))


def corrected(spectrum: Spectrum, observations: int) -> Spectrum:
    """The spectrum of T observations, T / (T - 1) times that of a known distribution."""
    factor = observations / max(observations - 1, 1)
    return lambda u: factor * spectrum(u)


def spectrum_of(measure: RiskMeasure, confidence_level: float) -> Spectrum:
    """The spectrum of a measure. Raises NotSupported for a measure that has none."""
    match measure:
        case RiskMeasure.GINI_MEAN_DIFFERENCE:
            return gini_spectrum
        case RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            return tail_spectrum(confidence_level)
        case RiskMeasure.CVAR_RANGE:
            return both_tails(tail_spectrum(confidence_level))
        case RiskMeasure.WORST_REALIZATION:
            return worst_spectrum
        case RiskMeasure.RANGE:
            return both_tails(worst_spectrum)
        case RiskMeasure.TAIL_GINI:
            return tail_gini_spectrum(confidence_level)
        case RiskMeasure.TAIL_GINI_RANGE:
            return both_tails(tail_gini_spectrum(confidence_level))
    raise NotSupported(f"{measure} does not weigh outcomes by rank")


def loss_weights(returns: Vector, spectrum: Spectrum, probabilities: Vector | None = None) -> Vector:
    """The weight of the loss of each of S outcomes, (S,): the risk is the product of weights and losses."""
    order = np.argsort(returns)  # the order of equal outcomes does not matter
    reached = np.concatenate([[0.0], np.cumsum(probability_vector(len(returns), probabilities)[order])])
    reached[-1] = 1.0
    weights = np.zeros(len(order))
    weights[order] = np.diff(spectrum(reached))
    return weights


def spectral_risk(returns: Vector, spectrum: Spectrum, probabilities: Vector | None = None) -> float:
    """The risk of returns (S,) under a spectrum."""
    return -float(loss_weights(returns, spectrum, probabilities) @ returns)


def gini_mean_difference(returns: Vector, probabilities: Vector | None = None) -> float:
    """Mean absolute difference of two outcomes of S; of a sample every pair counts once, divisor T (T - 1) / 2."""
    correction = sample_correction(len(returns), probabilities)
    return correction * spectral_risk(returns, gini_spectrum, probabilities)


def given_weights(field: str, weights: Vector, outcomes: int) -> Spectrum:
    """The spectrum of weights from the worst outcome to the best. Raises InvalidInput for those that are not convex."""
    if len(weights) != outcomes:
        raise InvalidInput(field, f"has {len(weights)} entries but there are {outcomes} outcomes")
    if (np.diff(weights) > 0.0).any():
        raise InvalidInput(field, "must not rise from the worst outcome to the best: the risk would not be convex")
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    grid = np.linspace(0.0, 1.0, outcomes + 1)
    return lambda u: np.interp(u, grid, cumulative)
