"""Moments from returns with gaps: what must hold of the likelihood, and what cannot be estimated."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from domain.errors import InvalidInput
from domain.estimation.gaps import GappedMoments, maximum_likelihood, pairwise
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel
from domain.risk.model import RiskModel
from domain.risk.prepared import prepared
from tests.families import generated

GENERATOR = np.random.default_rng(6)
VALUES = GENERATOR.standard_normal((80, 3)) @ np.array([[1, 0.5, 0.2], [0, 1, 0.4], [0, 0, 1]]) * 0.01 + 0.001
HOLES = np.where(GENERATOR.random(VALUES.shape) < 0.25, np.nan, VALUES)


def likelihood(means: np.ndarray, covariance: np.ndarray) -> float:
    """Of what is known of each date, one date after the other."""
    total = 0.0
    for row in HOLES:
        seen = ~np.isnan(row)
        if seen.any():
            total += stats.multivariate_normal.logpdf(row[seen], means[seen], covariance[np.ix_(seen, seen)])
    return total


def test_no_other_moments_are_more_likely() -> None:
    found = maximum_likelihood(HOLES)
    rows = int((~np.isnan(HOLES)).any(axis=1).sum())
    covariance = found.covariance * (rows - 1) / rows
    best = likelihood(found.means, covariance)
    root = np.linalg.cholesky(covariance)
    scale = np.sqrt(np.diag(covariance))

    def loss(at: np.ndarray) -> float:
        lower = np.zeros((3, 3))
        lower[np.tril_indices(3)] = at[3:]
        factor = scale[:, None] * lower
        return -likelihood(scale * at[:3], factor @ factor.T)

    start = np.concatenate([found.means / scale, (root / scale[:, None])[np.tril_indices(3)]])
    searched = optimize.minimize(loss, start + 0.01, method="BFGS")
    assert best >= -searched.fun - 1e-6


def test_without_gaps_both_are_the_sample() -> None:
    for estimate in (maximum_likelihood, pairwise):
        found = estimate(VALUES)
        assert found.means == pytest.approx(VALUES.mean(axis=0), rel=1e-10)
        assert found.covariance == pytest.approx(np.cov(VALUES.T), rel=1e-8)


def test_pairs_against_their_own_dates() -> None:
    found = pairwise(HOLES)
    for i in range(3):
        for j in range(3):
            both = ~np.isnan(HOLES[:, i]) & ~np.isnan(HOLES[:, j])
            assert found.covariance[i, j] == pytest.approx(np.cov(HOLES[both, i], HOLES[both, j])[0, 1], rel=1e-10)


def test_scale_does_not_matter() -> None:
    found, tiny = maximum_likelihood(HOLES), maximum_likelihood(HOLES * [1.0, 1e-6, 1e3])
    scale = np.array([1.0, 1e-6, 1e3])
    assert tiny.covariance == pytest.approx(found.covariance * np.outer(scale, scale), rel=1e-6)


def test_assets_that_never_meet_have_no_pair() -> None:
    apart = np.full((8, 2), np.nan)
    apart[:4, 0], apart[4:, 1] = 0.01 * np.arange(4), 0.02 * np.arange(4)
    with pytest.raises(InvalidInput, match="in common"):
        pairwise(apart)
    assert np.isfinite(maximum_likelihood(apart).covariance).all()


@pytest.mark.parametrize("estimate", [maximum_likelihood, pairwise])
def test_returns_that_leave_no_moments_are_refused(estimate: Callable[[np.ndarray], object]) -> None:
    with pytest.raises(InvalidInput, match="1e\\+60"):
        estimate(np.array([[1e200, 0.0], [np.nan, 1.0], [-1e200, 2.0], [1.0, 3.0]]))


def test_a_likelihood_without_a_maximum_is_refused() -> None:
    """Thirty dates of twenty assets, a fifth missing: the gaps can be filled so that some portfolio has no risk."""
    generator = np.random.default_rng(1)
    gaps = generator.standard_normal((30, 20)) * 0.01
    gaps[generator.random(gaps.shape) < 0.2] = np.nan
    with pytest.raises(InvalidInput, match="too few for the moments"):
        maximum_likelihood(gaps)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 1e-3, -0.02, 1 / 3]), st.integers(0, 3), st.floats(0.0, 0.5))
@generated(12)
@pytest.mark.parametrize("estimate", [maximum_likelihood, pairwise])
def test_a_constant_asset_has_no_variance_and_changes_nothing_else(
    estimate: Callable[[np.ndarray], GappedMoments], seed: int, level: float, place: int, missing: float
) -> None:
    """With gaps of its own, wherever it stands: the others have the moments they have without it."""
    generator = np.random.default_rng(seed)
    others = np.where(generator.random((60, 3)) < 0.2, np.nan, VALUES[:60])
    # Equal but for rounding, as returns of prices are that grow by the same rate.
    constant = np.where(generator.random(60) < missing, np.nan, (1.0 + level) * (1 + 1e-16 * (np.arange(60) % 9)) - 1.0)
    constant[:2] = level
    found = estimate(np.insert(others, place, constant, axis=1))
    alone = estimate(others)
    rest = np.arange(4) != place
    assert np.array_equal(found.covariance[place], np.zeros(4))
    assert np.array_equal(found.covariance[:, place], np.zeros(4))
    assert found.means[place] == pytest.approx(level, abs=1e-14)
    assert found.covariance[np.ix_(rest, rest)] == pytest.approx(alone.covariance, rel=1e-9, abs=1e-14)
    assert found.means[rest] == pytest.approx(alone.means, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("policy", [MissingDataPolicy.MAXIMUM_LIKELIHOOD, MissingDataPolicy.PAIRWISE])
def test_a_constant_asset_is_listed(policy: MissingDataPolicy) -> None:
    """Its correlation is absent."""
    values = np.insert(HOLES, 1, 0.001, axis=1)
    values[4, 1] = np.nan
    panel = ReturnPanel.of("ACBD", range(80), values)
    ready = prepared(panel, policy, 12.0)
    assert ready.moments is not None
    model = RiskModel.of(ready.moments, 12.0)
    assert model.constant.tolist() == [False, True, False, False]
    assert np.isnan(model.correlation[1]).all()


def test_only_constant_assets_have_no_risk_at_all() -> None:
    values = np.array([[0.01, np.nan], [0.01, 0.02], [np.nan, 0.02], [0.01, 0.02]])
    for estimate in (maximum_likelihood, pairwise):
        assert estimate(values).covariance.tolist() == [[0.0, 0.0], [0.0, 0.0]]
        assert estimate(values).means == pytest.approx([0.01, 0.02])


def test_a_repair_leaves_what_does_not_vary_alone() -> None:
    indefinite = np.array([[1, 0.9, 0, -0.9], [0.9, 1, 0, 0.9], [0, 0, 0, 0], [-0.9, 0.9, 0, 1.0]])
    repaired = Moments.of("ABCD", np.zeros(4), indefinite, 1.0, repair_covariance=True)
    assert repaired.repair is not None
    assert not repaired.covariance[2].any()
    assert np.linalg.eigvalsh(repaired.covariance)[0] >= -1e-12
