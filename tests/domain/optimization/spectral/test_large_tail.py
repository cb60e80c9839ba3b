"""CVaR of many scenarios against the primal program of Rockafellar & Uryasev 2000, solved by HiGHS.

The method is the same for few scenarios, of which the program can be written out: most problems here have some hundred.
"""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks import Vector
from domain.errors import Cancelled, InfeasibleProblem, SolverTimedOut, UnboundedProblem
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.request.constraints import (
    Constraint,
    Leverage,
    ReturnFloor,
    Turnover,
    TurnoverKind,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxRatio, MaxUtility, MinRisk, Objective
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.solve import solve
from domain.optimization.spectral import spectral_risk
from domain.optimization.spectral.cutting_planes import Incumbent
from domain.optimization.spectral.large_tail import minimise_tail
from domain.optimization.spectral.spectral_risk import (
    has_large_tail,
)
from domain.optimization.spectral.tail_smoothing import TailProgram, enough, guess_tail
from domain.risk.measures import RiskMeasure
from tests.domain.optimization.spectral.test_spectral_risk import LIMITS, primal, problem_of
from tests.families import generated

MANY = 2500
GENERATOR = np.random.default_rng(7)
HEAVY = GENERATOR.standard_t(3, (MANY, 1)) * 0.005 + GENERATOR.standard_t(3, (MANY, 6)) * 0.01 + 0.0005
SIZE = 1e-2
"""Of an objective near 0, in typical returns: what it is compared relative to."""


def tail_program(problem: Problem) -> TailProgram:
    scenarios, polytope = problem.scenarios, feasible_set(problem).polytope()
    assert scenarios is not None
    possible = scenarios.probabilities > 0.0
    unit = float(scenarios.values.std())
    return TailProgram(
        scenarios.values[possible] / unit,
        scenarios.probabilities[possible],
        problem.confidence_level,
        np.zeros(len(polytope.lower)),
        1.0,
        polytope,
    )


def start_of(problem: Problem) -> Vector:
    limits = feasible_set(problem)
    start = spectral_risk.feasible_point(limits, limits.polytope(), UNLIMITED)
    assert start is not None
    return start


def least(problem: Problem) -> tuple[Incumbent, float]:
    """The answer, and the value that HiGHS finds, both in typical returns."""
    assert problem.scenarios is not None
    found = minimise_tail(tail_program(problem), start_of(problem), UNLIMITED)
    assert found is not None
    return found, primal(problem) / float(problem.scenarios.values.std())


def assert_least(found: Incumbent, value: float) -> None:
    size = max(abs(value), SIZE)
    assert abs(found.value - value) <= 1e-9 * size + 1e-10  # the accuracy of HiGHS is absolute
    # Weights keep a budget to some 1e-11, and their value is below the bound by as much.
    assert -1e-11 <= found.value - found.bound <= 1e-9 * size


def drawn(kind: str, seed: int, scenarios: int, assets: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    match kind:
        case "normal":
            return generator.normal(0.0005, 0.02, (scenarios, assets))
        case "heavy tails":
            return generator.standard_t(2.2, (scenarios, assets)) * 0.01
        case "repeated":
            return np.repeat(generator.normal(0.0, 0.02, (scenarios // 5 + 1, assets)), 5, axis=0)
        case "ties":
            return generator.integers(-3, 4, (scenarios, assets)) * 0.01
        case "equal assets":
            return np.tile(generator.normal(0.0, 0.02, (scenarios, 1)), (1, assets))
    raise ValueError(kind)


KINDS = ("normal", "heavy tails", "repeated", "ties", "equal assets")
LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


@generated(200)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 10**6),
    st.integers(3, 400),
    st.integers(2, 6),
    st.sampled_from(LEVELS) | st.floats(0.5, 0.999),
    st.sampled_from(sorted(LIMITS)),
    st.booleans(),
)
def test_value_and_bound_are_those_of_the_primal(
    kind: str, seed: int, scenarios: int, assets: int, level: float, limits: str, uneven: bool
) -> None:
    returns = drawn(kind, seed, scenarios, assets)
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(len(returns))) if uneven else None
    constraints = LIMITS[limits] if assets == 6 else ()
    problem = problem_of(*constraints, returns=returns, probabilities=probabilities, confidence=level)
    try:
        value = primal(problem)
    except AssertionError:
        return  # these limits leave no weights, or HiGHS's interior point none to these data
    unit = float(returns.std())
    found = minimise_tail(tail_program(problem), start_of(problem), UNLIMITED)
    if found is None:
        return  # left to the linear programs; the tests that follow name what it has to find
    assert_least(found, value / unit)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_it_ends_with_a_proof_under_all_linear_limits(name: str) -> None:
    problem = problem_of(*LIMITS[name], returns=HEAVY[:600], confidence=0.95)
    assert_least(*least(problem))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_it_ends_with_a_proof_whatever_the_tail(kind: str, level: float) -> None:
    assert_least(*least(problem_of(returns=drawn(kind, 5, 300, 6), confidence=level)))


def test_no_weights_are_below_the_bound() -> None:
    program = tail_program(problem_of(returns=HEAVY))
    found = minimise_tail(program, np.full(6, 1 / 6), UNLIMITED)
    assert found is not None
    for weights in GENERATOR.dirichlet(np.ones(6), 50):
        assert program.value(weights) >= found.bound - 1e-12


def test_the_reweighting_is_one() -> None:
    """No more than p / (1 - confidence) of any scenario: its mean loss of single assets is at most their CVaR."""
    program = tail_program(problem_of(returns=HEAVY))
    found = minimise_tail(program, np.full(6, 1 / 6), UNLIMITED)
    assert found is not None
    (gradient,) = found.gradients
    for asset in range(6):
        for sign in (1.0, -1.0):
            alone = np.zeros(6)
            alone[asset] = sign
            assert sign * gradient[asset] <= program.value(alone) + 1e-12
    # It is that of the tail of the answer: their mean losses are the same.
    assert gradient @ found.point == pytest.approx(program.value(found.point), rel=1e-9)


def test_a_scenario_that_cannot_happen_does_not_count() -> None:
    possible = HEAVY[:MANY]
    impossible = np.vstack([possible, np.full((50, 6), -0.9)])
    probabilities = np.append(np.full(MANY, 1 / MANY), np.zeros(50))
    with_them = solve(problem_of(returns=impossible, probabilities=probabilities))
    without = solve(problem_of(returns=possible))
    assert with_them.certificate.solver == without.certificate.solver == "interior point"
    assert with_them.risk == pytest.approx(without.risk, rel=1e-9)


def problem_with(objective: Objective, *constraints: Constraint) -> Problem:
    return replace(problem_of(*constraints, returns=HEAVY, confidence=0.95), objective=objective)


GOALS: dict[str, tuple[Objective, tuple[Constraint, ...]]] = {
    "least risk": (MinRisk(), ()),
    "with a floor": (MinRisk(), (ReturnFloor("floor", 0.1),)),
    "with turnover": (MinRisk(), (Turnover("turnover", 0.1, TurnoverKind.ONE_WAY),)),
    "with shorts": (MinRisk(), (Leverage("leverage", 0.3, 1.5),)),
    "utility": (MaxUtility(3.0), (WeightBounds("caps", 0.0, 0.4),)),
    "ratio": (MaxRatio(0.01), ()),
    "ratio with caps": (MaxRatio(0.0), (WeightBounds("caps", 0.05, 0.3),)),
}


@pytest.mark.parametrize("name", GOALS)
def test_answers_are_those_of_cutting_planes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objective, constraints = GOALS[name]
    problem = problem_with(objective, *constraints)
    ours = solve(problem)
    assert ours.certificate.solver == "interior point"
    assert ours.certificate.duality_gap is not None
    assert ours.certificate.duality_gap <= 1e-9
    monkeypatch.setattr(spectral_risk, "MANY", 10**9)
    theirs = solve(problem)
    assert theirs.certificate.solver == "highs"
    values = objective_value(problem, ours.weights), objective_value(problem, theirs.weights)
    assert values[0] == pytest.approx(values[1], rel=2e-9)
    # Where both name a limit that binds, they name the same price of it.
    prices = {(one.label, one.symbol): one.shadow_price for one in theirs.binding}
    for one in ours.binding:
        if (one.label, one.symbol) in prices:
            assert one.shadow_price == pytest.approx(prices[one.label, one.symbol], rel=1e-4, abs=1e-7)
    assert {one.label for one in ours.binding} == {one.label for one in theirs.binding}


def test_the_least_cvar_of_many_is_that_of_the_tail_program(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(3).standard_t(4, (2100, 40)) * 0.01
    symbols = tuple(f"S{i}" for i in range(40))
    scenarios = Scenarios.of(symbols, returns)
    problem = Problem(
        scenario_moments(scenarios, 252), MinRisk(), RiskMeasure.CONDITIONAL_VALUE_AT_RISK, scenarios=scenarios
    )
    ours = solve(problem)
    monkeypatch.setattr(spectral_risk, "MANY", 10**9)
    theirs = solve(problem)
    assert (ours.certificate.solver, theirs.certificate.solver) == ("interior point", "highs")
    assert ours.risk == pytest.approx(theirs.risk, rel=1e-9)
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-7)


def test_the_same_problem_has_the_same_bits() -> None:
    first, second = (solve(problem_with(MinRisk())) for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()


def test_what_cannot_be_met_is_named() -> None:
    with pytest.raises(InfeasibleProblem) as error:
        solve(problem_with(MinRisk(), WeightBounds("caps", 0.0, 0.1)))
    assert set(error.value.labels) == {"caps", "default:budget"}


def test_a_ratio_without_risk_is_unbounded() -> None:
    gains = np.abs(HEAVY) + 0.001
    problem = replace(problem_of(returns=gains, confidence=0.95), objective=MaxRatio(0.0))
    with pytest.raises(UnboundedProblem, match="without risk"):
        solve(problem)


def test_a_deadline_that_has_passed_ends_it() -> None:
    late = SolverControl(deadline=time.monotonic() - 1.0)
    with pytest.raises(SolverTimedOut):
        minimise_tail(tail_program(problem_of(returns=HEAVY)), np.full(6, 1 / 6), late)


def test_it_stops_between_any_two_steps() -> None:
    """Cancelled at the k-th check, for every k until it ends by itself."""
    program, ended = tail_program(problem_of(returns=HEAVY)), False
    for stop_at in range(1, 200):
        checks = iter(range(1, 10**6))

        def check(checks: object = checks, stop_at: int = stop_at) -> None:
            if next(checks) == stop_at:  # type: ignore[call-overload]
                raise Cancelled("enough")

        try:
            minimise_tail(program, np.full(6, 1 / 6), SolverControl(check_cancelled=check))
            ended = True
            break
        except Cancelled:
            continue
    assert ended
    assert stop_at > 15


@pytest.mark.parametrize("loss", [1.0, 1e3, 1e6])
def test_a_loss_that_dwarfs_the_others_does_not_hide_them(loss: float, monkeypatch: pytest.MonkeyPatch) -> None:
    returns = HEAVY.copy()
    returns[17, 2] = -loss
    ours = solve(problem_of(returns=returns))
    monkeypatch.setattr(spectral_risk, "MANY", 10**9)
    theirs = solve(problem_of(returns=returns))
    assert (ours.certificate.solver, theirs.certificate.solver) == ("interior point", "highs")
    assert ours.risk == pytest.approx(theirs.risk, rel=1e-9)


def test_the_time_limit_of_a_request_holds() -> None:
    problem = replace(problem_with(MinRisk()), options=SolverOptions(time_limit_seconds=1e-6))
    with pytest.raises(SolverTimedOut):
        solve(problem)


def test_the_guess_leaves_few_scenarios_open() -> None:
    problem = problem_of(returns=HEAVY, confidence=0.95)
    program = tail_program(problem)
    guess = guess_tail(program, np.full(6, 1 / 6), UNLIMITED)
    above = np.abs(program.losses(guess.point) - guess.level)
    assert np.count_nonzero(above < 0.5 * guess.width) <= enough(6)
    found = minimise_tail(program, np.full(6, 1 / 6), UNLIMITED)
    assert found is not None
    assert program.value(guess.point) == pytest.approx(found.value, rel=1e-2)


def test_few_scenarios_and_many_variables_are_left_to_linear_programs() -> None:
    assert not has_large_tail(1999, 6)
    assert has_large_tail(2000, 6)
    assert not has_large_tail(4999, 500)
    assert has_large_tail(5000, 500)
    assert not has_large_tail(10**6, 10_000)


def test_a_program_without_a_minimum_has_no_answer() -> None:
    """More and more of one asset against another, whose expected returns are worlds apart."""
    bounded = tail_program(problem_of(returns=HEAVY))
    free = replace(bounded.polytope, lower=np.full(6, -np.inf))
    program = replace(bounded, polytope=free, linear=np.array([-9.0, 9.0, 0.0, 0.0, 0.0, 0.0]))
    assert minimise_tail(program, np.full(6, 1 / 6), UNLIMITED) is None
