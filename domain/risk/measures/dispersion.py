"""Moments: distances from the mean, and shortfalls below a target."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector, freeze


def probability_vector(count: int, probabilities: Vector | None) -> Vector:
    """The probability of each of T outcomes, (T,): equal where none are given."""
    return _equal_probabilities(count) if probabilities is None else probabilities


@lru_cache(maxsize=4)
def _equal_probabilities(count: int) -> Vector:
    """Made once for the figures of one sample, which each take a mean: making it takes longer than that."""
    return freeze(np.full(count, 1.0 / count))


def sample_correction(count: int, probabilities: Vector | None) -> float:
    """T / (T - 1) for a sample, whose second moment about its own mean is too small; 1 for a known distribution."""
    return count / (count - 1) if probabilities is None and count > 1 else 1.0


def mean(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """Mean of returns (..., T), (...)."""
    result: Vector = returns @ probability_vector(returns.shape[-1], probabilities)
    return result


def mean_of_each(rows: Vector) -> Vector:
    """Mean of each of many rows (..., T), (...), to the bit what `mean` has for a row alone; for few rows slower."""
    result: Vector = np.vecdot(rows, probability_vector(rows.shape[-1], None))
    return result


def from_mean(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """Returns (..., T) less their mean, (..., T)."""
    result: Vector = returns - mean(returns, probabilities)[..., None]
    return result


def covariance(returns: Vector, others: Vector, probabilities: Vector | None = None) -> Vector:
    """Covariance of two series (..., T), (...); of samples with the divisor T - 1, for T of 2 or more."""
    count = returns.shape[-1]
    deviations = from_mean(returns, probabilities)
    product = mean(deviations * (deviations if others is returns else from_mean(others, probabilities)), probabilities)
    return product if probabilities is not None else product * count / (count - 1)


def is_constant(returns: Vector, probabilities: Vector | None = None, rounding: float = 0.0) -> NDArray[np.bool_]:
    """Whether the returns (..., T) of positive probability vary by no more than `rounding`, (...)."""
    possible = returns if probabilities is None else returns[..., probabilities > 0.0]
    return np.asarray(np.ptp(possible, axis=-1) <= rounding)


def standard_deviation(returns: Vector, probabilities: Vector | None = None, rounding: float = 0.0) -> Vector:
    """Standard deviation of returns (..., T), (...): exactly 0 where they vary by no more than `rounding`.

    Of a sample with the divisor T - 1, for T of 2 or more.
    """
    deviation = covariance(returns, returns, probabilities) ** 0.5
    result: Vector = np.where(is_constant(returns, probabilities, rounding), 0.0, deviation)
    return result


def semi_deviation(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """Root of the mean squared shortfall below the mean, of returns (..., T), (...) (Markowitz 1959).

    Of a sample with the divisor T - 1.
    """
    squares = mean(np.maximum(-from_mean(returns, probabilities), 0.0) ** 2, probabilities)
    result: Vector = np.sqrt(sample_correction(returns.shape[-1], probabilities) * squares)
    return result


def mean_absolute_deviation(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """Mean absolute distance from the mean, of returns (..., T), (...) (Konno & Yamazaki 1991)."""
    return mean(np.abs(from_mean(returns, probabilities)), probabilities)


def lower_partial_moment(
    returns: Vector, order: int, target: float = 0.0, probabilities: Vector | None = None
) -> Vector:
    """(Mean of max(target - return, 0)^order)^(1 / order) of returns (..., T), (...) (Fishburn 1977); order >= 1."""
    result: Vector = mean(np.maximum(target - returns, 0.0) ** order, probabilities) ** (1.0 / order)
    return result


def upper_partial_moment(
    returns: Vector, order: int, target: float = 0.0, probabilities: Vector | None = None
) -> Vector:
    """The same of max(return - target, 0)."""
    return lower_partial_moment(-returns, order, -target, probabilities)


def root_fourth_moment(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """Root of the mean fourth power of the distance from the mean (Cajas 2022, "square root kurtosis")."""
    result: Vector = np.sqrt(mean(from_mean(returns, probabilities) ** 4, probabilities))
    return result


def root_fourth_semi_moment(returns: Vector, probabilities: Vector | None = None) -> Vector:
    """The same of shortfalls below the mean."""
    result: Vector = np.sqrt(mean(np.maximum(-from_mean(returns, probabilities), 0.0) ** 4, probabilities))
    return result


def standardised_moment(returns: Vector, order: int, probabilities: Vector | None = None) -> Vector:
    """Mean of ((return - mean) / population deviation)^order of returns (..., T), (...), order 2 or more.

    Order 3 is the skewness, order 4 the kurtosis. Returns must vary.
    """
    distance = from_mean(returns, probabilities)
    deviation = mean(distance * distance, probabilities) ** 0.5
    scaled = distance / deviation[..., None]
    power = scaled * scaled  # a power of an array is ten times slower than its products
    for _ in range(order - 2):
        power *= scaled
    return mean(power, probabilities)
