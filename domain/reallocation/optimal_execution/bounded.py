"""The optimal trajectory with limits on each trade: a sparse quadratic program."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput, SolverFailed
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.programs.sparse_quadratic import solve_sparse_quadratic
from domain.reallocation.optimal_execution.active_trades import refined
from domain.reallocation.optimal_execution.objective import risk_costs, risk_matrix, temporary_costs
from domain.reallocation.optimal_execution.problem import ExecutionProblem
from domain.reallocation.optimal_execution.trade_bounds import TradeBounds

MOST_BOUNDED_ENTRIES, MOST_CORRELATED_ENTRIES = 200_000, 50_000
"""Periods x assets of the quadratic program, without and with correlation: some seconds."""

MOST_WORK = 200_000_000
"""Periods x the cube of correlated assets: about ten seconds."""


def bounded_trajectory(
    problem: ExecutionProblem, bounds: TradeBounds, sizes: Vector, control: SolverControl = UNLIMITED
) -> Matrix:
    """Units that are held after each period, (T + 1, N); `sizes` (N,) is the magnitude of each asset's holdings.

    Raises InvalidInput for more assets and periods than can be solved, SolverTimedOut, SolverFailed.
    """
    forced = bounds.forced
    free = np.flatnonzero(~forced)
    trades = np.where(bounds.upper.sum(axis=0) <= bounds.total, bounds.upper, bounds.lower)
    remaining = _held(bounds.total, trades)
    if len(free) and problem.periods > 1:
        _check_size(problem, len(free))
        try:
            remaining[1:-1, free] = _solve(problem, bounds, sizes, free, remaining, control)
        except SolverFailed:  # figures of very different sizes: the refinement begins at even trades
            even = np.linspace(1.0, 0.0, problem.periods + 1)[1:-1, None]
            remaining[1:-1, free] = even * bounds.total[free]
    remaining[-1] = 0.0
    return refined(problem, bounds, bounds.nearest(remaining), control)


def _held(total: Vector, trades: Matrix) -> Matrix:
    return np.vstack([total, total - np.cumsum(trades, axis=0)])


def _check_size(problem: ExecutionProblem, n_free: int) -> None:
    entries = problem.periods * n_free
    if problem.prices.correlation is None:
        if entries > MOST_BOUNDED_ENTRIES:
            rule = f"times the {n_free} assets with limits must be at most {MOST_BOUNDED_ENTRIES}"
            raise InvalidInput("periods", rule)
    elif entries > MOST_CORRELATED_ENTRIES or entries * n_free**2 > MOST_WORK:
        raise InvalidInput(
            "periods",
            f"times the {n_free} correlated assets with limits must be at most {MOST_CORRELATED_ENTRIES}, and times "
            f"their cube at most {MOST_WORK}: take fewer periods, or leave the correlation out",
        )


def _solve(
    problem: ExecutionProblem,
    bounds: TradeBounds,
    sizes: Vector,
    free: NDArray[np.intp],
    remaining: Matrix,
    control: SolverControl,
) -> Matrix:
    """Holdings of the free assets after all periods but the last, (T - 1, F), each as a fraction of its size."""
    from scipy.sparse import diags, eye, kron

    periods, size = problem.periods, sizes[free]
    inner = periods - 1
    differences: Any = eye(periods, inner, k=-1) - eye(periods, inner)  # x_(k-1) - x_k without the two ends
    temporary = temporary_costs(problem)[free] * size**2
    risk = diags(size) @ risk_matrix(problem)[free][:, free] @ diags(size)
    start = np.zeros((periods, len(free)))
    start[0] = bounds.total[free] / size
    held = np.zeros_like(remaining)
    fixed = np.setdiff1d(np.arange(len(bounds.total)), free)
    held[:, fixed] = remaining[:, fixed]
    weights = _weights(problem, temporary + risk.diagonal())
    hessian = kron(differences.T @ differences, diags(temporary * weights)) + kron(eye(inner), risk @ diags(weights))
    linear = (differences.T @ (start * temporary) + risk_costs(problem, held)[:-1, free] * size) * weights
    rows = kron(differences, eye(len(free)))
    lower, upper = bounds.lower[:, free] / size - start, bounds.upper[:, free] / size - start
    found = solve_sparse_quadratic(hessian, linear.ravel(), rows, lower.ravel(), upper.ravel(), control)
    return found.reshape(inner, len(free)) * size


def _weights(problem: ExecutionProblem, magnitudes: Vector) -> Vector:
    """Factors of the objective of each asset (F,): without correlation each can have a size of 1 of its own."""
    if problem.prices.correlation is None:
        return 1.0 / magnitudes
    return np.full(len(magnitudes), 1.0 / float(magnitudes.max()))
