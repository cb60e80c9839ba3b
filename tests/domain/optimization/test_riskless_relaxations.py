"""Ratios whose relaxation has riskless weights that the whole problem excludes."""

from collections.abc import Callable

import numpy as np
import pytest

from domain.costs.trading import TradingCosts
from domain.errors import InfeasibleProblem, NoPositiveExcessReturn, UnboundedProblem
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    Leverage,
    MinimumPosition,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxDiversification, MaxRatio, Objective
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

SYMBOLS = ("A", "B", "C")
PERIODS = 52.0
MEASURES = [
    RiskMeasure.VARIANCE,
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.ENTROPIC_VALUE_AT_RISK,
    RiskMeasure.WORST_REALIZATION,
]
GRID = np.array([(i / 40, j / 40, 1 - (i + j) / 40) for i in range(41) for j in range(41 - i)])

RANDOM = np.random.default_rng(7)
WITH_CASH = RANDOM.normal(0.003, 0.02, (40, 3))
WITH_CASH[:, 0] = 0.001
OPPOSED = RANDOM.normal(0.003, 0.02, (40, 3))
OPPOSED[:, 1] = 0.004 - OPPOSED[:, 0]


def problem_of(
    returns: np.ndarray,
    measure: RiskMeasure,
    *constraints: Constraint,
    objective: Objective | None = None,
    current: np.ndarray | None = None,
    fee: float = 0.0,
) -> Problem:
    varies = returns.max(axis=0) > returns.min(axis=0)
    return Problem(
        Moments.of(SYMBOLS, returns.mean(axis=0), np.where(np.outer(varies, varies), np.cov(returns.T), 0.0), PERIODS),
        objective or MaxRatio(),
        measure,
        constraints=constraints,
        current_weights=current,
        scenarios=Scenarios.of(SYMBOLS, returns),
        costs=None if current is None or fee == 0.0 else TradingCosts(np.zeros(3), current, None, fee),
    )


def ratio(problem: Problem, returns: np.ndarray, weights: np.ndarray, paid: float = 0.0) -> float:
    net_return = PERIODS * float(returns.mean(axis=0) @ weights) - paid
    outcomes = returns @ weights
    match problem.risk_measure:
        case RiskMeasure.VARIANCE:
            risk = float(outcomes.std(ddof=1))
        case RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
            risk = float(np.abs(outcomes - outcomes.mean()).mean())
        case RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            risk = -float(np.sort(outcomes)[:2].mean())  # 5 % of 40
        case RiskMeasure.WORST_REALIZATION:
            risk = -float(outcomes.min())
        case _:
            risk = problem.risk.of(weights)
    if risk > 1e-12:
        return net_return / risk
    return np.inf if net_return > 0.0 else -np.inf


def assert_best(
    problem: Problem,
    returns: np.ndarray,
    allowed: Callable[[np.ndarray], bool],
    paid: Callable[[np.ndarray], float] = lambda _: 0.0,
) -> None:
    found = solve(problem).weights
    assert allowed(found), found
    best = max(ratio(problem, returns, weights, paid(weights)) for weights in GRID if allowed(weights))
    assert np.isfinite(best)
    reached = ratio(problem, returns, found, paid(found))
    assert best * (1 - 1e-6) <= reached <= best * 1.1


@pytest.mark.parametrize("measure", MEASURES)
def test_what_turnover_keeps_out_of_cash_has_a_best_ratio(measure: RiskMeasure) -> None:
    current = np.array([0.1, 0.5, 0.4])
    problem = problem_of(WITH_CASH, measure, Turnover("t", 0.2), current=current)
    assert_best(problem, WITH_CASH, lambda weights: 0.5 * float(np.abs(weights - current).sum()) <= 0.2 + 1e-8)


@pytest.mark.parametrize("measure", MEASURES)
def test_one_asset_of_a_riskless_pair_has_a_best_ratio(measure: RiskMeasure) -> None:
    problem = problem_of(OPPOSED, measure, Cardinality("one", 1))
    assert_best(problem, OPPOSED, lambda weights: int((weights > 0.0).sum()) == 1)


@pytest.mark.parametrize("measure", MEASURES)
def test_minimum_positions_that_break_a_riskless_pair(measure: RiskMeasure) -> None:
    caps = WeightBounds("caps", upper=0.5)
    problem = problem_of(OPPOSED, measure, caps, MinimumPosition("all", 0.2), WeightBounds("C", 0.001, None, ("C",)))

    def allowed(weights: np.ndarray) -> bool:
        sizes = weights[weights > 0.0]
        return bool(weights[2] > 0.0 and sizes.min() >= 0.2 - 1e-8 and sizes.max() <= 0.5 + 1e-8)

    assert_best(problem, OPPOSED, allowed)


@pytest.mark.parametrize("measure", MEASURES)
def test_fees_that_take_what_a_riskless_pair_gains(measure: RiskMeasure) -> None:
    # The pair gains 10.4 % a year. Three fees are 12 %, but the parts that a relaxation counts are 8 %.
    current, fee = np.array([0.0, 0.0, 1.0]), 0.04
    problem = problem_of(OPPOSED, measure, current=current, fee=fee)
    assert_best(problem, OPPOSED, lambda _: True, lambda weights: fee * int((np.abs(weights - current) > 1e-9).sum()))


