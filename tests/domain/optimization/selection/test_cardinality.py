"""Cardinality and least positions against every selection there is, tried one by one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Cancelled, FormulaMissesConstraint, InfeasibleProblem, NoPositiveExcessReturn, NotSupported
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    MinimumPosition,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    EqualWeight,
    MaxRatio,
    MaxUtility,
    MinRisk,
    Objective,
    RiskBudget,
    Tracking,
)
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

SIZE = 7
SYMBOLS = tuple("ABCDEFG")
EQUAL = np.full(SIZE, 1 / SIZE)


def problem_of(seed: int, objective: Objective, *constraints: Constraint, **more: object) -> Problem:
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.0008, 0.01, (60, SIZE)) + generator.normal(0.0, 0.006, (60, 1))
    moments = Moments.of(SYMBOLS, returns.mean(axis=0), np.cov(returns.T), 252.0)
    return Problem(
        moments,
        objective,
        constraints=constraints,
        current_weights=EQUAL,
        scenarios=Scenarios.of(SYMBOLS, returns),
        **more,  # type: ignore[arg-type]
    )


def by_brute_force(
    seed: int, objective: Objective, others: tuple[Constraint, ...], most: int, least: float, **more: object
) -> float:
    """The best value over every subset, each solved with its positions at least so large and all others zero."""
    best = np.inf
    for count in range(1, most + 1):
        for held in combinations(range(SIZE), count):
            inside = tuple(SYMBOLS[i] for i in held)
            outside = tuple(symbol for symbol in SYMBOLS if symbol not in inside)
            bounds: list[Constraint] = [WeightBounds("in", least, None, inside)]
            if outside:
                bounds.append(WeightBounds("out", 0.0, 0.0, outside))
            problem = problem_of(seed, objective, *others, *bounds, **more)
            try:
                best = min(best, objective_value(problem, solve(problem).weights))
            except (InfeasibleProblem, NoPositiveExcessReturn):
                continue
    return best


CASES: dict[str, tuple[Objective, tuple[Constraint, ...]]] = {
    "variance": (MinRisk(), ()),
    "variance, caps": (MinRisk(), (WeightBounds("caps", None, 0.45),)),
    "utility": (MaxUtility(8.0), ()),
    "ratio": (MaxRatio(0.01), ()),
    "turnover and a group": (MinRisk(), (Turnover("t", 0.7), GroupBounds("g", ("A", "B", "C"), 0.2, 0.6))),
    "tracking": (Tracking(EQUAL), ()),
    "tracking error": (MaxUtility(3.0), (TrackingError("te", EQUAL, 0.14),)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_the_best_of_all_selections(seed: int, case: tuple[Objective, tuple[Constraint, ...]]) -> None:
    objective, others = case
    rules = (Cardinality("count", 3), MinimumPosition("size", 0.15))
    problem = problem_of(seed, objective, *others, *rules)
    solution = solve(problem)
    held = solution.weights[solution.weights != 0.0]
    assert len(held) <= 3
    assert held.min() >= 0.15 - 1e-8
    best = by_brute_force(seed, objective, others, 3, 0.15)
    assert objective_value(problem, solution.weights) == pytest.approx(best, rel=1e-6, abs=1e-12)
    assert solution.certificate.solver.startswith("branch and bound")
    assert solution.certificate.duality_gap is not None


@pytest.mark.parametrize(
    "measure", [RiskMeasure.CONDITIONAL_VALUE_AT_RISK, RiskMeasure.MEAN_ABSOLUTE_DEVIATION], ids=str
)
def test_measures_of_a_distribution_too(measure: RiskMeasure) -> None:
    problem = problem_of(3, MinRisk(), Cardinality("count", 2), risk_measure=measure)
    best = by_brute_force(3, MinRisk(), (), 2, 0.0, risk_measure=measure)
    assert solve(problem).risk == pytest.approx(best, rel=1e-6)


def test_shorts_are_positions_too() -> None:
    """Every position is absent, at least 0.2 long, or at least 0.2 short: all 3^7 of them."""
    short = Leverage("short", max_short=0.4)
    rules = (Cardinality("count", 3), MinimumPosition("size", 0.2))
    problem = problem_of(4, MaxUtility(6.0), short, WeightBounds("b", -0.4, 1.0), *rules)
    solution = solve(problem)
    best = np.inf
    for held in combinations(range(SIZE), 3):
        for signs in range(8):
            bounds: list[Constraint] = []
            for k, i in enumerate(held):
                low, high = ((0.2, 1.0), (-0.4, -0.2))[signs >> k & 1]
                bounds.append(WeightBounds(f"b{i}", low, high, (SYMBOLS[i],)))
            outside = tuple(SYMBOLS[i] for i in range(SIZE) if i not in held)
            one = problem_of(4, MaxUtility(6.0), short, *bounds, WeightBounds("out", 0.0, 0.0, outside))
            try:
                best = min(best, objective_value(one, solve(one).weights))
            except InfeasibleProblem:
                continue
    assert objective_value(problem, solution.weights) <= best + 1e-9 * abs(best)
    sizes = np.abs(solution.weights[solution.weights != 0.0])
    assert len(sizes) <= 3
    assert sizes.min() >= 0.2 - 1e-8


@generated(20)
@given(seed=st.integers(0, 10_000), most=st.integers(1, SIZE))
def test_more_assets_are_never_worse(seed: int, most: int) -> None:
    fewer = solve(problem_of(seed, MinRisk(), Cardinality("count", most)))
    assert np.count_nonzero(fewer.weights) <= most
    if most < SIZE:
        assert solve(problem_of(seed, MinRisk(), Cardinality("count", most + 1))).risk <= fewer.risk * (1 + 1e-9)
    else:
        assert fewer.risk == pytest.approx(solve(problem_of(seed, MinRisk())).risk, rel=1e-7)


def test_too_few_assets_for_the_caps() -> None:
    caps, count = WeightBounds("caps", None, 0.3), Cardinality("count", 2)
    with pytest.raises(InfeasibleProblem) as raised:
        solve(problem_of(1, MinRisk(), caps, count))
    error = raised.value
    assert set(error.labels) == {"caps", "count", "default:budget"}
    assert error.relaxations["count"] == 2.0
    assert error.relaxations["caps"] == pytest.approx(0.2, abs=1e-7)


def test_a_least_position_that_does_not_fit() -> None:
    caps, size = WeightBounds("caps", None, 0.19), MinimumPosition("size", 0.2)
    with pytest.raises(InfeasibleProblem) as raised:
        solve(problem_of(1, MinRisk(), caps, size, RiskLimit("idle", RiskMeasure.VARIANCE, 1.0)))
    assert {"caps", "size"} <= set(raised.value.labels)
    assert raised.value.relaxations["size"] == pytest.approx(0.2 - 1 / 6, abs=1e-6)  # six at 1/6


def test_a_formula_does_not_choose() -> None:
    with pytest.raises(FormulaMissesConstraint, match="count by 4"):
        solve(problem_of(1, EqualWeight(), Cardinality("count", 3)))
    with pytest.raises(NotSupported, match="RiskBudget"):
        solve(problem_of(1, RiskBudget(), Cardinality("count", 3)))


def test_a_search_can_be_stopped() -> None:
    def stop() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Cancelled("enough")

    left = 3
    with pytest.raises(Cancelled):
        solve(problem_of(5, MinRisk(), Cardinality("count", 3)), stop)
