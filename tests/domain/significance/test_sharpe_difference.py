"""The difference of two Sharpe ratios, against the figures of the paper's own data and sums written out."""

import math
from pathlib import Path

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import Cancelled
from domain.risk.figure import TOO_LARGE, Absent
from domain.significance.long_run_variance import parzen, prewhitened_quadratic_spectral, quadratic_spectral
from domain.significance.resampling import Resampling, circular_starts
from domain.significance.sharpe import sharpe_ratios
from domain.significance.sharpe_difference import (
    BOOTSTRAP,
    FEW_RETURNS,
    FLAT,
    NO_ERROR,
    NOT_RESAMPLED,
    ONE_BLOCK,
    SharpeDifference,
    sharpe_difference,
)

PARZEN, QS, PREWHITENED = "hac_parzen", "hac_quadratic_spectral", "hac_quadratic_spectral_prewhitened"


def published() -> Matrix:
    """The authors' data "agg" as fractions, (120, 2)."""
    path = Path(__file__).with_name("ledoit_wolf_agg.csv")
    values: Matrix = np.loadtxt(path, delimiter=",", comments="#") / 100.0
    return values


def compared(pair: Matrix, resampling: Resampling | None = None, *, given: bool = False) -> SharpeDifference:
    found = sharpe_difference(pair[:, 0], pair[:, 1], resampling, never_cancelled, given_length=given)
    assert isinstance(found, SharpeDifference)
    return found


def test_the_data_of_the_paper() -> None:
    """Ratios with divisor T - 1 and standard errors to six digits, p-values to four, by the authors' program."""
    pair = published()
    assert sharpe_ratios(pair).round(6).tolist() == [0.107455, 0.010749]
    assert (pair.mean(axis=0) / pair.std(axis=0)).round(6).tolist() == [0.107906, 0.010794]
    found = compared(pair)
    assert found.observations == 120
    assert round(found.difference, 6) == 0.096706
    estimates = {one.method: (round(one.standard_error, 6), round(one.p_value, 4)) for one in found.estimates[:3]}  # type: ignore[arg-type]
    assert estimates == {PARZEN: (0.052553, 0.0657), QS: (0.051950, 0.0627), PREWHITENED: (0.052883, 0.0674)}
    assert found.preferred.method == PREWHITENED
    assert found.estimates[3].p_value == Absent(NOT_RESAMPLED)


def test_the_bootstrap_of_the_paper() -> None:
    """Blocks of 5: p = .084, within .013 from seed to seed."""
    found = compared(published(), Resampling(120, 4999, 5.0, 1), given=True)
    estimate = found.estimates[3]
    assert estimate.method == BOOTSTRAP
    assert isinstance(estimate.p_value, float)
    assert estimate.p_value == pytest.approx(0.084, abs=0.013)
    assert isinstance(estimate.standard_error, Absent)
    assert found.block_length == 5.0


def kernel_sum(series: Matrix, weight: object) -> Matrix:
    """R(0) + sum w(k) (R(k) + R(k)') written out, divisor T, times T / (T - 4)."""
    t = len(series)
    total = series.T @ series
    for lag in range(1, t):
        product = series[lag:].T @ series[:-lag]
        total = total + weight(lag) * (product + product.T)  # type: ignore[operator]
    result: Matrix = total / t * t / (t - 4)
    return result


def curvature(series: Matrix) -> float:
    """alpha(2) from regressions of each series on the value before and 1."""
    above = below = 0.0
    for column in series.T:
        design = np.column_stack((np.ones(len(column) - 1), column[:-1]))
        coefficients, *_ = np.linalg.lstsq(design, column[1:], rcond=None)
        variance = float(np.mean((column[1:] - design @ coefficients) ** 2))
        rho = float(coefficients[1])
        above += 4 * rho**2 * variance**2 / (1 - rho) ** 8
        below += variance**2 / (1 - rho) ** 4
    return above / below


def dependent(t: int = 60) -> Matrix:
    noise = np.random.RandomState(2).randn(t, 3)
    series = noise.copy()
    for i in range(1, t):
        series[i] += 0.5 * series[i - 1] + 0.2 * noise[i - 1, ::-1]
    centred: Matrix = series - series.mean(axis=0)
    return centred


def quadratic_weight(bandwidth: float) -> object:
    def weight(lag: int) -> float:
        angle = 6 * math.pi * lag / bandwidth / 5
        return 25 / (12 * math.pi**2 * (lag / bandwidth) ** 2) * (math.sin(angle) / angle - math.cos(angle))

    return weight


