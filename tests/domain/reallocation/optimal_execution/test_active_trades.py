"""The refinement of a trajectory, from far away and where the interior point is not exact enough."""

from dataclasses import replace

import numpy as np
import pytest

from domain.checks import Matrix
from domain.errors import SolverFailed
from domain.optimization.programs.solver_control import UNLIMITED
from domain.reallocation.optimal_execution import bounded
from domain.reallocation.optimal_execution.active_trades import refined
from domain.reallocation.optimal_execution.almgren_chriss import even_trajectory, optimal_schedule
from domain.reallocation.optimal_execution.objective import objective, optimality_gap
from domain.reallocation.optimal_execution.problem import ExecutionProblem
from domain.reallocation.optimal_execution.trade_bounds import TradeBounds
from tests.domain.reallocation.optimal_execution.problems import SHARES, published, random_problem


def one_way(problem: ExecutionProblem, most: Matrix) -> TradeBounds:
    sells = problem.units > 0.0
    return TradeBounds(np.where(sells, 0.0, -most), np.where(sells, most, 0.0), problem.units)


@pytest.mark.parametrize("seed", range(40))
def test_it_reaches_the_optimum_from_even_trades(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, limited=False)
    problem = replace(problem, units=problem.units + np.where(problem.units >= 0.0, 0.1, -0.1))
    most = np.abs(problem.units) * rng.uniform(1.0 / problem.periods, 1.0, problem.units.shape)
    bounds = one_way(problem, np.broadcast_to(most, (problem.periods, len(most))))
    even = even_trajectory(problem)
    found = refined(problem, bounds, even, UNLIMITED)
    assert bounds.allow(found, 1e-12 * np.abs(problem.units))
    assert optimality_gap(problem, bounds, found) <= 1e-9
    assert objective(problem, found) <= objective(problem, even) * (1.0 + 1e-12)


def test_a_solver_that_fails_leaves_the_answer_to_the_refinement(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = published([SHARES, 1e5], 0.8, largest=np.full((5, 2), 3e5))
    expected = optimal_schedule(problem)

    def fails(*_: object) -> Matrix:
        raise SolverFailed("no answer")

    monkeypatch.setattr(bounded, "solve_sparse_quadratic", fails)
    found = optimal_schedule(problem)
    assert found.optimal
    assert found.remaining == pytest.approx(expected.remaining, abs=1e-3)


def test_figures_of_very_different_sizes() -> None:
    rng = np.random.default_rng(3)
    gaps = []
    for _ in range(60):
        size, periods = int(rng.integers(2, 5)), int(rng.integers(2, 20))
        problem = published((rng.normal(size=size) * 10.0 ** rng.uniform(1.0, 7.0, size)).tolist(), 0.7)
        impact = 10.0 ** rng.uniform(-8.0, -4.0, size)
        prices = replace(problem.prices, temporary=impact, permanent=0.5 * impact, volatilities=10.0 * rng.random(size))
        aversion = float(10.0 ** rng.uniform(-9.0, -4.0))
        gaps.append(optimal_schedule(ExecutionProblem(problem.units, prices, aversion, periods)).gap)
    assert max(gaps) <= 1e-7
