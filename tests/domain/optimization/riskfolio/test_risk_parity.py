"""Risk budgets through Riskfolio-Lib, by the shares of risk that they are about."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import NotSupported, SolverFailed
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Leverage, WeightBounds
from domain.optimization.request.objectives import RelaxedRiskBudget, RiskBudget
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.verification import gap_of, value_of_weights
from domain.optimization.solution import Candidate, Engine, Solution
from domain.optimization.solve import solve
from domain.optimization.verify import verify
from domain.risk.measures import RiskMeasure

RNG = np.random.default_rng(12)
NAMES = tuple("ABCDE")
RETURNS = RNG.standard_t(5, (100, 1)) * 0.006 + RNG.standard_t(5, (100, 5)) * 0.01 * np.array([0.5, 1, 1, 1.5, 2])
MOMENTS = Moments.of(NAMES, RETURNS.mean(axis=0), np.cov(RETURNS.T), 252.0)
BUDGETS = np.array([5.0, 1.0, 1.0, 2.0, 1.0])
ASKED = SolverOptions(engine=EnginePreference.RISKFOLIO)
PROBLEM = Problem(MOMENTS, RiskBudget(BUDGETS), options=ASKED)


def ours(problem: Problem) -> Solution:
    return solve(replace(problem, options=SolverOptions(engine=EnginePreference.FAST)))


def shares(weights: np.ndarray) -> np.ndarray:
    carried = weights * (MOMENTS.covariance @ weights)
    return np.asarray(carried / carried.sum())


@pytest.mark.parametrize("budget", [0.4, 1.0, 1.6])
def test_shares_of_risk_are_the_budgets(budget: float) -> None:
    """Whatever the weights sum to: it knows no budget here."""
    problem = replace(PROBLEM, constraints=(Leverage("leverage", max_gross=2.0, budget=budget),))
    if budget != 1.0:
        problem = replace(PROBLEM, constraints=(Leverage("leverage", budget=budget),))
    weights = solve(problem).weights
    assert weights.sum() == pytest.approx(budget, abs=1e-8)
    assert shares(weights) == pytest.approx(BUDGETS / BUDGETS.sum(), abs=1e-4)


def test_moments_are_enough_for_the_volatility() -> None:
    assert solve(PROBLEM).certificate.engine is Engine.RISKFOLIO


def test_the_gap_is_that_of_the_convex_program() -> None:
    """ln risk - sum b ln w has its minimum where the shares are the budgets; equal weights are far from it."""
    proven = ours(PROBLEM).weights
    for seed in range(20):
        other = np.random.default_rng(seed).dirichlet(np.ones(5))
        assert value_of_weights(PROBLEM, other) > value_of_weights(PROBLEM, proven)
        assert value_of_weights(PROBLEM, 3.0 * other) == pytest.approx(value_of_weights(PROBLEM, other), rel=1e-9)
    even = np.full(5, 0.2)
    gap = gap_of(PROBLEM, even, proven)
    assert gap is not None
    assert gap > 0.01
    with pytest.raises(SolverFailed, match="away from a proven bound"):
        verify(PROBLEM, Candidate(even, Engine.RISKFOLIO, "riskfolio-lib", relative_gap=gap))
    assert gap_of(PROBLEM, np.array([1.0, 0.0, 0.0, 0.0, 0.0]), proven) == np.inf


def test_budgets_within_limits_are_another_question() -> None:
    """Its limits share in the budgets, ours do not: who binds is refused, who does not changes nothing."""
    free = solve(PROBLEM).weights
    wide = replace(PROBLEM, constraints=(WeightBounds("wide", 0.0, 0.9),))
    assert solve(wide).weights == pytest.approx(free, abs=1e-12)
    tight = replace(PROBLEM, constraints=(WeightBounds("tight", 0.0, float(free.max()) - 0.05),))
    assert ours(tight).certificate.engine is Engine.FAST
    with pytest.raises(NotSupported, match=r"here tight; use AUTO"):
        solve(tight)


@pytest.mark.parametrize("penalty", [0.0, 0.7])
@pytest.mark.parametrize("budget", [0.5, 1.0])
def test_relaxed_budgets_within_limits(penalty: float, budget: float) -> None:
    constraints = (Leverage("leverage", budget=budget), WeightBounds("caps", 0.0, 0.3 * budget))
    problem = replace(PROBLEM, objective=RelaxedRiskBudget(BUDGETS, penalty), constraints=constraints)
    theirs, direct = solve(problem), ours(problem)
    assert theirs.certificate.engine is Engine.RISKFOLIO
    assert direct.weights.max() == pytest.approx(0.3 * budget, abs=1e-7)
    assert theirs.weights == pytest.approx(direct.weights, abs=1e-5)


def test_budgets_of_drawdowns() -> None:
    scenarios = Scenarios.from_returns(ReturnPanel.of(NAMES, np.arange(100), RETURNS))
    problem = replace(PROBLEM, risk_measure=RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK, scenarios=scenarios)
    assert solve(problem).weights == pytest.approx(ours(problem).weights, abs=1e-3)
