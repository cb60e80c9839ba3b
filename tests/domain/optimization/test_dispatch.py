"""The table of methods: it covers every objective, names the solvers that certificates name, and is in the docs."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.dispatch import METHODS, SolutionMethod, method_of
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, RiskLimit, Turnover
from domain.optimization.request.objectives import (
    EqualWeight,
    FactorBudget,
    Hierarchical,
    HigherMoments,
    InverseVolatility,
    Kelly,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    OrderedWeightedAverage,
    RelaxedRiskBudget,
    RiskBudget,
    Tracking,
    WorstCase,
)
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

DOCS = Path(__file__).parents[3] / "docs" / "engines.md"
PERIODS, SIZE = 60, 5
VARIANCE, CVAR = RiskMeasure.VARIANCE, RiskMeasure.CONDITIONAL_VALUE_AT_RISK
GINI, SEMI = RiskMeasure.GINI_MEAN_DIFFERENCE, RiskMeasure.SEMI_DEVIATION
LIMIT = RiskLimit("risk", VARIANCE, 1.0)
TRADES = Turnover("turnover", 0.9)

CASES: tuple[tuple[Objective, RiskMeasure, tuple[Constraint, ...]], ...] = (
    (MinRisk(), VARIANCE, ()),
    (MinRisk(), VARIANCE, (TRADES,)),
    (MinRisk(), CVAR, ()),
    (MinRisk(), GINI, ()),
    (MinRisk(), SEMI, ()),
    (MaxReturn(), VARIANCE, ()),
    (MaxReturn(), VARIANCE, (LIMIT,)),
    (MaxUtility(3.0), CVAR, ()),
    (MaxRatio(), GINI, ()),
    (MaxUtility(3.0), VARIANCE, ()),
    (MaxUtility(3.0), VARIANCE, (LIMIT,)),
    (MaxRatio(), VARIANCE, ()),
    (MaxRatio(), SEMI, ()),
    (MaxDiversification(), VARIANCE, ()),
    (MaxDiversification(), VARIANCE, (LIMIT,)),
    (Tracking(np.full(SIZE, 0.2)), VARIANCE, (TRADES,)),
    (Kelly(), VARIANCE, ()),
    (WorstCase(MinRisk()), VARIANCE, ()),
    (RiskBudget(), VARIANCE, ()),
    (RiskBudget(), CVAR, ()),
    (FactorBudget(("market",), np.ones((SIZE, 1)), np.ones(1)), VARIANCE, ()),
    (RelaxedRiskBudget(), VARIANCE, ()),
    (HigherMoments(variance=1.0), VARIANCE, ()),
    (OrderedWeightedAverage(np.arange(PERIODS, 0.0, -1.0) / PERIODS**2), VARIANCE, ()),
    (Hierarchical(), VARIANCE, ()),
    (EqualWeight(), VARIANCE, ()),
    (InverseVolatility(), VARIANCE, ()),
)


def problem_of(objective: Objective, measure: RiskMeasure, constraints: tuple[Constraint, ...]) -> Problem:
    rng = np.random.default_rng(5)
    values = rng.normal(0.001, 0.01, (PERIODS, SIZE)) + rng.normal(0.0, 0.005, (PERIODS, 1))
    symbols = tuple("ABCDE")
    moments = Moments.of(symbols, np.abs(values.mean(axis=0)) + 1e-4, np.cov(values.T), 252)
    dates = np.arange(PERIODS)
    scenarios = Scenarios.from_returns(ReturnPanel(symbols, dates, values))
    current = np.full(SIZE, 1.0 / SIZE)
    return Problem(moments, objective, measure, 0.9, constraints, current, scenarios)


def test_every_objective_has_a_method() -> None:
    assert {kind for method in METHODS for kind in method.objectives} == set(get_args(Objective))


def test_every_row_is_reached() -> None:
    problems = [problem_of(*case) for case in CASES]
    assert {id(method_of(one, feasible_set(one))) for one in problems} == {id(method) for method in METHODS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{type(case[0]).__name__} {case[1]} {len(case[2])}")
def test_the_certificate_names_a_solver_of_the_row(
    case: tuple[Objective, RiskMeasure, tuple[Constraint, ...]],
) -> None:
    problem = problem_of(*case)
    assert solve(problem).certificate.solver in method_of(problem, feasible_set(problem)).solvers


def row_of(method: SolutionMethod) -> str:
    objectives = ", ".join(f"`{kind.__name__}`" for kind in method.objectives)
    return f"| {objectives} | {method.condition} | {method.name} | {method.cost} | {', '.join(method.solvers)} |"


def test_the_docs_have_the_table() -> None:
    table = "\n".join(
        ["| objective | applies to | method | cost | solver in the certificate |", "|---|---|---|---|---|"]
        + [row_of(method) for method in METHODS]
    )
    assert table in DOCS.read_text(), f"docs/engines.md needs this table:\n{table}"
