"""Where a trade by a band goes if the bands of groups matter: a linear program, and a quadratic one among its answers.

Of all trades that leave the sum of the weights as it is and put every weight and every group sum inside its band, the
one with the least sum of absolute trades, and of these the one with the least sum of squares. Where none does, the
bands of groups give way first to what cannot be traded, then cash takes the least remainder. Where cash has left its
own band, the sum of the weights changes by what brings cash to its destination.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.simulation.arrays import TO_EDGE, TO_FRACTION, Bands
from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.problem.polytope import Polytope
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.optimization.programs.tied_optima import least_variance_on_face
from domain.records import dataclass

BREACH = 1e-12
"""A weight that is farther than this outside its band is a breach, as in the compiled simulation."""

ROUNDING = 1e-8
"""A sum this close to its limit is taken to lie on it."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Limits:
    """Weights and sums of groups between limits, the sum of all weights as it is but for what cash takes."""

    weights: Vector  # (N,), now
    lower: Vector  # (N,)
    upper: Vector  # (N,)
    members: Matrix  # (G, N), 1 for a member
    sum_lower: Vector  # (G,)
    sum_upper: Vector  # (G,)
    remainder: float = 0.0  # by how much the sum of the weights rises

    @property
    def rows(self) -> tuple[Matrix, Vector, Vector]:
        """Coefficients of the trades (1 + G, N), and their limits: the sum of all, then that of each group."""
        matrix = np.vstack([np.ones(len(self.weights)), self.members])
        now = self.members @ self.weights
        return (
            matrix,
            np.append(self.remainder, self.sum_lower - now),
            np.append(self.remainder, self.sum_upper - now),
        )


def destination(
    weights: Vector, target: Vector, movable: Flags, bands: Bands, control: SolverControl = UNLIMITED
) -> Vector:
    """Weights (N,) that a trade by `bands` goes to; the weights as they are where no asset, group or cash has left its.

    `movable` (N,) are the assets that can be traded. Raises SolverFailed, and what `control` raises.
    """
    limits = _limits(weights, target, movable, bands)
    if limits is None:
        return weights.copy()
    found = _least_trades(limits, control)
    if found is None:
        limits = _widened(limits, control)
        found = _least_trades(limits, control)
    if found is None:
        raise SolverFailed("no trade was found that a drift band with groups asks for")
    return _on_its_limits(limits, np.clip(weights + found, limits.lower, limits.upper))


def _limits(weights: Vector, target: Vector, movable: Flags, bands: Bands) -> _Limits | None:
    """What the weights have to keep; None where nothing has left its band."""
    width = _half_widths(target, bands.absolute, bands.relative)
    members = bands.group_members.astype(np.float64)
    sums = members @ target
    sum_width = _half_widths(sums, bands.group_absolute, bands.group_relative)
    group_left = np.abs(members @ weights - sums) > sum_width + BREACH
    breached = movable & (np.abs(weights - target) > width + BREACH)
    breached |= movable & bands.group_members[group_left].any(axis=0)
    remainder = _rise_of_sum(weights, target, bands)
    if not breached.any() and remainder == 0.0:
        return None
    lower = np.where(movable, target - width, weights)
    upper = np.where(movable, target + width, weights)
    if bands.destination != TO_EDGE and bands.only_breached:
        fraction = bands.fraction if bands.destination == TO_FRACTION else 1.0
        goal = weights + fraction * (target - weights) if fraction < 1.0 else target
        lower, upper = np.where(breached, goal, lower), np.where(breached, goal, upper)
        sum_width = np.where(group_left, np.inf, sum_width)  # its members are where they have to be
    return _Limits(weights, lower, upper, members, sums - sum_width, sums + sum_width, remainder)


def _rise_of_sum(weights: Vector, target: Vector, bands: Bands) -> float:
    """By how much the sum of the weights has to rise to bring cash to its destination; 0 while it is in its band."""
    now, wanted = 1.0 - float(weights.sum()), 1.0 - float(target.sum())
    if abs(wanted) <= BREACH:  # without a target it has no band
        return 0.0
    width = float(_half_widths(np.array([wanted]), np.array([bands.cash_absolute]), np.array([bands.cash_relative]))[0])
    if abs(now - wanted) <= width + BREACH:
        return 0.0
    if bands.destination == TO_EDGE:
        return now - min(max(now, wanted - width), wanted + width)
    return (bands.fraction if bands.destination == TO_FRACTION else 1.0) * (now - wanted)


