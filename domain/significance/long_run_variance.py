"""Covariance of sqrt(T) times the mean of dependent series, estimated with a kernel (Andrews 1991).

Series are (T, K), each with its mean taken off. Bandwidths are chosen by first-order autoregressions, and a factor
T / (T - 4) corrects for the four moments that are estimated, as in Ledoit and Wolf 2008.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from domain.checks import Matrix, Vector
from domain.significance.autocovariance import weighted_sum

ESTIMATED_MOMENTS = 4
LARGEST_SINGULAR_VALUE = 0.97
"""Of the coefficients of prewhitening (Andrews and Monahan 1992, section 3)."""


def parzen(series: Matrix) -> Matrix:
    """With the Parzen kernel (Andrews 1991, equation 2.7) and its automatic bandwidth (equations 6.2 and 6.4)."""
    t = len(series)
    bandwidth = 2.6614 * (_curvature(series) * t) ** 0.2
    lags = np.arange(1, t)
    return _estimate(series, _parzen_weights(lags[lags < bandwidth] / max(bandwidth, 1.0)))


def quadratic_spectral(series: Matrix) -> Matrix:
    """With the quadratic spectral kernel (Andrews 1991, equation 2.7), which weighs every lag."""
    t = len(series)
    bandwidth = 1.3221 * (_curvature(series) * t) ** 0.2
    if bandwidth == 0.0:
        return _estimate(series, np.zeros(0))
    angle = 1.2 * math.pi * np.arange(1, t) / bandwidth
    return _estimate(series, 3.0 / angle**2 * (np.sin(angle) / angle - np.cos(angle)))


def prewhitened_quadratic_spectral(series: Matrix) -> Matrix:
    """The same of what a first-order vector autoregression leaves (Andrews and Monahan 1992, equations 2.2 to 2.4)."""
    before, after = series[:-1], series[1:]
    coefficients = np.linalg.lstsq(before, after, rcond=None)[0].T
    left, singular, right = np.linalg.svd(coefficients)
    coefficients = left @ np.diag(np.minimum(singular, LARGEST_SINGULAR_VALUE)) @ right
    rest = after - before @ coefficients.T
    restored = np.linalg.inv(np.eye(series.shape[1]) - coefficients)
    result: Matrix = restored @ quadratic_spectral(rest) @ restored.T
    return result


KERNELS: Mapping[str, Callable[[Matrix], Matrix]] = {
    "hac_parzen": parzen,
    "hac_quadratic_spectral": quadratic_spectral,
    "hac_quadratic_spectral_prewhitened": prewhitened_quadratic_spectral,
}


def _estimate(series: Matrix, weights: Vector) -> Matrix:
    t = len(series)
    return weighted_sum(series, weights) * (t / (t - ESTIMATED_MOMENTS))


def _parzen_weights(ratios: Vector) -> Vector:
    near = 1.0 - 6.0 * ratios**2 + 6.0 * ratios**3
    result: Vector = np.where(ratios <= 0.5, near, 2.0 * (1.0 - ratios) ** 3)
    return result


def _curvature(series: Matrix) -> float:
    """alpha(2) of Andrews 1991, equation 6.4, with equal weights."""
    above = below = 0.0
    for column in series.T:
        rho, variance = _autoregression(column)
        above += 4.0 * rho**2 * variance**2 / (1.0 - rho) ** 8
        below += variance**2 / (1.0 - rho) ** 4
    return above / below if below > 0.0 else 0.0


def _autoregression(column: Vector) -> tuple[float, float]:
    """Coefficient and variance of the residuals of a first-order autoregression with a constant, by least squares."""
    before, after = column[:-1] - column[:-1].mean(), column[1:] - column[1:].mean()
    square = float(before @ before)
    rho = float(before @ after) / square if square > 0.0 else 0.0
    rest = after - rho * before
    # A unit root has no bandwidth: a little less is the most that an estimate can mean.
    return min(max(rho, -LARGEST_SINGULAR_VALUE), LARGEST_SINGULAR_VALUE), float(rest @ rest) / len(rest)
