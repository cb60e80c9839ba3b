"""The least CVaR against the primal program of Rockafellar & Uryasev 2000, solved by another hand."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.errors import InfeasibleProblem, InvalidInput, NotSupported
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import UNLIMITED
from domain.optimization.request.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    ReturnFloor,
    Turnover,
    TurnoverKind,
    WeightBounds,
)
from domain.optimization.request.objectives import MinRisk, OrderedWeightedAverage
from domain.optimization.solution import BoundSide
from domain.optimization.solve import solve
from domain.optimization.spectral.spectral_risk import SpectralProof, minimum_spectral_risk, spectral_risk_of
from domain.optimization.verify import verify
from domain.risk.measures import RiskMeasure
from tests.families import generated

SYMBOLS = tuple("ABCDEF")
GENERATOR = np.random.default_rng(2)
RETURNS = GENERATOR.standard_t(4, (200, 1)) * 0.005 + GENERATOR.standard_t(4, (200, 6)) * 0.01 + 0.0005
EQUAL = np.full(6, 1 / 6)


def problem_of(
    *constraints: Constraint,
    returns: np.ndarray = RETURNS,
    probabilities: np.ndarray | None = None,
    confidence: float = 0.9,
) -> Problem:
    scenarios = Scenarios.of(SYMBOLS[: returns.shape[1]], returns, probabilities)
    return Problem(
        moments=scenario_moments(scenarios, 252),
        objective=MinRisk(),
        risk_measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
        confidence_level=confidence,
        constraints=constraints,
        current_weights=np.full(returns.shape[1], 1 / returns.shape[1]),
        scenarios=scenarios,
    )


def carry_on() -> None:
    """Nobody wants to stop."""


def proof_of(problem: Problem) -> SpectralProof:
    proof = minimum_spectral_risk(feasible_set(problem), spectral_risk_of(problem.risk), UNLIMITED)
    assert proof is not None
    return proof


def least_cvar(problem: Problem) -> float:
    return proof_of(problem).bound


def primal(problem: Problem) -> float:
    """min a + sum p u / (1 - c) over w, the auxiliary variables of sums, a and u >= -r'w - a."""
    scenarios, polytope = problem.scenarios, feasible_set(problem).polytope()
    assert scenarios is not None
    count, size = scenarios.values.shape
    columns = len(polytope.lower)
    cost = np.concatenate([np.zeros(columns), [1.0], scenarios.probabilities / (1 - problem.confidence_level)])
    losses = np.hstack([-scenarios.values, np.zeros((count, columns - size)), -np.ones((count, 1)), -np.eye(count)])
    rows = np.hstack([polytope.matrix, np.zeros((len(polytope.matrix), count + 1))])
    above, below = np.isfinite(polytope.row_lower), np.isfinite(polytope.row_upper)
    answer = linprog(
        cost,
        A_ub=np.vstack([losses, rows[below], -rows[above]]),
        b_ub=np.concatenate([np.zeros(count), polytope.row_upper[below], -polytope.row_lower[above]]),
        bounds=[*zip(polytope.lower, polytope.upper, strict=True), (None, None), *[(0, None)] * count],
        method="highs-ipm",
    )
    assert answer.status == 0
    return float(answer.fun)


LIMITS: dict[str, tuple[Constraint, ...]] = {
    "long only": (),
    "caps and a floor": (WeightBounds("caps", 0.05, 0.4), ReturnFloor("floor", 0.1)),
    "a group": (GroupBounds("group", ("A", "B"), 0.5, 0.6),),
    "shorts": (WeightBounds("bounds", -0.2, 0.5),),
    "leverage": (Leverage("leverage", 0.3, 1.5),),
    "market neutral": (Leverage("leverage", 0.5, 1.0, 0.0), WeightBounds("hold", 0.1, None, ("A",))),
    "half in cash": (Leverage("leverage", 0.0, None, 0.5),),
    "turnover": (Turnover("turnover", 0.1, TurnoverKind.ONE_WAY),),
    "pinned": (WeightBounds("pinned", 1 / 6, 1 / 6),),
}


