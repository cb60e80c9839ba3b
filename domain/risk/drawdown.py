"""Maximum drawdown: the largest compounded loss from a peak, the starting capital being the first peak."""

from dataclasses import dataclass

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
