"""Hierarchies through Riskfolio-Lib: its weights are ours, or they are nobody's."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import NotSupported, SolverFailed
from domain.estimation.clustering import Linkage
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Leverage, WeightBounds
from domain.optimization.request.objectives import Hierarchical, HierarchicalMethod
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.engine import solve_by_riskfolio
from domain.optimization.riskfolio.verification import gap_of
from domain.optimization.solution import Candidate, Engine
from domain.optimization.solve import solve

RNG = np.random.default_rng(21)
NAMES = tuple(f"S{i}" for i in range(10))
RETURNS = RNG.standard_t(5, (150, 3)) * 0.008 @ RNG.dirichlet(np.ones(3) * 0.4, 10).T + RNG.normal(0, 0.006, (150, 10))
PANEL = ReturnPanel.of(NAMES, np.arange(150), RETURNS)
PROBLEM = Problem(
    estimate_moments(PANEL, Estimation(), 252.0),
    Hierarchical(),
    scenarios=Scenarios.from_returns(PANEL),
    options=SolverOptions(engine=EnginePreference.RISKFOLIO),
)
NESTED = replace(PROBLEM, objective=Hierarchical(HierarchicalMethod.NCO, Linkage.WARD))


def ours(problem: Problem) -> np.ndarray:
    return solve(replace(problem, options=SolverOptions(engine=EnginePreference.FAST))).weights


@pytest.mark.parametrize("method", HierarchicalMethod)
def test_bounds_and_budget(method: HierarchicalMethod) -> None:
    """NCO's clusters are solved by both, so that its weights are near and its risks equal."""
    problem = replace(PROBLEM, objective=Hierarchical(method, Linkage.WARD))
    budget = Leverage("leverage", budget=0.8)
    half = replace(problem, constraints=(budget,))
    close = 2e-4 if method is HierarchicalMethod.NCO else 1e-8
    assert solve(half).weights == pytest.approx(ours(half), abs=close)
    assert solve(half).weights.sum() == pytest.approx(0.8, abs=1e-8)
    if method is not HierarchicalMethod.NCO:
        highest = float(ours(half).max()) - 0.01
        bounded = replace(problem, constraints=(budget, WeightBounds("bounds", 0.02, highest)))
        assert ours(bounded).max() == pytest.approx(highest)
        assert solve(bounded).weights == pytest.approx(ours(bounded), abs=1e-8)


def test_weights_that_are_not_ours_are_none() -> None:
    """Nothing says which of two trees is right, so neither is handed out under its name."""
    weights = ours(PROBLEM)
    limits, moved = feasible_set(PROBLEM), weights.copy()
    moved[:2] += [1e-6, -1e-6]
    with pytest.raises(SolverFailed, match="other weights than ours, by up to 1e-06"):
        solve_by_riskfolio(PROBLEM, limits, Candidate(moved, Engine.CLOSED_FORM, "hrp"), lambda: None)
    assert gap_of(PROBLEM, weights + 1e-10, weights) is None


def test_a_nested_answer_is_judged_cluster_by_cluster() -> None:
    """A portfolio can have the least risk of all and still miss it within its clusters, whose weights are tiny."""
    proven = ours(NESTED)
    theirs = solve(NESTED)
    assert theirs.certificate.engine is Engine.RISKFOLIO
    assert theirs.certificate.duality_gap is not None
    assert theirs.certificate.duality_gap <= 1e-6
    held = np.flatnonzero(proven > 0.02)
    moved = proven.copy()
    moved[held[:2]] += [0.01, -0.01]
    gap = gap_of(NESTED, moved, proven)
    assert gap is not None
    assert gap > 1e-5


def test_moments_are_not_enough_for_its_trees() -> None:
    with pytest.raises(NotSupported, match="from returns"):
        solve(replace(PROBLEM, scenarios=None))
