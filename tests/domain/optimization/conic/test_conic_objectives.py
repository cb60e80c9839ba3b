"""Programs over cones against the same problems written down for cvxpy, and against what must hold whoever solves."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from domain.costs.trading import TradingCosts
from domain.errors import InfeasibleProblem, NoPositiveExcessReturn, NotSupported, UnboundedProblem
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.conic.robust import upper_covariance
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    ReturnFloor,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    Kelly,
    KellyMethod,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
    Tracking,
    Uncertainty,
    WorstCase,
)
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import generated

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cvxpy as cp

SYMBOLS = tuple("ABCDEF")
SIZE = len(SYMBOLS)
RNG = np.random.default_rng(5)
RETURNS = RNG.standard_t(5, (150, 1)) * 0.006 + RNG.standard_t(5, (150, SIZE)) * 0.012 + 0.001
PANEL = ReturnPanel.of(SYMBOLS, np.arange(150), RETURNS)
MOMENTS = estimate_moments(PANEL, Estimation(), 252.0)
SIGMA, MU = MOMENTS.covariance, MOMENTS.expected_returns
EQUAL = np.full(SIZE, 1 / SIZE)
SHUFFLED = Scenarios.of(SYMBOLS, RETURNS)
CONVEX = [
    measure
    for measure in RiskMeasure
    if measure
    not in (
        RiskMeasure.VALUE_AT_RISK,
        RiskMeasure.DRAWDOWN_AT_RISK,
        RiskMeasure.GINI_MEAN_DIFFERENCE,
        RiskMeasure.TAIL_GINI,
        RiskMeasure.TAIL_GINI_RANGE,
    )
]
RELATIVISTIC = {
    RiskMeasure.RELATIVISTIC_VALUE_AT_RISK,
    RiskMeasure.RLVAR_RANGE,
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK,
}
EVALUATED = [pytest.param(one, marks=pytest.mark.exhaustive) if one in RELATIVISTIC else one for one in CONVEX]
"""Those of which every value takes a solver are exhaustive where a test evaluates many weights, and of fewer."""


def problem_of(
    objective: Objective, *constraints: Constraint, measure: RiskMeasure = RiskMeasure.VARIANCE, cost: float = 0.0
) -> Problem:
    return Problem(
        MOMENTS,
        objective,
        measure,
        constraints=constraints,
        current_weights=EQUAL,
        scenarios=Scenarios.from_returns(PANEL),
        costs=TradingCosts(np.full(SIZE, cost), EQUAL) if cost else None,
    )


def independently(objective: cp.Minimize, constraints: list[object]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(cp.Problem(objective, constraints).solve(solver="CLARABEL"))


W = cp.Variable(SIZE)
LEVEL = cp.Variable()
LONG = [cp.sum(W) == 1, W >= 0]
DEVIATION = cp.norm(np.linalg.cholesky(SIGMA).T @ W)
OFF = cp.norm(np.linalg.cholesky(SIGMA).T @ (W - EQUAL))
TRACKED = [cp.sqrt(252) * OFF <= 0.06]
FIFTH = np.array([0.5, 0.3, 0.2, 0.0, 0.0, 0.0])
Z95 = 1.959963984540054
CHI2_6 = 12.591587243743977  # 0.95 quantile with 6 degrees of freedom, R: qchisq(0.95, 6)

CASES: dict[str, tuple[Problem, cp.Expression, list[object]]] = {
    "least variance, tracking error": (
        problem_of(MinRisk(), TrackingError("te", EQUAL, 0.06)),
        DEVIATION**2,
        [*LONG, *TRACKED],
    ),
    "highest return, tracking error": (
        problem_of(MaxReturn(), TrackingError("te", EQUAL, 0.06)),
        -252 * MU @ W,
        [*LONG, *TRACKED],
    ),
    "highest return, variance limit": (
        problem_of(MaxReturn(), RiskLimit("v", RiskMeasure.VARIANCE, 8e-5)),
        -252 * MU @ W,
        [*LONG, DEVIATION <= 8e-5**0.5],
    ),
    "utility, MAD limit": (
        problem_of(MaxUtility(4.0), RiskLimit("m", RiskMeasure.MEAN_ABSOLUTE_DEVIATION, 0.0075)),
        252 * (2.0 * DEVIATION**2 - MU @ W),
        [*LONG, cp.norm1((RETURNS - RETURNS.mean(axis=0)) @ W) / 150 <= 0.0075],
    ),
    "utility, costs": (
        problem_of(MaxUtility(4.0), cost=0.05),
        252 * (2.0 * DEVIATION**2 - MU @ W) + 0.05 * cp.norm1(W - EQUAL),
        LONG,
    ),
    "utility of CVaR": (
        problem_of(MaxUtility(4.0), measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK),
        252 * (2.0 * (LEVEL + cp.sum(cp.pos(-RETURNS @ W - LEVEL)) / 7.5) - MU @ W),
        LONG,
    ),
    "tracking": (
        problem_of(Tracking(FIFTH), WeightBounds("caps", None, 0.3)),
        252**0.5 * cp.norm(np.linalg.cholesky(SIGMA).T @ (W - FIFTH)),
        [*LONG, W <= 0.3],
    ),
    "second moment": (
        problem_of(Kelly(KellyMethod.SECOND_MOMENT)),
        -cp.sum(RETURNS @ W - 0.5 * cp.square(RETURNS @ W)) / 150,
        LONG,
    ),
    "quadratic growth": (problem_of(Kelly(KellyMethod.QUADRATIC)), 0.5 * DEVIATION**2 - MU @ W, LONG),
    "growth": (problem_of(Kelly()), -cp.sum(cp.log(1 + RETURNS @ W)) / 150, LONG),
    "growth, geared": (
        problem_of(Kelly(), Leverage("l", max_short=1.0, max_gross=3.0)),
        -cp.sum(cp.log(1 + RETURNS @ W)) / 150,
        [cp.sum(W) == 1, cp.norm1(W) <= 3, W >= -1, cp.sum(cp.neg(W)) <= 1],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_optimum_is_that_of_cvxpy(case: tuple[Problem, cp.Expression, list[object]]) -> None:
    problem, objective, constraints = case
    solution = solve(problem)
    best = independently(cp.Minimize(objective), constraints)
    assert objective_value(problem, solution.weights) == pytest.approx(best, rel=1e-6, abs=1e-10)
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-7


DOUBTS = {
    "box": (Uncertainty.BOX, lambda: 252 * Z95 * np.sqrt(np.diag(SIGMA) / 150) @ cp.abs(W)),
    "ellipsoid": (
        Uncertainty.ELLIPSOID,
        lambda: 252 * (CHI2_6 / 150) ** 0.5 * DEVIATION,
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_the_worst_case_is_that_of_cvxpy(doubt: str) -> None:
    kind, deduction = DOUBTS[doubt]
    upper = upper_covariance(SIGMA, 150, 0.95)
    assert (upper >= SIGMA - 1e-18).all()
    solution = solve(problem_of(WorstCase(MaxUtility(3.0), kind, Uncertainty.BOX)))
    worst = -252 * MU @ W + deduction() + 1.5 * 252 * cp.quad_form(W, cp.psd_wrap(upper))
    best = independently(cp.Minimize(worst), LONG)
    weights = solution.weights
    reached = -252 * MU @ weights + 1.5 * 252 * weights @ upper @ weights
    if kind is Uncertainty.BOX:
        reached += 252 * Z95 * np.sqrt(np.diag(SIGMA) / 150) @ np.abs(weights)
    else:
        reached += 252 * (CHI2_6 / 150 * weights @ SIGMA @ weights) ** 0.5
    assert reached == pytest.approx(best, rel=1e-6)


def test_without_doubt_the_worst_case_is_the_case() -> None:
    for goal in (MinRisk(), MaxReturn(), MaxUtility(3.0), MaxRatio()):
        plain = problem_of(goal)
        assert objective_value(plain, solve(problem_of(WorstCase(goal))).weights) == pytest.approx(
            objective_value(plain, solve(plain).weights), rel=1e-6
        )


def test_the_worst_case_needs_observations() -> None:
    with pytest.raises(NotSupported, match="without observations"):
        solve(replace(problem_of(WorstCase(MaxReturn(), Uncertainty.BOX)), scenarios=None))


@pytest.mark.parametrize("measure", EVALUATED, ids=str)
def test_no_feasible_weights_have_less_risk(measure: RiskMeasure) -> None:
    problem = problem_of(MinRisk(), WeightBounds("caps", None, 0.4), measure=measure)
    solution = solve(problem)
    rivals = RNG.dirichlet(np.ones(SIZE), 60 if measure in RELATIVISTIC else 300)
    rivals = rivals[rivals.max(axis=1) <= 0.4]
    assert min(problem.risk.of(rival) for rival in rivals) >= solution.risk * (1 - 1e-9)
    near = solution.weights * 0.98 + 0.02 * rivals
    assert min(problem.risk.of(one) for one in near) >= solution.risk * (1 - 1e-7)


@pytest.mark.parametrize("measure", EVALUATED, ids=str)
def test_the_best_ratio_beats_all_others(measure: RiskMeasure) -> None:
    problem = problem_of(MaxRatio(0.02), WeightBounds("caps", None, 0.5), measure=measure)
    best = objective_value(problem, solve(problem).weights)
    rivals = [solve(problem_of(MinRisk(), ReturnFloor("f", floor), measure=measure)) for floor in (0.2, 0.3)]
    for rival in [r.weights for r in rivals if r.weights.max() <= 0.5] + list(RNG.dirichlet(np.ones(SIZE) * 5, 50)):
        if rival.max() <= 0.5:
            assert objective_value(problem, rival) >= best - 1e-7 * abs(best)


@pytest.mark.parametrize("measure", EVALUATED, ids=str)
def test_a_risk_limit_at_the_least_risk_is_reached(measure: RiskMeasure) -> None:
    """The least risk under a floor and the highest return under that risk are one portfolio."""
    least = solve(problem_of(MinRisk(), ReturnFloor("floor", 0.3), measure=measure))
    highest = solve(problem_of(MaxReturn(), RiskLimit("limit", measure, least.risk)))
    assert highest.expected_return_annual == pytest.approx(0.3, rel=1e-5)
    assert problem_of(MinRisk(), measure=measure).risk.of(highest.weights) <= least.risk + 1e-8


KINKED = {
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
    RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT,
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.WORST_REALIZATION,
    RiskMeasure.RANGE,
    RiskMeasure.CVAR_RANGE,
    RiskMeasure.MAX_DRAWDOWN,
    RiskMeasure.AVERAGE_DRAWDOWN,
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK,
    RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK,
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK,
    RiskMeasure.ULCER_INDEX,
}


@pytest.mark.parametrize("measure", EVALUATED, ids=str)
def test_budgets_are_held_in_any_measure(measure: RiskMeasure) -> None:
    """Euler contributions w_i d risk / d w_i by central differences, as shares of the risk's degree."""
    wanted = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    problem = problem_of(RiskBudget(wanted), measure=measure)
    weights = solve(problem).weights
    step = 1e-6
    slopes = [
        (problem.risk.of(weights + step * unit) - problem.risk.of(weights - step * unit)) / (2 * step)
        for unit in np.eye(SIZE)
    ]
    shares = weights * slopes / (measure.degree * problem.risk.of(weights))
    if measure not in KINKED:
        assert shares == pytest.approx(wanted, abs=2e-3)
    # At a kink subgradients hold the budgets: there too no portfolio has a smaller risk(y) - sum b ln y.
    root = 1.0 / measure.degree

    def barrier(y: np.ndarray) -> float:
        """At its best size, which is where the risk is one unit: ln risk - sum b ln y but for a constant."""
        return float(root * np.log(problem.risk.of(y)) - wanted @ np.log(y))

    best = barrier(weights)
    count = 15 if measure in RELATIVISTIC else 50
    rivals = [*RNG.dirichlet(np.ones(SIZE) * 5, count), *(weights * np.exp(RNG.normal(0, 0.01, (count, SIZE))))]
    assert all(barrier(rival) >= best - 1e-7 for rival in rivals)


