"""Optimal schedules of several assets, and what any schedule costs (Almgren and Chriss 2000)."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector, freeze
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.reallocation.optimal_execution.bounded import bounded_trajectory
from domain.reallocation.optimal_execution.objective import covariance_times, optimality_gap
from domain.reallocation.optimal_execution.problem import ExecutionProblem
from domain.reallocation.optimal_execution.trade_bounds import TradeBounds
from domain.reallocation.optimal_execution.trajectory import unlimited_trajectory
from domain.records import dataclass

ROUNDING = 1e-12
"""Of the largest holding of an asset: a trade the wrong way by less is none."""

PROVEN = 1e-8
"""A relative gap of at most this counts as optimal."""

REACH = 10.0
"""The proof of a hedge takes trades without a limit as at most this many times the largest without any limits."""


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """What a schedule costs against the prices before it, in money: normally distributed."""

    expected: Vector  # (N,), spread and impact of each asset
    variance: float  # from the moves of prices until the last trade

    @property
    def total(self) -> float:
        """Expected cost of all assets."""
        return float(self.expected.sum())

    @property
    def standard_deviation(self) -> float:
        """In money."""
        return math.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class ExecutionSchedule:
    """Units that are held before the first period and after each."""

    remaining: Matrix  # (T + 1, N), from the units of the problem to the remainder
    remainder: Vector  # (N,), what the limits leave untraded; of the sign of the units
    cost: ExecutionCost  # of what is traded
    gap: float  # how much cost + risk aversion x variance may exceed the least possible, relative to it

    @property
    def optimal(self) -> bool:
        """Whether nothing better is possible but for rounding."""
        return self.gap <= PROVEN

    @property
    def trades(self) -> Matrix:
        """Units sold in each period (T, N), negative to buy."""
        result: Matrix = self.remaining[:-1] - self.remaining[1:]
        return result


def optimal_schedule(problem: ExecutionProblem, control: SolverControl = UNLIMITED) -> ExecutionSchedule:
    """The schedule with the least expected cost + risk aversion x variance.

    Every asset is only sold or only bought, and never more than its units: a schedule without limits that keeps this
    is the answer, else a quadratic program is solved. With `hedge` only the limits of the problem count; the fixed cost
    of trades there and back is then no part of what is minimised, but of the cost that is returned. Where the limits do
    not allow all to be traded, as much as they allow is, and the rest is the remainder.

    Raises InvalidInput for more periods and assets than can be solved, SolverTimedOut, SolverFailed.
    """
    control()
    total = _tradable(problem)
    remainder = problem.units - total
    reduced = problem if not remainder.any() else replace(problem, units=total)
    remaining, gap = _trajectory(reduced, control)
    cost = execution_cost(reduced, remaining)
    return ExecutionSchedule(freeze(remaining + remainder), freeze(remainder), cost, gap)


def execution_cost(problem: ExecutionProblem, remaining: Matrix) -> ExecutionCost:
    """Cost of any trajectory (T + 1, N) that trades all units of the problem.

    E = sum ½ gamma X^2 + epsilon sum |n| + n' H n / tau and Var = tau sum x_k' C x_k, k from 1 (eq. 5 and 8).
    """
    prices = problem.prices
    trades = remaining[:-1] - remaining[1:]
    permanent = 0.5 * prices.permanent * problem.units**2
    temporary = problem.impact / problem.period_length * (trades**2).sum(axis=0)
    fixed = prices.fixed * np.abs(trades).sum(axis=0)
    after = remaining[1:]
    variance = problem.period_length * float((after * covariance_times(problem, after)).sum())
    return ExecutionCost(freeze(permanent + temporary + fixed), max(variance, 0.0))


def even_trajectory(problem: ExecutionProblem) -> Matrix:
    """The same units in every period: (T + 1, N)."""
    result: Matrix = problem.units * np.linspace(1.0, 0.0, problem.periods + 1)[:, None]
    return result


def _tradable(problem: ExecutionProblem) -> Vector:
    """Units that the limits allow to be traded, (N,)."""
    if problem.largest_trades is None:
        return problem.units
    most = problem.largest_trades.sum(axis=0)
    result: Vector = np.where(np.abs(problem.units) <= most, problem.units, np.copysign(most, problem.units))
    return result


def _trajectory(problem: ExecutionProblem, control: SolverControl) -> tuple[Matrix, float]:
    """Holdings (T + 1, N) and their gap; all units can be traded."""
    if not problem.hedge:
        return _one_way_trajectory(problem, control)
    unlimited = unlimited_trajectory(problem)
    if problem.largest_trades is None:
        return unlimited, 0.0
    sizes = np.abs(unlimited).max(axis=0)
    sizes[sizes == 0.0] = 1.0
    trades = np.abs(unlimited[:-1] - unlimited[1:])
    limits = np.minimum(problem.largest_trades, max(REACH * float(trades.max(initial=0.0)), 1.0))
    return _bounded(problem, TradeBounds(-limits, limits, problem.units), unlimited, sizes, control)


def _one_way_trajectory(problem: ExecutionProblem, control: SolverControl) -> tuple[Matrix, float]:
    moving = np.flatnonzero(problem.units)
    remaining = np.zeros((problem.periods + 1, len(problem.units)))
    if not len(moving):
        return remaining, 0.0
    part = _of_assets(problem, moving)
    most = np.abs(part.units)
    limits = np.broadcast_to(most, (part.periods, len(moving)))
    if part.largest_trades is not None:
        limits = np.minimum(limits, part.largest_trades)
    sells = part.units > 0.0
    bounds = TradeBounds(np.where(sells, 0.0, -limits), np.where(sells, limits, 0.0), part.units)
    remaining[:, moving], gap = _bounded(part, bounds, unlimited_trajectory(part), most, control)
    return remaining, gap


def _bounded(
    problem: ExecutionProblem, bounds: TradeBounds, unlimited: Matrix, sizes: Vector, control: SolverControl
) -> tuple[Matrix, float]:
    """A trajectory that is optimal without the bounds and keeps them is optimal."""
    if bounds.allow(unlimited, ROUNDING * sizes):
        return unlimited, 0.0
    found = bounded_trajectory(problem, bounds, sizes, control)
    return found, optimality_gap(problem, bounds, found)


def _of_assets(problem: ExecutionProblem, assets: NDArray[np.intp]) -> ExecutionProblem:
    if len(assets) == len(problem.units):
        return problem
    limits = problem.largest_trades
    return replace(
        problem,
        units=problem.units[assets],
        prices=problem.prices.of_assets(assets),
        largest_trades=None if limits is None else limits[:, assets],
    )
