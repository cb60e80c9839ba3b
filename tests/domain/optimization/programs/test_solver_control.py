"""Tolerance and time limit reach every solver; the caller's check stops all of them."""

import time
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import Cancelled, SolverTimedOut
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.conic.higher_moments import MomentObjective
from domain.optimization.conic.sequential_quadratic import minimise_smooth
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.duality import relative_gap
from domain.optimization.programs.l1_interior_point import solve_l1_constrained
from domain.optimization.programs.linear import IncrementalProgram
from domain.optimization.programs.program import Program, ProgramSolution
from domain.optimization.programs.quadratic import _daqp, _piqp, solve_quadratic
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    MinimumPosition,
    RiskContributionBounds,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    FactorBudget,
    Hierarchical,
    HierarchicalMethod,
    HigherMoments,
    Kelly,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
    Uncertainty,
    WorstCase,
)
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.solve import solve
from domain.optimization.spectral.cutting_planes import CuttingPlanes, SpectralProgram, minimise_by_cuts
from domain.risk.measures import RiskMeasure
from domain.risk.measures.spectral import gini_spectrum

SIZE, PERIODS = 8, 120
VALUES = np.random.default_rng(3).normal(0.001, 0.01, (PERIODS, SIZE)) @ (
    np.eye(SIZE) + 0.3 * np.random.default_rng(4).random((SIZE, SIZE))
)
NAMES = tuple(f"A{i}" for i in range(SIZE))
CAP = WeightBounds("cap", upper=0.3)


def problem_of(
    objective: Objective,
    *constraints: Constraint,
    measure: RiskMeasure = RiskMeasure.VARIANCE,
    options: SolverOptions | None = None,
) -> Problem:
    moments = Moments.of(NAMES, VALUES.mean(axis=0), np.cov(VALUES.T), 252)
    panel = ReturnPanel.of(NAMES, np.arange(18000, 18000 + PERIODS, dtype=np.int32), VALUES.ravel())
    return Problem(
        moments,
        objective,
        measure,
        constraints=constraints,
        current_weights=np.full(SIZE, 1.0 / SIZE),
        scenarios=Scenarios.from_returns(panel),
        options=options or SolverOptions(),
    )


