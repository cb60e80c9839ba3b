"""Every loop ends for every input: in an answer, or in an error that says why there is none.

A loop that does not end is stopped by the time limit of the test, and takes the run with it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.checks import Matrix, Vector
from domain.costs.self_financing import post_cost_fraction
from domain.costs.trading import TradingCosts
from domain.errors import DomainError, InvalidInput, SolverFailed, UnboundedProblem
from domain.estimation.bubble_tree import bubble_merges
from domain.estimation.entropy_pooling import entropy_pooled
from domain.estimation.filtered_graph import filtered_graph
from domain.estimation.gaps import maximum_likelihood
from domain.estimation.network import spanning_tree, within
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.infeasibility import smallest_relaxation
from domain.optimization.mean_variance.critical_line import corners
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.selection_limits import SelectionLimit, cardinality_rows
from domain.optimization.programs.log_barrier import LogBarrier, box_minimiser, unconstrained_minimiser
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.constraints import Constraint, MinimumPosition, RiskContributionBounds, WeightBounds
from domain.optimization.request.objectives import (
    FactorBudget,
    MaxUtility,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
)
from domain.optimization.request.solver_options import SolverOptions
from domain.optimization.selection import fixed_costs
from domain.optimization.selection.perspective import _proportional_fill
from domain.optimization.solve import solve
from domain.optimization.spectral import cutting_planes, cvar
from domain.optimization.spectral.cutting_planes import CuttingPlanes, SpectralProgram, minimise_by_cuts
from domain.optimization.spectral.cvar import _TailProgram
from domain.risk.measures import RiskMeasure
from domain.risk.measures.entropic import entropic_weights, relativistic_weights
from domain.risk.measures.spectral import tail_spectrum
from tests.families import thinned

pytestmark = [pytest.mark.timeout(30), pytest.mark.filterwarnings("ignore::RuntimeWarning")]

GENERATOR = np.random.default_rng(7)
X, Y = GENERATOR.normal(0.0, 0.01, (2, 60))

CANCELLING = {
    "a fund and its inverse": [X, -X],
    "but for a billionth": [X, -X * (1.0 + 1e-9)],
    "but for rounding": [X, -X + 1e-13 * Y],
    "and a third": [X, -X, Y],
    "three that sum to nothing": [X, Y, -X - Y],
}
"""Returns of which some long portfolio has no risk."""

BY_RANK_OR_NOT_CONVEX = {
    RiskMeasure.GINI_MEAN_DIFFERENCE,
    RiskMeasure.TAIL_GINI,
    RiskMeasure.TAIL_GINI_RANGE,
    RiskMeasure.VALUE_AT_RISK,
    RiskMeasure.DRAWDOWN_AT_RISK,
}
"""Measures that risk budgets do not support."""


def problem_of(
    columns: list[Vector],
    objective: Objective,
    measure: RiskMeasure = RiskMeasure.VARIANCE,
    constraints: tuple[Constraint, ...] = (),
    seconds: float = 3.0,
) -> Problem:
    values = np.column_stack(columns)
    names = tuple(f"A{i}" for i in range(len(columns)))
    moments = Moments.of(names, values.mean(axis=0), np.cov(values.T), 252, repair_covariance=True)
    panel = ReturnPanel.of(names, np.arange(18000, 18000 + len(values), dtype=np.int32), values.ravel())
    return Problem(
        moments,
        objective,
        measure,
        constraints=constraints,
        scenarios=Scenarios.from_returns(panel),
        options=SolverOptions(time_limit_seconds=seconds),
    )


@pytest.mark.parametrize("measure", thinned(sorted(set(RiskMeasure) - BY_RANK_OR_NOT_CONVEX), 6))
@pytest.mark.parametrize("columns", CANCELLING.values(), ids=CANCELLING)
def test_budgets_of_no_risk_do_not_exist(columns: list[Vector], measure: RiskMeasure) -> None:
    # With x'risk = 0 for some x > 0, risk(y) - sum b ln y falls for ever along x: no budgets, whatever they are.
    with pytest.raises(UnboundedProblem, match="do not exist"):
        solve(problem_of(columns, RiskBudget(), measure, seconds=60.0))  # of a machine that does other things too


@pytest.mark.parametrize("columns", CANCELLING.values(), ids=CANCELLING)
@pytest.mark.parametrize(
    ("objective", "constraints"),
    [
        (RiskBudget(), (WeightBounds("cap", upper=0.6),)),
        (RelaxedRiskBudget(None, 0.0), ()),
        (FactorBudget(("f",), np.ones((2, 1)), np.ones(1)), ()),
        (MinRisk(), (RiskContributionBounds("shares", upper=0.6),)),
        (MinRisk(), (RiskContributionBounds("shares", lower=1.0 / 2),)),
        (MinRisk(), (RiskContributionBounds("shares", lower=1.0 / 3),)),
    ],
)
def test_shares_of_no_risk_end(
    columns: list[Vector], objective: Objective, constraints: tuple[Constraint, ...]
) -> None:
    if isinstance(objective, FactorBudget):
        objective = FactorBudget(("f",), np.ones((len(columns), 1)), np.ones(1))
    ends(lambda: solve(problem_of(columns, objective, constraints=constraints)))


@pytest.mark.parametrize("columns", CANCELLING.values(), ids=CANCELLING)
def test_a_relaxed_budget_of_assets_that_cancel_is_a_portfolio_without_risk(columns: list[Vector]) -> None:
    # psi - gamma >= 0, for gamma^2 <= sum w_i (Sigma w)_i = w'Sigma w <= psi^2: where the risk is 0 it is least.
    problem = problem_of(columns, RelaxedRiskBudget(None, 0.0))
    assert solve(problem).volatility_annual <= 1e-6 * float(problem.moments.volatilities.max())


NAN_MATRIX = np.full((5, 5), np.nan)
INFINITE = np.where(np.eye(5, dtype=bool), 0.0, np.inf)


def barrier_of(correlation: Matrix, upper: float = np.inf) -> LogBarrier:
    size = len(correlation)
    return LogBarrier(correlation, np.full(size, 1.0 / size), np.zeros(size), np.full(size, upper))


def spectral(returns: Matrix) -> SpectralProgram:
    size = returns.shape[1]
    cutter = CuttingPlanes(returns, np.full(len(returns), 1.0 / len(returns)), tail_spectrum(0.9))
    box = Polytope(np.ones((1, size)), np.ones(1), np.ones(1), np.zeros(size), np.ones(size))
    return SpectralProgram(cutter, np.zeros(size), 1.0, box)


LOOPS: dict[str, Callable[[], object]] = {
    "barrier of NaN": lambda: unconstrained_minimiser(barrier_of(NAN_MATRIX), never_cancelled),
    "barrier of no risk": lambda: unconstrained_minimiser(
        barrier_of(np.array([[1.0, -1.0], [-1.0, 1.0]])), never_cancelled
    ),
    "barrier of a negative risk": lambda: unconstrained_minimiser(barrier_of(-np.eye(3)), never_cancelled),
    "barrier of infinities": lambda: unconstrained_minimiser(barrier_of(np.full((2, 2), np.inf)), never_cancelled),
    "bounded barrier of NaN": lambda: box_minimiser(barrier_of(NAN_MATRIX, 0.5), 1.0, np.full(5, 0.2), never_cancelled),
    "bounded barrier of theta NaN": lambda: box_minimiser(
        barrier_of(np.eye(5), 0.5), np.nan, np.full(5, 0.2), never_cancelled
    ),
    "bounded barrier of a NaN start": lambda: box_minimiser(
        barrier_of(np.eye(5), 0.5), 1.0, np.full(5, np.nan), never_cancelled
    ),
    "cuts of NaN": lambda: minimise_by_cuts(
        spectral(np.full((4, 2), np.nan)), np.full(2, 0.5), SolverControl.for_seconds(5.0)
    ),
    "corners of NaN": lambda: list(corners(np.full(5, np.nan), NAN_MATRIX, np.zeros(5), np.ones(5), 1.0)),
    "parts of NaN": lambda: _proportional_fill(np.full(3, np.nan), np.ones(3), 1.0),
    "parts of next to nothing": lambda: _proportional_fill(np.full(3, 5e-324), np.ones(3), 1.0),
    "cliques where an asset is its own neighbour": lambda: cardinality_rows(
        [SelectionLimit("x", exclusions=np.ones((4, 4), bool))]
    ),
    "bubbles of NaN": lambda: bubble_merges(NAN_MATRIX, NAN_MATRIX),
    "bubbles infinitely far apart": lambda: bubble_merges(INFINITE, np.zeros((5, 5))),
    "graph of NaN": lambda: filtered_graph(NAN_MATRIX),
    "spanning tree of NaN": lambda: spanning_tree(NAN_MATRIX),
    "spanning tree of infinities": lambda: spanning_tree(INFINITE),
    "a network of many steps": lambda: within(np.ones((5, 5), bool), 2**31 - 1),
    "views on NaN": lambda: entropy_pooled(np.full((4, 1), np.nan), np.zeros(1), np.full(4, 0.25)),
    "views beyond what was seen": lambda: entropy_pooled(np.eye(4)[:, :1], np.full(1, 2.0), np.full(4, 0.25)),
    "gaps that leave nothing": lambda: maximum_likelihood(np.where(np.eye(6, dtype=bool), np.nan, 0.01)),
    "entropy of NaN": lambda: entropic_weights(np.full(4, np.nan), np.full(4, 0.25), 0.9),
    "entropy of almost one loss": lambda: entropic_weights(np.array([0.0, 5e-324, 1.0]), np.full(3, 1 / 3), 0.5),
    "deformed entropy of NaN": lambda: relativistic_weights(np.full(4, np.nan), 0.9),
    "deformed entropy of huge losses": lambda: relativistic_weights(np.array([1e300, -1e300, 0.0, 1.0]), 0.6),
    "costs of NaN": lambda: post_cost_fraction(np.full(2, np.nan), np.ones(2), np.full(2, 0.01)),
    "costs above the wealth": lambda: post_cost_fraction(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.full(2, 0.9)),
    "a least position of 1e12": lambda: smallest_relaxation(
        feasible_set(problem_of([X, Y], MinRisk(), constraints=(MinimumPosition("least", 1e12),))), "least"
    ),
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_a_loop_ends(loop: Callable[[], object]) -> None:
    ends(loop)


def test_views_on_what_is_no_number_are_refused() -> None:
    outcomes = np.array([[1.0], [2.0], [3.0]])
    with pytest.raises(InvalidInput, match="views"):
        entropy_pooled(outcomes, np.array([np.nan]), np.full(3, 1 / 3))


@pytest.mark.parametrize("name", [name for name in LOOPS if "barrier" in name])
def test_a_barrier_that_does_not_converge_says_so(name: str) -> None:
    with pytest.raises(SolverFailed, match="did not converge"):
        LOOPS[name]()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_cuts_have_a_limit_of_their_own(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program, start = spectral(GENERATOR.normal(0.0, 0.01, (60, 5))), np.full(5, 0.2)
    monkeypatch.setattr(cutting_planes, "CUTS", most)
    assert minimise_by_cuts(program, start).cuts == most


def test_too_few_cuts_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of([X, Y], MinRisk(), RiskMeasure.GINI_MEAN_DIFFERENCE)
    monkeypatch.setattr(cutting_planes, "CUTS", 2)
    with pytest.raises(SolverFailed, match="away from a proven bound"):
        solve(problem)


def test_a_tail_that_takes_in_no_scenario_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of([X, Y, -0.5 * X - Y], MinRisk(), RiskMeasure.CONDITIONAL_VALUE_AT_RISK)
    monkeypatch.setattr(cvar, "FIRST", 1.0)  # as few as bound the program, which are not the whole tail
    monkeypatch.setattr(_TailProgram, "_add_scenarios", lambda self, missed: None)
    with pytest.raises(SolverFailed, match="all 60 scenarios"):
        solve(replace(problem, options=SolverOptions(time_limit_seconds=60.0)))


def test_a_search_over_trades_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    current = np.array([0.7, 0.2, 0.1])
    costs = TradingCosts(np.zeros(3), current, fee=1e-4)
    third = GENERATOR.normal(0.0, 0.01, 60)
    problem = replace(problem_of([X, Y, third], MaxUtility(5.0)), current_weights=current, costs=costs)
    most = solve(problem).certificate.iterations
    monkeypatch.setattr(fixed_costs, "MOST_RELAXATIONS", most)
    solve(problem)
    monkeypatch.setattr(fixed_costs, "MOST_RELAXATIONS", most - 1)
    with pytest.raises(SolverFailed, match="not decided"):
        solve(problem)


def ends(loop: Callable[[], object]) -> None:
    """In an answer or in an error of the domain."""
    with contextlib.suppress(DomainError):
        loop()
