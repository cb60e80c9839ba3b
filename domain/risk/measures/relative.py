"""Figures of returns against those of a benchmark."""

import numpy as np

from domain.checks import Vector

Figures = Vector | float
"""One figure, or one of each series, (...)."""


def beta(covariance_with_benchmark: Figures, benchmark_deviation: Figures) -> Vector:
    """Slope of the regression on the benchmark, (...): covariance / variance; NaN for a benchmark that is constant.

    Divided by one deviation at a time: the square of a small deviation could underflow.
    """
    return divided(divided(covariance_with_benchmark, benchmark_deviation), benchmark_deviation)


def correlation(covariance_with_benchmark: Figures, deviation: Figures, benchmark_deviation: Figures) -> Vector:
    """Covariance over both deviations, (...); NaN where one of them is 0."""
    product = divided(divided(covariance_with_benchmark, deviation), benchmark_deviation)
    result: Vector = np.clip(product, -1.0, 1.0)  # rounding may exceed 1
    return result


def alpha(mean: Figures, benchmark_mean: Figures, slope: Figures, risk_free: float) -> Vector:
    """Mean excess return less beta times that of the benchmark, per period, (...) (Jensen 1968)."""
    result: Vector = np.asarray(mean - risk_free - slope * (benchmark_mean - risk_free))
    return result


def divided(numerator: Figures, denominator: Figures) -> Vector:
    """The quotient, NaN where the denominator is 0 or less."""
    positive = np.asarray(denominator) > 0.0
    result: Vector = np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)
    return result