CVAR, MAD, GINI = (
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
    RiskMeasure.GINI_MEAN_DIFFERENCE,
)
PROBLEMS: dict[str, Problem] = {
    "quadratic": problem_of(MinRisk(), CAP),
    "utility": problem_of(MaxUtility(3.0), CAP),
    "ratio": problem_of(MaxRatio(), CAP),
    "linear": problem_of(MaxReturn(), CAP),
    "turnover": problem_of(MinRisk(), Turnover("trades", 0.2)),
    "tail": problem_of(MinRisk(), CAP, measure=CVAR),
    "cutting planes": problem_of(MinRisk(), CAP, measure=GINI),
    "cones": problem_of(MinRisk(), CAP, measure=MAD),
    "ranked caps": problem_of(MaxReturn(), CAP, RiskLimit("risk", GINI, 0.0105)),
    "kelly": problem_of(Kelly(), CAP),
    "higher moments": problem_of(HigherMoments(2.0, 1.0, 2.0), CAP),
    "worst case": problem_of(WorstCase(MinRisk(), Uncertainty.BOX, Uncertainty.NONE, 0.95), CAP),
    "risk budget": problem_of(RiskBudget()),
    "bounded risk budget": problem_of(RiskBudget(), WeightBounds("cap", upper=0.14)),
    "risk budget in MAD": problem_of(RiskBudget(), measure=MAD),
    "relaxed risk budget": problem_of(RelaxedRiskBudget(None, 0.1), CAP),
    "factor budget": problem_of(FactorBudget(("f",), np.ones((SIZE, 1)), np.ones(1))),
    "cardinality": problem_of(MinRisk(), Cardinality("count", 3), MinimumPosition("least", 0.1)),
    "risk contributions": problem_of(MinRisk(), RiskContributionBounds("shares", upper=0.2)),
    "nested clusters": problem_of(Hierarchical(HierarchicalMethod.NCO)),
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_no_time_at_all_is_a_time_limit_and_no_failure(problem: Problem) -> None:
    with pytest.raises(SolverTimedOut):
        solve(replace(problem, options=SolverOptions(time_limit_seconds=1e-9)))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_caller_can_stop_it_at_every_check(problem: Problem) -> None:
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    solve(problem, count)
    assert calls > 1  # not at the start alone
    for stop in sorted({1, 2, calls // 2, calls}):
        left = stop

        def check() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Cancelled("enough")

        with pytest.raises(Cancelled):
            solve(problem, check)
        assert left == 0


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_a_looser_tolerance_is_as_close_as_it_says(problem: Problem, tolerance: float) -> None:
    loose = solve(replace(problem, options=SolverOptions(tolerance=tolerance)))
    gap = loose.certificate.duality_gap
    assert gap is None or gap <= tolerance
    assert loose.certificate.max_constraint_violation <= 1e-8
    if isinstance(problem.objective, MinRisk):
        exact = solve(problem)
        assert loose.risk <= exact.risk * (1.0 + tolerance) + 1e-15


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_closer_tolerance_answers_as_well(problem: Problem) -> None:
    close = solve(replace(problem, options=SolverOptions(tolerance=1e-14)))
    np.testing.assert_allclose(close.weights, solve(problem).weights, atol=2e-5)


GENERATOR = np.random.default_rng(11)
N, M = 100, 400
FACTOR = GENERATOR.normal(size=(N, 300))
ROWS = GENERATOR.normal(size=(M, N))
POLYTOPE = Polytope(
    np.vstack([np.ones(N), ROWS]),
    np.append(1.0, np.full(M, -0.3)),
    np.append(1.0, np.full(M, 0.3)),
    np.zeros(N),
    np.ones(N),
)
QUADRATIC = Program(FACTOR @ FACTOR.T / 300.0, np.zeros(N), POLYTOPE)
LINEAR = Program(None, np.linspace(-1.0, 1.0, N), POLYTOPE)


def by_piqp(control: SolverControl) -> ProgramSolution:
    answer = _piqp(QUADRATIC, QUADRATIC.hessian, control)
    assert answer is not None
    return answer


def test_piqp_takes_the_tolerance() -> None:
    close, loose = by_piqp(SolverControl(tolerance=1e-9)), by_piqp(SolverControl(tolerance=1e-3))
    assert loose.iterations < close.iterations
    assert relative_gap(QUADRATIC, loose) > 10.0 * relative_gap(QUADRATIC, close)


def test_highs_takes_the_tolerance() -> None:
    def iterations(tolerance: float) -> int:
        answer = IncrementalProgram(LINEAR, SolverControl(tolerance=tolerance)).solve()
        assert answer is not None
        return answer.iterations

    assert iterations(1e-3) != iterations(1e-9)


def test_clarabel_takes_the_tolerance() -> None:
    def solved(tolerance: float) -> tuple[int, float]:
        model = ConicModel(control=SolverControl(tolerance=tolerance))
        weights = model.positive(SIZE)
        model.zero(weights.total() - 1.0)
        bound = model.variables(1)
        model.second_order(bound, weights.under(VALUES))
        model.minimise(bound)
        answer = model.solve()
        assert answer is not None
        return answer.iterations, answer.gap

    (close, gap), (loose, wide) = solved(1e-9), solved(1e-3)
    assert loose < close
    assert wide > gap


def test_cutting_planes_take_the_tolerance() -> None:
    box = Polytope(np.ones((1, SIZE)), np.ones(1), np.ones(1), np.zeros(SIZE), np.ones(SIZE))
    cutter = CuttingPlanes(VALUES / VALUES.std(), np.full(PERIODS, 1.0 / PERIODS), gini_spectrum)
    program = SpectralProgram(cutter, np.zeros(SIZE), 1.0, box)
    start = np.full(SIZE, 1.0 / SIZE)
    close, loose = (minimise_by_cuts(program, start, SolverControl(tolerance=t)).cuts for t in (1e-9, 1e-3))
    assert loose < close


def test_newton_steps_take_the_tolerance() -> None:
    problem = PROBLEMS["higher moments"]
    assert isinstance(problem.objective, HigherMoments)
    smooth = MomentObjective.of(problem, problem.objective)
    limits = feasible_set(problem)

    def steps(tolerance: float) -> int:
        found = minimise_smooth(smooth, limits, lambda _: 0.0, SolverControl(tolerance=tolerance))
        assert found is not None
        return found.iterations

    assert steps(1e-3) < steps(1e-12)


def test_the_interior_point_method_takes_the_tolerance() -> None:
    problem = problem_of(MinRisk(), Turnover("trades", 0.2))
    limits = feasible_set(problem)
    polytope = limits.polytope()
    hessian = np.zeros((len(polytope.lower), len(polytope.lower)))
    hessian[:SIZE, :SIZE] = np.corrcoef(VALUES.T)
    program = Program(hessian, np.zeros(len(hessian)), polytope)
    close, loose = (solve_l1_constrained(program, limits, SolverControl(tolerance=t)) for t in (1e-9, 1e-3))
    assert close is not None
    assert loose is not None
    assert loose.iterations < close.iterations


def test_daqp_ends_at_the_time_limit() -> None:
    program = replace(QUADRATIC, linear=GENERATOR.normal(size=N))
    hessian = program.hessian
    assert hessian is not None
    _daqp(program, hessian, SolverControl())  # loads it
    with pytest.raises(SolverTimedOut):
        solve_quadratic(program, SolverControl(deadline=time.monotonic() + 2e-4))


def test_highs_and_clarabel_end_at_the_time_limit() -> None:
    for _ in range(2):  # the first one may spend its time on loading the solver
        with pytest.raises(SolverTimedOut):
            IncrementalProgram(LINEAR, SolverControl(deadline=time.monotonic() + 5e-4)).solve()
        model = ConicModel(control=SolverControl.for_seconds(2e-3))
        model.minimise(-model.positive(1).total())
        weights = model.positive(400)
        model.zero(weights.total() - 1.0)
        bound = model.variables(1)
        model.second_order(bound, weights.under(GENERATOR.normal(size=(400, 400))))
        model.minimise(bound)
        with pytest.raises(SolverTimedOut):
            model.solve()


def test_time_that_was_spent_is_not_given_again() -> None:
    control = SolverControl.for_seconds(0.05)
    first = control.seconds_left
    time.sleep(0.02)
    assert control.seconds_left <= first - 0.02
    time.sleep(0.04)
    with pytest.raises(SolverTimedOut):
        control()
