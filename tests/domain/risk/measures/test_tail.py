"""VaR and CVaR against their definitions: the minimisation form, and the border atom counted by its fraction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.risk.measures.tail import (
    conditional_value_at_risk,
    count_of_worst,
    historical_tail,
    tail_weights,
    value_at_risk,
)

# Whole basis points: a linear programme cannot tell apart returns that differ by less than its own tolerance.
RETURNS = st.lists(st.integers(-5000, 5000), min_size=2, max_size=40).map(lambda points: np.array(points) / 1e4)


def test_the_border_atom_counts_by_its_fraction() -> None:
    """Five outcomes at 70 %: the tail is 1.5 outcomes, so (0.05 + 0.03 / 2) / 1.5."""
    returns = np.array([-0.05, -0.03, 0.0, 0.01, 0.02])
    assert conditional_value_at_risk(returns, 0.7) == pytest.approx((0.05 + 0.015) / 1.5)


def test_value_at_risk_interpolates_between_outcomes() -> None:
    assert value_at_risk(np.array([-0.04, -0.02, 0.0, 0.02, 0.04]), 0.95) == pytest.approx(0.036)


@given(RETURNS, st.floats(0.5, 0.99))
def test_cvar_is_the_worst_mean_over_its_risk_envelope(returns: np.ndarray, confidence: float) -> None:
    """The dual form (Rockafellar, Uryasev & Zabarankin 2006), solved as a linear programme by another hand."""
    count = len(returns)
    bound = 1.0 / (count * (1.0 - confidence))
    dual = linprog(returns, A_eq=np.ones((1, count)), b_eq=[1.0], bounds=(0.0, bound), method="highs")
    assert conditional_value_at_risk(returns, confidence) == pytest.approx(-dual.fun, abs=1e-9)


@given(RETURNS, st.floats(0.5, 0.99))
def test_tail_weights_are_a_distribution(returns: np.ndarray, confidence: float) -> None:
    weights = tail_weights(returns, confidence)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    assert weights.max() <= 1.0 / (len(returns) * (1.0 - confidence)) + 1e-12


@given(RETURNS, st.floats(0.5, 0.99))
def test_both_figures_of_one_look_are_those_of_each(returns: np.ndarray, confidence: float) -> None:
    """To the last bit: numpy's own quantile, and the mean over the tail."""
    worst = np.sort(returns)[: count_of_worst(len(returns), confidence)]
    found = historical_tail(worst, len(returns), confidence)
    assert found == (value_at_risk(returns, confidence), conditional_value_at_risk(returns, confidence))


def test_the_tail_of_many_returns_is_that_of_all_of_them_sorted() -> None:
    returns = np.random.default_rng(3).normal(0.0, 0.01, (3, 5000)).round(4)
    found = conditional_value_at_risk(returns, 0.95)
    assert found == pytest.approx(-np.vecdot(tail_weights(returns, 0.95), returns), rel=1e-14)
