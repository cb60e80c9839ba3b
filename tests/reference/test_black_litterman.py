"""He & Litterman 1999, "The intuition behind Black-Litterman model portfolios", tables 1, 2 and 4; Idzorek 2005.

The paper prints returns in per cent with one decimal and weights likewise.
"""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.views import View, black_litterman

COUNTRIES = ("AUL", "CAN", "FRA", "GER", "JAP", "UKG", "USA")
VOLATILITY = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
CORRELATION = np.array(
    [
        [1.000, 0.488, 0.478, 0.515, 0.439, 0.512, 0.491],
        [0.488, 1.000, 0.664, 0.655, 0.310, 0.608, 0.779],
        [0.478, 0.664, 1.000, 0.861, 0.355, 0.783, 0.668],
        [0.515, 0.655, 0.861, 1.000, 0.354, 0.777, 0.653],
        [0.439, 0.310, 0.355, 0.354, 1.000, 0.405, 0.306],
        [0.512, 0.608, 0.783, 0.777, 0.405, 1.000, 0.652],
        [0.491, 0.779, 0.668, 0.653, 0.306, 0.652, 1.000],
    ]
)
COVARIANCE = np.outer(VOLATILITY, VOLATILITY) * CORRELATION
MARKET = np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100
AVERSION = 2.5
PRIOR = AVERSION * COVARIANCE @ MARKET
GERMANY = View({"GER": 1.0, "FRA": -0.295, "UKG": -0.705}, 0.05)


def test_the_equilibrium_of_table_2() -> None:
    assert pytest.approx([3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6], abs=0.05) == 100 * PRIOR


def test_the_view_on_germany_of_table_4() -> None:
    found = black_litterman(COUNTRIES, PRIOR, COVARIANCE, (GERMANY,), 1.0)
    assert 100 * found.expected_returns == pytest.approx([4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1], abs=0.06)
    weights = np.linalg.solve(AVERSION * found.covariance, found.expected_returns)
    assert 100 * weights == pytest.approx([1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6], abs=0.15)


def test_periods_do_not_matter() -> None:
    yearly = black_litterman(COUNTRIES, PRIOR, COVARIANCE, (GERMANY,), 1.0)
    monthly = black_litterman(COUNTRIES, PRIOR / 12, COVARIANCE / 12, (GERMANY,), 12.0)
    assert 12 * monthly.expected_returns == pytest.approx(yearly.expected_returns, rel=1e-12)
    assert 12 * monthly.covariance == pytest.approx(yearly.covariance, rel=1e-12)


@pytest.mark.parametrize("confidence", [0.1, 0.25, 0.65, 1.0])
def test_a_confidence_is_the_part_of_the_way_to_certainty(confidence: float) -> None:
    """Idzorek 2005, section 3.2: the tilt is that part of the tilt of a view held without doubt."""
    pick = np.array([0.0, 0.0, -0.295, 1.0, 0.0, -0.705, 0.0])
    view = View(GERMANY.terms, 0.05, confidence=confidence)
    found = black_litterman(COUNTRIES, PRIOR, COVARIANCE, (view,), 1.0)
    before, after = float(pick @ PRIOR), float(pick @ found.expected_returns)
    assert after == pytest.approx(before + confidence * (0.05 - before), rel=1e-9)


def test_by_the_other_form_of_the_formula() -> None:
    """((tau S)^-1 + P' O^-1 P)^-1 ((tau S)^-1 Pi + P' O^-1 Q), two views with variances of their own."""
    views = (
        View({"USA": 1.0}, 0.10, variance_annual=0.002),
        View({"CAN": 1.0, "JAP": -1.0}, 0.03, variance_annual=0.01),
    )
    found = black_litterman(COUNTRIES, PRIOR, COVARIANCE, views, 1.0, tau=0.1)
    picks = np.zeros((2, 7))
    picks[0, 6], picks[1, 1], picks[1, 4] = 1.0, 1.0, -1.0
    precision = np.linalg.inv(0.1 * COVARIANCE)
    errors = np.diag([1 / 0.002, 1 / 0.01])
    spread = np.linalg.inv(precision + picks.T @ errors @ picks)
    assert found.expected_returns == pytest.approx(
        spread @ (precision @ PRIOR + picks.T @ errors @ np.array([0.10, 0.03])), rel=1e-10
    )
    assert found.covariance == pytest.approx(COVARIANCE + spread, rel=1e-10)


def test_a_view_on_a_stranger_is_refused() -> None:
    with pytest.raises(InvalidInput) as raised:
        black_litterman(COUNTRIES, PRIOR, COVARIANCE, (GERMANY, View({"MARS": 1.0}, 0.1)), 1.0)
    assert raised.value.field == "views[1].terms[0].symbol"


@pytest.mark.parametrize("wrong", [{"confidence": 0.0}, {"confidence": 1.1}, {"variance_annual": 0.0}])
def test_a_view_is_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        View({"USA": 1.0}, 0.1, **wrong)
