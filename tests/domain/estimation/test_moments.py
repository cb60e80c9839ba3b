"""Estimators against numpy and pandas-style definitions worked out one observation at a time."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.covariance import EwmaCovariance, SampleCovariance
from domain.estimation.expected_returns import EwmaMean, SampleMean
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.estimation.weights import exponential_weights, half_life_of
from domain.market_data.panel import ReturnPanel, Scenarios

RETURNS = np.random.default_rng(3).normal(0.001, 0.02, (50, 4))
PANEL = ReturnPanel.of("ABCD", range(50), RETURNS)


def test_sample_moments_are_those_of_numpy() -> None:
    moments = estimate_moments(PANEL, Estimation(), 252)
    assert moments.expected_returns == pytest.approx(RETURNS.mean(axis=0), rel=1e-14)
    assert moments.covariance == pytest.approx(np.cov(RETURNS.T), rel=1e-12)


def test_exponential_weights_halve_at_the_half_life() -> None:
    weights = exponential_weights(30, 5.0)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[-6] == pytest.approx(weights[-1] / 2)
    assert half_life_of(0.94) == pytest.approx(11.2, abs=0.01)  # RiskMetrics' daily decay


def test_ewma_moments_are_weighted_sums() -> None:
    moments = estimate_moments(PANEL, Estimation(EwmaMean(7.0), EwmaCovariance(7.0)), 252)
    weights = [0.5 ** (age / 7.0) for age in range(49, -1, -1)]
    weights = [weight / sum(weights) for weight in weights]
    mean = sum(weight * row for weight, row in zip(weights, RETURNS, strict=True))
    spread = sum(w * np.outer(row - mean, row - mean) for w, row in zip(weights, RETURNS, strict=True))
    assert moments.expected_returns == pytest.approx(mean, rel=1e-12)
    assert moments.covariance == pytest.approx(spread, rel=1e-12)


def test_scenarios_are_weighted_by_their_probabilities() -> None:
    moments = scenario_moments(Scenarios.of(("A",), [[0.1], [-0.2]], [0.75, 0.25]), 1)
    assert moments.expected_returns[0] == pytest.approx(0.025)
    assert moments.covariance[0, 0] == pytest.approx(0.75 * 0.075**2 + 0.25 * 0.225**2)


def test_one_return_has_no_covariance() -> None:
    with pytest.raises(InvalidInput, match="at least two returns"):
        estimate_moments(ReturnPanel.of(("A",), [1], [0.1]), Estimation(SampleMean(), SampleCovariance()), 252)


@pytest.mark.parametrize("half_life", [0.0, -1.0, np.nan, np.inf])
def test_a_half_life_is_a_positive_number(half_life: float) -> None:
    with pytest.raises(InvalidInput, match="half_life"):
        EwmaCovariance(half_life)
