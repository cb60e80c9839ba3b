"""Utility, ratio and limits of measures by rank against linear programs over every order of the outcomes."""

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy.optimize import linprog

from domain.costs.trading import TradingCosts
from domain.errors import InfeasibleProblem, NoPositiveExcessReturn, NotSupported, UnboundedProblem
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.conic import conic_objectives
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.net_return import annual_net_return
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import UNLIMITED
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    Leverage,
    ReturnFloor,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    OrderedWeightedAverage,
)
from domain.optimization.solution import BoundSide
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

SIZE, COUNT, PERIODS = 5, 12, 12.0
SYMBOLS = tuple("ABCDE")
RNG = np.random.default_rng(17)
RETURNS = RNG.standard_t(4, (COUNT, SIZE)) * 0.03 + 0.008
EQUAL = np.full(SIZE, 1 / SIZE)
GINI = np.array([2 * (COUNT + 1 - 2 * k) / (COUNT * (COUNT - 1)) for k in range(1, COUNT + 1)])
# 75 % leaves three of twelve: (2 / a^2) times the integral of a - u over each twelfth.
TAIL = np.concatenate([[5 / 9, 3 / 9, 1 / 9], np.zeros(9)])
RANKED = {
    RiskMeasure.GINI_MEAN_DIFFERENCE: GINI,
    RiskMeasure.TAIL_GINI: TAIL,
    RiskMeasure.TAIL_GINI_RANGE: TAIL - TAIL[::-1],
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK: np.repeat([1 / 3, 0.0], [3, 9]),
    RiskMeasure.CVAR_RANGE: np.repeat([1 / 3, 0.0, -1 / 3], [3, 6, 3]),
}


def posed(
    measure: RiskMeasure, objective: Objective, *constraints: Constraint, returns: np.ndarray = RETURNS
) -> Problem:
    scenarios = Scenarios.from_returns(ReturnPanel.of(SYMBOLS, np.arange(len(returns)), returns))
    moments = scenario_moments(scenarios, PERIODS)
    return Problem(moments, objective, measure, 0.75, constraints, EQUAL, scenarios)


