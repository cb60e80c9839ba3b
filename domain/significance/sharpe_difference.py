"""Whether two Sharpe ratios differ.

Ledoit and Wolf 2008, "Robust performance hypothesis testing with the Sharpe ratio". The ratios are per
period. The standard error is that of the delta method (section 3.1), the covariance of the moments an estimate that is
robust to dependence; the last p-value is from a studentised circular block bootstrap (section 3.2.1).
"""

import math

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector, constant_columns
from domain.records import dataclass
from domain.risk.figure import TOO_LARGE, Absent, Figure
from domain.significance.block_length import optimal_block_lengths
from domain.significance.long_run_variance import KERNELS
from domain.significance.resampling import LEAST_RESAMPLED, Resampling, circular_starts, start_counts
from domain.significance.sharpe import NORMAL, sharpe_ratios

PREFERRED = "hac_quadratic_spectral_prewhitened"
BOOTSTRAP = "studentised_circular_block_bootstrap"

FEW_RETURNS = f"needs at least {LEAST_RESAMPLED} returns on the same dates"
FLAT = "the returns of one of the two do not vary"
NO_ERROR = "the two Sharpe ratios move together: their difference has no error"
ONE_BLOCK = "the block length leaves fewer than two blocks"
NOT_RESAMPLED = "needs resamples, which were not asked for"

PERCENT = 100.0
"""Bandwidths depend on the unit of returns, in which means and mean squares are compared; the paper has percent."""

LARGEST_COMPARED = 1e30
"""Largest return: the squares of the variances of squares are still numbers."""

LEAST_ERROR = 1e-9
"""A standard error below it is the rounding of 0: ratios are of the size of 1 / sqrt(T)."""


@dataclass(frozen=True, slots=True)
class DifferenceEstimate:
    """A test by one method."""

    method: str
    standard_error: Figure  # absent for the bootstrap, which has one for each resample
    p_value: Figure


@dataclass(frozen=True, slots=True)
class SharpeDifference:
    """The Sharpe ratio of one series less that of another, per period, and tests of no difference."""

    difference: float
    observations: int
    estimates: tuple[DifferenceEstimate, ...]
    block_length: Figure  # of the bootstrap

    @property
    def preferred(self) -> DifferenceEstimate:
        """The one that the paper recommends among those without a bootstrap."""
        return next(one for one in self.estimates if one.method == PREFERRED)


@dataclass(frozen=True, slots=True)
class _Moments:
    """First and second moments of two series (T, 2)."""

    means: Vector  # (2,)
    squares: Vector  # (2,), means of the squares
    deviations: Matrix  # (T, 4), of the series and of their squares from these

    @property
    def gradient(self) -> Vector:
        """Of the difference in the four moments, (4,)."""
        result: Vector = _gradients(np.concatenate((self.means, self.squares))[None])[0]
        return result


def sharpe_difference(
    ours: Vector,
    theirs: Vector,
    resampling: Resampling | None,
    check_cancelled: CancellationCheck,
    *,
    given_length: bool = False,
) -> SharpeDifference | Absent:
    """Of excess returns on the same dates, (T,) each; without a resampling there is no bootstrap.

    Its block length is chosen for the difference unless `given_length`.
    """
    pair = np.column_stack((ours, theirs))
    if len(pair) < LEAST_RESAMPLED:
        return Absent(FEW_RETURNS)
    if not float(np.abs(pair).max()) <= LARGEST_COMPARED:
        return Absent(TOO_LARGE)
    if any(constant_columns(column) for column in pair.T):
        return Absent(FLAT)
    t = len(pair)
    ratios = sharpe_ratios(pair)
    difference = float(ratios[0] - ratios[1])
    pair = PERCENT * pair
    moments = _moments(pair)
    errors = {name: _error(kernel(moments.deviations), moments.gradient, t) for name, kernel in KERNELS.items()}
    if min(errors.values()) < LEAST_ERROR:
        return Absent(NO_ERROR)
    estimates = [
        DifferenceEstimate(name, error, 2.0 * NORMAL.cdf(-abs(difference) / error)) for name, error in errors.items()
    ]
    length: Figure = Absent(NOT_RESAMPLED)
    p_value: Figure = Absent(NOT_RESAMPLED)
    if resampling is not None:
        if not given_length:
            influence = moments.deviations @ moments.gradient
            best = optimal_block_lengths(influence).circular
            resampling = Resampling(t, resampling.count, best, resampling.seed)
        length = float(resampling.fixed_length)
        p_value = _bootstrapped(difference, abs(difference) / errors[PREFERRED], moments, resampling, check_cancelled)
    own_error = Absent("each resample has a standard error of its own") if resampling else Absent(NOT_RESAMPLED)
    estimates.append(DifferenceEstimate(BOOTSTRAP, own_error, p_value))
    return SharpeDifference(difference, t, tuple(estimates), length)


