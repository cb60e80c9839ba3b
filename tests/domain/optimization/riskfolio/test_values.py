"""The value of an objective at given weights, by its definition: what answers of two engines are compared by."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import (
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    RelaxedRiskBudget,
    RiskBudget,
    Uncertainty,
    WorstCase,
)
from domain.optimization.riskfolio.verification import value_of_weights
from tests.domain.optimization.riskfolio.test_worst_case import PANEL, PROBLEM, RETURNS

WEIGHTS = np.array([0.3, 0.1, 0.2, 0.15, 0.25])
MEANS, COVARIANCE = RETURNS.mean(axis=0), np.cov(RETURNS.T)
ANNUAL, AVERSION, FREE_RATE, CONFIDENCE = 252.0, 20.0, 0.03, 0.2


def worst_return() -> float:
    """A year's return with every mean so many standard errors lower."""
    reach = NormalDist().inv_cdf(0.5 + 0.5 * CONFIDENCE) / len(RETURNS) ** 0.5
    return ANNUAL * float((MEANS - reach * np.sqrt(np.diag(COVARIANCE))) @ WEIGHTS)


VARIANCE = float(WEIGHTS @ COVARIANCE @ WEIGHTS)
WORST = worst_return()


@pytest.mark.parametrize(
    ("goal", "value"),
    [
        (MinRisk(), VARIANCE),
        (MaxReturn(), -WORST),
        (MaxUtility(AVERSION), 0.5 * AVERSION * ANNUAL * VARIANCE - WORST),
        (MaxRatio(FREE_RATE), (FREE_RATE - WORST) / math.sqrt(ANNUAL * VARIANCE)),
    ],
)
def test_the_worst_case(goal: MinRisk | MaxReturn | MaxUtility | MaxRatio, value: float) -> None:
    objective = WorstCase(goal, Uncertainty.BOX, Uncertainty.NONE, CONFIDENCE)
    assert value_of_weights(replace(PROBLEM, objective=objective), WEIGHTS) == pytest.approx(value, rel=1e-9)


def test_a_ratio_without_risk_is_the_worst() -> None:
    flat = ReturnPanel.of(PANEL.symbols, PANEL.dates, np.full_like(RETURNS, 0.001))
    moments = replace(PROBLEM.moments, covariance=np.zeros_like(COVARIANCE))
    problem: Problem = replace(PROBLEM, moments=moments, scenarios=Scenarios.from_returns(flat))
    objective = WorstCase(MaxRatio(0.0), Uncertainty.NONE, Uncertainty.NONE, CONFIDENCE)
    assert value_of_weights(replace(problem, objective=objective), WEIGHTS) == math.inf


@pytest.mark.parametrize("penalty", [0.0, 2.0])
def test_a_relaxed_budget(penalty: float) -> None:
    """psi - gamma of Gambeta & Kwon 2020: psi^2 = x'Sx + penalty x'diag(S)x, gamma^2 = min x_i (Sx)_i / b_i."""
    budgets = np.array([0.4, 0.1, 0.1, 0.2, 0.2])
    psi = math.sqrt(VARIANCE + penalty * float(np.diag(COVARIANCE) @ WEIGHTS**2))
    gamma = math.sqrt(min(WEIGHTS * (COVARIANCE @ WEIGHTS) / budgets))
    problem = replace(PROBLEM, objective=RelaxedRiskBudget(budgets, penalty))
    assert value_of_weights(problem, WEIGHTS) == pytest.approx(psi - gamma, rel=1e-9)


def test_a_budget() -> None:
    """ln risk(w) - sum b ln w, which a weight of none puts at infinity."""
    budgets = np.array([0.4, 0.1, 0.1, 0.2, 0.2])
    problem = replace(PROBLEM, objective=RiskBudget(budgets))
    value = 0.5 * math.log(VARIANCE) - float(budgets @ np.log(WEIGHTS))
    assert value_of_weights(problem, WEIGHTS) == pytest.approx(value, rel=1e-9)
    assert value_of_weights(problem, np.array([0.0, 0.25, 0.25, 0.25, 0.25])) == math.inf
