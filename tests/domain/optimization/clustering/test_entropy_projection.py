"""Nearest weights within bounds: against the entropy program solved by another solver, and by their properties."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from domain.optimization.clustering.entropy_projection import project_by_entropy

SIZES = st.integers(1, 8)
SEEDS = st.integers(0, 10_000)


def drawn(rng: np.random.Generator, size: int, *, zeros: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of sum 1, and bounds within which some weights of sum 1 lie."""
    weights = rng.dirichlet(np.full(size, 0.3))
    if zeros:
        weights = np.where(rng.random(size) < 0.4, 0.0, weights)
    inside = rng.dirichlet(np.ones(size))
    lower = inside - rng.random(size) * rng.choice([0.0, 0.1, 0.5], size)
    upper = inside + rng.random(size) * rng.choice([0.0, 0.1, 0.5, np.inf], size)
    return weights, lower, upper


@given(SIZES, SEEDS, st.booleans())
def test_bounds_that_can_be_kept_are_kept(size: int, seed: int, zeros: bool) -> None:
    weights, lower, upper = drawn(np.random.default_rng(seed), size, zeros=zeros)
    found = project_by_entropy(weights, lower, upper, 1.0)
    assert (found >= lower).all()
    assert (found <= upper).all()
    assert abs(found.sum() - 1.0) <= 1e-12


@given(SIZES, SEEDS)
def test_it_has_the_least_relative_entropy(size: int, seed: int) -> None:
    """Given positive weights and bounds of 0 or more, SLSQP finds nothing nearer."""
    weights, lower, upper = drawn(np.random.default_rng(seed), size, zeros=False)
    weights, lower = np.maximum(weights, 1e-6), np.maximum(lower, 0.0)
    found = project_by_entropy(weights, lower, upper, 1.0)

    def entropy(w: np.ndarray) -> float:
        return float(np.sum(np.where(w > 0.0, w * np.log(np.maximum(w, 1e-300) / weights), 0.0)))

    def slope(w: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(w, 1e-12) / weights) + 1.0

    budget = {"type": "eq", "fun": lambda w: w.sum() - 1.0}
    bounds = list(zip(lower, upper, strict=True))
    other = minimize(entropy, found, jac=slope, bounds=bounds, constraints=[budget], method="SLSQP")
    if other.success and abs(other.x.sum() - 1.0) < 1e-9:
        assert entropy(found) <= entropy(np.clip(other.x, lower, upper)) + 1e-6


@given(SEEDS)
def test_equal_assets_stay_equal_whatever_their_places(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, lower, upper = drawn(rng, 5, zeros=True)
    order = rng.permutation(5)
    found = project_by_entropy(weights, lower, upper, 1.0)
    moved = project_by_entropy(weights[order], lower[order], upper[order], 1.0)
    np.testing.assert_allclose(moved, found[order], atol=1e-12)


def test_a_floor_and_a_cap_that_bind_at_once() -> None:
    """One asset has nearly everything: capped at 0.4 it leaves 0.6 for two that are alike."""
    found = project_by_entropy(np.array([0.998, 0.001, 0.001]), np.full(3, 0.03), np.full(3, 0.4), 1.0)
    np.testing.assert_allclose(found, [0.4, 0.3, 0.3], atol=1e-15)


def test_assets_without_weight_get_none_while_the_others_can_take_it() -> None:
    lower, upper = np.zeros(3), np.array([0.5, 0.6, 0.5])
    np.testing.assert_allclose(project_by_entropy(np.array([0.9, 0.1, 0.0]), lower, upper, 1.0), [0.5, 0.5, 0.0])


def test_assets_without_weight_share_what_the_others_cannot_take() -> None:
    lower, upper = np.zeros(4), np.array([0.5, 0.1, 0.5, 0.5])
    found = project_by_entropy(np.array([0.9, 0.1, 0.0, 0.0]), lower, upper, 1.0)
    np.testing.assert_allclose(found, [0.5, 0.1, 0.2, 0.2])
