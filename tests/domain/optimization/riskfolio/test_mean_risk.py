"""Riskfolio-Lib behind its wall, against the same problem solved without it."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InfeasibleProblem, NotSupported, SolverFailed
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.loss import loss
from domain.optimization.objectives import MaxRatio, MaxUtility, MinRisk
from domain.optimization.problem import EnginePreference, Problem, SolverOptions
from domain.optimization.riskfolio.mean_risk import MEASURES
from domain.optimization.solution import Engine
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
OBJECTIVES = {"risk": MinRisk(), "utility": MaxUtility(3.0), "ratio": MaxRatio()}
UNPROVEN = {
    (RiskMeasure.KURTOSIS, "ratio"),
    (RiskMeasure.SEMI_KURTOSIS, "risk"),
    (RiskMeasure.SEMI_KURTOSIS, "utility"),
    (RiskMeasure.SEMI_KURTOSIS, "ratio"),
}
"""Where its answer is 0.1 to 1.2 % worse than the optimum, silently, and is refused as it has to be."""


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("measure", sorted(MEASURES, key=str), ids=str)
def test_every_combination_it_is_allowed(measure: RiskMeasure, objective: str) -> None:
    problem = Problem(
        estimate_moments(FEWER, Estimation(), 252),
        OBJECTIVES[objective],
        measure,
        scenarios=Scenarios.from_returns(FEWER),
        options=SolverOptions(engine=EnginePreference.RISKFOLIO),
    )
    ours = solve(directly(problem))
    if (measure, objective) in UNPROVEN:
        with pytest.raises(SolverFailed, match="away from a proven bound"):
            solve(problem)
        return
    theirs = solve(problem)
    assert theirs.certificate.engine is Engine.RISKFOLIO
    assert loss(problem, theirs.weights) == pytest.approx(loss(problem, ours.weights), rel=2e-6)


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
    chances = None if problem else GENERATOR.dirichlet(np.ones(250))
    stated = problem_of(*problem, probabilities=chances)
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