@pytest.mark.parametrize("constraints", LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("probabilities", [None, GENERATOR.dirichlet(np.full(200, 20.0))], ids=["equal", "uneven"])
def test_bound_and_weights_are_those_of_the_primal(
    constraints: tuple[Constraint, ...], probabilities: np.ndarray | None
) -> None:
    problem = problem_of(*constraints, probabilities=probabilities)
    least = primal(problem)
    assert least_cvar(problem) == pytest.approx(least, rel=1e-7)
    solution = verify(problem, proof_of(problem).candidate)
    assert solution.risk == pytest.approx(least, rel=1e-7)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap < 1e-9


@generated(30)
@given(st.integers(0, 10_000), st.floats(0.5, 0.99))
def test_no_feasible_weights_are_below_the_bound(seed: int, confidence: float) -> None:
    generator = np.random.default_rng(seed)
    problem = problem_of(returns=generator.normal(0, 0.02, (40, 6)), confidence=confidence)
    proof = proof_of(problem)
    for weights in generator.dirichlet(np.ones(6) * 0.5, 20):
        assert problem.risk.of(weights) >= proof.bound - 1e-12
        assert proof.gap(weights) >= 0.0
    # A CVaR may be a hundredth of the deviation that the solver keeps its rows to 1e-10 of.
    assert proof.gap(proof.weights) <= 2e-8


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 50.0])
def test_the_unit_of_returns_does_not_matter(unit: float) -> None:
    assert least_cvar(problem_of(returns=RETURNS * unit)) == pytest.approx(unit * least_cvar(problem_of()), rel=1e-9)


def test_a_worse_portfolio_has_a_gap() -> None:
    problem = problem_of()
    assert proof_of(problem).gap(EQUAL) == pytest.approx(problem.risk.of(EQUAL) / primal(problem) - 1, rel=0.3)


def test_shadow_prices_are_what_relaxing_is_worth() -> None:
    """By finite differences; the optimum is piecewise linear in every limit."""
    step = 1e-5

    def limits(cap: float = 0.25, floor: float = 0.12) -> tuple[Constraint, ...]:
        return WeightBounds("cap", 0.0, cap), ReturnFloor("floor", floor)

    solution = verify(problem_of(*limits()), proof_of(problem_of(*limits())).candidate)
    prices = dict.fromkeys(("cap", "floor"), 0.0)
    for one in solution.binding:
        if one.label == "floor" or (one.label == "cap" and one.side is BoundSide.UPPER):
            assert one.shadow_price is not None
            prices[one.label] += one.shadow_price
    base = primal(problem_of(*limits()))
    assert prices["cap"] == pytest.approx((base - primal(problem_of(*limits(cap=0.25 + step)))) / step, rel=1e-3)
    assert prices["floor"] == pytest.approx((base - primal(problem_of(*limits(floor=0.12 - step)))) / step, rel=1e-3)
    assert min(prices.values()) > 0.0


def test_more_confidence_is_never_less_risk() -> None:
    risks = [least_cvar(problem_of(confidence=confidence)) for confidence in (0.5, 0.8, 0.9, 0.95, 0.99)]
    assert all(less <= more + 1e-12 for less, more in pairwise(risks))


def test_what_cannot_be_met_is_named() -> None:
    problem = problem_of(WeightBounds("caps", 0.0, 0.1))
    assert minimum_spectral_risk(feasible_set(problem), spectral_risk_of(problem.risk), UNLIMITED) is None
    with pytest.raises(InfeasibleProblem) as error:
        solve(problem)
    assert set(error.value.labels) == {"caps", "default:budget"}


def test_moments_alone_have_no_tail() -> None:
    problem = Problem(problem_of().moments, MinRisk(), RiskMeasure.CONDITIONAL_VALUE_AT_RISK)
    with pytest.raises(NotSupported, match="moments are no distribution"):
        solve(problem)


def posed(measure: RiskMeasure, *constraints: Constraint, count: int = 40) -> Problem:
    return replace(problem_of(*constraints, returns=RETURNS[:count]), risk_measure=measure)


