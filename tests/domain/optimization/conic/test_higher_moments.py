"""The trade-off of four moments against a general minimiser, its own first-order conditions, and what it expands."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from domain.errors import InfeasibleProblem, InvalidInput, NotSupported
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
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
from domain.optimization.request.objectives import HigherMoments, MaxUtility
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

SIZE, COUNT = 5, 80
SYMBOLS = tuple("ABCDE")
RNG = np.random.default_rng(43)
# Skewed and heavy-tailed, so that the third and fourth moments pull weights about.
RETURNS = np.exp(RNG.normal(0, 0.35, (COUNT, SIZE)) + RNG.normal(0, 0.15, (COUNT, 1))) * 0.1 - 0.095
RETURNS[:, 2:] *= -1.0
RETURNS += 0.005
EQUAL = np.full(SIZE, 1 / SIZE)
CHANCES = RNG.dirichlet(np.full(COUNT, 3.0))


def power_utility(gamma: float) -> HigherMoments:
    """The expansion of (1 + x)^(1 - gamma) / (1 - gamma)."""
    return HigherMoments(gamma / 2, gamma * (gamma + 1) / 6, gamma * (gamma + 1) * (gamma + 2) / 24)


def posed(
    objective: HigherMoments | MaxUtility,
    *constraints: Constraint,
    returns: np.ndarray = RETURNS,
    probabilities: np.ndarray | None = None,
) -> Problem:
    symbols = tuple(f"S{i}" for i in range(returns.shape[1]))
    panel = ReturnPanel.of(symbols, np.arange(len(returns)), returns)
    scenarios = (
        Scenarios.from_returns(panel) if probabilities is None else Scenarios.of(symbols, returns, probabilities)
    )
    return Problem(
        estimate_moments(panel, Estimation(), 12.0) if probabilities is None else scenario_moments(scenarios, 12.0),
        objective,
        constraints=constraints,
        current_weights=np.full(len(symbols), 1 / len(symbols)),
        scenarios=scenarios,
    )


def by_definition(objective: HigherMoments, weights: np.ndarray, probabilities: np.ndarray) -> float:
    """Of outcomes one by one."""
    outcomes = [float(sum(r * w for r, w in zip(row, weights, strict=True))) for row in RETURNS]
    mean = sum(p * x for p, x in zip(probabilities, outcomes, strict=True))
    total = 0.0 if objective.ignore_mean else -mean
    for p, x in zip(probabilities, outcomes, strict=True):
        z = x - mean
        total += p * (objective.variance * z * z - objective.skewness * z**3 + objective.kurtosis * z**4)
    return total


OBJECTIVES = {
    "aversion of 3": power_utility(3.0),
    "aversion of 20": power_utility(20.0),
    "kurtosis alone": HigherMoments(kurtosis=1.0, ignore_mean=True),
    "variance alone": HigherMoments(variance=2.0, ignore_mean=True),
    "as much skewness as can be": HigherMoments(1.0, (8 / 3 * 1.0 * 200.0) ** 0.5, 200.0, ignore_mean=True),
    "kurtosis and mean": HigherMoments(kurtosis=40.0),
}


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
@pytest.mark.parametrize("probabilities", [None, CHANCES], ids=["even", "uneven"])
def test_a_general_minimiser_finds_no_better(objective: HigherMoments, probabilities: np.ndarray | None) -> None:
    problem = posed(objective, WeightBounds("cap", 0.0, 0.5), probabilities=probabilities)
    weighed = np.full(COUNT, 1 / COUNT) if probabilities is None else probabilities
    solution = solve(problem)
    assert objective_value(problem, solution.weights) == pytest.approx(
        by_definition(objective, solution.weights, weighed), rel=1e-9
    )

    def target(weights: np.ndarray) -> float:
        return 1e3 * objective_value(problem, weights)

    other = minimize(
        target,
        EQUAL,
        bounds=[(0, 0.5)] * SIZE,
        constraints=LinearConstraint(np.ones((1, SIZE)), 1, 1),
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    found = objective_value(problem, solution.weights)
    assert found <= other.fun / 1e3 + 1e-12
    assert found == pytest.approx(other.fun / 1e3, rel=1e-5)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-9


@generated(40)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.booleans())
def test_no_feasible_weights_are_better(seed: int, share: float, shorts: bool) -> None:
    """Whatever the sample, few returns of many assets among them, up to the border of what is convex."""
    generator = np.random.default_rng(seed)
    count, size = int(generator.integers(2, 40)), int(generator.integers(1, 12))
    returns = np.maximum(generator.standard_t(3, (count, size)) * 0.02, -0.9)
    a, c = generator.uniform(0.1, 5), generator.uniform(1, 5000)
    objective = HigherMoments(a, share * (8 / 3 * a * c) ** 0.5, c, bool(seed % 2))
    limits = (Leverage("short", 0.3, 2.0),) if shorts else ()
    problem = posed(objective, *limits, returns=returns)
    solution = solve(problem)
    best = objective_value(problem, solution.weights)
    for rival in generator.dirichlet(np.ones(size) * 0.5, 30):
        assert objective_value(problem, rival) >= best - 1e-7 * max(abs(best), 1e-8)


def test_it_is_a_utility_where_only_the_variance_counts() -> None:
    """Population variance against the sample's with T - 1."""
    aversion = 6.0
    plain = solve(posed(MaxUtility(aversion)))
    again = solve(posed(HigherMoments(variance=aversion / 2 * COUNT / (COUNT - 1))))
    assert again.weights == pytest.approx(plain.weights, abs=1e-6)