def test_relaxed_budgets_without_a_penalty_are_budgets() -> None:
    strict = solve(problem_of(RiskBudget())).weights
    assert solve(problem_of(RelaxedRiskBudget())).weights == pytest.approx(strict, abs=1e-5)


def test_relaxed_budgets_are_those_of_cvxpy() -> None:
    psi, gamma = cp.Variable(), cp.Variable(nonneg=True)
    scaled = SIGMA / np.diag(SIGMA).mean()
    penalised = scaled + 0.7 * np.diag(np.diag(scaled))
    pulls = scaled @ W
    rules = [cp.quad_over_lin(gamma / SIZE**0.5, W[i]) <= pulls[i] for i in range(SIZE)]
    rules += [cp.norm(np.linalg.cholesky(penalised).T @ W) <= psi, 252 * MU @ W >= 0.3]
    independently(cp.Minimize(psi - gamma), [*LONG, *rules])
    found = solve(problem_of(RelaxedRiskBudget(None, 0.7), ReturnFloor("floor", 0.3)))
    assert found.weights == pytest.approx(W.value, abs=1e-5)


def test_costs_make_it_stay_where_it_is() -> None:
    assert solve(problem_of(MaxUtility(2.0), cost=10.0)).weights == pytest.approx(EQUAL, abs=1e-7)
    moved = solve(problem_of(MaxRatio(), cost=0.001))
    free = solve(problem_of(MaxRatio()))
    assert np.abs(moved.weights - EQUAL).sum() <= np.abs(free.weights - EQUAL).sum() + 1e-9


