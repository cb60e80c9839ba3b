"""Meucci 2008, "Fully flexible views": the reweighting by its definition, by another solver, and for a normal prior."""

import numpy as np
import pytest
from scipy.optimize import minimize

from domain.errors import InvalidInput, NotSupported
from domain.estimation.entropy_pooling import entropy_pooled
from domain.estimation.moments import Estimation, Views
from domain.estimation.views import View
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel
from domain.optimization.problem.market_model import market_model_of
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification
from domain.risk.measures import RiskMeasure

RNG = np.random.default_rng(6)
RETURNS = RNG.multivariate_normal([0.001, 0.002], [[1e-4, 3e-5], [3e-5, 2e-4]], 60)
EVEN = np.full(60, 1 / 60)


def test_it_is_the_closest_reweighting() -> None:
    q = entropy_pooled(RETURNS, np.array([0.003, 0.0]), EVEN)
    assert q.sum() == pytest.approx(1.0)
    assert q.min() > 0.0
    assert q @ RETURNS == pytest.approx([0.003, 0.0], abs=1e-11)
    other = minimize(
        lambda x: float(x @ np.log(np.maximum(x, 1e-300) * 60)),
        EVEN,
        jac=lambda x: np.log(np.maximum(x, 1e-300) * 60) + 1.0,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 60,
        constraints=[
            {"type": "eq", "fun": lambda x: x.sum() - 1.0, "jac": lambda _: np.ones(60)},
            {"type": "eq", "fun": lambda x: 100 * (x @ RETURNS - [0.003, 0.0]), "jac": lambda _: 100 * RETURNS.T},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert q == pytest.approx(other.x, abs=1e-6)


def test_of_a_normal_prior_it_moves_the_mean_and_keeps_the_rest() -> None:
    """Meucci 2008, equations 20 and 21: a view on the first mean moves the second by its regression on it."""
    generator = np.random.default_rng(1)
    drawn = generator.multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], 200_000)
    q = entropy_pooled(drawn[:, :1], np.array([0.5]), np.full(len(drawn), 1 / len(drawn)))
    assert q @ drawn == pytest.approx([0.5, 0.3], abs=0.02)
    centred = drawn - q @ drawn
    assert centred.T @ (centred * q[:, None]) == pytest.approx(np.array([[1.0, 0.6], [0.6, 1.0]]), abs=0.03)


def test_a_view_beyond_all_that_was_observed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="outside the observed returns"):
        entropy_pooled(RETURNS, np.array([0.9, 0.0]), EVEN)


def test_the_distribution_is_what_is_pooled() -> None:
    """Moments and tails are those of the reweighted returns."""
    panel = ReturnPanel.of(("A", "B"), np.arange(60), RETURNS)
    views = Views((View({"A": 1.0, "B": -1.0}, 0.252),), pooled=True)
    wanted = Specification(
        MinRisk(),
        RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
        estimation=Estimation(views=views),
        periods_per_year=252.0,
    )
    market_model = market_model_of(wanted, panel)
    assert market_model.scenarios is not None
    q = market_model.scenarios.probabilities
    assert market_model.moments.expected_returns == pytest.approx(q @ RETURNS)
    assert q @ (RETURNS[:, 0] - RETURNS[:, 1]) == pytest.approx(0.001, abs=1e-11)
    with pytest.raises(NotSupported, match="reweights"):
        market_model_of(wanted, Moments.of("AB", [0.0, 0.0], [1.0, 0.0, 0.0, 1.0], 252.0))
    sure = Views((View({"A": 1.0}, 0.2, confidence=0.5),), pooled=True)
    with pytest.raises(InvalidInput, match="must have no confidence"):
        market_model_of(Specification(MinRisk(), estimation=Estimation(views=sure), periods_per_year=252.0), panel)
