"""Views without doubt are met together, or named where they cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.estimation.entropy_pooling import entropy_pooled
from domain.estimation.views import View, black_litterman

SYMBOLS = ("A", "B", "C", "D")
RNG = np.random.default_rng(2)
FACTOR = RNG.normal(0, 0.02, (4, 4))
COVARIANCE = FACTOR @ FACTOR.T + np.diag(np.full(4, 1e-4))
PRIOR = np.array([0.01, 0.02, 0.0, 0.03])


def certain(terms: dict[str, float], expected: float) -> View:
    return View(terms, expected, confidence=1.0)


def names(error: InvalidInput) -> set[int]:
    return {i for i in range(10) if f"views[{i}]" in error.message}


def test_two_numbers_for_the_same_asset() -> None:
    views = (certain({"A": 1.0}, 0.1), View({"B": 1.0}, 0.3), certain({"A": 2.0}, 0.4))
    with pytest.raises(InvalidInput, match="contradict each other") as raised:
        black_litterman(SYMBOLS, PRIOR, COVARIANCE, views, 1.0)
    assert names(raised.value) == {0, 2}


def test_a_combination_of_others() -> None:
    """A - B and B - C say what A - C is."""
    views = [certain({"A": 1.0, "B": -1.0}, 0.02), certain({"D": 1.0}, 0.1), certain({"B": 1.0, "C": -1.0}, 0.03)]
    agreed = black_litterman(
        SYMBOLS, PRIOR, COVARIANCE, (*views, certain({"A": 1.0, "C": -1.0}, 0.05)), 1.0
    ).expected_returns
    assert agreed[0] - agreed[2] == pytest.approx(0.05)
    with pytest.raises(InvalidInput, match="contradict each other") as raised:
        black_litterman(SYMBOLS, PRIOR, COVARIANCE, (*views, certain({"A": 1.0, "C": -1.0}, 0.06)), 1.0)
    assert names(raised.value) == {0, 2, 3}


def test_assets_that_move_as_one_cannot_be_expected_to_part() -> None:
    twins = np.array([[0.04, 0.04], [0.04, 0.04]])
    with pytest.raises(InvalidInput, match="contradict each other"):
        black_litterman(("A", "B"), np.zeros(2), twins, (certain({"A": 1.0}, 0.1), certain({"B": 1.0}, 0.2)), 1.0)
    with pytest.raises(InvalidInput, match="does not vary"):
        black_litterman(("A", "B"), np.zeros(2), twins, (certain({"A": 1.0, "B": -1.0}, 0.1),), 1.0)


def test_doubt_averages_what_does_not_agree() -> None:
    views = (View({"A": 1.0}, 0.1, confidence=0.9), View({"A": 1.0}, 0.3, confidence=0.9))
    found = black_litterman(SYMBOLS, PRIOR, COVARIANCE, views, 1.0).expected_returns
    assert 0.1 < found[0] < 0.3


@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_views_of_one_truth_never_contradict_and_are_met(seed: int, count: int, singular: bool) -> None:
    """Expectations taken from one vector of means agree, whatever the portfolios."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.02, (4, 2 if singular else 6))
    covariance = factors @ factors.T
    truth = PRIOR + covariance @ rng.normal(0, 1.0, 4)
    portfolios = rng.integers(-2, 3, (count, 4)).astype(float)
    portfolios[np.abs(portfolios).sum(axis=1) == 0.0] = 1.0
    views = tuple(certain(dict(zip(SYMBOLS, row, strict=True)), float(row @ truth)) for row in portfolios)
    found = black_litterman(SYMBOLS, PRIOR, covariance, views, 1.0).expected_returns
    np.testing.assert_allclose(portfolios @ found, portfolios @ truth, atol=1e-7)
    one = portfolios[0]
    other = certain(dict(zip(SYMBOLS, 2.0 * one, strict=True)), 2.0 * float(one @ truth) + 0.01)
    with pytest.raises(InvalidInput, match=r"contradict each other|does not vary") as raised:
        black_litterman(SYMBOLS, PRIOR, covariance, (*views, other), 1.0)
    assert count in names(raised.value)


OUTCOMES = RNG.normal(0.0, 0.01, (60, 3))
EVEN = np.full(60, 1 / 60)


def test_pooled_views_that_contradict_each_other() -> None:
    outcomes = OUTCOMES[:, [0, 1, 0]] * np.array([1.0, 1.0, 2.0])
    entropy_pooled(outcomes, np.array([0.001, 0.0, 0.002]), EVEN)
    with pytest.raises(InvalidInput, match="contradict each other") as raised:
        entropy_pooled(outcomes, np.array([0.001, 0.0, 0.003]), EVEN)
    assert names(raised.value) == {0, 2}


def test_pooled_views_that_nothing_observed_meets_together() -> None:
    """x and y between -1 and 1 on a diagonal band: both high and low at once was not seen; z has no part in it."""
    x = np.linspace(-1.0, 1.0, 41)
    outcomes = np.column_stack([x, x + 0.01 * np.cos(9.0 * x), np.sin(20.0 * x)])
    even = np.full(41, 1 / 41)
    with pytest.raises(InvalidInput, match="together") as raised:
        entropy_pooled(outcomes, np.array([0.5, -0.5, 0.0]), even)
    assert names(raised.value) == {0, 1}
    with pytest.raises(InvalidInput, match="lies outside the observed returns") as raised:
        entropy_pooled(outcomes, np.array([0.5, 0.5, 2.0]), even)
    assert names(raised.value) == {2}
