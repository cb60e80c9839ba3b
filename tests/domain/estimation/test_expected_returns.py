"""Shrunk and implied means, by their formulas written another way."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.expected_returns import BayesStein, Implied, JamesStein, Sample, ShrinkageTarget

RNG = np.random.default_rng(6)
RETURNS = RNG.normal([0.001, 0.002, 0.0, 0.0005], 0.01, (80, 4))
SAMPLE = Sample(tuple("ABCD"), RETURNS, np.cov(RETURNS.T))
MEAN = RETURNS.mean(axis=0)
INVERSE = np.linalg.inv(SAMPLE.covariance)
TARGETS = {
    ShrinkageTarget.GRAND_MEAN: MEAN.mean(),
    ShrinkageTarget.VOLATILITY_WEIGHTED: np.average(MEAN, weights=1 / RETURNS.std(axis=0)),
    ShrinkageTarget.MINIMUM_VARIANCE: (INVERSE @ MEAN).sum() / INVERSE.sum(),
}


@pytest.mark.parametrize("target", list(ShrinkageTarget))
def test_james_stein(target: ShrinkageTarget) -> None:
    away = MEAN - TARGETS[target]
    share = (np.trace(SAMPLE.covariance) - 2 * np.linalg.norm(SAMPLE.covariance, 2)) / (80 * away @ away)
    found = JamesStein(target).estimate(SAMPLE)
    assert found == pytest.approx(MEAN - min(share, 1.0) * away, rel=1e-9)


@pytest.mark.parametrize("target", list(ShrinkageTarget))
def test_bayes_stein(target: ShrinkageTarget) -> None:
    away = MEAN - TARGETS[target]
    share = 6 / (6 + 80 * away @ INVERSE @ away)
    assert BayesStein(target).estimate(SAMPLE) == pytest.approx(MEAN - share * away, rel=1e-9)


def test_equal_means_stay() -> None:
    same = Sample(tuple("AB"), np.array([[0.01, 0.01], [0.0, 0.0], [0.02, 0.02]]), np.eye(2))
    assert JamesStein().estimate(same) == pytest.approx([0.01, 0.01])


def test_implied_returns_make_the_market_optimal() -> None:
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    found = Implied(dict(zip("ABCD", weights, strict=True)), 3.0).estimate(SAMPLE)
    assert np.linalg.solve(3.0 * SAMPLE.covariance, found) == pytest.approx(weights)


def test_what_cannot_be_estimated_is_refused() -> None:
    few = Sample(tuple("ABCD"), RETURNS[:3], np.cov(RETURNS[:3].T))
    with pytest.raises(InvalidInput, match="invertible"):
        BayesStein().estimate(few)
    with pytest.raises(InvalidInput) as raised:
        Implied({"A": 0.5, "Z": 0.5}, 2.0).estimate(SAMPLE)
    assert raised.value.field == "market_weights[1].symbol"