def test_the_expansion_is_close_to_the_utility_it_expands() -> None:
    gamma = 5.0
    problem = posed(power_utility(gamma), returns=0.1 * RETURNS)
    weights = solve(problem).weights
    excess = 0.1 * RETURNS - 0.1 * RETURNS.mean(axis=0)

    def expected(held: np.ndarray) -> float:
        """About the mean, as the expansion is: u(1 + z), with the mean at its slope of one."""
        return float(((1 + excess @ held) ** (1 - gamma) / (1 - gamma)).mean() + 0.1 * RETURNS.mean(axis=0) @ held)

    rivals = [EQUAL, *np.eye(SIZE), *RNG.dirichlet(np.ones(SIZE), 500)]
    assert max(map(expected, rivals)) <= expected(weights) + 1e-6


def test_the_mean_is_that_of_the_estimate() -> None:
    """Shrunk or viewed means count; deviations stay the sample's own."""
    problem = posed(power_utility(3.0))
    means = np.zeros(SIZE)
    means[3] = 0.05
    viewed = replace(problem, moments=replace(problem.moments, expected_returns=means))
    weights = np.array([0.1, 0.2, 0.3, 0.3, 0.1])
    both = objective_value(viewed, weights) - objective_value(problem, weights)
    assert both == pytest.approx(float((RETURNS.mean(axis=0) - means) @ weights), rel=1e-9)
    assert solve(viewed).weights[3] == pytest.approx(1.0, abs=1e-6)


LIMITS: dict[str, tuple[Constraint, ...]] = {
    "shorts": (WeightBounds("bounds", -0.3, 0.6),),
    "market neutral": (Leverage("leverage", 0.5, 1.0, 0.0), WeightBounds("hold", 0.1, None, ("S0",))),
    "turnover": (Turnover("turnover", 0.1),),
    "a floor": (ReturnFloor("floor", 0.05),),
    "tracking": (TrackingError("te", EQUAL, 0.03),),
    "a tail": (RiskLimit("tail", RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.035),),
    "a tail by rank": (RiskLimit("tail", RiskMeasure.TAIL_GINI, 0.04),),
}


@pytest.mark.parametrize("name", LIMITS)
def test_every_kind_of_limit(name: str) -> None:
    objective = power_utility(4.0)
    problem = posed(objective, *LIMITS[name])
    solution = solve(problem)
    best = objective_value(problem, solution.weights)
    limits, rivals = feasible_set(problem), 0
    spread = RNG.normal(size=(2000, SIZE)) * RNG.choice([1e-4, 1e-3, 1e-2], (2000, 1))
    for rival in solution.weights + spread - spread.mean(axis=1)[:, None]:
        if limits.violation(rival) <= 1e-12:
            assert objective_value(problem, rival) >= best - 1e-10
            rivals += 1
    assert rivals > 5


