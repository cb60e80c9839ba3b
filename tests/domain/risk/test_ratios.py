"""Against the numbers of Lo's paper, and what has no ratio."""

import numpy as np
import pytest

from domain.risk.conventions import Conventions
from domain.risk.figure import EXHAUSTED, NO_DOWNSIDE, TOO_LARGE, Absent
from domain.risk.outcomes import Outcomes
from domain.risk.ratios import (
    NEGATIVE_VARIANCE,
    TOO_FEW,
    WHOLE_PERIODS,
    annualisation_factor,
    autocorrelations,
    compound_annual_return,
    ratios,
)


@pytest.mark.parametrize(("rho", "factor"), [(0.2, 2.87885), (-0.2, 4.17085), (0.0, 12**0.5)])
def test_annualisation_of_lo(rho: float, factor: float) -> None:
    """Lo 2002, "The statistics of Sharpe ratios", table 2: monthly returns with autocorrelations rho^k."""
    assert annualisation_factor(rho ** np.arange(1.0, 12.0)) == pytest.approx(factor, abs=5e-6)


def test_a_year_without_variance_has_no_factor() -> None:
    assert annualisation_factor(np.array([-1.0])) == Absent(NEGATIVE_VARIANCE)


def test_autocorrelations_against_their_definition() -> None:
    x = np.random.default_rng(0).standard_normal(50)
    away = x - x.mean()
    expected = [sum(away[t] * away[t - k] for t in range(k, 50)) / sum(away**2) for k in (1, 2, 3)]
    assert autocorrelations(x, 3) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("count", "periods", "reason"), [(12, 12.0, TOO_FEW), (500, 365.25, WHOLE_PERIODS), (10, 1.0, WHOLE_PERIODS)]
)
def test_what_cannot_be_adjusted(count: int, periods: float, reason: str) -> None:
    outcomes = Outcomes(np.random.default_rng(1).standard_normal(count) * 0.01)
    found = ratios(outcomes, outcomes.deviation, periods, 0.0, 0.0)
    assert found.sharpe_autocorrelation_adjusted == Absent(reason)


def test_gains_alone_have_no_downside() -> None:
    outcomes = Outcomes(np.array([0.01, 0.02, 0.03]))
    found = ratios(outcomes, outcomes.deviation, 12, 0.0, 0.0)
    assert (found.sortino, found.omega) == (Absent(NO_DOWNSIDE),) * 2
    assert isinstance(found.gain_to_pain, Absent)


def test_growth_that_is_no_number() -> None:
    assert compound_annual_return(np.array([0.1, -1.0, 0.2]), 1.0) == Absent(EXHAUSTED)
    assert compound_annual_return(np.full(60, 7.0), 60 / 365.25) == Absent(TOO_LARGE)
    assert Conventions(geometric_annual_return=True).annual_return(np.full(4, 9.0), 365) == Absent(TOO_LARGE)


def test_a_loss_too_small_to_divide_by_leaves_no_ratio() -> None:
    outcomes = Outcomes(np.array([-2.2e-311, 0.5]))
    assert ratios(outcomes, outcomes.deviation, 12, 0.0, 0.0).omega == Absent(TOO_LARGE)
