"""Worst cases through Riskfolio-Lib, whose sets are ours only if every number is on the right scale."""

from dataclasses import replace

import numpy as np
import pytest

from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Leverage, WeightBounds
from domain.optimization.request.objectives import MaxReturn, MaxUtility, MinRisk, Uncertainty, WorstCase
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.verification import value_of_weights
from domain.optimization.solution import Engine
from domain.optimization.solve import solve

RNG = np.random.default_rng(3)
NAMES = tuple("ABCDE")
RETURNS = RNG.standard_t(5, (110, 5)) * 0.01 + np.array([0.001, 0.0012, 0.0008, 0.002, 0.0015])
PANEL = ReturnPanel.of(NAMES, np.arange(110), RETURNS)
PROBLEM = Problem(
    estimate_moments(PANEL, Estimation(), 252.0),
    MinRisk(),
    scenarios=Scenarios.from_returns(PANEL),
    options=SolverOptions(engine=EnginePreference.RISKFOLIO),
)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("means", [Uncertainty.BOX, Uncertainty.ELLIPSOID])
@pytest.mark.parametrize("covariance", [Uncertainty.NONE, Uncertainty.BOX])
def test_the_same_on_every_scale(scale: float, means: Uncertainty, covariance: Uncertainty) -> None:
    moments = PROBLEM.moments
    scaled = replace(
        moments, expected_returns=moments.expected_returns * scale, covariance=moments.covariance * scale**2
    )
    scenarios = Scenarios.from_returns(ReturnPanel.of(NAMES, np.arange(110), (RETURNS * scale).clip(-0.99)))
    goal = WorstCase(MaxUtility(20.0 / scale), means, covariance, confidence_level=0.2)
    problem = replace(PROBLEM, moments=scaled, scenarios=scenarios, objective=goal)
    ours = solve(replace(problem, options=SolverOptions(engine=EnginePreference.FAST)))
    theirs = solve(problem)
    assert theirs.certificate.engine is Engine.RISKFOLIO
    assert (ours.weights > 0.01).sum() > 1
    assert theirs.weights == pytest.approx(ours.weights, abs=1e-4)


def test_doubt_about_shorts_costs_as_much() -> None:
    """An interval of means takes from a short position what it takes from a long one."""
    shorts = (Leverage("leverage", max_short=0.3), WeightBounds("bounds", -0.3, 0.7))
    problem = replace(
        PROBLEM, objective=WorstCase(MaxReturn(), Uncertainty.BOX, confidence_level=0.02), constraints=shorts
    )
    ours = solve(replace(problem, options=SolverOptions(engine=EnginePreference.FAST)))
    theirs = solve(problem)
    assert ours.weights.min() < -0.1
    assert value_of_weights(problem, theirs.weights) == pytest.approx(value_of_weights(problem, ours.weights), rel=1e-6)
    reach = 0.0250689 / 110**0.5  # the normal quantile of 0.51
    worst = PROBLEM.moments.expected_returns @ ours.weights - reach * PROBLEM.moments.volatilities @ abs(ours.weights)
    assert value_of_weights(problem, ours.weights) == pytest.approx(-252 * worst, rel=1e-6)