@pytest.mark.parametrize("label", ["cap", "te"])
def test_shadow_prices_are_what_relaxing_is_worth(label: str) -> None:
    step = 1e-5

    def best(more: float) -> tuple[float, float]:
        limits = {"cap": WeightBounds("cap", None, 0.3 + more), "te": TrackingError("te", EQUAL, 0.02 + more)}
        problem = posed(power_utility(4.0), limits[label])
        solution = solve(problem)
        prices = [one.shadow_price or 0.0 for one in solution.binding if one.label == label]
        return objective_value(problem, solution.weights), sum(prices)

    (_, price), (after, _), (before, _) = best(0.0), best(step), best(-step)
    assert price > 0.0
    assert price == pytest.approx((before - after) / (2 * step), rel=1e-3)


def test_few_assets_are_chosen_among_all() -> None:
    problem = posed(power_utility(4.0), Cardinality("two", 2))
    solution = solve(problem)
    assert np.count_nonzero(solution.weights) <= 2
    pairs = []
    for i in range(SIZE):
        for j in range(i):
            out = tuple(f"S{k}" for k in range(SIZE) if k not in (i, j))
            pair = posed(power_utility(4.0), WeightBounds("out", 0.0, 0.0, out))
            pairs.append(objective_value(pair, solve(pair).weights))
    assert objective_value(problem, solution.weights) == pytest.approx(min(pairs), rel=1e-7)


def test_no_risk_at_all_is_found() -> None:
    """A quartic is flat where it ends: with cash for everything, and with more assets than returns."""
    kurtosis = HigherMoments(kurtosis=1.0, ignore_mean=True)
    neutral = solve(posed(kurtosis, Leverage("leverage", 0.5, 1.0, 0.0)))
    assert np.abs(neutral.weights).max() < 1e-3
    many = RNG.normal(0, 0.02, (6, 20))
    solution = solve(posed(kurtosis, WeightBounds("bounds", -0.5, 0.5), returns=many))
    assert np.ptp(many @ solution.weights) < 1e-3
    solve(posed(power_utility(3.0), returns=np.full((4, 3), 0.01)))


@pytest.mark.parametrize("unit", [1e-6, 1.0])
def test_the_unit_of_returns_only_scales_the_factors(unit: float) -> None:
    known = solve(posed(HigherMoments(2.0, 3.0, 10.0)))
    scaled = HigherMoments(2.0 / unit, 3.0 / unit**2, 10.0 / unit**3)
    assert solve(posed(scaled, returns=unit * RETURNS)).weights == pytest.approx(known.weights, abs=1e-6)


def test_thousands_of_returns_of_many_assets() -> None:
    wide = RNG.standard_t(4, (5000, 1)) * 0.005 + RNG.standard_t(4, (5000, 200)) * 0.01
    solution = solve(posed(power_utility(8.0), returns=wide.clip(-0.5)))
    assert solution.certificate.iterations < 20


def test_what_is_refused() -> None:
    with pytest.raises(InvalidInput, match="root of 8/3 x variance x kurtosis") as error:
        HigherMoments(1.0, 1.7, 1.0)
    assert error.value.field == "skewness"
    assert HigherMoments(1.0, (8 / 3) ** 0.5, 1.0).skewness > 1.6
    with pytest.raises(InvalidInput, match="root of"):
        HigherMoments(1.0, 1e-9, 0.0)
    with pytest.raises(InvalidInput, match="maxReturn"):
        HigherMoments(ignore_mean=True)
    panel = ReturnPanel.of(SYMBOLS, np.arange(COUNT), RETURNS)
    moments = estimate_moments(panel, Estimation(), 12.0)
    with pytest.raises(NotSupported, match="no skewness or kurtosis"):
        solve(Problem(moments, power_utility(3.0)))
    with pytest.raises(InfeasibleProblem):
        solve(posed(power_utility(3.0), WeightBounds("caps", 0.0, 0.1)))


def test_a_power_utility_is_always_convex() -> None:
    for gamma in (1e-6, 0.5, 1.0, 10.0, 1e6):
        power_utility(gamma)
