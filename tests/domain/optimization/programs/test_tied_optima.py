"""Of several portfolios with the highest return or ratio, the one with the least variance, by cvxpy in two steps."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.trading import TradingCosts
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxRatio, MaxReturn
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

NAMES = ("A", "B", "C", "D", "E")
HELD = np.array([0.4, 0.0, 0.2, 0.2, 0.2])


def drawn(seed: int) -> Moments:
    """Five assets with two different means, or three."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.1, (5, 8))
    return Moments.of(NAMES, rng.choice([0.02, 0.05, 0.05, 0.05], 5), factors @ factors.T, 1.0)


def in_two_steps(moments: Moments, constraints: list[cp.Constraint], w: cp.Variable) -> tuple[float, float]:
    """The highest return, and the least variance that has it."""
    gain = moments.expected_returns @ w
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = cp.Problem(cp.Maximize(gain), constraints)
        best.solve(solver=cp.CLARABEL)
        calm = cp.Problem(
            cp.Minimize(cp.quad_form(w, cp.psd_wrap(moments.covariance))), [*constraints, gain >= best.value - 1e-9]
        )
        calm.solve(solver=cp.CLARABEL)
    return float(best.value), float(calm.value)


W = cp.Variable(5)
LONG = [cp.sum(W) == 1, W >= 0]
CASES: list[tuple[list[Constraint], list[cp.Constraint]]] = [
    ([], LONG),
    ([WeightBounds("cap", upper=0.45)], [*LONG, W <= 0.45]),
    ([GroupBounds("pair", ("A", "B"), 0.1, 0.3)], [*LONG, W[0] + W[1] >= 0.1, W[0] + W[1] <= 0.3]),
    ([Turnover("trades", 0.25)], [*LONG, cp.norm1(W - HELD) <= 0.5]),
    ([Leverage("short", max_short=0.2, max_gross=1.4)], [cp.sum(W) == 1, W >= -0.2, cp.norm1(W) <= 1.4]),
]


@pytest.mark.parametrize("case", range(len(CASES)))
@generated(25)
@given(seed=st.integers(0, 10_000))
def test_the_highest_return_with_the_least_variance(case: int, seed: int) -> None:
    constraints, theirs = CASES[case]
    moments = drawn(seed)
    problem = Problem(moments, MaxReturn(), constraints=tuple(constraints), current_weights=HELD)
    found = solve(problem)
    highest, variance = in_two_steps(moments, theirs, W)
    assert found.expected_return_annual == pytest.approx(highest, abs=1e-8)
    assert found.risk <= variance * (1 + 1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_within_cones(seed: int) -> None:
    moments = drawn(seed)
    tracking = TrackingError("near", HELD, 0.25)
    root = np.linalg.cholesky(moments.covariance).T
    found = solve(Problem(moments, MaxReturn(), constraints=(tracking,)))
    highest, variance = in_two_steps(moments, [*LONG, cp.norm2(root @ (W - HELD)) <= 0.25], W)
    assert found.expected_return_annual == pytest.approx(highest, abs=1e-8)
    assert found.risk <= variance * (1 + 1e-4)


@pytest.mark.parametrize("paid", [0.0, 0.0499, 0.05, 0.0501])
def test_the_least_variance_gives_up_no_return_that_costs_bring_near_zero(paid: float) -> None:
    moments = Moments.of(("A", "B"), [0.05, 0.04999], np.diag([0.04, 0.04]), 1.0)
    costs = TradingCosts(np.zeros(2), np.full(2, 0.5), paid=paid)
    found = solve(Problem(moments, MaxReturn(), current_weights=np.full(2, 0.5), costs=costs))
    assert found.certificate.duality_gap == pytest.approx(0.0, abs=1e-8)
    assert found.weights == pytest.approx([1.0, 0.0], abs=1e-5)


def test_the_case_of_two_equal_means() -> None:
    """w_A 0.04 = w_B 0.09: 9 and 4 thirteenths, and the frontier begins there."""
    moments = Moments.of(("A", "B"), [0.05, 0.05], np.diag([0.04, 0.09]), 1.0)
    best = [9 / 13, 4 / 13]
    assert solve(Problem(moments, MaxReturn())).weights == pytest.approx(best, abs=1e-9)
    assert solve(Problem(moments, MaxReturn(), RiskMeasure.STANDARD_DEVIATION)).weights == pytest.approx(best, abs=1e-9)
    loose = RiskLimit("risk", RiskMeasure.STANDARD_DEVIATION, 0.25)
    assert solve(Problem(moments, MaxReturn(), constraints=(loose,))).weights == pytest.approx(best, abs=1e-4)
    for points in (0, 1, 3):
        first = next(trace_frontier(Problem(moments, MaxReturn()), points, lambda: None))
        assert first.weights == pytest.approx(best, abs=1e-9)


def test_without_any_difference_the_variance_decides() -> None:
    moments = Moments.of(("A", "B", "C"), np.zeros(3), np.diag([0.01, 0.04, 0.04]), 1.0)
    assert solve(Problem(moments, MaxReturn())).weights == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-9)


