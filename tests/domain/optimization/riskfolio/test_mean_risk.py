"""Riskfolio-Lib behind its wall, against the same problem solved without it."""

import numpy as np
import pytest

from domain.errors import InfeasibleProblem, NotSupported
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import Scenarios
from domain.optimization.constraints import (
    Constraint,
    GroupBounds,
    Leverage,
    Linear,
    ReturnFloor,
    Turnover,
    WeightBounds,
)
from domain.optimization.fast.tail_risk import least_cvar
from domain.optimization.objectives import MinRisk
from domain.optimization.problem import EnginePreference, Problem, SolverOptions
from domain.optimization.riskfolio.mean_risk import minimum_tail_risk
from domain.optimization.solution import Engine, verify
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


def carry_on() -> None:
    """Nobody wants to stop."""


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
    solution = verify(problem, minimum_tail_risk(problem, carry_on))
    assert solution.certificate.engine is Engine.RISKFOLIO
    assert solution.certificate.max_constraint_violation <= 1e-8
    typical = float(problem.moments.volatilities.mean())
    assert solution.risk == pytest.approx(least_cvar(problem), rel=1e-6, abs=1e-9 * typical)


def test_no_dust_is_left() -> None:
    weights = minimum_tail_risk(PROBLEMS["long only"], carry_on).weights
    held = weights[weights != 0.0]
    assert len(held) < 8
    assert held.min() > 1e-7


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ((Turnover("t", 0.1),), "turnover of each asset"),
        ((), "equally likely"),
    ],
)
def test_what_it_cannot_say_goes_to_highs_or_is_refused_by_name(problem: tuple[Constraint, ...], words: str) -> None:
    chances = None if problem else GENERATOR.dirichlet(np.ones(250))
    solution = verify(
        stated := problem_of(*problem, probabilities=chances, engine=EnginePreference.AUTO),
        minimum_tail_risk(stated, carry_on),
    )
    assert (solution.certificate.engine, solution.certificate.solver) == (Engine.FAST, "highs")
    assert solution.risk == pytest.approx(least_cvar(stated), rel=1e-9)
    with pytest.raises(NotSupported, match=words):
        minimum_tail_risk(problem_of(*problem, probabilities=chances), carry_on)


def test_infeasible_is_decided_without_it() -> None:
    with pytest.raises(InfeasibleProblem) as error:
        minimum_tail_risk(problem_of(ReturnFloor("floor", 99.0)), carry_on)
    assert "floor" in error.value.labels


def test_it_prints_nothing_and_can_be_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    minimum_tail_risk(PROBLEMS["long only"], carry_on)
    assert capfd.readouterr().out == ""

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        minimum_tail_risk(PROBLEMS["long only"], stop)


def test_two_problems_do_not_share_a_portfolio() -> None:
    first = minimum_tail_risk(PROBLEMS["long only"], carry_on).weights
    minimum_tail_risk(PROBLEMS["caps and a floor"], carry_on)
    assert minimum_tail_risk(PROBLEMS["long only"], carry_on).weights.tolist() == first.tolist()
