"""Conditional expectation against a regression, and correlations that stay correlations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel
from domain.risk.factors import principal_components, regressed
from domain.risk.shocks import conditional_shock, factor_shock, stressed_covariance

GENERATOR = np.random.default_rng(2)
VALUES = GENERATOR.standard_normal((300, 4)) @ np.triu(np.ones((4, 4))) * 0.01
COVARIANCE = np.cov(VALUES.T)


def test_the_others_follow_their_regression_on_what_is_shocked() -> None:
    shocked = np.array([True, False, True, False])
    shocks = np.array([-0.1, np.nan, 0.05, np.nan])
    moved = conditional_shock(COVARIANCE, shocked, shocks)
    centred = VALUES - VALUES.mean(axis=0)
    slopes = np.linalg.lstsq(centred[:, shocked], centred[:, ~shocked], rcond=None)[0]
    assert moved[shocked].tolist() == [-0.1, 0.05]
    assert moved[~shocked] == pytest.approx(shocks[shocked] @ slopes, rel=1e-9)


def test_an_asset_without_variance_moves_nothing_but_itself() -> None:
    covariance = np.zeros((2, 2))
    covariance[1, 1] = 0.04
    assert conditional_shock(covariance, np.array([True, False]), np.array([-0.5, 0.0])).tolist() == [-0.5, 0.0]


def test_factors_that_are_not_shocked_follow() -> None:
    panel = ReturnPanel.of("ABCD", range(300), VALUES)
    factors = ReturnPanel.of(("one", "two"), range(300), VALUES[:, :2] * 0.5)
    decomposition = regressed(panel, factors)
    moved = factor_shock(decomposition, np.array([True, False]), np.array([-0.1, 0.0]))
    second = -0.1 * np.cov(factors.values.T)[0, 1] / np.var(factors.values[:, 0], ddof=1)
    assert moved == pytest.approx(decomposition.exposures @ [-0.1, second], rel=1e-9)


@given(st.integers(0, 1000), st.floats(-0.33, 1.0), st.floats(0.0, 1.0), st.floats(0.1, 5.0))
def test_stressed_correlations_stay_semidefinite(seed: int, towards: float, fraction: float, factor: float) -> None:
    noise = np.random.default_rng(seed).standard_normal((6, 4))
    covariance = noise.T @ noise
    stressed = stressed_covariance(covariance, towards, fraction, factor)
    assert np.linalg.eigvalsh(stressed)[0] >= -1e-9 * np.trace(stressed)
    assert np.diag(stressed) == pytest.approx(factor**2 * np.diag(covariance))


@pytest.mark.parametrize("towards", [-0.5, 1.5])
def test_correlations_that_four_assets_cannot_have(towards: float) -> None:
    with pytest.raises(InvalidInput, match=r"between -0\.333333 and 1"):
        stressed_covariance(COVARIANCE, towards, 1.0, 1.0)


def test_components_explain_everything_together() -> None:
    found = principal_components(ReturnPanel.of("ABCD", range(300), VALUES), 4)
    assert found.r_squared == pytest.approx(np.ones(4))
    assert found.covariance == pytest.approx(COVARIANCE, rel=1e-8)
    assert (found.exposures.sum(axis=0) >= 0.0).all()


@pytest.mark.parametrize(
    ("factors", "rule"),
    [
        (ReturnPanel.of("F", range(200), VALUES[:200, :1]), "every date"),
        (ReturnPanel.of("FG", range(300), np.repeat(VALUES[:, :1], 2, axis=1) * [1.0, 2.0]), "combination"),
        (ReturnPanel.of("F", range(300), np.full((300, 1), 0.01)), "vary"),
    ],
)
def test_factors_are_checked(factors: ReturnPanel, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        regressed(ReturnPanel.of("ABCD", range(300), VALUES), factors)
