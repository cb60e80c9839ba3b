"""Bounds on what few assets can do: below every selection there is, and far above the plain relaxation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InfeasibleProblem
from domain.market_data.moments import Moments
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    ClusterCardinality,
    Constraint,
    Leverage,
    MinimumPosition,
)
from domain.optimization.request.constraints import WeightBounds as Bounds
from domain.optimization.request.objectives import MaxUtility, MinRisk, Objective
from domain.optimization.selection.perspective import perspective_bound
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

SIZE = 6
SYMBOLS = tuple("ABCDEF")


def problem_of(seed: int, objective: Objective, measure: RiskMeasure, *constraints: Constraint) -> Problem:
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.0008, 0.01, (60, SIZE)) + generator.normal(0.0, 0.003, (60, 1))
    moments = Moments.of(SYMBOLS, returns.mean(axis=0), np.cov(returns.T), 252.0)
    return Problem(moments, objective, measure, constraints=constraints)


def best_of(problem: Problem, sets: list[tuple[str, ...]], least: float, others: tuple[Constraint, ...]) -> float:
    best = np.inf
    for held in sets:
        outside = tuple(symbol for symbol in SYMBOLS if symbol not in held)
        bounds = [Bounds("in", least, None, held), *([Bounds("out", 0.0, 0.0, outside)] if outside else [])]
        one = Problem(problem.moments, problem.objective, problem.risk_measure, constraints=(*others, *bounds))
        try:
            best = min(best, objective_value(problem, solve(one).weights))
        except InfeasibleProblem:
            continue
    return best


@generated(60)
@given(
    seed=st.integers(0, 10_000),
    objective=st.sampled_from([MinRisk(), MaxUtility(3.0), MaxUtility(40.0)]),
    measure=st.sampled_from([RiskMeasure.VARIANCE, RiskMeasure.STANDARD_DEVIATION]),
    most=st.integers(1, 4),
    each=st.integers(1, 3),
    least=st.sampled_from([0.0, 0.05, 0.2]),
    point=st.integers(0, 10_000),
    decided=st.lists(st.sampled_from(["in", "out", "open"]), min_size=SIZE, max_size=SIZE),
)
def test_no_selection_is_below_the_bound(
    seed: int,
    objective: Objective,
    measure: RiskMeasure,
    most: int,
    each: int,
    least: float,
    point: int,
    decided: list[str],
) -> None:
    """From any weights, with any assets in or out."""
    rules: list[Constraint] = [
        Cardinality("count", most),
        ClusterCardinality("each", each, (("A", "B", "C"), ("C", "D", "E"))),
    ]
    if least > 0.0:
        rules.append(MinimumPosition("size", least))
    problem = problem_of(seed, objective, measure, *rules)
    limits = feasible_set(problem)
    bound = perspective_bound(problem, limits)
    assert bound is not None
    inside = np.array([one == "in" for one in decided])
    undecided = np.array([one == "open" for one in decided])
    given_sets = [
        held
        for count in range(1, most + 1)
        for held in combinations(SYMBOLS, count)
        if set(np.array(SYMBOLS)[inside]) <= set(held) <= set(np.array(SYMBOLS)[inside | undecided])
        and len({"A", "B", "C"} & set(held)) <= each
        and len({"C", "D", "E"} & set(held)) <= each
    ]
    best = best_of(problem, given_sets, least, ())
    node = problem_of(
        seed, objective, measure, Bounds("out", None, 0.0, tuple(np.array(SYMBOLS)[~inside & ~undecided]))
    )
    weights = np.random.default_rng(point).dirichlet(np.ones(SIZE)) * (inside | undecided)
    found = bound(feasible_set(node) if (~inside & ~undecided).any() else limits.convex, inside, undecided, weights)
    assert found <= best + 1e-9 * abs(best)


def test_shorts_are_bounded_too() -> None:
    short: tuple[Constraint, ...] = (Leverage("short", max_short=0.5), Bounds("b", -0.5, 1.0))
    for seed in range(6):
        problem = problem_of(seed, MaxUtility(20.0), RiskMeasure.VARIANCE, *short, Cardinality("count", 2))
        bound = perspective_bound(problem, feasible_set(problem))
        assert bound is not None
        none, every = np.zeros(SIZE, dtype=bool), np.ones(SIZE, dtype=bool)
        found = bound(feasible_set(problem).convex, none, every, np.full(SIZE, 1 / SIZE))
        best = np.inf
        for held in combinations(SYMBOLS, 2):
            outside = tuple(symbol for symbol in SYMBOLS if symbol not in held)
            one = Problem(problem.moments, problem.objective, constraints=(*short, Bounds("out", 0.0, 0.0, outside)))
            best = min(best, objective_value(problem, solve(one).weights))
        assert found <= best + 1e-9 * abs(best)


def test_equal_assets_are_bounded_exactly() -> None:
    """Of N assets with variance 1, no correlation, k have the variance 1 / k at best; all of them 1 / N."""
    moments = Moments.of(SYMBOLS, np.zeros(SIZE), np.eye(SIZE).ravel() * 1e-4, 252.0)
    for most in (1, 2, 3):
        problem = Problem(moments, MinRisk(), constraints=(Cardinality("count", most),))
        bound = perspective_bound(problem, feasible_set(problem))
        assert bound is not None
        none, every = np.zeros(SIZE, dtype=bool), np.ones(SIZE, dtype=bool)
        found = bound(feasible_set(problem).convex, none, every, np.full(SIZE, 1 / SIZE))
        assert found == pytest.approx(1e-4 / most, rel=2e-3)


def test_a_singular_covariance_says_nothing() -> None:
    moments = Moments.of(SYMBOLS, np.zeros(SIZE), np.ones((SIZE, SIZE)).ravel() * 1e-4, 252.0)
    problem = Problem(moments, MinRisk(), constraints=(Cardinality("count", 2),))
    assert perspective_bound(problem, feasible_set(problem)) is None
    assert np.count_nonzero(solve(problem).weights) <= 2
    tail = Problem(moments, MinRisk(), RiskMeasure.VARIANCE, constraints=(Bounds("caps", None, 0.4),))
    assert perspective_bound(tail, feasible_set(tail)) is None
