"""The highest growth where cones lose it: the smallest returns, two of them, ruin on the way."""

import numpy as np
import pytest

from domain.errors import UnboundedProblem
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.objective_value import expected_log_growth
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import (
    Constraint,
    Leverage,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import Kelly, KellyMethod, MaxUtility
from domain.optimization.request.specification import Specification
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

RNG = np.random.default_rng(71)
RETURNS = RNG.standard_t(4, (60, 6)) * 0.012 + 0.001
EQUAL = np.full(6, 1 / 6)


def posed(returns: np.ndarray, *constraints: Constraint) -> Problem:
    count, size = returns.shape
    panel = ReturnPanel.of(tuple(f"S{i}" for i in range(size)), np.arange(count), returns)
    scenarios = Scenarios.from_returns(panel)
    start = np.full(size, 1 / size)
    return Problem(
        scenario_moments(scenarios, 252.0), Kelly(), constraints=constraints, current_weights=start, scenarios=scenarios
    )


def check(problem: Problem, solution: Solution) -> None:
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-8
    best = expected_log_growth(problem, solution.weights, KellyMethod.EXACT)
    for rival in RNG.dirichlet(np.ones(len(solution.weights)) * 0.4, 100):
        assert expected_log_growth(problem, rival, KellyMethod.EXACT) <= best + 1e-8 * abs(best)


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("count", [2, 3, 60])
def test_the_unit_of_returns_and_their_number_do_not_matter(unit: float, count: int) -> None:
    problem = posed(unit * RETURNS[:count])
    check(problem, solve(problem))


LIMITS: dict[str, tuple[Constraint, ...]] = {
    "shorts": (WeightBounds("bounds", -0.2, 0.5),),
    "leverage": (Leverage("leverage", 0.3, 1.6),),
    "turnover": (Turnover("turnover", 0.1),),
    "tracking": (TrackingError("te", EQUAL, 5e-8),),
    "a tail by rank": (RiskLimit("tail", RiskMeasure.GINI_MEAN_DIFFERENCE, 9e-9),),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_smallest_returns_under_every_kind_of_limit(name: str) -> None:
    """So small that growth is the mean but for rounding: no mixture of the answer and another one grows more."""
    problem = posed(1e-6 * RETURNS, *LIMITS[name])
    solution = solve(problem)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-8


def test_growth_is_that_of_the_first_order_conditions() -> None:
    """E r_i / (1 + x) is the same for all that are held, and no larger for the others, at any leverage of returns."""
    for scale in (1.0, 10.0, 30.0):
        returns = np.maximum(scale * RETURNS, -0.95)
        weights = solve(posed(returns)).weights
        slopes = (returns / (1 + returns @ weights)[:, None]).mean(axis=0)
        assert slopes[weights > 1e-6] == pytest.approx(slopes.max(), abs=1e-8 * scale)


def test_ruin_is_kept_away_from() -> None:
    """Each asset is worth nothing in one outcome; together they are not, and cash is not there."""
    returns = np.full((5, 5), 0.4)
    np.fill_diagonal(returns, -1.0)
    problem = posed(returns)
    weights = solve(problem).weights
    assert weights == pytest.approx(np.full(5, 0.2), abs=1e-6)
    lost = returns.copy()
    lost[2] = -1.0
    with pytest.raises(UnboundedProblem, match="loses all in some outcome"):
        solve(posed(lost))
    # Even weights that ruin are no obstacle: three of the five must be short.
    pushed = posed(3.0 * returns.clip(-0.33), Leverage("leverage", 2.0, 5.0))
    solution = solve(pushed)
    assert np.isfinite(expected_log_growth(pushed, solution.weights, KellyMethod.EXACT))


@pytest.mark.parametrize("measure", [RiskMeasure.MEAN_ABSOLUTE_DEVIATION, RiskMeasure.TAIL_GINI])
def test_the_quadratic_approximation_beside_any_measure(measure: RiskMeasure) -> None:
    """It is the utility of mean and variance with an aversion of 1, and returns give the risk that is reported."""
    returns = 4.0 * RETURNS
    panel = ReturnPanel.of(tuple(f"S{i}" for i in range(6)), np.arange(len(returns)), returns)
    free = solve(build_problem(Specification(Kelly(KellyMethod.QUADRATIC), measure, periods_per_year=252.0), panel))
    limit = RiskLimit("limit", measure, 0.9 * free.risk)
    growth = Specification(Kelly(KellyMethod.QUADRATIC), measure, constraints=(limit,), periods_per_year=252.0)
    utility = Specification(MaxUtility(1.0), constraints=(limit,), periods_per_year=252.0)
    found, expected = (solve(build_problem(one, panel)) for one in (growth, utility))
    assert found.weights == pytest.approx(expected.weights, abs=1e-5)
    assert found.risk == pytest.approx(limit.maximum, rel=1e-6)
