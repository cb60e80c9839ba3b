"""The engine against brute force, against chance, and against what must not matter."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import Cancelled, InvalidInput, NotSupported, SolverTimedOut
from domain.market_data.moments import Moments
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import GroupBounds, Leverage, Linear, Turnover, WeightBounds
from domain.optimization.request.objectives import (
    EqualWeight,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RiskBudget,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

SMOOTH = [MinRisk(), MaxUtility(3.0), MaxRatio(), MaxDiversification(), RiskBudget(), MaxReturn()]


@st.composite
def markets(draw: st.DrawFn, most: int = 12) -> Moments:
    """Moments of 2 to `most` assets with a few factors, positive definite; at least one mean is above zero."""
    size = draw(st.integers(2, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    loadings = rng.normal(0.0, 1.0, (size, draw(st.integers(1, 4))))
    covariance = 1e-4 * (loadings @ loadings.T + np.diag(rng.uniform(0.05, 2.0, size)))
    means = rng.normal(0.0003, 0.0005, size)
    means[rng.integers(size)] = 0.001
    return Moments.of([f"S{i}" for i in range(size)], means, covariance, 252.0)


def value(moments: Moments, objective: Objective, weights: np.ndarray) -> float:
    """What each objective makes small."""
    mean, variance = float(moments.expected_returns @ weights), float(weights @ moments.covariance @ weights)
    match objective:
        case MinRisk():
            return variance
        case MaxReturn():
            return -mean
        case MaxUtility():
            return -mean + objective.risk_aversion / 2 * variance
        case MaxRatio():
            return -mean / variance**0.5
        case MaxDiversification():
            return -float(moments.volatilities @ weights) / variance**0.5
    return 0.5 * np.log(variance) - float(np.log(np.maximum(weights, 1e-300)).mean())


@generated(40)
@given(markets(), st.sampled_from(SMOOTH), st.integers(0, 2**32 - 1), st.booleans())
def test_no_portfolio_drawn_by_chance_is_better(
    moments: Moments, objective: Objective, seed: int, capped: bool
) -> None:
    size = len(moments.symbols)
    caps = (WeightBounds("caps", upper=2.0 / size),) if capped else ()
    problem = Problem(moments, objective, constraints=caps)
    found = solve(problem)
    best = value(moments, objective, found.weights)
    rng = np.random.default_rng(seed)
    near = 0.9 * found.weights + 0.1 * rng.dirichlet(np.ones(size), 200)
    far = rng.dirichlet(np.full(size, 0.5), 200)
    for other in np.vstack([near, far]):
        if other.max() <= 2.0 / size or not capped:
            assert best <= value(moments, objective, other) + 1e-9 * abs(best)


def brute_force(moments: Moments) -> np.ndarray:
    """The least long-only variance by trying every set of assets."""
    size = len(moments.symbols)
    best, least = np.zeros(size), np.inf
    for count in range(1, size + 1):
        for chosen in itertools.combinations(range(size), count):
            block = moments.covariance[np.ix_(chosen, chosen)]
            part = np.linalg.solve(block, np.ones(count))
            part /= part.sum()
            if (part >= 0).all() and part @ block @ part < least:
                least = part @ block @ part
                best = np.zeros(size)
                best[list(chosen)] = part
    return best


@generated(40)
@given(markets(most=6))
def test_least_variance_is_that_of_trying_everything(moments: Moments) -> None:
    assert solve(Problem(moments, MinRisk())).weights == pytest.approx(brute_force(moments), abs=1e-7)


@generated(25)
@given(markets(), st.sampled_from(SMOOTH), st.integers(0, 2**32 - 1))
def test_the_order_of_assets_does_not_matter(moments: Moments, objective: Objective, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(moments.symbols))
    shuffled = Moments.of(
        [moments.symbols[i] for i in order],
        moments.expected_returns[order],
        moments.covariance[np.ix_(order, order)],
        252.0,
    )
    assert solve(Problem(shuffled, objective)).weights == pytest.approx(
        solve(Problem(moments, objective)).weights[order], abs=1e-7
    )


@generated(25)
@given(markets(), st.sampled_from([MinRisk(), MaxRatio(), MaxDiversification(), RiskBudget()]), st.floats(-6, 6))
def test_the_unit_of_returns_does_not_matter(moments: Moments, objective: Objective, power: float) -> None:
    unit = 10.0**power
    scaled = Moments.of(moments.symbols, moments.expected_returns * unit, moments.covariance * unit**2, 252.0)
    assert solve(Problem(scaled, objective)).weights == pytest.approx(
        solve(Problem(moments, objective)).weights, abs=1e-6
    )


@generated(30)
@given(markets(), st.sampled_from(SMOOTH[:4]), st.floats(0.02, 0.4), st.integers(0, 2**32 - 1))
def test_shorts_turnover_and_groups_together_are_kept(
    moments: Moments, objective: Objective, limit: float, seed: int
) -> None:
    size = len(moments.symbols)
    rng = np.random.default_rng(seed)
    current = rng.dirichlet(np.ones(size))
    constraints = (
        Leverage("leverage", max_short=0.3, max_gross=1.6),
        Turnover("turnover", limit),
        GroupBounds("group", moments.symbols[:1], lower=None, upper=float(current[0])),
        Linear("tilt", {moments.symbols[-1]: 1.0}, lower=float(current[-1]) - 0.2),
    )
    problem = Problem(moments, objective, constraints=constraints, current_weights=current)
    mean = float(moments.expected_returns @ current)
    assume(not isinstance(objective, MaxRatio) or mean > 1e-5)
    solution = solve(problem)
    assert np.abs(solution.weights - current).sum() <= 2 * limit + 1e-8
    assert feasible_set(problem).violation(solution.weights) <= 1e-8
    # Staying put is allowed, so the answer cannot be worse.
    assert value(moments, objective, solution.weights) <= value(moments, objective, current) + 1e-9


def test_shadow_prices_are_finite_differences() -> None:
    rng = np.random.default_rng(2)
    returns = rng.normal(0.0005, 0.01, (200, 8)) @ (np.eye(8) + 0.2)
    moments = Moments.of("ABCDEFGH", returns.mean(0), np.cov(returns.T), 252.0)
    current = np.full(8, 1 / 8)

    def solved(objective: Objective, cap: float = 0.3, group: float = 0.4, trade: float = 0.3) -> Problem:
        constraints = (
            WeightBounds("cap", upper=cap, symbols=("A", "B", "C")),
            GroupBounds("group", ("D", "E"), upper=group),
            Turnover("trade", trade),
        )
        return Problem(moments, objective, constraints=constraints, current_weights=current)

    def reported(objective: Objective, **limits: float) -> float:
        solution = solve(solved(objective, **limits))
        match objective:
            case MinRisk():
                return -solution.risk
            case MaxRatio():
                return solution.ratio or 0.0
            case MaxReturn():
                return solution.expected_return_annual
        return solution.expected_return_annual - 1.5 * solution.volatility_annual**2

    checked = 0
    for objective in (MinRisk(), MaxRatio(), MaxReturn(), MaxUtility(3.0)):
        found = solve(solved(objective))
        base = {"cap": 0.3, "group": 0.4, "trade": 0.3}
        for label, key in (("group", "group"), ("trade", "trade")):
            step = 1e-5
            slope = (
                reported(objective, **{key: base[key] + step}) - reported(objective, **{key: base[key] - step})
            ) / (2 * step)
            prices = [b.shadow_price for b in found.binding if b.label == label]
            if abs(slope) < 1e-9:
                assert not prices
                continue
            expected = slope
            assert sum(price or 0.0 for price in prices) == pytest.approx(expected, rel=2e-3)
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("size", [130, 200])
def test_more_assets_than_observations(size: int) -> None:
    returns = np.random.default_rng(4).normal(0.0005, 0.01, (60, size))
    moments = Moments.of(
        [f"S{i}" for i in range(size)], returns.mean(0), np.cov(returns.T), 252.0, repair_covariance=True
    )
    for objective in (MinRisk(), MaxUtility(5.0)):
        solution = solve(Problem(moments, objective, constraints=(WeightBounds("caps", upper=0.05),)))
        assert solution.certificate.max_constraint_violation <= 1e-8


def test_twins_share_a_problem() -> None:
    moments = Moments.of("AB", [0.01, 0.01], [0.04, 0.04, 0.04, 0.04], 12.0)
    assert solve(Problem(moments, MinRisk())).weights.sum() == pytest.approx(1.0)
    assert solve(Problem(moments, RiskBudget())).weights == pytest.approx([0.5, 0.5])


def test_pinned_weights_are_the_answer() -> None:
    moments = Moments.of("AB", [0.01, 0.02], [0.04, 0.0, 0.0, 0.09], 12.0)
    pins = (WeightBounds("a", 0.3, 0.3, ("A",)), WeightBounds("b", 0.7, 0.7, ("B",)))
    for objective in (MinRisk(), MaxReturn(), MaxUtility(2.0), MaxRatio(), MaxDiversification()):
        assert solve(Problem(moments, objective, constraints=pins)).weights == pytest.approx([0.3, 0.7])


def test_nothing_may_be_traded() -> None:
    moments = Moments.of("AB", [0.01, 0.02], [0.04, 0.0, 0.0, 0.09], 12.0)
    held = np.array([0.3, 0.7])
    problem = Problem(moments, MinRisk(), constraints=(Turnover("still", 0.0),), current_weights=held)
    assert solve(problem).weights == pytest.approx(held, abs=1e-8)


def test_bounds_that_no_portfolio_has_are_refused() -> None:
    """With the largest bounds that are taken, the highest return is large and found."""
    with pytest.raises(InvalidInput, match="at most 1e"):
        WeightBounds("short", lower=-1e30, symbols=("A",))
    moments = Moments.of("AB", [0.01, 0.02], [0.04, 0.0, 0.0, 0.09], 12.0)
    problem = Problem(moments, MaxReturn(), constraints=(WeightBounds("short", lower=-1e6, symbols=("A",)),))
    assert solve(problem).weights == pytest.approx([-1e6, 1e6 + 1.0], rel=1e-9)


def test_what_no_engine_does_is_refused() -> None:
    moments = Moments.of("AB", [0.01, 0.02], [0.04, 0.0, 0.0, 0.09], 12.0)
    tail = RiskMeasure.CONDITIONAL_VALUE_AT_RISK
    with pytest.raises(NotSupported, match="needs returns"):
        solve(Problem(moments, MaxRatio(), tail))
    with pytest.raises(NotSupported, match="needs returns"):
        solve(Problem(moments, MinRisk(), tail, options=SolverOptions(engine=EnginePreference.FAST)))
    with pytest.raises(NotSupported, match="Riskfolio-Lib does not support"):
        solve(Problem(moments, EqualWeight(), options=SolverOptions(engine=EnginePreference.RISKFOLIO)))


def raising(error: Exception, after: int) -> Iterator[None]:
    for _ in range(after):
        yield
    raise error


@pytest.mark.parametrize("error", [Cancelled("left"), SolverTimedOut("late")])
def test_a_caller_who_leaves_stops_the_work(error: Exception) -> None:
    moments = Moments.of("ABC", np.zeros(3), np.diag([1.0, 2.0, 3.0]) + 0.5, 12.0)
    told = raising(error, 2)
    with pytest.raises(type(error)):
        solve(Problem(moments, RiskBudget()), check_cancelled=lambda: next(told))
