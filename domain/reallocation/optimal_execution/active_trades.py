"""A trajectory made exact by an active set: which trades are at a bound is taken from an approximate one.

With the trades at their bounds fixed, the others solve a linear system. The way there ends at the first bound that it
meets, which is then fixed as well; once there, the trade that should move away from its bound the most is freed
(Nocedal and Wright 2006, algorithm 16.3). The objective falls with every step; the number of steps is limited.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.optimal_execution.objective import (
    optimality_gap,
    risk_costs,
    risk_matrix,
    temporary_costs,
    trade_slopes,
)
from domain.reallocation.optimal_execution.problem import ExecutionProblem
from domain.reallocation.optimal_execution.trade_bounds import TradeBounds
from domain.records import dataclass

CLOSE_ENOUGH = 1e-10
"""A relative gap at which there is nothing to improve."""

MOST_ROUNDS, MOST_ENTRIES = 300, 5_000_000
"""Rounds, and entries of all their linear systems together: some seconds."""

NEAR = 1e-6
"""A trade nearer to a bound than this part of its room begins there."""

ROUNDING = 1e-13

Sides = NDArray[np.int8]
"""-1 for a trade that is fixed at its lower bound, 1 at the upper, 0 for a free one: (T, N)."""


def refined(problem: ExecutionProblem, bounds: TradeBounds, remaining: Matrix, control: SolverControl) -> Matrix:
    """A trajectory (T + 1, N) within the bounds whose gap is at most that of the given one, which keeps them too."""
    least = optimality_gap(problem, bounds, remaining)
    if least <= CLOSE_ENOUGH:
        return remaining
    trades, sides = _at_bounds(bounds, remaining)
    for _ in range(_rounds(problem)):
        control()
        target = _with_fixed(problem, bounds, sides)
        if target is None:
            break
        trades, whole = _step(bounds, trades, target[:-1] - target[1:], sides)
        if whole and not _free_one(problem, bounds, trades, sides):
            break
    found = bounds.nearest(_held(bounds, trades))
    return found if optimality_gap(problem, bounds, found) < least else remaining


def _rounds(problem: ExecutionProblem) -> int:
    size = len(problem.units)
    entries = problem.periods * size * (1 if problem.prices.correlation is None else size)
    return min(MOST_ROUNDS, MOST_ENTRIES // max(entries, 1))


def _held(bounds: TradeBounds, trades: Matrix) -> Matrix:
    return np.vstack([bounds.total, bounds.total - np.cumsum(trades, axis=0)])


def _at_bounds(bounds: TradeBounds, remaining: Matrix) -> tuple[Matrix, Sides]:
    """Trades (T, N) with those near a bound moved to it; what they lack is traded where there is most room."""
    trades = remaining[:-1] - remaining[1:]
    room = bounds.upper - bounds.lower
    low, high = trades - bounds.lower <= NEAR * room, bounds.upper - trades <= NEAR * room
    inside = np.minimum(trades - bounds.lower, bounds.upper - trades)
    moved = np.where(low, bounds.lower, np.where(high, bounds.upper, trades))
    widest, columns = np.argmax(inside, axis=0), np.arange(trades.shape[1])
    missing = bounds.total - moved.sum(axis=0)
    moved[widest, columns] += missing
    sides = np.where(low, -1, np.where(high, 1, 0)).astype(np.int8)
    # Where even the widest is near a bound, it is free if something is missing.
    sides[widest, columns] = np.where(missing != 0.0, 0, sides[widest, columns])
    return moved, sides


def _step(bounds: TradeBounds, trades: Matrix, target: Matrix, sides: Sides) -> tuple[Matrix, bool]:
    """Towards a target (T, N) until a bound is met, which is then fixed in `sides`; whether none is."""
    way = np.where(sides == 0, target - trades, 0.0)
    least = ROUNDING * (bounds.upper - bounds.lower)
    ends = np.where(way < 0.0, bounds.lower, bounds.upper)
    moving = np.abs(way) > least
    reach = np.divide(ends - trades, way, out=np.full(way.shape, np.inf), where=moving)
    place = np.unravel_index(int(np.argmin(reach)), reach.shape)
    if reach[place] >= 1.0:
        return trades + way, True
    result = trades + max(float(reach[place]), 0.0) * way
    result[place] = ends[place]
    sides[place] = 1 if way[place] > 0.0 else -1
    return result, False


def _free_one(problem: ExecutionProblem, bounds: TradeBounds, trades: Matrix, sides: Sides) -> bool:
    """Frees the trade, or the pair of an asset without a free one, that gains most; whether there is any."""
    slopes = trade_slopes(problem, _held(bounds, trades))
    room = bounds.upper - bounds.lower
    free, movable = sides == 0, room > 0.0
    count = free.sum(axis=0)
    # The dearest of the trades that can be less, the cheapest of those that can be more.
    dearest = np.where((sides > 0) & movable, slopes, -np.inf)
    cheapest = np.where((sides < 0) & movable, slopes, np.inf)
    common = np.where(count > 0, np.where(free, slopes, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    rounding = ROUNDING * np.abs(slopes).max(axis=0)
    wrong = np.where(count > 0, np.maximum(dearest - common, common - cheapest), -np.inf)
    pair = np.where(count > 0, -np.inf, dearest.max(axis=0) - cheapest.min(axis=0))
    wrong = np.multiply(wrong, room, out=np.zeros_like(wrong), where=wrong > rounding)
    pair = np.where(pair > rounding, pair, 0.0)
    if not (wrong.any() or pair.any()):
        return False
    if wrong.max() > 0.0:
        sides[np.unravel_index(int(np.argmax(wrong)), wrong.shape)] = 0
    else:
        asset = int(np.argmax(pair))
        sides[[int(np.argmax(dearest[:, asset])), int(np.argmin(cheapest[:, asset]))], asset] = 0
    return True


@dataclass(frozen=True, slots=True)
class _Segments:
    """Holdings between two free trades differ by fixed ones only: they have one unknown, or none at both ends."""

    places: NDArray[np.intp]  # (T - 1, N), column of the unknown, -1 for none
    known: Matrix  # (T - 1, N), holdings less their unknown
    count: int


def _segments(bounds: TradeBounds, sides: NDArray[np.int8]) -> _Segments:
    free = sides == 0
    fixed = np.where(sides > 0, bounds.upper, np.where(sides < 0, bounds.lower, 0.0))
    segment = np.cumsum(free, axis=0)
    last = segment[-1]
    done = np.cumsum(fixed, axis=0)
    # From the start the holdings are known, and from the end: only fixed trades are left there.
    known = np.where(segment == 0, bounds.total - done, np.where(segment == last, done[-1] - done, -done))
    unknown = (segment > 0) & (segment < last)
    offset = np.concatenate([[0], np.cumsum(np.maximum(last - 1, 0))])
    places = np.where(unknown, offset[:-1] + segment - 1, -1)
    return _Segments(places[:-1], known[:-1], int(offset[-1]))


def _with_fixed(problem: ExecutionProblem, bounds: TradeBounds, sides: NDArray[np.int8]) -> Matrix | None:
    """The trajectory that is best with some trades fixed, whatever the bounds of the others; None for no figure."""
    from scipy.sparse import csc_matrix, diags
    from scipy.sparse.linalg import splu

    segments = _segments(bounds, sides)
    held = np.vstack([bounds.total, segments.known, np.zeros(len(bounds.total))])
    if segments.count:
        rows = np.flatnonzero(segments.places.ravel() >= 0)
        columns = segments.places.ravel()[rows]
        spread = csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(segments.places.size, segments.count))
        system = spread.T @ _hessian(problem) @ spread
        scale = diags(1.0 / np.sqrt(system.diagonal()))
        gradient = _gradient(problem, held).ravel()
        try:
            factor = splu((scale @ system @ scale).tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        except RuntimeError:  # singular
            return None
        step = scale @ factor.solve(scale @ (spread.T @ gradient))
        held[1:-1] -= (spread @ step).reshape(segments.places.shape)
    return held if np.isfinite(held).all() else None


def _gradient(problem: ExecutionProblem, held: Matrix) -> Matrix:
    """Of half the objective by the holdings after all periods but the last, (T - 1, N)."""
    bend = 2.0 * held[1:-1] - held[:-2] - held[2:]
    result: Matrix = temporary_costs(problem) * bend + risk_costs(problem, held)[:-1]
    return result


def _hessian(problem: ExecutionProblem) -> Any:
    """Of the same: block-tridiagonal, a sparse matrix."""
    from scipy.sparse import diags, eye, kron

    inner = problem.periods - 1
    bend = diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(inner, inner))
    return kron(bend, diags(temporary_costs(problem))) + kron(eye(inner), risk_matrix(problem))