def test_of_all_selections_too() -> None:
    """One asset of five equal ones, the calmest; of two, the two calmest by 1 / variance."""
    variances = np.array([0.09, 0.04, 0.01, 0.16, 0.25])
    moments = Moments.of(NAMES, np.full(5, 0.05), np.diag(variances), 1.0)
    one = solve(Problem(moments, MaxReturn(), constraints=(Cardinality("one", 1),))).weights
    assert one == pytest.approx([0.0, 0.0, 1.0, 0.0, 0.0])
    two = solve(Problem(moments, MaxReturn(), constraints=(Cardinality("two", 2),))).weights
    assert two == pytest.approx([0.0, 0.2, 0.8, 0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize(("cap", "expected"), [(1.0, [1.0, 0.0, 0.0]), (0.7, [0.7, 0.3, 0.0])])
def test_of_equal_ratios_the_least_variance(cap: float, expected: list[float]) -> None:
    """A and B move as one and gain in proportion to their risk: every mixture has the ratio 0.5; C has none."""
    covariance = np.array([[0.01, 0.02, 0.0], [0.02, 0.04, 0.0], [0.0, 0.0, 0.01]])
    moments = Moments.of(("A", "B", "C"), [0.05, 0.1, 0.0], covariance, 1.0)
    found = solve(Problem(moments, MaxRatio(), constraints=(WeightBounds("cap", upper=cap),)))
    assert found.ratio == pytest.approx(0.5)
    assert found.weights == pytest.approx(expected, abs=1e-7)


@generated(25)
@given(seed=st.integers(0, 10_000))
def test_fewer_factors_than_assets_leave_ratios_equal(seed: int) -> None:
    """Five assets on two factors, gaining as these do: of all with the best ratio none has less variance."""
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.2, 1.0, (5, 2))
    premia = rng.uniform(0.02, 0.1, 2)
    moments = Moments.of(NAMES, loadings @ premia, loadings @ np.diag([0.04, 0.09]) @ loadings.T, 1.0)
    found = solve(Problem(moments, MaxRatio()))
    y, root = cp.Variable(5), np.diag([0.2, 0.3]) @ loadings.T
    gains = [moments.expected_returns @ y == 1, y >= 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        least = cp.Problem(cp.Minimize(cp.norm2(root @ y)), gains)
        least.solve(solver=cp.CLARABEL)
        largest = cp.Problem(cp.Maximize(cp.sum(y)), [*gains, cp.norm2(root @ y) <= least.value * (1 + 1e-9)])
        largest.solve(solver=cp.CLARABEL)
    assert found.ratio == pytest.approx(1.0 / least.value, rel=1e-6)
    assert found.volatility_annual <= least.value / largest.value * (1 + 1e-3)


def test_a_limit_by_rank_that_no_cone_holds_keeps_its_answer() -> None:
    returns = np.random.default_rng(5).normal(0.001, 0.02, (60, 3))
    panel = ReturnPanel.of(("A", "B", "C"), np.arange(60), returns)
    limit = RiskLimit("gini", RiskMeasure.GINI_MEAN_DIFFERENCE, 0.02)
    wanted = Specification(MaxReturn(), constraints=(limit,), periods_per_year=252.0)
    found = solve(build_problem(wanted, panel))
    assert found.certificate.max_constraint_violation <= 1e-8
