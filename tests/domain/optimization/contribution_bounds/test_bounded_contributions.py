"""Bounds on risk contributions, against grids, many local searches, cvxpy, and the shares that numpy finds."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from domain.errors import FormulaMissesConstraint, InfeasibleProblem, InvalidInput, NotSupported, SolverTimedOut
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.contribution_bounds.bounded_contributions import any_within_contribution_bounds
from domain.optimization.feasibility import is_feasible
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Leverage,
    ReturnFloor,
    RiskContributionBounds,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    EqualWeight,
    Hierarchical,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RiskBudget,
)
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cvxpy as cp

OBJECTIVES: list[Objective] = [MinRisk(), MaxUtility(5.0), MaxRatio(), MaxReturn()]


def market(seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and a covariance with correlations of either sign."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(2 * size, size)) + 0.5 * rng.normal(size=(2 * size, 1))
    spread = np.exp(rng.normal(-4.5, 0.6, size))
    return np.abs(rng.normal(0.05, 0.04, size)) * spread, np.corrcoef(draws.T) * np.outer(spread, spread)


def problem_of(
    seed: int,
    size: int,
    objective: Objective,
    *constraints: Constraint,
    time_limit: float = 30.0,
    measure: RiskMeasure = RiskMeasure.VARIANCE,
) -> Problem:
    mu, sigma = market(seed, size)
    symbols = tuple("ABCDEFGHIJKLMNOPQRST"[:size])
    scenarios = Scenarios.of(symbols, np.random.default_rng(seed).multivariate_normal(mu, sigma, 90))
    options = SolverOptions(time_limit_seconds=time_limit)
    moments = Moments.of(symbols, mu, sigma, 252.0)
    return Problem(moments, objective, measure, constraints=constraints, scenarios=scenarios, options=options)


def shares(problem: Problem, w: np.ndarray) -> np.ndarray:
    sigma = problem.moments.covariance
    return np.asarray(w * (sigma @ w) / (w @ sigma @ w))


def proven(solution: Solution) -> np.ndarray:
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-7
    assert solution.certificate.max_constraint_violation <= 1e-8
    return solution.weights


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("seed", range(6))
def test_three_assets_against_every_point_of_a_grid(objective: Objective, seed: int) -> None:
    problem = problem_of(seed, 3, objective, RiskContributionBounds("caps", upper=0.4))
    w = proven(solve(problem))
    assert shares(problem, w).max() <= 0.4 + 1e-8
    assert w.min() >= 0.0
    first, second = np.meshgrid(np.linspace(0, 1, 401), np.linspace(0, 1, 401))
    grid = np.stack([first, second, 1 - first - second]).reshape(3, -1)
    grid = grid[:, grid[2] >= 0.0]
    pull = problem.moments.covariance @ grid
    carried = grid * pull / (grid * pull).sum(axis=0)
    kept = grid[:, (carried <= 0.4).all(axis=0)]
    assert kept.shape[1] > 20
    best = min(objective_value(problem, rival) for rival in kept.T)
    mine = objective_value(problem, w)
    assert mine <= best + 1e-9 * abs(best)
    assert best - mine <= 0.05 * abs(best)


@pytest.mark.parametrize("tolerance", [0.3, 0.05])
def test_a_search_that_may_stop_early_says_how_much_it_has_proven(tolerance: float) -> None:
    problem = problem_of(0, 4, MinRisk(), RiskContributionBounds("caps", upper=0.4))
    best = objective_value(problem, proven(solve(problem)))
    found = solve(replace(problem, options=SolverOptions(tolerance=tolerance)))
    gap = found.certificate.duality_gap
    assert gap is not None
    assert 1e-3 < gap <= tolerance
    value = objective_value(problem, found.weights)
    assert value - gap * abs(value) <= best <= value + 1e-9 * abs(value)


def best_of_many(problem: Problem, upper: float, count: int = 40) -> float:
    """The best of local searches from many places."""
    size, sigma = len(problem.moments.symbols), problem.moments.covariance
    rng, best = np.random.default_rng(0), np.inf
    unit = abs(objective_value(problem, np.full(size, 1 / size)))

    def room(w: np.ndarray) -> np.ndarray:
        return np.asarray(upper - shares(problem, w))

    assert sigma.shape == (size, size)
    for start in rng.dirichlet(np.ones(size), count):
        with np.errstate(all="ignore"):
            found = minimize(
                lambda w: objective_value(problem, w) / unit,
                start,
                method="SLSQP",
                bounds=[(0, 1)] * size,
                constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1}, {"type": "ineq", "fun": room}],
                options={"ftol": 1e-13, "maxiter": 300},
            )
        if np.isfinite(found.x).all() and room(found.x).min() >= -1e-9 and abs(found.x.sum() - 1) < 1e-9:
            best = min(best, objective_value(problem, np.maximum(found.x, 0.0)))
    return best


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(("seed", "upper"), [(1, 0.27), (2, 0.3), (3, 0.4)])
def test_four_assets_against_many_local_searches(objective: Objective, seed: int, upper: float) -> None:
    problem = problem_of(seed, 4, objective, RiskContributionBounds("caps", upper=upper))
    w = proven(solve(problem))
    assert shares(problem, w).max() <= upper + 1e-8
    best = best_of_many(problem, upper)
    assert objective_value(problem, w) <= best + 2e-7 * abs(best)
    assert objective_value(problem, w) == pytest.approx(best, rel=1e-5)


@given(st.integers(0, 10**6), st.integers(2, 6), st.floats(1.02, 2.5), st.sampled_from(OBJECTIVES))
@generated(25)
def test_bounds_hold_or_the_refusal_says_why(seed: int, size: int, room: float, objective: Objective) -> None:
    problem = problem_of(
        seed, size, objective, RiskContributionBounds("caps", upper=min(room / size, 1.0)), time_limit=5
    )
    try:
        w = proven(solve(problem))
    except SolverTimedOut as late:
        assert "not proven" in late.message or "none was found" in late.message  # noqa: PT017 - either may come
        return
    assert shares(problem, w).max() <= room / size + 1e-8
    # The portfolio of equal shares keeps every such bound.
    equal = solve(problem_of(seed, size, RiskBudget())).weights
    assert objective_value(problem, w) <= objective_value(problem, equal) + 1e-7 * abs(objective_value(problem, equal))


def test_equal_bounds_leave_the_risk_budgets() -> None:
    bounds = RiskContributionBounds("all", lower=0.125, upper=0.125)
    equal = solve(problem_of(5, 8, RiskBudget())).weights
    assert solve(problem_of(5, 8, MinRisk(), bounds)).weights == pytest.approx(equal, abs=1e-6)


def test_bounds_that_do_not_bind_change_nothing() -> None:
    free = solve(problem_of(7, 6, MinRisk()))
    loose = solve(problem_of(7, 6, MinRisk(), RiskContributionBounds("caps", upper=0.99)))
    assert loose.weights == pytest.approx(free.weights, abs=1e-12)
    assert loose.certificate.solver == free.certificate.solver


@pytest.mark.parametrize("measure", [RiskMeasure.VARIANCE, RiskMeasure.CONDITIONAL_VALUE_AT_RISK], ids=str)
def test_lower_bounds_are_those_of_cvxpy(measure: RiskMeasure) -> None:
    bounds = RiskContributionBounds("least", lower=0.15, symbols=("A", "C"))
    problem = problem_of(11, 5, MinRisk(), bounds, WeightBounds("caps", lower=0.0, upper=0.5), measure=measure)
    w = proven(solve(problem))
    assert shares(problem, w)[[0, 2]].min() >= 0.15 - 1e-8
    sigma = problem.moments.covariance / np.diag(problem.moments.covariance).mean()
    x, root = cp.Variable(5), np.linalg.cholesky(sigma).T
    assert problem.scenarios is not None
    rules = [x >= 0, x <= 0.5, cp.sum(x) == 1]
    rules += [cp.geo_mean(cp.hstack([x[i], sigma[i] @ x])) >= 0.15**0.5 * cp.norm(root @ x) for i in (0, 2)]
    # Of ninety outcomes five per cent are four and a half: the fifth counts by half.
    losses = -100 * problem.scenarios.values @ x
    tail = (cp.sum_largest(losses, 4) + cp.sum_largest(losses, 5)) / 9
    goal = cp.norm(root @ x) if measure.is_quadratic else tail
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cp.Problem(cp.Minimize(goal), rules).solve(solver="CLARABEL")
    assert w == pytest.approx(x.value, abs=2e-4)


@pytest.mark.parametrize("objective", [MaxDiversification(), RiskBudget(), MaxRatio()], ids=lambda o: type(o).__name__)
def test_lower_bounds_stand_beside_every_objective(objective: Objective) -> None:
    free = problem_of(13, 5, objective)
    index = int(np.argmin(shares(free, solve(free).weights)))
    least = RiskContributionBounds("least", lower=0.3, symbols=(free.moments.symbols[index],))
    problem = problem_of(13, 5, objective, least)
    assert shares(problem, proven(solve(problem)))[index] == pytest.approx(0.3, abs=1e-6)


def test_linear_limits_stand_beside_upper_bounds() -> None:
    limits = (GroupBounds("group", ("A", "B"), upper=0.3), ReturnFloor("floor", 0.05), WeightBounds("w", lower=0.02))
    problem = problem_of(17, 6, MinRisk(), RiskContributionBounds("caps", upper=0.25), *limits)
    w = proven(solve(problem))
    rng, best = np.random.default_rng(3), objective_value(problem, w)
    rivals = 0.02 + 0.88 * rng.dirichlet(np.ones(6), 20000)
    kept = [r for r in rivals if feasible_set(problem).violation(r) == 0.0]
    assert kept
    assert all(objective_value(problem, rival) >= best * (1 - 1e-7) for rival in kept)
    near = [w + 0.01 * (rival - w) for rival in rivals[:4000]]
    assert all(
        objective_value(problem, r) >= best * (1 - 1e-7) for r in near if feasible_set(problem).violation(r) == 0.0
    )


def test_neither_the_unit_of_returns_nor_the_budget_matters() -> None:
    caps = RiskContributionBounds("caps", upper=0.24)
    mine = problem_of(19, 5, MinRisk(), caps)
    percent = Moments.of(
        mine.moments.symbols, 100 * mine.moments.expected_returns, 1e4 * mine.moments.covariance, 252.0
    )
    w = solve(mine).weights
    assert solve(Problem(percent, MinRisk(), constraints=(caps,))).weights == pytest.approx(w, abs=1e-5)
    half = problem_of(19, 5, MinRisk(), caps, Leverage("half", budget=0.5))
    assert solve(half).weights == pytest.approx(0.5 * w, abs=1e-5)


def conflict_of(*constraints: Constraint, size: int = 5) -> InfeasibleProblem:
    problem = problem_of(23, size, MinRisk(), *constraints)
    assert not is_feasible(feasible_set(problem))
    with pytest.raises(InfeasibleProblem) as raised:
        solve(problem)
    return raised.value


def test_a_conflict_names_the_bounds() -> None:
    low = conflict_of(RiskContributionBounds("low", upper=0.19))
    assert low.labels == ("low",)
    assert low.relaxations == pytest.approx({"low": 0.01}, abs=1e-6)
    assert conflict_of(RiskContributionBounds("high", lower=0.21)).relaxations == pytest.approx(
        {"high": 0.01}, abs=1e-6
    )
    both = conflict_of(
        RiskContributionBounds("most", upper=0.3, symbols=("A",)),
        RiskContributionBounds("least", lower=0.4, symbols=("A",)),
    )
    assert both.labels == ("most", "least")
    assert both.relaxations == pytest.approx({"most": 0.1, "least": 0.1}, abs=1e-6)
    held = conflict_of(
        WeightBounds("out", upper=0.0, symbols=("B",)), RiskContributionBounds("least", lower=0.1, symbols=("B",))
    )
    assert set(held.labels) >= {"out", "least"}


def test_bounds_on_shares_alone_can_always_be_met() -> None:
    """Every set of positive shares belongs to a portfolio (Maillard, Roncalli & Teiletche 2010)."""
    for seed in range(5):
        limits = feasible_set(problem_of(seed, 7, MinRisk(), RiskContributionBounds("caps", upper=1.0001 / 7)))
        found = any_within_contribution_bounds(limits, lambda some: np.full(some.n_assets, 1.0 / some.n_assets))
        assert found is not None
        assert limits.violation(found) <= 1e-8


def test_what_cannot_be_proven_is_refused_by_name() -> None:
    caps = RiskContributionBounds("caps", upper=0.22)
    with pytest.raises(NotSupported, match=r"caps.*may be short"):
        solve(problem_of(29, 5, MinRisk(), caps, Leverage("shorts", max_short=0.5)))
    with pytest.raises(NotSupported, match=r"caps.*not for MaxDiversification"):
        solve(problem_of(29, 5, MaxDiversification(), caps))
    with pytest.raises(NotSupported, match=r"caps.*MinRisk in MAD"):
        solve(problem_of(29, 5, MinRisk(), caps, measure=RiskMeasure.MEAN_ABSOLUTE_DEVIATION))
    with pytest.raises(FormulaMissesConstraint, match="caps by"):
        solve(problem_of(29, 5, EqualWeight(), caps))
    with pytest.raises(NotSupported, match=r"hierarchy .* caps"):
        solve(problem_of(29, 5, Hierarchical(), caps))
    with pytest.raises(NotSupported, match="count decides"):
        solve(problem_of(29, 5, MinRisk(), caps, Cardinality("count", 3)))
    with pytest.raises(SolverTimedOut, match="not proven"):
        solve(problem_of(29, 14, MinRisk(), RiskContributionBounds("caps", upper=1.1 / 14), time_limit=0.2))
    with pytest.raises(InvalidInput, match="upper"):
        RiskContributionBounds("none", upper=0.0)
    with pytest.raises(InvalidInput, match="not a symbol"):
        problem_of(29, 5, MinRisk(), RiskContributionBounds("who", upper=0.5, symbols=("Z",)))


@pytest.mark.parametrize("size", [3, 8, 20])
def test_bounds_that_leave_one_vector_of_shares_are_exact(size: int) -> None:
    wanted = np.random.default_rng(size).dirichlet(np.ones(size) * 4)
    symbols = tuple("ABCDEFGHIJKLMNOPQRST"[:size])
    bounds = [
        RiskContributionBounds(symbol, lower=float(share), upper=float(share), symbols=(symbol,))
        for symbol, share in zip(symbols, wanted, strict=True)
    ]
    problem = problem_of(31, size, MaxReturn(), *bounds)
    w = proven(solve(problem))
    assert shares(problem, w) == pytest.approx(wanted, abs=1e-9)


def test_a_lower_bound_of_zero_forbids_hedges_and_not_zero_weights() -> None:
    """An asset that hedges the others has a share below 0 while it is small: none of it, or enough of it."""
    sigma = np.array([[1.0, 0.3, -0.5], [0.3, 1.0, -0.5], [-0.5, -0.5, 1.0]]) * 1e-4
    mu = np.array([3.0, 2.0, 0.1]) * 1e-4
    hedge = WeightBounds("hedge", lower=0.0, upper=0.2, symbols=("C",))
    whole = RiskContributionBounds("none below 0", lower=0.0)
    moments = Moments.of(("A", "B", "C"), mu, sigma, 252.0)
    free = solve(Problem(moments, MinRisk(), constraints=(hedge,)))
    assert free.weights[2] == pytest.approx(0.2)
    problem = Problem(moments, MinRisk(), constraints=(hedge, whole))
    assert shares(problem, free.weights)[2] < 0.0
    w = proven(solve(problem))
    assert w == pytest.approx([0.5, 0.5, 0.0], abs=1e-4)
