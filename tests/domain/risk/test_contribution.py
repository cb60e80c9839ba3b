"""Against a published example, a property, and the case that has no fractions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.market_data.moments import Moments
from domain.risk.contribution import volatility_contributions


def moments_of(volatilities: list[float], correlation: list[list[float]], periods: float = 1) -> Moments:
    covariance = np.outer(volatilities, volatilities) * np.array(correlation)
    symbols = [f"S{i}" for i in range(len(volatilities))]
    return Moments.of(symbols, np.zeros(len(symbols)), covariance, periods)


def test_equal_risk_contributions_of_maillard_roncalli_teiletche() -> None:
    """Maillard, Roncalli & Teiletche 2010, second numerical example: each asset carries a quarter."""
    moments = moments_of([0.1, 0.2, 0.3, 0.4], [[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]])
    fractions = volatility_contributions(moments, np.array([0.384, 0.192, 0.243, 0.182])).fractions
    assert fractions == pytest.approx(np.full(4, 0.25), abs=1e-3)  # the paper prints three decimals


@given(st.integers(0, 10_000), st.integers(1, 8), st.sampled_from([1.0, 12.0, 252.0]))
def test_contributions_sum_to_the_volatility(seed: int, size: int, periods: float) -> None:
    generator = np.random.default_rng(seed)
    factor = generator.normal(0, 0.02, (size, size + 2))
    moments = Moments.of([f"S{i}" for i in range(size)], np.zeros(size), factor @ factor.T, periods)
    weights = generator.normal(0, 1, size)
    result = volatility_contributions(moments, weights)
    expected = float(np.linalg.norm(factor.T @ weights)) * periods**0.5
    assert result.total == pytest.approx(expected, rel=1e-9)
    assert result.by_asset.sum() == pytest.approx(expected, rel=1e-9)
    assert result.fractions is not None
    assert result.fractions.sum() == pytest.approx(1.0, rel=1e-9)


def test_a_riskless_portfolio_has_contributions_but_no_fractions() -> None:
    result = volatility_contributions(moments_of([0.0, 0.2], [[1, 0], [0, 1]]), np.array([1.0, 0.0]))
    assert (result.by_asset.tolist(), result.total, result.fractions) == ([0.0, 0.0], 0.0, None)