def test_shadow_prices_are_what_relaxing_is_worth() -> None:
    """By finite differences of the objective, for limits and objectives of every kind."""
    limits = {
        "te": lambda more: TrackingError("te", FIFTH, 0.08 + more),
        "cvar": lambda more: RiskLimit("cvar", RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.019 + more),
        "variance": lambda more: RiskLimit("variance", RiskMeasure.VARIANCE, 7.5e-5 + more),
        "group": lambda more: GroupBounds("group", ("A", "B"), None, 0.35 + more),
        "turnover": lambda more: Turnover("turnover", 0.1 + more),
    }
    steps = {"te": 1e-4, "cvar": 1e-6, "variance": 1e-8, "group": 1e-4, "turnover": 1e-4}
    for objective in (MaxReturn(), MaxUtility(2.0), MaxRatio(0.01), Tracking(FIFTH), MinRisk()):
        for name, limit in limits.items():
            problem = problem_of(objective, limit(0.0), RiskLimit("loose", RiskMeasure.MAX_DRAWDOWN, 9.0))
            price = sum(b.shadow_price or 0.0 for b in solve(problem).binding if b.label == name)
            step = steps[name]
            ends = [
                objective_value(problem, solve(replace(problem, constraints=(limit(d),))).weights)
                for d in (-step, step)
            ]
            assert price == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02, abs=2e-5)


