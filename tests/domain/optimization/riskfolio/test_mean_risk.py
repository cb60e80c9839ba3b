"""Riskfolio-Lib behind its wall, against the same problem solved without it."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InfeasibleProblem, NotSupported
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.repair import nearest_feasible
from domain.optimization.request.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    Kelly,
    KellyMethod,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    OrderedWeightedAverage,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.engine import solve_by_riskfolio
from domain.optimization.riskfolio.mean_risk import mean_risk_weights
from domain.optimization.riskfolio.translation import translate
from domain.optimization.solution import Candidate, Engine
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

SYMBOLS = tuple("ABCDEFGH")
GENERATOR = np.random.default_rng(4)
DAILY = GENERATOR.standard_t(4, (250, 1)) * 0.005 + GENERATOR.standard_t(4, (250, 8)) * 0.01 + 0.0005


def problem_of(
    *constraints: Constraint,
    returns: np.ndarray = DAILY,
    probabilities: np.ndarray | None = None,
    engine: EnginePreference = EnginePreference.RISKFOLIO,
    confidence: float = 0.95,
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
        options=SolverOptions(engine=engine),
    )


def directly(problem: Problem) -> Problem:
    return replace(problem, options=SolverOptions(engine=EnginePreference.FAST))


PROBLEMS = {
    "long only": problem_of(),
    "at 99 %": problem_of(confidence=0.99),
    "in billionths": problem_of(returns=DAILY * 1e-9),
    "more assets than returns": problem_of(returns=DAILY[:6]),
    "one asset": problem_of(returns=DAILY[:, :1]),
    "with an asset that never moves": problem_of(returns=np.column_stack([DAILY[:, :3], np.zeros(250)])),
    "twins": problem_of(returns=np.repeat(DAILY[:, :3], 2, axis=1)),
    "caps and a floor": problem_of(WeightBounds("caps", 0.02, 0.3), ReturnFloor("floor", 0.1)),
    "groups and rows": problem_of(
        GroupBounds("group", ("A", "B"), 0.4, 0.5), Linear("tilt", {"C": 1.0, "D": -2.0}, 0.1, 0.1)
    ),
    "bounds below zero": problem_of(WeightBounds("bounds", -0.2, 0.5)),
    "total shorts": problem_of(Leverage("leverage", max_short=0.2)),
    "gross exposure": problem_of(Leverage("leverage", max_gross=1.5)),
    "both": problem_of(Leverage("leverage", 0.4, 1.3)),
    "half in cash": problem_of(Leverage("leverage", 0.0, None, 0.5)),
    "geared": problem_of(Leverage("leverage", 0.0, None, 1.4)),
    "market neutral": problem_of(Leverage("leverage", 0.5, 1.0, 0.0), WeightBounds("hold", 0.1, None, ("A",))),
    "net short": problem_of(Leverage("leverage", 1.0, None, -0.5)),
    "pinned": problem_of(WeightBounds("pinned", 1 / 8, 1 / 8)),
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_its_answer_reaches_the_bound(problem: Problem) -> None:
    solution = solve(problem)
    assert solution.certificate.engine is Engine.RISKFOLIO
    assert solution.certificate.max_constraint_violation <= 1e-8
    typical = float(problem.moments.volatilities.mean())
    assert solution.risk == pytest.approx(solve(directly(problem)).risk, rel=1e-6, abs=1e-9 * typical)


FEWER = ReturnPanel.of(SYMBOLS[:5], np.arange(80), DAILY[:80, :5])
CENTRED = (
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
    RiskMeasure.SEMI_DEVIATION,
    RiskMeasure.KURTOSIS,
    RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT,
)


@pytest.mark.parametrize("are_observations", [True, False])
@pytest.mark.parametrize("measure", CENTRED, ids=str)
def test_distances_are_from_the_mean_of_the_scenarios(measure: RiskMeasure, are_observations: bool) -> None:
    """It takes them from the expected returns, which are a forecast here, and divides by T - 1 whatever they are of."""
    scenarios = Scenarios.of(FEWER.symbols, FEWER.values) if not are_observations else Scenarios.from_returns(FEWER)
    known = scenario_moments(scenarios, 252)
    forecast = np.array([0.002, -0.001, 0.0005, 0.0, 0.001])
    problem = Problem(
        Moments.of(FEWER.symbols, forecast, known.covariance, 252.0),
        MaxUtility(80.0 if measure is RiskMeasure.KURTOSIS else 0.8),
        measure,
        scenarios=scenarios,
        options=SolverOptions(engine=EnginePreference.RISKFOLIO),
    )
    ours, theirs = solve(directly(problem)), solve(problem)
    assert (ours.weights > 0.01).sum() > 1
    assert objective_value(problem, theirs.weights) == pytest.approx(objective_value(problem, ours.weights), rel=1e-7)
    assert theirs.weights == pytest.approx(ours.weights, abs=1e-4)


@pytest.mark.parametrize("are_observations", [True, False])
@pytest.mark.parametrize("measure", [RiskMeasure.GINI_MEAN_DIFFERENCE, RiskMeasure.TAIL_GINI], ids=str)
def test_measures_of_ranks_are_ordered_weighted_averages(measure: RiskMeasure, are_observations: bool) -> None:
    scenarios = Scenarios.of(FEWER.symbols, FEWER.values) if not are_observations else Scenarios.from_returns(FEWER)
    problem = Problem(
        scenario_moments(scenarios, 252),
        MinRisk(),
        measure,
        scenarios=scenarios,
        options=SolverOptions(engine=EnginePreference.RISKFOLIO),
    )
    found = solve(problem)
    assert found.certificate.engine is Engine.RISKFOLIO
    assert found.risk == pytest.approx(solve(directly(problem)).risk, rel=1e-8)


WITHOUT_A_MEASURE = (
    MaxReturn(),
    Kelly(),
    Kelly(KellyMethod.QUADRATIC),
    OrderedWeightedAverage(np.arange(80.0, 0.0, -1.0)),
)


@pytest.mark.parametrize(
    "measure", [RiskMeasure.MEAN_ABSOLUTE_DEVIATION, RiskMeasure.KURTOSIS, RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK]
)
@pytest.mark.parametrize("objective", WITHOUT_A_MEASURE, ids=lambda objective: type(objective).__name__)
def test_a_measure_that_is_only_reported_changes_nothing(objective: Objective, measure: RiskMeasure) -> None:
    """Its returns must not be moved to other means for it, nor its program be one of kurtosis."""
    moments = estimate_moments(FEWER, Estimation(), 252.0)
    forecast = Moments.of(FEWER.symbols, moments.expected_returns[::-1].copy(), moments.covariance, 252.0)
    options = SolverOptions(engine=EnginePreference.RISKFOLIO)
    plain = Problem(forecast, objective, scenarios=Scenarios.from_returns(FEWER), options=options)
    weights = solve(replace(plain, risk_measure=measure)).weights
    assert weights == pytest.approx(solve(plain).weights, abs=1e-9)
    assert weights == pytest.approx(solve(directly(plain)).weights, abs=1e-4)


def test_a_first_answer_that_falls_short_is_asked_for_again() -> None:
    """On the scale of typical deviations its solver stops at 2.5e-6 here; on another and told to go on, it does not."""
    generator = np.random.default_rng(203)
    size, count = int(generator.integers(2, 9)), int(generator.integers(30, 90))
    returns = generator.standard_t(5, (count, size)) * 0.01 + generator.normal(0.0006, 0.0006, size)
    returns += generator.standard_t(5, (count, 1)) * 0.005
    panel = ReturnPanel.of(tuple(f"A{i}" for i in range(size)), np.arange(count), returns.clip(-0.5))
    problem = Problem(
        estimate_moments(panel, Estimation(), 252.0),
        MaxRatio(),
        RiskMeasure.SEMI_DEVIATION,
        constraints=(Leverage("short", max_short=0.2), WeightBounds("b", -0.2, 1.2)),
        scenarios=Scenarios.from_returns(panel),
    )
    limits, ours, asked = feasible_set(problem), solve(problem), []
    proven = Candidate(ours.weights, Engine.FAST, "", relative_gap=ours.certificate.duality_gap)
    found = solve_by_riskfolio(problem, limits, proven, lambda: asked.append(1))
    assert asked == [1]
    assert found.relative_gap is not None
    assert found.relative_gap <= 1e-8
    first = nearest_feasible(limits, mean_risk_weights(problem, translate(problem, limits)))
    assert objective_value(problem, first) > (1.0 - 1e-6) * objective_value(problem, ours.weights)


def test_growth_is_on_the_scale_of_the_returns() -> None:
    """One plus a return cannot be scaled; the highest growth of a bet that can lose half is not all of it."""
    bet = np.array([[1.0, 0.0], [-0.5, 0.0]] * 20)
    scenarios = Scenarios.of(("bet", "cash"), bet)
    for method in (KellyMethod.EXACT, KellyMethod.QUADRATIC):
        problem = Problem(
            scenario_moments(scenarios, 1.0),
            Kelly(method),
            scenarios=scenarios,
            options=SolverOptions(engine=EnginePreference.RISKFOLIO),
        )
        assert solve(problem).weights == pytest.approx(solve(directly(problem)).weights, abs=1e-3)
    exact = Problem(scenario_moments(scenarios, 1.0), Kelly(), scenarios=scenarios, options=problem.options)
    assert solve(exact).weights[0] == pytest.approx(0.5, abs=1e-3)  # p / a - q / b = 0.5 / 0.5 - 0.5 / 1


def test_no_dust_is_left() -> None:
    weights = solve(PROBLEMS["long only"]).weights
    held = weights[weights != 0.0]
    assert len(held) < 8
    assert held.min() > 1e-7


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ((Turnover("t", 0.1),), "turnover of each asset"),
        ((), "equally likely"),
        ((RiskLimit("r", RiskMeasure.VARIANCE, 1.0),), "linear limits only, not for r"),
    ],
)
def test_what_it_cannot_say_is_refused_by_name(problem: tuple[Constraint, ...], words: str) -> None:
    probabilities = None if problem else GENERATOR.dirichlet(np.ones(250))
    stated = problem_of(*problem, probabilities=probabilities)
    assert solve(replace(stated, options=SolverOptions())).certificate.engine is Engine.FAST
    with pytest.raises(NotSupported, match=words):
        solve(stated)


def test_infeasible_is_decided_without_it() -> None:
    with pytest.raises(InfeasibleProblem) as error:
        solve(problem_of(ReturnFloor("floor", 99.0)))
    assert "floor" in error.value.labels


def test_it_prints_nothing_and_can_be_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    solve(PROBLEMS["long only"])
    assert capfd.readouterr().out == ""

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        solve(PROBLEMS["long only"], stop)


def test_two_problems_do_not_share_a_portfolio() -> None:
    first = solve(PROBLEMS["long only"]).weights
    solve(PROBLEMS["caps and a floor"])
    assert solve(PROBLEMS["long only"]).weights.tolist() == first.tolist()