def least(ordered: np.ndarray, gain: np.ndarray, cap: float, equation: tuple[np.ndarray, float]) -> float:
    """min of sum ordered_k loss_(k) - gain . y with y <= cap * sum y and one equation, over all orders at once.

    The largest sum over permutations is that over doubly stochastic matrices, whose dual is min sum a + b with
    a_i + b_k >= ordered_k loss_i (Ogryczak & Sliwinski 2003).
    """
    count = len(ordered)
    unit = 100.0  # the solver's tolerance is absolute
    pairs = [(i, k) for i in range(count) for k in range(count)]
    rows = np.zeros((len(pairs), SIZE + 2 * count))
    for row, (i, k) in zip(rows, pairs, strict=True):
        row[:SIZE] = -unit * ordered[k] * RETURNS[i]
        row[SIZE + i] = row[SIZE + count + k] = -1.0
    caps = np.hstack([np.eye(SIZE) - cap, np.zeros((SIZE, 2 * count))])
    answer = linprog(
        np.concatenate([-unit * gain, np.ones(2 * count)]),
        A_ub=np.vstack([rows, caps]),
        b_ub=np.zeros(len(rows) + SIZE),
        A_eq=np.append(equation[0], np.zeros(2 * count))[None, :],
        b_eq=[equation[1]],
        bounds=[(0, None)] * SIZE + [(None, None)] * (2 * count),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert answer.status == 0
    return float(answer.fun) / unit


CAP = WeightBounds("cap", 0.0, 0.45)
MEANS = PERIODS * RETURNS.mean(axis=0)


@pytest.mark.parametrize("measure", RANKED)
@pytest.mark.parametrize("aversion", [0.3, 3.0, 300.0])
def test_the_best_utility_is_that_of_every_order(measure: RiskMeasure, aversion: float) -> None:
    problem = posed(measure, MaxUtility(aversion), CAP)
    solution = solve(problem)
    expected = least(0.5 * aversion * PERIODS * RANKED[measure], MEANS, 0.45, (np.ones(SIZE), 1.0))
    assert objective_value(problem, solution.weights) == pytest.approx(expected, rel=1e-7)
    assert solution.certificate.duality_gap is not None


@pytest.mark.parametrize("measure", RANKED)
@pytest.mark.parametrize("risk_free", [-0.05, 0.0, 0.1])
def test_the_best_ratio_is_that_of_every_order(measure: RiskMeasure, risk_free: float) -> None:
    problem = posed(measure, MaxRatio(risk_free), CAP)
    solution = solve(problem)
    inverse = least(RANKED[measure], np.zeros(SIZE), 0.45, (MEANS - risk_free, 1.0))
    assert objective_value(problem, solution.weights) == pytest.approx(-1.0 / inverse, rel=1e-7)
    # Annual return per unit of a risk that is not annualised.
    ratio = (solution.expected_return_annual - risk_free) / solution.risk
    assert ratio == pytest.approx(1.0 / inverse, rel=1e-7)


def test_all_orders_of_five_outcomes() -> None:
    """By brute force: one linear row for each of 120 permutations."""
    few = RETURNS[:5] - 0.02  # five assets could leave five outcomes no loss
    ordered = np.array([0.8, 0.12, 0.05, 0.02, 0.01])
    means = PERIODS * few.mean(axis=0)
    for goal, gain, equation in (
        (MaxUtility(4.0), means, (np.ones(SIZE), 1.0)),
        (MaxRatio(0.02), 0.0 * means, (means - 0.02, 1.0)),
        (MinRisk(), 0.0 * means, (np.ones(SIZE), 1.0)),
    ):
        factor = 0.5 * 4.0 * PERIODS if isinstance(goal, MaxUtility) else 1.0
        rows = [np.append(-factor * (ordered[list(order)] @ few), -1.0) for order in permutations(range(5))]
        answer = linprog(
            np.append(-gain, 1.0),
            A_ub=np.array(rows),
            b_ub=np.zeros(len(rows)),
            A_eq=np.append(equation[0], 0.0)[None, :],
            b_eq=[equation[1]],
            bounds=[(0, None)] * SIZE + [(None, None)],
        )
        problem = posed(RiskMeasure.VARIANCE, OrderedWeightedAverage(ordered, goal), returns=few)
        expected = -1.0 / answer.fun if isinstance(goal, MaxRatio) else answer.fun
        assert objective_value(problem, solve(problem).weights) == pytest.approx(expected, rel=1e-7)


def test_an_ordered_average_is_the_measure_whose_weights_it_has() -> None:
    for goal in (MaxUtility(2.0), MaxRatio(0.01)):
        measured = posed(RiskMeasure.GINI_MEAN_DIFFERENCE, goal)
        ordered = posed(RiskMeasure.VARIANCE, OrderedWeightedAverage(GINI, goal))
        known, found = solve(measured), solve(ordered)
        assert objective_value(measured, found.weights) == pytest.approx(
            objective_value(measured, known.weights), rel=1e-7
        )
        # The Sharpe ratio of the answer is over the same risk-free rate.
        risk_free = goal.risk_free_rate_annual if isinstance(goal, MaxRatio) else 0.0
        assert found.ratio == pytest.approx((found.expected_return_annual - risk_free) / found.volatility_annual)


OTHER_LIMITS: dict[str, tuple[Constraint, ...]] = {
    "shorts": (WeightBounds("bounds", -0.3, 0.6),),
    "leverage": (Leverage("leverage", 0.3, 1.5),),
    "market neutral": (Leverage("leverage", 0.5, 1.0, 0.0), WeightBounds("hold", 0.1, None, ("A",))),
    "half in cash": (Leverage("leverage", 0.0, None, 0.5),),
    "turnover": (Turnover("turnover", 0.1),),
    "a floor": (ReturnFloor("floor", 0.1),),
}


@pytest.mark.parametrize("name", OTHER_LIMITS)
@pytest.mark.parametrize("unit", [1e-6, 1.0])
def test_cuts_and_cones_agree(name: str, unit: float) -> None:
    """On CVaR, for which there are both; whatever the limits, and the unit of returns."""
    limits = OTHER_LIMITS[name]
    if unit != 1.0 and name == "a floor":
        limits = (ReturnFloor("floor", 0.1 * unit),)
    for goal in (MaxUtility(3.0), MaxRatio(0.01 * unit)):
        problem = posed(RiskMeasure.CONDITIONAL_VALUE_AT_RISK, goal, *limits, returns=unit * RETURNS)
        feasible = feasible_set(problem)
        if isinstance(goal, MaxRatio):
            gain = annual_net_return(problem, goal.risk_free_rate_annual)
            other = conic_objectives.maximum_ratio(feasible, UNLIMITED, gain, problem.risk)
        else:
            penalty = conic_objectives.RiskPenalty(problem.risk, 0.5 * goal.risk_aversion * PERIODS)
            other = conic_objectives.maximum_net_return(feasible, UNLIMITED, annual_net_return(problem), penalty)
        assert other is not None
        solution = solve(problem)
        assert solution.certificate.solver == "highs"
        known = objective_value(problem, other.weights)
        assert objective_value(problem, solution.weights) == pytest.approx(known, rel=1e-6, abs=1e-8 * unit)


def test_shadow_prices_are_what_relaxing_is_worth() -> None:
    step = 1e-6
    for goal in (MaxUtility(3.0), MaxRatio(0.02)):

        def best(cap: float, goal: Objective = goal) -> tuple[float, float]:
            problem = posed(RiskMeasure.TAIL_GINI, goal, WeightBounds("cap", 0.0, cap))
            solution = solve(problem)
            prices = [b.shadow_price or 0.0 for b in solution.binding if b.label == "cap" and b.side is BoundSide.UPPER]
            return objective_value(problem, solution.weights), sum(prices)

        value, price = best(0.25)
        assert price > 0.0
        assert price == pytest.approx((value - best(0.25 + step)[0]) / step, rel=1e-3)


def test_no_excess_return_and_no_risk_are_named() -> None:
    with pytest.raises(NoPositiveExcessReturn, match="at best"):
        solve(posed(RiskMeasure.TAIL_GINI, MaxRatio(5.0)))
    riskless = RETURNS.copy()
    riskless[:, 0] = 0.01
    with pytest.raises(UnboundedProblem, match="without risk"):
        solve(posed(RiskMeasure.TAIL_GINI_RANGE, MaxRatio(0.0), returns=riskless))
    # A tail that gains is a risk below 0.
    with pytest.raises(UnboundedProblem, match="without risk"):
        solve(posed(RiskMeasure.TAIL_GINI, MaxRatio(0.0), returns=np.abs(RETURNS) + 0.001))
    with pytest.raises(InfeasibleProblem):
        solve(posed(RiskMeasure.TAIL_GINI, MaxRatio(0.0), WeightBounds("caps", 0.0, 0.1)))


def test_what_is_left_out_says_so() -> None:
    costs = TradingCosts(np.full(SIZE, 0.001), EQUAL)
    cone = TrackingError("te", EQUAL, 0.05)
    for goal in (MaxUtility(2.0), MaxRatio()):
        with pytest.raises(NotSupported, match=r"GINI_MEAN_DIFFERENCE weighs outcomes by their rank.*costs"):
            solve(replace(posed(RiskMeasure.GINI_MEAN_DIFFERENCE, goal), costs=costs))
        with pytest.raises(NotSupported, match="within linear limits"):
            solve(posed(RiskMeasure.GINI_MEAN_DIFFERENCE, goal, cone))
        owa = OrderedWeightedAverage(GINI, goal)
        with pytest.raises(NotSupported, match="without trading costs"):
            solve(replace(posed(RiskMeasure.VARIANCE, owa), costs=costs))
        with pytest.raises(NotSupported, match="within linear limits"):
            solve(posed(RiskMeasure.VARIANCE, owa, cone))


def test_few_assets_are_chosen_for_a_ratio() -> None:
    """Every pair of the five, one by one."""
    problem = posed(RiskMeasure.GINI_MEAN_DIFFERENCE, MaxRatio(0.0), Cardinality("two", 2))
    pairs = []
    for i in range(SIZE):
        for j in range(i):
            out = tuple(s for k, s in enumerate(SYMBOLS) if k not in (i, j))
            pair = replace(problem, constraints=(WeightBounds("out", 0.0, 0.0, out),))
            pairs.append(objective_value(problem, solve(pair).weights))
    assert objective_value(problem, solve(problem).weights) == pytest.approx(min(pairs), rel=1e-7)


@pytest.mark.parametrize("measure", list(RANKED)[:3])
def test_a_limit_on_a_measure_by_rank(measure: RiskMeasure) -> None:
    """The highest return under it is where the frontier of that measure has this risk."""
    lowest = solve(posed(measure, MinRisk())).risk
    highest = solve(posed(measure, MaxReturn())).risk
    level = 0.6 * lowest + 0.4 * highest
    solution = solve(posed(RiskMeasure.VARIANCE, MaxReturn(), RiskLimit("tail", measure, level)))
    back = solve(posed(measure, MinRisk(), ReturnFloor("floor", solution.expected_return_annual)))
    assert back.risk == pytest.approx(level, rel=1e-6)
    price = next(b.shadow_price for b in solution.binding if b.label == "tail")
    assert len([b for b in solution.binding if b.label == "tail"]) == 1
    wider = solve(posed(RiskMeasure.VARIANCE, MaxReturn(), RiskLimit("tail", measure, level + 1e-6)))
    gained = (wider.expected_return_annual - solution.expected_return_annual) / 1e-6
    assert price == pytest.approx(gained, rel=1e-2)
    # Beside a cone, and beside a goal of its own kind.
    error = TrackingError("te", EQUAL, 0.1)
    both = solve(posed(RiskMeasure.VARIANCE, MaxReturn(), RiskLimit("tail", measure, level), error))
    assert both.expected_return_annual <= solution.expected_return_annual + 1e-9
    own = solve(posed(measure, MaxUtility(1e-3), RiskLimit("tail", measure, level)))
    assert own.expected_return_annual == pytest.approx(solution.expected_return_annual, rel=1e-6)


def test_a_limit_below_the_least_is_named_with_what_it_lacks() -> None:
    lowest = solve(posed(RiskMeasure.TAIL_GINI, MinRisk())).risk
    limit = RiskLimit("tail", RiskMeasure.TAIL_GINI, 0.9 * lowest)
    with pytest.raises(InfeasibleProblem) as error:
        solve(posed(RiskMeasure.VARIANCE, MinRisk(), limit))
    assert "tail" in error.value.labels
    assert error.value.relaxations["tail"] == pytest.approx(0.1 * lowest, rel=1e-6)


def test_the_frontier_of_a_measure_by_rank() -> None:
    problem = posed(RiskMeasure.GINI_MEAN_DIFFERENCE, MinRisk(), CAP)
    points = list(trace_frontier(problem, 5, lambda: None))
    returns = [one.expected_return_annual for one in points]
    assert returns == pytest.approx(list(np.linspace(returns[0], returns[-1], 5)), rel=1e-7)
    assert all(more.risk >= less.risk for more, less in pairwise(points))
    # What pays for its risk at some aversion lies on it.
    best = solve(replace(problem, objective=MaxUtility(5.0)))
    on_it = solve(replace(problem, constraints=(CAP, ReturnFloor("floor", best.expected_return_annual))))
    assert on_it.risk == pytest.approx(best.risk, rel=1e-6)