def test_conflicting_cones_are_named_with_their_relaxations() -> None:
    """Relaxed by what the report says, alone or together, they are met; by a little less they are not."""

    def posed(floor: float, te: float) -> Problem:
        idle = WeightBounds("idle", None, 0.99)
        return problem_of(MinRisk(), ReturnFloor("floor", 0.3 - floor), TrackingError("te", EQUAL, 0.01 + te), idle)

    with pytest.raises(InfeasibleProblem) as raised:
        solve(posed(0.0, 0.0))
    error = raised.value
    assert {"floor", "te"} <= set(error.labels)
    assert "idle" not in error.labels
    floor, te, both = error.relaxations["floor"], error.relaxations["te"], error.joint
    assert both["floor"] + both["te"] <= min(floor, te) + 1e-7
    for relaxed in ((floor, 0.0), (0.0, te), (both["floor"], both["te"])):
        solve(posed(*(1.0001 * np.array(relaxed))))
        with pytest.raises(InfeasibleProblem):
            solve(posed(*(0.999 * np.array(relaxed))))


def test_growth_is_that_of_a_general_solver() -> None:
    """Kelly's bet on one asset that doubles or halves what is staked: he stakes 2p - 1 at even odds (Kelly 1956)."""
    scenarios = Scenarios.of(("bet",), np.array([[1.0], [-1.0]]), np.array([0.6, 0.4]))
    moments = estimate_moments(ReturnPanel.of(("bet",), [0, 1], [[1.0], [-1.0]]), Estimation(), 1.0)
    stake = WeightBounds("stake", 0.0, 1.0)
    free = Leverage("cash", budget=None, max_short=0.0)
    problem = Problem(moments, Kelly(), constraints=(stake, free), scenarios=scenarios)
    with pytest.raises(UnboundedProblem, match="loses all"):  # all of it staked is ruin with probability 0.4
        solve(problem)
    bet = minimize(lambda x: -(0.6 * np.log1p(x[0]) + 0.4 * np.log1p(-x[0])), [0.1], bounds=[(0.0, 0.9)], tol=1e-12)
    assert bet.x[0] == pytest.approx(0.2, abs=1e-5)
    cash = Scenarios.of(("bet", "cash"), np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([0.6, 0.4]))
    pair = estimate_moments(ReturnPanel.of(("bet", "cash"), [0, 1], [[1.0, 0.0], [-1.0, 0.0]]), Estimation(), 1.0)
    assert solve(Problem(pair, Kelly(), scenarios=cash)).weights == pytest.approx([0.2, 0.8], abs=1e-4)


def test_what_has_no_answer_says_so() -> None:
    with pytest.raises(NoPositiveExcessReturn):
        solve(problem_of(MaxRatio(9.0), measure=RiskMeasure.CONDITIONAL_VALUE_AT_RISK))
    with pytest.raises(NotSupported, match="not convex"):
        solve(problem_of(MinRisk(), measure=RiskMeasure.VALUE_AT_RISK))
    timeless = replace(
        problem_of(MinRisk(), measure=RiskMeasure.MAX_DRAWDOWN), scenarios=Scenarios.of(SYMBOLS, RETURNS)
    )
    with pytest.raises(NotSupported, match="order in time"):
        solve(timeless)