def by_every_order(problem: Problem, weights: np.ndarray) -> float:
    """min over w of sum weights_k loss_(k), as a linear program over the doubly stochastic matrices' dual.

    sum of sorted products is the largest over permutations; its dual is min sum a + b with a_i + b_k >= weights_k
    loss_i (Ogryczak & Sliwinski 2003).
    """
    assert problem.scenarios is not None
    values = problem.scenarios.values
    count, size = values.shape
    rows = []
    for i in range(count):
        for k in range(count):
            row = np.zeros(size + 2 * count)
            row[:size] = -weights[k] * 100 * values[i]  # the solver's tolerance is absolute
            row[size + i] = row[size + count + k] = -1.0
            rows.append(row)
    cost = np.concatenate([np.zeros(size), np.ones(2 * count)])
    budget = np.concatenate([np.ones(size), np.zeros(2 * count)])
    answer = linprog(
        cost,
        A_ub=np.array(rows),
        b_ub=np.zeros(len(rows)),
        A_eq=budget[None, :],
        b_eq=[1.0],
        bounds=[(0, 1)] * size + [(None, None)] * (2 * count),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert answer.status == 0
    return float(answer.fun) / 100


def test_an_ordered_average_is_that_of_every_order() -> None:
    count = 40
    ordered = np.sort(GENERATOR.random(count))[::-1] / count
    problem = replace(posed(RiskMeasure.VARIANCE), objective=OrderedWeightedAverage(ordered))
    solution = solve(problem)
    assert objective_value(problem, solution.weights) == pytest.approx(by_every_order(problem, ordered), rel=1e-7)
    assert solution.certificate.duality_gap is not None


@pytest.mark.parametrize(
    ("measure", "ordered"),
    [
        # Of a sample every pair counts once: 2 (T + 1 - 2k) / (T (T - 1)) for the k-th worst of T losses.
        (RiskMeasure.GINI_MEAN_DIFFERENCE, [2 * (41 - 2 * k) / (40 * 39) for k in range(1, 41)]),
        # 10 % of 40 are four outcomes with 7/16, 5/16, 3/16 and 1/16 of the weight.
        (RiskMeasure.TAIL_GINI, [7 / 16, 5 / 16, 3 / 16, 1 / 16] + [0.0] * 36),
        (RiskMeasure.WORST_REALIZATION, [1.0] + [0.0] * 39),
        (RiskMeasure.RANGE, [1.0] + [0.0] * 38 + [-1.0]),
        (RiskMeasure.CVAR_RANGE, [0.25] * 4 + [0.0] * 32 + [-0.25] * 4),
        (
            RiskMeasure.TAIL_GINI_RANGE,
            [7 / 16, 5 / 16, 3 / 16, 1 / 16] + [0.0] * 32 + [-1 / 16, -3 / 16, -5 / 16, -7 / 16],
        ),
    ],
)
def test_measures_by_rank_are_those_of_every_order(measure: RiskMeasure, ordered: list[float]) -> None:
    panel = ReturnPanel.of(SYMBOLS, np.arange(40), RETURNS[:40])
    problem = replace(posed(measure), scenarios=Scenarios.from_returns(panel))
    solution = solve(problem)
    assert solution.risk == pytest.approx(by_every_order(problem, np.array(ordered)), rel=1e-7)
    weights = solution.weights
    losses = np.sort(-RETURNS[:40] @ weights)[::-1]
    assert solution.risk == pytest.approx(float(np.array(ordered) @ losses), rel=1e-9)


def test_weights_that_rise_are_not_convex() -> None:
    rising = replace(posed(RiskMeasure.VARIANCE), objective=OrderedWeightedAverage(np.linspace(0, 1, 40)))
    with pytest.raises(InvalidInput, match="must not rise"):
        solve(rising)
    with pytest.raises(InvalidInput, match="40 outcomes"):
        solve(replace(rising, objective=OrderedWeightedAverage(np.ones(3))))
