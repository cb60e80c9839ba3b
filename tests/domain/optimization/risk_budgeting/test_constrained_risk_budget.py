"""Risk budgets within limits, against their definition written down for cvxpy and solved for its own lambda."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from domain.errors import InfeasibleProblem, NotSupported, SolverTimedOut
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    ReturnFloor,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import MinRisk, RiskBudget
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cvxpy as cp

SYMBOLS = tuple("ABCDE")
SIZE = len(SYMBOLS)
RNG = np.random.default_rng(11)
RETURNS = RNG.standard_t(5, (80, 1)) * 0.006 + RNG.standard_t(5, (80, SIZE)) * [0.006, 0.01, 0.012, 0.014, 0.02] + 0.001
SIGMA, MU = np.cov(RETURNS.T), RETURNS.mean(axis=0)
EQUAL = np.full(SIZE, 1 / SIZE)
BUDGETS = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
W = cp.Variable(SIZE)
ROOT = np.linalg.cholesky(SIGMA).T


def problem_of(*constraints: Constraint, measure: RiskMeasure, time_limit: float = 30.0) -> Problem:
    return Problem(
        Moments.of(SYMBOLS, MU, SIGMA, 252.0),
        RiskBudget(BUDGETS),
        measure,
        constraints=constraints,
        current_weights=EQUAL,
        scenarios=Scenarios.of(SYMBOLS, RETURNS),
        options=SolverOptions(time_limit_seconds=time_limit),
    )


def semi_deviation(weights: cp.Variable) -> cp.Expression:
    return cp.norm(cp.neg((RETURNS - MU) @ weights)) / 79**0.5


def deviation(weights: cp.Variable) -> cp.Expression:
    return cp.norm(ROOT @ weights)


def mad(weights: cp.Variable) -> cp.Expression:
    return cp.sum(cp.abs((RETURNS - MU) @ weights)) / 80


RISKS: dict[RiskMeasure, Callable[[cp.Variable], cp.Expression]] = {
    RiskMeasure.VARIANCE: deviation,
    RiskMeasure.SEMI_DEVIATION: semi_deviation,
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION: mad,
}
LIMITS: dict[str, tuple[Constraint, list[cp.Constraint]]] = {
    "caps": (WeightBounds("caps", upper=0.23), [W >= 0, W <= 0.23]),
    "a floor": (WeightBounds("floor", lower=0.15), [W >= 0.15]),
    "a group": (GroupBounds("group", ("A", "B"), upper=0.4), [W >= 0, W[0] + W[1] <= 0.4]),
    "turnover": (Turnover("turnover", 0.1), [W >= 0, cp.norm1(W - EQUAL) <= 0.2]),
    "a return floor": (ReturnFloor("floor", 0.8), [W >= 0, 252 * MU @ W >= 0.8]),
}


def by_definition(risk: cp.Expression, limits: list[cp.Constraint]) -> np.ndarray:
    """risk - lambda sum b ln w within the limits, lambda by Brent's method on the sum of the weights."""
    factor = cp.Parameter(nonneg=True)
    program = cp.Problem(cp.Minimize(100 * risk - factor * BUDGETS @ cp.log(W)), limits)

    def missing(logarithm: float) -> float:
        factor.value = np.exp(logarithm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program.solve(solver="CLARABEL")
        return float(np.sum(W.value)) - 1.0

    missing(brentq(missing, np.log(0.1), np.log(20.0), xtol=1e-9))
    return np.asarray(W.value)


def held(solution: Solution) -> np.ndarray:
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-7
    assert solution.certificate.max_constraint_violation <= 1e-8
    return solution.weights


@pytest.mark.parametrize("measure", RISKS, ids=str)
@pytest.mark.parametrize("limit", LIMITS)
def test_bounded_budgets_are_those_of_their_definition(measure: RiskMeasure, limit: str) -> None:
    constraint, rules = LIMITS[limit]
    solution = solve(problem_of(constraint, measure=measure))
    free = solve(problem_of(measure=measure)).weights
    expected = by_definition(RISKS[measure](W), rules)
    assert held(solution) == pytest.approx(expected, abs=2e-4)
    if np.abs(free - expected).max() > 1e-2:
        assert constraint.label in {one.label for one in solution.binding} or measure is RiskMeasure.VARIANCE


def test_the_unit_of_returns_does_not_matter() -> None:
    caps = WeightBounds("caps", upper=0.23)
    measure = RiskMeasure.CONDITIONAL_VALUE_AT_RISK
    mine = problem_of(caps, measure=measure)
    percent = Problem(
        Moments.of(SYMBOLS, 100 * MU, 1e4 * SIGMA, 252.0),
        mine.objective,
        measure,
        constraints=mine.constraints,
        scenarios=Scenarios.of(SYMBOLS, 100 * RETURNS),
    )
    assert solve(percent).weights == pytest.approx(solve(mine).weights, abs=1e-6)


def test_a_budget_other_than_one() -> None:
    """Half the budget under half the caps is half the portfolio."""
    measure = RiskMeasure.CONDITIONAL_VALUE_AT_RISK
    half = solve(problem_of(WeightBounds("caps", upper=0.115), Leverage("cash", budget=0.5), measure=measure))
    whole = solve(problem_of(WeightBounds("caps", upper=0.23), measure=measure))
    assert held(half) == pytest.approx(0.5 * whole.weights, abs=1e-6)


@pytest.mark.parametrize("measure", RISKS, ids=str)
def test_what_leaves_them_undefined_is_refused_by_label(measure: RiskMeasure) -> None:
    one, other = GroupBounds("one", ("A", "B"), 0.4, 0.4), GroupBounds("other", ("C", "D", "E"), 0.6, 0.6)
    with pytest.raises(NotSupported, match=r"fix the sum.* one, other"):
        solve(problem_of(one, other, measure=measure))
    with pytest.raises(NotSupported, match=r"not all .* none of B"):
        solve(problem_of(WeightBounds("none of B", upper=0.0, symbols=("B",)), measure=measure))
    least = 1.001 * solve(replace(problem_of(measure=measure), objective=MinRisk())).risk
    with pytest.raises(NotSupported, match=r"no portfolio of the budget .* limit"):
        solve(problem_of(RiskLimit("limit", measure, least), measure=measure))
    with pytest.raises(InfeasibleProblem) as raised:
        solve(problem_of(WeightBounds("caps", upper=0.1), measure=measure))
    assert raised.value.labels == ("caps", "default:budget")


def test_the_time_limit_ends_the_search() -> None:
    caps = WeightBounds("caps", upper=0.23)
    with pytest.raises(SolverTimedOut):
        solve(problem_of(caps, measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK, time_limit=1e-6))
