"""Errors of a Sharpe ratio, its probability and the track record it needs, against the figures of their papers."""

import math

import numpy as np
import pytest

from domain.risk.figure import CONSTANT, ONE_RETURN, TOO_LARGE, Absent
from domain.significance.sharpe import NO_VARIANCE, NOT_ABOVE, SharpeEstimate

DAYS, WEEKS, MONTHS = 252.0, 52.0, 12.0


def normal(annual: float, periods: float, observations: int = 100) -> SharpeEstimate:
    return SharpeEstimate(annual / math.sqrt(periods), 0.0, 3.0, observations)


@pytest.mark.parametrize(("ratio", "error"), [(0.5, 0.1369), (1.0, 0.1581), (3.0, 0.3028)])
def test_error_of_lo_for_sixty_returns(ratio: float, error: float) -> None:
    """Lo 2002, table 2, T = 60."""
    assert round(SharpeEstimate(ratio, 0.0, 3.0, 60).lo_error, 4) == error


def test_error_of_mertens_is_that_of_lo_for_normal_moments() -> None:
    estimate = SharpeEstimate(0.7, 0.0, 3.0, 50)
    assert estimate.mertens_error == pytest.approx(estimate.lo_error, rel=1e-15)
    # 1 + .49 / 2 + .7 x .5 + .49 x 2 / 4 = 1.84: skewness -.5, kurtosis 5.
    assert SharpeEstimate(0.7, -0.5, 5.0, 50).mertens_error == pytest.approx(math.sqrt(1.84 / 50), rel=1e-15)


def test_probability_of_the_paper() -> None:
    """Bailey and Lopez de Prado 2012, exhibit 6: mean .036, deviation .079, skewness -2.448, kurtosis 10.164, T 24."""
    probability = SharpeEstimate(0.036 / 0.079, -2.448, 10.164, 24).probability_above(0.0)
    assert isinstance(probability, float)
    assert round(probability, 4) == 0.9127


@pytest.mark.parametrize(
    ("periods", "skewness", "kurtosis", "years"),
    [(DAYS, 0.0, 3.0, 2.73), (WEEKS, 0.0, 3.0, 2.83), (MONTHS, 0.0, 3.0, 3.24), (MONTHS, -0.72, 5.78, 4.99)],
)
def test_track_record_of_the_paper(periods: float, skewness: float, kurtosis: float, years: float) -> None:
    """Bailey and Lopez de Prado 2012, section 5: Sharpe ratio 2 against 1 at 95 %."""
    root = math.sqrt(periods)
    needed = SharpeEstimate(2.0 / root, skewness, kurtosis, 100).minimum_track_record(1.0 / root, 0.95)
    assert isinstance(needed, float)
    assert round(needed / periods, 2) == years


def test_the_minimum_track_record_is_where_the_probability_reaches_the_level() -> None:
    needed = normal(1.3, DAYS).minimum_track_record(0.01, 0.9)
    assert isinstance(needed, float)
    at = SharpeEstimate(1.3 / math.sqrt(DAYS), 0.0, 3.0, round(needed))
    assert at.probability_above(0.01) == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize("level", [0.3, 0.5])
def test_any_record_reaches_a_level_of_a_half_or_less(level: float) -> None:
    """The probability of a ratio above the benchmark is more than 1/2 from the second return on."""
    shortest = SharpeEstimate(0.1, 0.0, 3.0, 2)
    probability = shortest.probability_above(0.0)
    assert isinstance(probability, float)
    assert probability > level
    assert shortest.minimum_track_record(0.0, level) == 1.0


def test_no_record_is_long_enough_for_a_ratio_that_is_not_above() -> None:
    assert normal(1.0, DAYS).minimum_track_record(1.0 / math.sqrt(DAYS), 0.95) == Absent(NOT_ABOVE)


def test_moments_are_those_of_the_returns() -> None:
    # Mean 1, deviations -1 -1 2 0: sum of squares 6, of cubes 6, of fourth powers 18.
    estimate = SharpeEstimate.of(np.array([0.0, 0.0, 3.0, 1.0]))
    assert isinstance(estimate, SharpeEstimate)
    assert estimate.ratio == pytest.approx(1.0 / math.sqrt(2.0), rel=1e-15)
    assert estimate.skewness == pytest.approx(1.5 / 1.5**1.5, rel=1e-14)
    assert estimate.kurtosis == pytest.approx(4.5 / 1.5**2, rel=1e-14)
    assert estimate.observations == 4


def test_the_interval_has_the_quantiles_of_a_normal_distribution() -> None:
    lower, upper = normal(0.0, 1.0).interval(0.1, 0.95)
    assert (lower, upper) == pytest.approx((-0.1959963984540054, 0.1959963984540054), rel=1e-12)


def test_what_has_no_ratio_is_absent() -> None:
    assert SharpeEstimate.of(np.array([0.01])) == Absent(ONE_RETURN)
    assert SharpeEstimate.of(np.full(50, 0.01)) == Absent(CONSTANT)


def test_an_error_of_zero_has_no_probability() -> None:
    """Of returns a with probability p and b, skewness^2 + 1 = kurtosis: an error of 0 at SR = 2 / skewness."""
    assert SharpeEstimate(1.0, 2.0, 5.0, 10).probability_above(0.0) == Absent(NO_VARIANCE)


def test_a_return_that_is_too_large_has_no_ratio() -> None:
    returns = np.full(50, 0.01)
    returns[3] = 1e61
    assert SharpeEstimate.of(returns) == Absent(TOO_LARGE)
    returns[3] = np.inf
    assert SharpeEstimate.of(returns) == Absent(TOO_LARGE)
