"""Falls of wealth below its highest so far, compounded in reports and uncompounded where they are optimised."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector

START = -1
"""Index of the starting capital, before the first return."""

RECOVERED = 1e-12
"""How far below the peak, relative to it, wealth still counts as back: it was multiplied up by rounded factors."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall and its recovery; indices are those of the returns, START is the starting capital."""

    depth: float  # fraction of the peak, from 0 to 1: a total loss is 1, also of a leveraged portfolio that owes more
    peak: int | None = None  # None, like the others, where wealth never fell
    trough: int | None = None
    recovery: int | None = None  # None while the peak has not been reached again


def uncompounded_drawdowns(returns: Vector) -> Vector:
    """How far the sum of T returns is below its highest so far after each of them, (T,), 0 or more.

    Linear in the weights of a portfolio but for the peak, so that it can be optimised (Chekhlov, Uryasev & Zabarankin
    2005, "Drawdown measure in portfolio optimization").
    """
    level = np.cumsum(returns)
    result: Vector = np.maximum(np.maximum.accumulate(level), 0.0) - level
    return result


def compounded_drawdowns(returns: Vector) -> Vector:
    """Which fraction of its highest so far wealth has lost after each of T simple returns, (T,), 0 or more.

    The starting capital is the first peak. Wealth that is used up stays at 0: the loss is 1 from then on.
    """
    exhausted = np.flatnonzero(returns <= -1.0)
    alive = int(exhausted[0]) if len(exhausted) else len(returns)
    # As logarithms, so that a long series of gains cannot overflow.
    level = np.cumsum(np.log1p(returns[:alive]))
    peaks = np.maximum(np.maximum.accumulate(level), 0.0)
    depths: Vector = -np.expm1(level - peaks)
    if alive == len(returns):
        return depths
    return np.concatenate([depths, np.ones(len(returns) - alive)])


def worst_drawdowns(depths: Vector, most: int) -> tuple[Drawdown, ...]:
    """The deepest of the falls that T depths consist of, the deepest first, from each peak to its recovery."""
    below = np.concatenate([[False], depths > RECOVERED, [False]]).astype(np.int8)
    turns = np.diff(below)
    starts, ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
    if not len(starts):
        return ()
    deepest = np.maximum.reduceat(depths, starts)
    chosen = np.argsort(-deepest, kind="stable")[:most]
    return tuple(_fall(depths, int(starts[i]), int(ends[i])) for i in chosen)


def maximum_drawdown(returns: Vector) -> Drawdown:
    """The deepest drawdown of wealth that compounds T simple returns."""
    worst = worst_drawdowns(compounded_drawdowns(returns), 1)
    return worst[0] if worst else Drawdown(0.0)


def episode_depths(depths: Vector) -> Vector:
    """The depth of each fall, from peak to recovery, in the order of time."""
    below = np.concatenate([[False], depths > RECOVERED]).astype(np.int8)
    starts = np.flatnonzero(np.diff(below) == 1)
    return np.maximum.reduceat(depths, starts) if len(starts) else np.zeros(0)


def _fall(depths: Vector, start: int, end: int) -> Drawdown:
    trough = start + int(np.argmax(depths[start:end]))
    return Drawdown(float(depths[trough]), start - 1, trough, end if end < len(depths) else None)
