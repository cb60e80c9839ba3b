"""What is left after costs: against bisection, and what must hold for any target."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.costs.self_financing import WealthExhausted, post_cost_fraction


def by_bisection(weights: np.ndarray, fractions: np.ndarray, rates: np.ndarray) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        spent = middle + float(rates @ np.abs(weights * middle - fractions))
        low, high = (middle, high) if spent < 1.0 else (low, middle)
    return low


@st.composite
def rebalancings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 8))
    numbers = st.floats(0.0, 1.0, allow_subnormal=False)

    def shares() -> np.ndarray:
        drawn = np.array([draw(numbers) for _ in range(n)])
        return drawn / max(drawn.sum(), 1.0)

    rates = np.array([draw(st.sampled_from([0.0, 0.0005, 0.01, 0.3])) for _ in range(n)])
    return shares(), shares(), rates


@given(rebalancings())
@settings(deadline=None)
def test_it_is_the_root_of_its_definition(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    weights, fractions, rates = case
    x = post_cost_fraction(weights, fractions, rates)
    assert x == pytest.approx(by_bisection(weights, fractions, rates), abs=1e-12)
    assert x + float(rates @ np.abs(weights * x - fractions)) == pytest.approx(1.0, abs=1e-14)


@given(rebalancings(), st.randoms())
@settings(deadline=None)
def test_the_order_of_assets_does_not_matter(case: tuple[np.ndarray, ...], random: object) -> None:
    order = np.random.default_rng(0).permutation(len(case[0]))
    turned = post_cost_fraction(*(part[order] for part in case))
    assert turned == pytest.approx(post_cost_fraction(*case), abs=1e-14)


def test_nothing_traded_costs_nothing() -> None:
    weights = np.array([0.25, 0.75])
    assert post_cost_fraction(weights, weights, np.array([0.01, 0.01])) == 1.0


def test_a_first_purchase_pays_for_itself() -> None:
    """All in one asset at 1 %: x + 0.01 x = 1."""
    assert post_cost_fraction(np.ones(1), np.zeros(1), np.array([0.01])) == pytest.approx(1.0 / 1.01, abs=1e-16)


def test_costs_beyond_the_wealth_are_refused() -> None:
    with pytest.raises(WealthExhausted):
        post_cost_fraction(np.array([9.0, -8.0]), np.array([-8.0, 9.0]), np.array([0.2, 0.2]))
