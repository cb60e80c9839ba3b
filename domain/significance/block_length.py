"""Block length of a bootstrap, chosen from the data."""

import math

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.significance.autocovariance import autocovariances

SIGNIFICANT = 2.0
"""Autocorrelations within this times sqrt(log10 T / T) count as none (Politis and White 2004, footnote c)."""

LEAST_INSIGNIFICANT = 5
"""Lags in a row that must be insignificant."""


@dataclass(frozen=True, slots=True)
class BlockLengths:
    """Lengths that minimise the mean squared error of the variance of a mean, at least 1."""

    stationary: float  # mean length
    circular: float  # length


def optimal_block_lengths(series: Vector) -> BlockLengths:
    """Of a series (T,) that varies, T of 2 or more (Politis and White 2004; Patton, Politis and White 2009 correct it).

    b = (2 G^2 / D)^(1/3) T^(1/3), D = 2 g(0)^2 for the stationary and 4/3 g(0)^2 for the circular bootstrap, with
    G = sum lambda(k / M) |k| R(k) and g(0) = sum lambda(k / M) R(k) over a flat-top window lambda.
    """
    t = len(series)
    most = min(math.ceil(math.sqrt(t)) + LEAST_INSIGNIFICANT, t - 1)
    covariances = autocovariances(series - series.mean(), most)
    bandwidth = min(2 * _first_insignificant(covariances, t), most)
    lags = np.arange(1, bandwidth + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / bandwidth)) * covariances[1 : bandwidth + 1]
    slope, spectrum = 2.0 * float(window @ lags), float(covariances[0] + 2.0 * window.sum())
    longest = math.ceil(min(3.0 * math.sqrt(t), t / 3.0))
    if spectrum == 0.0:
        return BlockLengths(float(longest), float(longest))

    def length(factor: float) -> float:
        best = (2.0 * slope**2 / (factor * spectrum**2) * t) ** (1.0 / 3.0)
        return float(min(max(best, 1.0), max(longest, 1)))

    return BlockLengths(length(2.0), length(4.0 / 3.0))


def common_block_length(columns: Matrix, check_cancelled: CancellationCheck) -> float:
    """The median of the mean lengths for N series that vary (T, N): one length for all of them."""
    found = []
    for column in columns.T:
        check_cancelled()
        found.append(optimal_block_lengths(column).stationary)
    return float(np.median(found))


def _first_insignificant(covariances: Vector, t: int) -> int:
    """The first lag of some in a row with insignificant autocorrelations; the last one where there is none.

    The paper has the lag before it, the program of its authors this one: it is never 0.
    """
    limit = SIGNIFICANT * math.sqrt(math.log10(t) / t) * covariances[0]
    small = np.abs(covariances[1:]) < limit
    for lag in range(len(small) - LEAST_INSIGNIFICANT + 1):
        if small[lag : lag + LEAST_INSIGNIFICANT].all():
            return lag + 1
    return len(small)
