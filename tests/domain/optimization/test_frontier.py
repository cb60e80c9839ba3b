"""The frontier: a published one, properties of every one, and the same portfolios by another solver."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import InfeasibleProblem, NotSupported
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.frontier import frontier_ends, needs_separate_problems, trace_frontier
from domain.optimization.problem import size_limits
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import GroupBounds, Leverage, ReturnFloor, WeightBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated
from tests.reference.optimization.test_published import CLA, TURNING_POINTS


def traced(problem: Problem, points: int = 0) -> list[Solution]:
    return list(trace_frontier(problem, points, lambda: None))


def test_the_turning_points_of_bailey_and_lopez_de_prado() -> None:
    """Their table rounds to three digits; the first row of it is the highest return."""
    found = [(s.expected_return_annual, s.volatility_annual) for s in traced(Problem(CLA, MinRisk()))]
    for expected in TURNING_POINTS:
        assert any(one == pytest.approx(expected, abs=6e-4) for one in found), expected
    assert found[0][0] == pytest.approx(1.19)


def moments_of(size: int, seed: int) -> Moments:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.02, (4 * size + 5, size)) @ (np.eye(size) + 0.3 * rng.random((size, size)))
    covariance = np.atleast_2d(np.cov(returns.T))
    return Moments.of([f"S{i}" for i in range(size)], rng.normal(0.001, 0.002, size), covariance, 252)


@given(
    size=st.integers(2, 14), seed=st.integers(0, 10_000), upper=st.sampled_from([1.0, 0.4, 0.25]), short=st.booleans()
)
@generated(80)
def test_corners_are_efficient_and_everything_between_them_is_a_mixture(
    size: int, seed: int, upper: float, short: bool
) -> None:
    moments = moments_of(size, seed)
    bounds = WeightBounds("b", -0.2 if short else 0.0, max(upper, 1.5 / size))
    problem = Problem(moments, MinRisk(), constraints=(bounds,))
    found = traced(problem)
    returns = [s.expected_return_annual for s in found]
    assert returns == sorted(returns, reverse=True)
    assert all(a.volatility_annual > b.volatility_annual - 1e-12 for a, b in itertools.pairwise(found))
    least = solve(problem)
    assert found[-1].weights == pytest.approx(least.weights, abs=1e-6)
    for a, b in itertools.pairwise(found):
        share = 0.37
        mixed = share * a.weights + (1 - share) * b.weights
        floor = ReturnFloor("f", share * a.expected_return_annual + (1 - share) * b.expected_return_annual)
        other = solve(Problem(moments, MinRisk(), constraints=(bounds, floor)))
        assert mixed @ moments.covariance @ mixed == pytest.approx(other.risk, rel=1e-6)


@given(
    size=st.integers(1, 7),
    seed=st.integers(0, 10_000),
    points=st.integers(1, 9),
    ties=st.booleans(),
    singular=st.booleans(),
)
@generated(80)
@example(size=7, seed=2198, points=1, ties=False, singular=False)  # risk is worth much return at the end
@example(size=5, seed=2276, points=9, ties=False, singular=True)  # several portfolios have no risk
@example(size=3, seed=1164, points=9, ties=False, singular=True)  # a gap is judged beside a risk near 0
def test_points_under_any_bounds_are_those_of_programs_of_their_own(
    size: int, seed: int, points: int, ties: bool, singular: bool
) -> None:
    rng = np.random.default_rng(seed)
    moments = moments_of(size, seed)
    means = rng.choice([0.001, 0.002, 0.003], size) if ties else moments.expected_returns
    factors = rng.normal(0.0, 0.02, (size, max(1, size // 2)))
    covariance = factors @ factors.T if singular else moments.covariance
    moments = Moments.of(moments.symbols, means, covariance, 252)
    inside = rng.dirichlet(np.ones(size))
    lower = inside - rng.random(size) * rng.choice([0.0, 0.05, 0.5], size)
    upper = inside + rng.random(size) * rng.choice([0.0, 0.05, 0.5, 1.0], size)
    bounds = tuple(WeightBounds(s, lower[i], upper[i], (s,)) for i, s in enumerate(moments.symbols))
    problem = Problem(moments, MinRisk(), constraints=bounds)
    found = traced(problem, points)
    assert len(found) == points
    returns = [one.expected_return_annual for one in found]
    if points > 1:
        assert np.diff(returns) == pytest.approx(
            np.full(points - 1, (returns[-1] - returns[0]) / (points - 1)), abs=1e-7
        )
    typical = float(np.diag(covariance).mean())
    for one, level in zip(found, returns, strict=True):
        floor = ReturnFloor("floor", level - 1e-12)
        least = solve(Problem(moments, MinRisk(), constraints=(*bounds, floor)))
        assert one.risk <= least.risk * (1 + 1e-6) + 1e-7 * typical


@pytest.mark.parametrize("cap", [0.005, 0.02, 0.2, 0.4, 1.0])
@pytest.mark.parametrize("points", [3, 10])
def test_a_cap_on_one_asset(cap: float, points: int) -> None:
    """C reaches its cap before A enters: between the two the weights stay while the trade-off falls."""
    moments = Moments.of(("A", "B", "C"), [0.01, 0.02, 0.015], [0.04, 0.01, 0, 0.01, 0.09, 0.02, 0, 0.02, 0.06], 1.0)
    capped = WeightBounds("cap", upper=cap, symbols=("C",))
    found = traced(Problem(moments, MinRisk(), constraints=(capped,)), points)
    assert [round(one.certificate.duality_gap or 0.0, 7) for one in found] == [0.0] * points
    corners = traced(Problem(moments, MinRisk(), constraints=(capped,)))
    assert all(np.abs(a.weights - b.weights).max() > 1e-9 for a, b in itertools.pairwise(corners))


@given(seed=st.integers(0, 10_000), size=st.integers(2, 7), rank=st.integers(1, 3))
@generated(60)
def test_corners_of_a_singular_covariance_are_proven_or_refused(seed: int, size: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    loadings = rng.choice([-1.0, 0.0, 0.5, 1.0], (size, rank))
    symbols = [f"S{i}" for i in range(size)]
    moments = Moments.of(symbols, rng.choice([0.01, 0.02, 0.03], size), 0.01 * loadings @ loadings.T, 252)
    try:
        found = traced(Problem(moments, MinRisk()))
    except NotSupported:
        return  # it says to give points
    assert found[-1].risk == pytest.approx(solve(Problem(moments, MinRisk())).risk, abs=1e-9)


def test_equal_means_have_a_frontier_too() -> None:
    moments = Moments.of("ABC", [0.01, 0.01, 0.01], np.diag([1.0, 2.0, 4.0]), 1)
    found = traced(Problem(moments, MinRisk()))
    assert found[-1].weights == pytest.approx(np.array([4, 2, 1]) / 7)


def test_two_best_assets_share_the_highest_return() -> None:
    moments = Moments.of("ABC", [0.02, 0.02, 0.01], np.diag([1.0, 3.0, 0.5]), 1)
    found = traced(Problem(moments, MinRisk()))
    assert found[0].weights == pytest.approx([0.75, 0.25, 0.0], abs=1e-6)
    assert found[-1].weights == pytest.approx(np.array([6, 2, 12]) / 20, abs=1e-9)


def test_one_asset() -> None:
    (only,) = traced(Problem(Moments.of("A", [0.01], [[0.04]], 1), MinRisk()))
    assert only.weights.tolist() == [1.0]


@pytest.mark.parametrize("measure", [RiskMeasure.VARIANCE, RiskMeasure.CONDITIONAL_VALUE_AT_RISK])
def test_spaced_points_under_any_constraint(measure: RiskMeasure) -> None:
    returns = np.random.default_rng(8).normal([0.001, 0.0, 0.0005, 0.0002], 0.01, (120, 4))
    scenarios = Scenarios.from_returns(ReturnPanel.of("ABCD", range(120), returns))
    moments = Moments.of("ABCD", returns.mean(axis=0), np.cov(returns.T), 252)
    group = GroupBounds("pair", ("A", "C"), 0.2, 0.6)
    problem = Problem(moments, MinRisk(), measure, constraints=(group,), scenarios=scenarios)
    found = traced(problem, 9)
    gaps = np.diff([s.expected_return_annual for s in found])
    assert gaps == pytest.approx(np.full(8, gaps[0]), rel=1e-5)
    assert all(a.risk > b.risk - 1e-12 for a, b in itertools.pairwise(found))
    assert all(0.2 - 1e-8 <= s.weights[[0, 2]].sum() <= 0.6 + 1e-8 for s in found)


def test_points_between_the_ends_of_a_frontier_without_corners_are_separate_problems() -> None:
    group = GroupBounds("pair", ("X1", "X2"), None, 0.5)
    with_corners, without = Problem(CLA, MinRisk()), Problem(CLA, MinRisk(), constraints=(group,))
    assert [needs_separate_problems(without, points) for points in (1, 2, 3, 50)] == [False, False, True, True]
    assert not needs_separate_problems(with_corners, 50)


def test_what_has_no_corners_is_refused() -> None:
    group = GroupBounds("pair", ("X1", "X2"), None, 0.5)
    with pytest.raises(NotSupported, match="give points"):
        traced(Problem(CLA, MinRisk(), constraints=(group,)))
    with pytest.raises(InfeasibleProblem):
        traced(Problem(CLA, MinRisk(), constraints=(WeightBounds("caps", None, 0.05),)))


@pytest.mark.parametrize("engine", [EnginePreference.FAST, EnginePreference.RISKFOLIO])
def test_the_least_risk_found_is_kept_where_rows_of_equal_exposure_are_refused(
    engine: EnginePreference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C and D carry the same risk, and D earns more: with these rows C is sold for D up to the leverage."""
    covariance = [[0.04, 0.01, 0.0, 0.0], [0.01, 0.09, 0.0, 0.0], [0.0, 0.0, 0.02, 0.02], [0.0, 0.0, 0.02, 0.02]]
    moments = Moments.of("ABCD", [0.01, 0.02, 0.01, 0.03], covariance, 1.0)
    leverage = Leverage("leverage", max_gross=1.5)
    problem = Problem(moments, MinRisk(), constraints=(leverage,), options=SolverOptions(engine=engine))
    _, with_rows = frontier_ends(problem, lambda: None)
    assert with_rows.weights[2] == pytest.approx(-0.25, abs=1e-6)
    rows, sums, size = 1, 1, 4  # the budget; three directions have variance, a row each
    monkeypatch.setattr(size_limits, "MOST_ENTRIES", (rows + 2 * size * sums) * size * (1 + sums))
    _, without = frontier_ends(problem, lambda: None)
    assert without.weights == pytest.approx(solve(problem).weights, abs=1e-12)
    assert without.weights[2] > 0.1