def test_kernels_are_sums_over_lags() -> None:
    series = dependent()
    alpha, t = curvature(series), len(series)
    narrow, wide = 1.3221 * (alpha * t) ** 0.2, 2.6614 * (alpha * t) ** 0.2

    def parzen_weight(lag: int) -> float:
        x = lag / wide
        return 0.0 if x >= 1 else 2 * (1 - x) ** 3 if x > 0.5 else 1 - 6 * x**2 + 6 * x**3

    assert parzen(series) == pytest.approx(kernel_sum(series, parzen_weight), rel=1e-10)
    assert quadratic_spectral(series) == pytest.approx(kernel_sum(series, quadratic_weight(narrow)), rel=1e-10)


def test_prewhitening_takes_an_autoregression_out_and_puts_it_back() -> None:
    series = dependent()
    before, after = series[:-1], series[1:]
    coefficients = np.linalg.solve(before.T @ before, before.T @ after).T
    assert np.linalg.svd(coefficients)[1].max() < 0.97
    rest = after - before @ coefficients.T
    narrow = 1.3221 * (curvature(rest) * len(rest)) ** 0.2
    back = np.linalg.inv(np.eye(3) - coefficients)
    expected = back @ kernel_sum(rest, quadratic_weight(narrow)) @ back.T
    assert prewhitened_quadratic_spectral(series) == pytest.approx(expected, rel=1e-9)


def test_the_bootstrap_is_that_of_the_resampled_returns() -> None:
    """Each resample put together date by date, its error from its blocks, as section 3.2.2 says."""
    pair, resampling, b = published()[:50], Resampling(50, 200, 7.0, 3), 7
    found = compared(pair, resampling, given=True)
    statistic = abs(found.difference) / float(found.preferred.standard_error)  # type: ignore[arg-type]
    beyond = 0
    for starts in circular_starts(resampling, 0, 200):
        dates = np.concatenate([(start + np.arange(b)) % 50 for start in starts])
        drawn = pair[dates]
        beyond += abs(np.subtract(*sharpe_ratios(drawn)) - found.difference) / block_error(drawn, b) >= statistic
    assert found.estimates[3].p_value == (beyond + 1) / 201


def block_error(drawn: Matrix, b: int) -> float:
    means, squares = drawn.mean(axis=0), (drawn**2).mean(axis=0)
    moments = np.hstack((drawn - means, drawn**2 - squares))
    blocks = moments.reshape(-1, b, 4).sum(axis=1) / math.sqrt(b)
    covariance = blocks.T @ blocks / len(blocks)
    variance = squares - means**2
    gradient = np.concatenate((squares / variance**1.5, -0.5 * means / variance**1.5)) * [1, -1, 1, -1]
    return math.sqrt(gradient @ covariance @ gradient / len(drawn))


def series(seed: int = 0, t: int = 40) -> Vector:
    noise: Vector = np.random.RandomState(seed).randn(t) * 0.01
    return noise


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        (series(t=9), series(1, t=9), FEW_RETURNS),
        (series(), np.full(40, 0.01), FLAT),
        (series(), np.append(series(1, t=39), 1e31), TOO_LARGE),
        (series(), series(), NO_ERROR),
        (series(), 3.0 * series(), NO_ERROR),  # the same strategy with leverage
    ],
)
def test_what_cannot_be_compared_is_absent(ours: Vector, theirs: Vector, reason: str) -> None:
    assert sharpe_difference(ours, theirs, None, never_cancelled) == Absent(reason)


def test_blocks_that_are_too_long_leave_the_bootstrap_out() -> None:
    found = compared(np.column_stack((series(), series(1))), Resampling(40, 100, 21.0, 0), given=True)
    assert found.estimates[3].p_value == Absent(ONE_BLOCK)
    assert isinstance(found.preferred.p_value, float)


def test_the_difference_changes_its_sign_with_the_order() -> None:
    pair = published()
    one, other = compared(pair), compared(pair[:, ::-1])
    assert other.difference == -one.difference
    assert other.preferred.p_value == pytest.approx(one.preferred.p_value, rel=1e-9)  # type: ignore[arg-type]


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    pair = published()
    with pytest.raises(Cancelled):
        sharpe_difference(pair[:, 0], pair[:, 1], Resampling(120, 1000, 5.0, 1), cancel)
