"""Against the numbers of Lo's paper, and what has no ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk.conventions import Conventions
from domain.risk.figure import NO_DOWNSIDE, TOO_LARGE, Absent, known
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


@pytest.mark.parametrize("q", [2, 4, 12])
def test_the_adjusted_ratio_is_that_of_sums_of_as_many_returns(q: int) -> None:
    """Mean over deviation of q returns in a row, whose variance is a sum over all pairs by their distance in time."""
    returns = np.random.default_rng(1).standard_normal(100) * 0.01 + 0.005
    outcomes, rho = Outcomes(returns), [1.0, *autocorrelations(returns, q - 1)]
    variance = np.var(returns, ddof=1) * sum(rho[abs(i - j)] for i in range(q) for j in range(q))
    found = ratios(outcomes, outcomes.deviation, float(q), 0.001, 0.0).sharpe_autocorrelation_adjusted
    assert found == pytest.approx(q * (returns.mean() - 0.001) / variance**0.5)


def test_gains_alone_have_no_downside() -> None:
    outcomes = Outcomes(np.array([0.01, 0.02, 0.03]))
    found = ratios(outcomes, outcomes.deviation, 12, 0.0, 0.0)
    assert (found.sortino, found.omega) == (Absent(NO_DOWNSIDE),) * 2
    assert isinstance(found.gain_to_pain, Absent)


GEOMETRIC = Conventions(geometric_annual_return=True)


@given(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=10), st.integers(0, 10), st.floats(0.01, 50.0))
def test_a_total_loss_is_minus_everything_whatever_follows(others: list[float], place: int, years: float) -> None:
    returns = np.insert(np.array(others), min(place, len(others)), -1.0)
    assert compound_annual_return(returns, years) == -1.0
    assert GEOMETRIC.annual_return(returns, 252.0) == -1.0


def test_compounded_excess_is_that_of_the_excess_returns() -> None:
    """Of 10 %, -5 %, 20 % over 1 % a period, twelve periods a year: not the compounded return less 12 %."""
    returns, rate, p = [0.10, -0.05, 0.20], 0.01, 12.0
    excess = (1.09 * 0.94 * 1.19) ** (p / 3) - 1.0
    outcomes = Outcomes(np.array(returns))
    assert GEOMETRIC.annual_excess(outcomes, rate, p) == pytest.approx(excess, rel=1e-13)
    assert abs(excess - ((1.1 * 0.95 * 1.2) ** (p / 3) - 1.0 - p * rate)) > 0.1
    found = ratios(outcomes, outcomes.deviation, p, rate, 0.0, GEOMETRIC)
    assert found.sharpe == pytest.approx(excess / (np.std(returns, ddof=1) * p**0.5), rel=1e-13)


def test_scenarios_compound_by_their_probabilities() -> None:
    """Three times in four +10 %, once -20 %: (1.1^0.75 0.8^0.25)^p - 1 a year."""
    outcomes = Outcomes(np.array([0.1, -0.2]), np.array([0.75, 0.25]))
    expected = (1.1**0.75 * 0.8**0.25) ** 12 - 1.0
    assert GEOMETRIC.annual_excess(outcomes, 0.0, 12.0) == pytest.approx(expected, rel=1e-13)


def test_growth_that_is_no_number() -> None:
    # A double ends at exp(709.78): what grows by 705.5 is one, by 759.5 none.
    assert known(compound_annual_return(np.array([5.9]), 1 / 365.25)) == pytest.approx(6.9**365.25)
    assert compound_annual_return(np.array([7.0]), 1 / 365.25) == Absent(TOO_LARGE)
    assert compound_annual_return(np.full(60, 7.0), 60 / 365.25) == Absent(TOO_LARGE)
    assert Conventions(geometric_annual_return=True).annual_return(np.full(4, 9.0), 365) == Absent(TOO_LARGE)


def test_a_loss_too_small_to_divide_by_leaves_no_ratio() -> None:
    outcomes = Outcomes(np.array([-2.2e-311, 0.5]))
    assert ratios(outcomes, outcomes.deviation, 12, 0.0, 0.0).omega == Absent(TOO_LARGE)