def _moments(pair: Matrix) -> _Moments:
    means, squares = pair.mean(axis=0), (pair * pair).mean(axis=0)
    return _Moments(means, squares, np.hstack((pair - means, pair * pair - squares)))


def _gradients(moments: Matrix) -> Matrix:
    """Gradients of mean / sqrt(square - mean^2) of the first less the second series, at R sets of moments, (R, 4)."""
    means, squares = moments[:, :2], moments[:, 2:]
    cubed = (squares - means * means) ** 1.5
    signs = np.array([1.0, -1.0])
    return np.hstack((signs * squares / cubed, -0.5 * signs * means / cubed))


def _error(covariance: Matrix, gradient: Vector, t: int) -> float:
    return math.sqrt(max(float(gradient @ covariance @ gradient), 0.0) / t)


def _bootstrapped(
    difference: float,
    statistic: float,
    moments: _Moments,
    resampling: Resampling,
    check_cancelled: CancellationCheck,
) -> Figure:
    """p-value (#{d* >= d} + 1) / (resamples + 1) (equation 9), d* with an error of its own (equations 7 and 8)."""
    t, b = resampling.observations, resampling.fixed_length
    if t // b < 2:
        return Absent(ONE_BLOCK)
    sums = _block_sums(moments.deviations, b)  # of the block that begins on each date
    products = (sums[:, :, None] * sums[:, None, :]).reshape(t, 16)
    table = np.hstack((sums, products))
    beyond = 0
    for first, last in resampling.pieces():
        check_cancelled()
        drawn = start_counts(circular_starts(resampling, first, last), t) @ table
        beyond += _count_beyond(drawn, difference, statistic, moments, t // b, b)
    return (beyond + 1) / (resampling.count + 1)


def _count_beyond(drawn: Matrix, difference: float, statistic: float, moments: _Moments, blocks: int, b: int) -> int:
    """How many of R resamples are as far from the difference as it is from 0; `drawn` are sums over blocks, (R, 20)."""
    n = blocks * b
    shifts = drawn[:, :4] / n
    resampled = np.concatenate((moments.means, moments.squares)) + shifts
    variances = resampled[:, 2:] - resampled[:, :2] ** 2
    # A resample of equal returns has no Sharpe ratio, and counts as beyond.
    varies = (variances > 1e-12 * resampled[:, 2:]).all(axis=1)
    resampled, variances, shifts = resampled[varies], variances[varies], shifts[varies]
    ratios = resampled[:, :2] / np.sqrt(variances * (n / (n - 1)))
    gradients = _gradients(resampled)
    products = drawn[varies, 4:].reshape(-1, 4, 4)
    along = np.einsum("ri,ri->r", gradients, shifts)
    spread = np.einsum("ri,rij,rj->r", gradients, products, gradients) / n - b * along**2
    distance = np.abs(ratios[:, 0] - ratios[:, 1] - difference)
    # d* >= d without a division: an error of 0 is as far as can be.
    is_beyond = distance >= statistic * np.sqrt(np.maximum(spread, 0.0) / n)
    return int(np.count_nonzero(is_beyond)) + int(np.count_nonzero(~varies))


def _block_sums(series: Matrix, b: int) -> Matrix:
    """Sums of the b dates from each date on, around the end, (T, K)."""
    t = len(series)
    around = np.vstack((np.zeros((1, series.shape[1])), np.cumsum(np.vstack((series, series[:b])), axis=0)))
    result: Matrix = around[b : t + b] - around[:t]
    return result
