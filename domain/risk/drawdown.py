"""Drawdowns: losses from a peak, the starting capital being the first peak. Reports compound, optimisers add up."""

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

    depth: float  # fraction of the peak, 0 or more; above 1 where a leveraged portfolio lost more than it had
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


def maximum_drawdown(returns: Vector) -> Drawdown:
    """The deepest drawdown of wealth that compounds T simple returns. Nothing counts after wealth is used up.

    Wealth is carried relative to its last peak, so that a long series of gains cannot overflow.
    """
    level, peak = 1.0, START
    deepest = Drawdown(0.0)
    for place, change in enumerate(returns.tolist()):
        level *= 1.0 + change
        if 1.0 - level > deepest.depth:
            deepest = Drawdown(1.0 - level, peak, place)
        elif deepest.trough is not None and deepest.recovery is None and level >= 1.0 - RECOVERED:
            deepest = Drawdown(deepest.depth, deepest.peak, deepest.trough, place)
        if level >= 1.0:
            level, peak = 1.0, place
        if level <= 0.0:
            break
    return deepest
