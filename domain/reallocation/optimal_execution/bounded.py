"""The optimal trajectory with limits on each trade: a sparse quadratic program, and the proof of its answer.

The trades of an asset lie between bounds and sum to what is to be traded. By convexity the objective lies above its
tangent at any trades, and the least value of the tangent within such bounds is found exactly by trading first where it
is cheapest: what the answer is above that is a bound of its distance from the optimum (Frank and Wolfe 1956).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.programs.sparse_quadratic import solve_sparse_quadratic
from domain.reallocation.optimal_execution.problem import ExecutionProblem

MOST_BOUNDED_ENTRIES, MOST_CORRELATED_ENTRIES = 200_000, 50_000
"""Periods x assets of the quadratic program, without and with correlation: some seconds."""

MOST_WORK = 300_000_000
"""Periods x the cube of correlated assets: about ten seconds."""


@dataclass(frozen=True, slots=True)
class TradeBounds:
    """Least and greatest units of each trade (T, N), and their sum (N,)."""

    lower: Matrix
    upper: Matrix
    total: Vector

    def allow(self, remaining: Matrix, tolerance: Vector) -> bool:
        """Whether the trades of a trajectory (T + 1, N) lie within the bounds; the tolerance (N,) is in units."""
        trades = remaining[:-1] - remaining[1:]
        return bool(((trades >= self.lower - tolerance) & (trades <= self.upper + tolerance)).all())

    @property
    def forced(self) -> NDArray[np.bool_]:
        """Assets whose bounds leave one choice, (N,)."""
        result: NDArray[np.bool_] = (self.upper.sum(axis=0) <= self.total) | (self.lower.sum(axis=0) >= self.total)
        return result


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
        remaining[1:-1, free] = _solve(problem, bounds, sizes, free, remaining, control)
    remaining[-1] = 0.0
    return _within(remaining, bounds)


def optimality_gap(problem: ExecutionProblem, bounds: TradeBounds, remaining: Matrix) -> float:
    """How much the objective of a trajectory can exceed the least possible one, relative to it."""
    trades = remaining[:-1] - remaining[1:]
    slope = 2.0 * _temporary(problem) * trades
    risk = 2.0 * _risk_gradient(problem, remaining)
    # A unit traded in period j is not held after it: its risk is saved in all later ones.
    slope -= np.cumsum(risk[::-1], axis=0)[::-1]
    cheapest = np.zeros(len(bounds.total))
    for i in range(len(bounds.total)):
        order = np.argsort(slope[:, i], kind="stable")
        room = (bounds.upper - bounds.lower)[order, i]
        left = bounds.total[i] - bounds.lower[:, i].sum()
        before = np.concatenate([[0.0], np.cumsum(room)[:-1]])
        best = bounds.lower[order, i] + np.clip(left - before, 0.0, room)
        cheapest[i] = float(slope[order, i] @ (trades[order, i] - best))
    value = objective(problem, remaining)
    return max(float(cheapest.sum()), 0.0) / value if value > 0.0 else 0.0


def objective(problem: ExecutionProblem, remaining: Matrix) -> float:
    """Cost of temporary impact + risk aversion x variance, in money; what does not depend on the order is left out."""
    trades = remaining[:-1] - remaining[1:]
    temporary = float((_temporary(problem) * trades**2).sum())
    return temporary + float((remaining[1:] * _risk_gradient(problem, remaining)).sum())


def _temporary(problem: ExecutionProblem) -> Vector:
    return problem.impact / problem.period_length


def _risk_gradient(problem: ExecutionProblem, remaining: Matrix) -> Matrix:
    """lambda tau C x_k after each period, (T, N)."""
    return covariance_times(problem, remaining[1:]) * (problem.risk_aversion * problem.period_length)


def covariance_times(problem: ExecutionProblem, positions: Matrix) -> Matrix:
    """C x for each row of positions (T, N)."""
    volatilities, correlation = problem.prices.volatilities, problem.prices.correlation
    scaled = positions * volatilities
    result: Matrix = (scaled if correlation is None else scaled @ correlation) * volatilities
    return result


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
    temporary = _temporary(problem)[free] * size**2
    risk = _covariance(problem, free, size) * (problem.risk_aversion * problem.period_length)
    start = np.zeros((periods, len(free)))
    start[0] = bounds.total[free] / size
    held = np.zeros_like(remaining)
    fixed = np.setdiff1d(np.arange(len(bounds.total)), free)
    held[:, fixed] = remaining[:, fixed]
    weights = _weights(problem, temporary + risk.diagonal())
    hessian = kron(differences.T @ differences, diags(temporary * weights)) + kron(eye(inner), risk @ diags(weights))
    linear = (differences.T @ (start * temporary) + _risk_gradient(problem, held)[:-1, free] * size) * weights
    rows = kron(differences, eye(len(free)))
    lower, upper = bounds.lower[:, free] / size - start, bounds.upper[:, free] / size - start
    found = solve_sparse_quadratic(hessian, linear.ravel(), rows, lower.ravel(), upper.ravel(), control)
    return found.reshape(inner, len(free)) * size


def _weights(problem: ExecutionProblem, magnitudes: Vector) -> Vector:
    """Factors of the objective of each asset (F,): without correlation each can have a size of 1 of its own."""
    if problem.prices.correlation is None:
        return 1.0 / magnitudes
    return np.full(len(magnitudes), 1.0 / float(magnitudes.max()))


def _covariance(problem: ExecutionProblem, assets: NDArray[np.intp], sizes: Vector) -> Any:
    """Of the value of so many units of each asset (F,), as a sparse matrix."""
    from scipy.sparse import csc_matrix, diags

    volatilities, correlation = problem.prices.volatilities[assets] * sizes, problem.prices.correlation
    if correlation is None:
        return diags(volatilities**2).tocsc()
    return csc_matrix(correlation[np.ix_(assets, assets)] * np.outer(volatilities, volatilities))


def _within(remaining: Matrix, bounds: TradeBounds) -> Matrix:
    """The nearest trajectory that keeps the bounds exactly: an interior point may miss them by its tolerance."""
    result = remaining.copy()
    least_after = np.cumsum(bounds.lower[::-1], axis=0)[::-1]
    most_after = np.cumsum(bounds.upper[::-1], axis=0)[::-1]
    zeros = np.zeros((1, len(bounds.total)))
    least_after = np.vstack([least_after[1:], zeros])
    most_after = np.vstack([most_after[1:], zeros])
    for k in range(len(bounds.lower)):
        low = np.maximum(result[k] - bounds.upper[k], least_after[k])
        high = np.minimum(result[k] - bounds.lower[k], most_after[k])
        result[k + 1] = np.clip(remaining[k + 1], np.minimum(low, high), high)
    result[-1] = 0.0
    return result