def _half_widths(target: Vector, absolute: Vector, relative: Vector) -> Vector:
    """Halves of the widths of bands: the tighter of the absolute and the relative one."""
    finite = np.isfinite(relative)
    result: Vector = np.where(finite, np.minimum(absolute, np.where(finite, relative, 0.0) * np.abs(target)), absolute)
    return result


def _program(limits: _Limits, slack: Matrix, prices: Mapping[str, float]) -> Program:
    """Purchases, sales, and what the rows may be missed by through the columns of `slack` (1 + G, S), at their prices.

    A weight has to move the way its band is, and may move both ways inside it.
    """
    matrix, row_lower, row_upper = limits.rows
    count, extra = len(limits.weights), slack.shape[1]
    to_lower, to_upper = limits.lower - limits.weights, limits.upper - limits.weights
    return Program(
        None,
        np.concatenate([np.full(2 * count, prices["trade"]), np.full(extra, prices["slack"])]),
        Polytope(
            np.hstack([matrix, -matrix, slack]),
            row_lower,
            row_upper,
            np.concatenate([np.maximum(to_lower, 0.0), np.maximum(-to_upper, 0.0), np.zeros(extra)]),
            np.concatenate([np.maximum(to_upper, 0.0), np.maximum(-to_lower, 0.0), np.full(extra, np.inf)]),
        ),
    )


def _least_trades(limits: _Limits, control: SolverControl) -> Vector | None:
    """Trades (N,) with the least sum, and of these with the least squares; None where there are none."""
    rows = 1 + len(limits.members)
    program = _program(limits, np.zeros((rows, 0)), {"trade": 1.0, "slack": 0.0})
    answer = solve_linear(program, control)
    if answer is None:
        return None
    count = len(limits.weights)
    both = np.eye(count)
    squares = np.block([[both, -both], [-both, both]])
    point = least_variance_on_face(program, answer, squares, control).point
    result: Vector = point[:count] - point[count:]
    return result


def _widened(limits: _Limits, control: SolverControl) -> _Limits:
    """Limits that can be kept: sums of groups widened by the least total, then the sum of weights changed the least."""
    rows = 1 + len(limits.members)
    both_ways = np.hstack([np.eye(rows), -np.eye(rows)])
    free = _missed(limits, both_ways, control, cash_price=0.0)
    missing = np.abs(free[1:])
    widened = replace(limits, sum_lower=limits.sum_lower - missing, sum_upper=limits.sum_upper + missing)
    cash = both_ways[:, [0, rows]]
    return replace(widened, remainder=limits.remainder - float(_missed(widened, cash, control, cash_price=1.0)[0]))


def _missed(limits: _Limits, slack: Matrix, control: SolverControl, cash_price: float) -> Vector:
    """By how much each row (1 + G,) has to be missed, upwards of the row's limits counted as negative."""
    program = _program(limits, slack, {"trade": 0.0, "slack": 1.0})
    count = 2 * len(limits.weights)
    program.linear[count:][slack[0] != 0.0] = cash_price
    answer = solve_linear(program, control)
    if answer is None:
        raise SolverFailed("no weights were found inside a drift band with groups")
    result: Vector = slack @ answer.point[count:]
    return result


def _on_its_limits(limits: _Limits, weights: Vector) -> Vector:
    """The same to rounding: rows that the solver left a little off are met by the weights that are traded freely."""
    matrix, lower, upper = limits.rows
    values = matrix @ (weights - limits.weights)
    off = np.where(np.abs(values - lower) < ROUNDING, lower - values, 0.0)
    off = np.where((values > upper - ROUNDING) & (lower < upper), upper - values, off)
    held = (np.abs(values - lower) < ROUNDING) | (np.abs(values - upper) < ROUNDING)
    traded = np.abs(weights - limits.weights) > ROUNDING
    free = traded & (weights > limits.lower + ROUNDING) & (weights < limits.upper - ROUNDING)
    if not held.any() or not free.any():
        return weights
    step = np.linalg.lstsq(matrix[np.ix_(held, free)], off[held], rcond=None)[0]
    if np.abs(step).max() > ROUNDING:
        return weights
    result = weights.copy()
    result[free] += step
    return result
