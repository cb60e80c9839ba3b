"""Losses from a peak of compounded wealth; the starting capital is the first peak. A drawdown is a positive number."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector

START = -1
"""Index of the starting capital, before the first return."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall and its recovery; indices are those of the returns, START is the starting capital."""

    depth: float  # fraction of the peak
    peak: int
    trough: int
    recovery: int | None  # None while the peak has not been reached again


def maximum_drawdown(returns: Vector) -> Drawdown:
    """The deepest drawdown of T simple returns; depth 0 where wealth never falls."""
    wealth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    peaks = np.maximum.accumulate(wealth)
    depths = 1.0 - wealth / peaks
    trough = int(depths.argmax())
    peak = int(wealth[: trough + 1].argmax())
    later = np.flatnonzero(wealth[trough:] >= wealth[peak])
    recovery = trough + int(later[0]) + START if later.size else None
    return Drawdown(float(depths[trough]), peak + START, trough + START, recovery)