def test_a_limit_by_rank_that_excludes_riskless_weights() -> None:
    # No outcome of the even pair is a loss of more than 0: the CVaR is negative. The limit does not let it be even.
    returns = OPPOSED.copy()
    returns[:, 1] = 0.02 - OPPOSED[:, 0]
    problem = problem_of(
        returns,
        RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
        RiskLimit("gini", RiskMeasure.GINI_MEAN_DIFFERENCE, 0.03),
        WeightBounds("C", 0.8, None, ("C",)),
    )
    assert solve(problem).weights[2] >= 0.8 - 1e-9


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "constraints",
    [(), (Cardinality("two", 2),), (Turnover("t", 0.6),), (MinimumPosition("some", 0.3),)],
    ids=["none", "cardinality", "turnover", "minimum"],
)
def test_riskless_weights_within_all_limits_are_reported(
    measure: RiskMeasure, constraints: tuple[Constraint, ...]
) -> None:
    problem = problem_of(OPPOSED, measure, *constraints, current=np.array([0.5, 0.2, 0.3]))
    with pytest.raises(UnboundedProblem, match="a portfolio without risk has a positive excess return"):
        solve(problem)


def test_riskless_weights_after_fees_are_reported() -> None:
    problem = problem_of(OPPOSED, RiskMeasure.VARIANCE, current=np.array([0.0, 0.0, 1.0]), fee=0.03)
    with pytest.raises(UnboundedProblem, match="a portfolio without risk"):
        solve(problem)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_diversification_names_what_has_no_best_ratio(count: int) -> None:
    problem = problem_of(OPPOSED, RiskMeasure.VARIANCE, Cardinality("some", count), objective=MaxDiversification())
    if count == 1:
        assert solve(problem).diversification == pytest.approx(1.0)
        return
    with pytest.raises(UnboundedProblem, match="returns vary is without risk: the diversification ratio"):
        solve(problem)


@pytest.mark.parametrize("limited", [False, True])
def test_diversification_of_constant_assets_does_not_exist(limited: bool) -> None:
    constant = np.tile([0.001, 0.002, 0.0], (40, 1))
    limits = (RiskLimit("r", RiskMeasure.VARIANCE, 0.01),) if limited else ()
    problem = problem_of(constant, RiskMeasure.VARIANCE, *limits, objective=MaxDiversification())
    with pytest.raises(NoPositiveExcessReturn, match="no feasible portfolio holds assets whose returns vary"):
        solve(problem)


def test_many_riskless_pairs_and_one_asset() -> None:
    pairs = np.hstack([OPPOSED[:, :2] + shift for shift in np.linspace(0.0, 0.001, 6)])
    symbols = [f"S{i}" for i in range(12)]
    moments = Moments.of(symbols, pairs.mean(axis=0), np.cov(pairs.T), PERIODS)
    found = solve(Problem(moments, MaxRatio(), constraints=(Cardinality("one", 1),)))
    each = np.sqrt(PERIODS) * pairs.mean(axis=0) / pairs.std(axis=0, ddof=1)
    assert found.ratio == pytest.approx(float(each.max()), rel=1e-9)
    assert found.weights[int(each.argmax())] == pytest.approx(1.0)


@pytest.mark.parametrize("max_short", [1.0, 50.0, 1e4])
@pytest.mark.parametrize("objective", [MaxRatio(), MaxDiversification()], ids=["ratio", "diversification"])
def test_long_and_short_positions_that_cancel_are_riskless(max_short: float, objective: Objective) -> None:
    """Fewer returns than assets: some weights have no variance, but the rounding of their size squared."""
    for seed in range(25):
        random = np.random.default_rng(seed)
        size = int(random.integers(5, 10))
        returns = random.normal(0.001, 0.02, (int(random.integers(3, size - 1)), size))
        moments = Moments.of([f"S{i}" for i in range(size)], returns.mean(axis=0), np.cov(returns.T), PERIODS)
        leverage = Leverage("l", max_short=max_short, budget=1e-3)
        with pytest.raises(UnboundedProblem, match="without risk"):
            solve(Problem(moments, objective, constraints=(leverage,)))


def test_limits_that_conflict_are_named_before_a_ratio_is_refused() -> None:
    """No portfolio of the relaxation gains, and none keeps the limits."""
    returns = WITH_CASH - 0.02
    gini = RiskLimit("gini", RiskMeasure.GINI_MEAN_DIFFERENCE, 1e-4)
    problem = problem_of(returns, RiskMeasure.VARIANCE, gini, WeightBounds("cash", upper=0.5, symbols=("A",)))
    with pytest.raises(InfeasibleProblem) as error:
        solve(problem)
    assert set(error.value.labels) >= {"gini", "cash"}
    count = problem_of(returns, RiskMeasure.VARIANCE, Cardinality("one", 1), WeightBounds("caps", upper=0.5))
    with pytest.raises(InfeasibleProblem) as error:
        solve(count)
    assert set(error.value.labels) >= {"one", "caps"}
    with pytest.raises(NoPositiveExcessReturn):
        solve(problem_of(returns, RiskMeasure.VARIANCE, Cardinality("two", 2), WeightBounds("caps", upper=0.5)))