@generated(25)
@given(seed=st.integers(0, 10_000), unit=st.sampled_from([1e-6, 1e-2, 30.0]), measure=st.sampled_from(CONVEX))
@example(seed=4824, unit=30.0, measure=RiskMeasure.SEMI_KURTOSIS)  # three attempts of the solver stall
def test_units_and_order_do_not_matter(seed: int, unit: float, measure: RiskMeasure) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(0.0005, 0.01, (60, 4)).clip(-0.03, None)
    order = generator.permutation(4)

    def least(array: np.ndarray) -> Problem:
        panel = ReturnPanel.of(tuple("abcd"), np.arange(60), array)
        moments = estimate_moments(panel, Estimation(), 252.0)
        return Problem(moments, MinRisk(), measure, scenarios=Scenarios.from_returns(panel))

    base, scaled, mixed = least(values), least(values * unit), least(values[:, order])
    risk = solve(base).risk
    assert solve(scaled).risk == pytest.approx(unit**measure.degree * risk, rel=1e-6)
    assert solve(mixed).risk == pytest.approx(risk, rel=1e-6)


@pytest.mark.parametrize("measure", CONVEX, ids=str)
def test_a_constraint_never_improves_the_objective(measure: RiskMeasure) -> None:
    free = solve(problem_of(MinRisk(), measure=measure)).risk
    more: list[Constraint] = []
    for one in (WeightBounds("caps", None, 0.35), ReturnFloor("floor", 0.25), Turnover("turnover", 0.3)):
        more.append(one)
        held = solve(problem_of(MinRisk(), *more, measure=measure)).risk
        assert held >= free * (1 - 1e-7)
        free = held


def test_diversification_within_a_tracking_error() -> None:
    problem = problem_of(MaxDiversification(), TrackingError("te", FIFTH, 0.1))
    best = solve(problem)
    free = solve(problem_of(MaxDiversification()))
    assert best.diversification is not None
    assert free.diversification is not None
    assert best.diversification <= free.diversification + 1e-9
    assert 252**0.5 * ((best.weights - FIFTH) @ SIGMA @ (best.weights - FIFTH)) ** 0.5 <= 0.1 + 1e-8


@pytest.mark.parametrize(
    "objective", [MaxReturn(), MaxUtility(2.0), MaxRatio(0.01)], ids=["return", "utility", "ratio"]
)
def test_shadow_prices_with_impact_and_shorts_that_cost(objective: Objective) -> None:
    costs = TradingCosts(np.full(SIZE, 0.001), FIFTH, np.linspace(0.1, 0.4, SIZE), borrow_rate_annual=0.05)

    def best(more: float, sign: float = -1.0) -> float:
        caps = WeightBounds("caps", -0.1, 0.35 + more)
        problem = replace(problem_of(objective, caps, Leverage("l", max_short=0.15)), costs=costs)
        return sign * objective_value(problem, solve(problem).weights)

    caps = WeightBounds("caps", -0.1, 0.35)
    solution = solve(replace(problem_of(objective, caps, Leverage("l", max_short=0.15)), costs=costs))
    assert solution.certificate.duality_gap is not None
    assert solution.certificate.duality_gap <= 1e-7
    upper = sum(b.shadow_price or 0.0 for b in solution.binding if b.label == "caps" and b.side.value == "UPPER")
    assert upper > 0.0
    assert upper == pytest.approx((best(1e-4) - best(-1e-4)) / 2e-4, rel=1e-2)


@generated(25)
@example(size=29.96875, rate=0.0, seed=910, objective=MaxReturn())  # the solver's point is not as good as it says
@given(
    size=st.floats(1e-6, 30.0),
    rate=st.sampled_from([0.0, 0.002]),
    seed=st.integers(0, 1000),
    objective=st.sampled_from([MaxReturn(), MaxUtility(0.2), MaxUtility(12.0), MaxRatio(-5.0)]),
)
def test_impact_of_any_size_is_proven(size: float, rate: float, seed: int, objective: Objective) -> None:
    """From none to one that pins the weights where they are; no rival beats the answer."""
    generator = np.random.default_rng(seed)
    held = generator.dirichlet(np.ones(SIZE))
    costs = TradingCosts(np.full(SIZE, rate), held, size * generator.uniform(0.2, 1.0, SIZE))
    problem = replace(problem_of(objective), costs=costs)
    found = solve(problem).weights
    best = objective_value(problem, found)
    near = (found + 0.03 * generator.dirichlet(np.ones(SIZE), 60)) / 1.03
    assert all(
        objective_value(problem, rival) >= best - 1e-7
        for rival in (held, *generator.dirichlet(np.ones(SIZE), 40), *near)
    )
