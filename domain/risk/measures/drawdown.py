"""Losses from the highest value so far: of compounded returns in reports, of summed returns in optimisation."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.records import dataclass

START = -1
"""Index of the initial capital, before the first return."""

RECOVERED = 1e-12
"""Fraction of the peak below which a loss is a rounding error of compounding, and counts as recovered."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A loss from a peak and its recovery; indices are those of the returns, START is the initial capital."""

    depth: float  # fraction of the peak, from 0 to 1: a total loss is 1, also of a leveraged portfolio that owes more
    peak: int | None = None  # None, like the others, where there was no loss
    trough: int | None = None
    recovery: int | None = None  # None while the peak has not been reached again


def uncompounded_drawdowns(returns: Vector) -> Vector:
    """Highest sum so far of returns (..., T) less the sum now, (..., T), 0 or more.

    Given the dates of the peaks it is linear in the weights of a portfolio, so that it can be optimised (Chekhlov,
    Uryasev & Zabarankin 2005, "Drawdown measure in portfolio optimization").
    """
    level = np.cumsum(returns, axis=-1)
    result: Vector = np.maximum(np.maximum.accumulate(level, axis=-1), 0.0) - level
    return result


def compounded_drawdowns(returns: Vector) -> Vector:
    """Fraction lost of the highest compounded value so far, of simple returns (..., T), (..., T), 0 to 1.

    The initial capital is the first peak. After a return of -1 or less the loss is 1.
    """
    solvent = np.logical_and.accumulate(returns > -1.0, axis=-1)
    # As logarithms, so that a long series of gains cannot overflow.
    level = np.cumsum(np.log1p(np.where(solvent, returns, 0.0)), axis=-1)
    peaks = np.maximum(np.maximum.accumulate(level, axis=-1), 0.0)
    result: Vector = np.where(solvent, -np.expm1(level - peaks), 1.0)
    return result


def level_drawdowns(levels: Vector) -> Vector:
    """Fraction lost of the highest level so far, of levels (..., T) above 0 at first, (..., T), 0 to 1."""
    result: Vector = 1.0 - levels / np.maximum.accumulate(levels, axis=-1)
    return result


def deepest(depths: Vector) -> Vector:
    """The largest of the depths (..., T), (...), 0 where it is a rounding error."""
    depth = depths.max(axis=-1)
    result: Vector = np.where(depth > RECOVERED, depth, 0.0)
    return result


def deepest_of_fraction(least: float) -> float:
    """`deepest` of the `level_drawdowns` of levels, of which `least` is the least fraction of a peak; the same bits."""
    depth = 1.0 - least
    return depth if depth > RECOVERED else 0.0


def ulcer_index(depths: Vector) -> Vector:
    """Root of the mean square of the depths (..., T), (...) (Martin & McCann 1989)."""
    result: Vector = np.mean(depths**2, axis=-1) ** 0.5
    return result


def worst_drawdowns(depths: Vector, most: int) -> tuple[Drawdown, ...]:
    """The `most` deepest drawdowns in depths (T,), each from its peak to its recovery, the deepest first."""
    starts, ends = _episodes(depths)
    if not len(starts):
        return ()
    order = np.argsort(-np.maximum.reduceat(depths, starts), kind="stable")[:most]
    return tuple(_drawdown(depths, int(starts[i]), int(ends[i])) for i in order)


def maximum_drawdown(returns: Vector) -> Drawdown:
    """The deepest drawdown of compounded simple returns (T,)."""
    worst = worst_drawdowns(compounded_drawdowns(returns), 1)
    return worst[0] if worst else Drawdown(0.0)


def episode_depths(depths: Vector) -> Vector:
    """The largest depth of each drawdown in depths (T,), from peak to recovery, in the order of time."""
    starts, _ = _episodes(depths)
    return np.maximum.reduceat(depths, starts) if len(starts) else np.zeros(0)


def _episodes(depths: Vector) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each drawdown starts, and where the level has recovered, or T."""
    below = np.concatenate([[False], depths > RECOVERED, [False]]).astype(np.int8)
    turns = np.diff(below)
    return np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)


def _drawdown(depths: Vector, start: int, end: int) -> Drawdown:
    trough = start + int(np.argmax(depths[start:end]))
    return Drawdown(float(depths[trough]), start - 1, trough, end if end < len(depths) else None)
