"""Whether the best of many strategies beats a benchmark, and which of them do, their number considered.

The test of superior predictive ability is Hansen's (2005, "A test for superior predictive ability", equations 6 to 8),
the stepwise one that of Romano and Wolf (2005, "Stepwise multiple testing as formalized data snooping", algorithm 4.1).
Both have studentised means of active returns, whose error is that of the stationary bootstrap itself.
"""

import math

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.significance.resampling import LARGE_PIECE, Resampling, stationary_blocks

COLUMNS = 64
"""Series whose errors are computed at a time."""


@dataclass(frozen=True, slots=True)
class SuperiorAbility:
    """p-values of no strategy being better than the benchmark."""

    lower: float  # strategies that were worse count as exactly as good in none of the resamples
    consistent: float  # those that were much worse
    upper: float  # all count as exactly as good


@dataclass(frozen=True, slots=True)
class SuperiorityTests:
    """Both tests of K strategies."""

    ability: SuperiorAbility
    superior: NDArray[np.int64]  # indices of the strategies that beat the benchmark, increasing
    statistics: Vector  # (K,), sqrt(T) x mean / error
    errors: Vector  # (K,), of sqrt(T) x mean


def superiority(
    active: Matrix, resampling: Resampling, significance_level: float, check_cancelled: CancellationCheck
) -> SuperiorityTests:
    """Tests of active returns (T, K), whose columns vary; T of 3 or more."""
    t, strategies = active.shape
    means = active.mean(axis=0)
    centred = active - means
    errors = _errors(centred, resampling.block_length, check_cancelled)
    statistics: Vector = math.sqrt(t) * means / errors
    order = np.argsort(-statistics, kind="stable")
    table = np.ascontiguousarray((centred / errors)[:, order])
    shifts = _shifts(statistics[order], t)
    observed = max(float(statistics.max()), 0.0)
    beyond = np.zeros(len(shifts), np.int64)
    # Largest resampled statistic of each strategy and all that follow it in the order of the statistics.
    largest = np.empty((resampling.count, strategies))
    for first, last in resampling.pieces(LARGE_PIECE, strategies):
        check_cancelled()
        drawn = stationary_blocks(resampling, first, last).counts() @ table
        drawn *= 1.0 / math.sqrt(t)
        for i, shift in enumerate(shifts):
            beyond[i] += np.count_nonzero(np.maximum((drawn + shift).max(axis=1), 0.0) > observed)
        largest[first:last] = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
    lower, consistent, upper = (beyond / resampling.count).tolist()
    count = _rejected(statistics[order], largest, significance_level, check_cancelled)
    return SuperiorityTests(SuperiorAbility(lower, consistent, upper), np.sort(order[:count]), statistics, errors)


def _shifts(statistics: Vector, t: int) -> tuple[Vector, Vector, Vector]:
    """Where the resampled statistics are centred: lower, consistent, upper (Hansen 2005, section 3.2)."""
    worse = np.minimum(statistics, 0.0)
    much_worse = statistics < -math.sqrt(2.0 * math.log(math.log(t)))
    return worse, np.where(much_worse, statistics, 0.0), np.zeros(len(statistics))


def _rejected(
    statistics: Vector, largest: Matrix, significance_level: float, check_cancelled: CancellationCheck
) -> int:
    """How many of the strategies, in falling order of their statistics, beat the benchmark.

    Each step compares all that are left with the quantile of the largest resampled statistic among them; it ends where
    none is above it, or none is left.
    """
    count = 0
    while count < len(statistics):
        check_cancelled()
        critical = float(np.quantile(largest[:, count], 1.0 - significance_level, method="inverted_cdf"))
        above = int(np.count_nonzero(statistics[count:] > critical))
        if above == 0:
            break
        count += above
    return count


def _errors(centred: Matrix, block_length: float, check_cancelled: CancellationCheck) -> Vector:
    """Standard deviation that a stationary bootstrap gives to sqrt(T) x the mean, (K,).

    Its square is sum over lags k of kappa(k) x the autocovariance of the series closed to a circle,
    kappa(k) = (1 - k / T) q^k + (k / T) q^(T - k) with q = 1 - 1 / b (Politis and Romano 1994, lemma 1).
    """
    t, strategies = centred.shape
    lags, q = np.arange(t), 1.0 - 1.0 / block_length
    kappa = (1.0 - lags / t) * q**lags + lags / t * q ** (t - lags)
    kappa[0] = 1.0
    spectrum = np.fft.rfft(kappa).real
    spectrum[1 : (t + 1) // 2] *= 2.0
    found = np.empty(strategies)
    for first in range(0, strategies, COLUMNS):
        check_cancelled()
        part = np.fft.rfft(centred[:, first : first + COLUMNS], axis=0)
        found[first : first + COLUMNS] = spectrum @ (part.real**2 + part.imag**2)
    result: Vector = np.sqrt(np.maximum(found, np.finfo(float).tiny)) / t
    return result
