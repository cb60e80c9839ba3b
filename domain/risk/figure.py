"""A figure of a report: a number, or the reason why there is none. Never inf or NaN."""

import math
from collections.abc import Callable
from typing import TypeVar

from domain.records import dataclass

NO_DISTRIBUTION = "needs scenarios, or returns on dates with every asset; moments do not define a distribution"
NO_TIME = "needs returns or prices in the order of time"
ONE_RETURN = "needs at least two returns"
CONSTANT = "the portfolio's returns do not vary"
NEVER_FELL = "the portfolio value has no drawdown"
NO_DOWNSIDE = "no return is below the minimum acceptable return"
NO_BENCHMARK = "no benchmark was given"
NO_OVERLAP = "the benchmark and the input have fewer than two periods in common"
FLAT_BENCHMARK = "the benchmark's returns do not vary"
FLAT_ASSET = "the asset does not vary"
TOO_LARGE = "is too large for a number"
FLAT_DIFFERENCE = "the active return does not vary"

TOTAL_LOSS = -1.0
"""Compound return over any span that contains a return of -1 or less: the value stays at 0."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that is not defined for the data, with the reason."""

    reason: str


Figure = float | Absent


def known(figure: Figure) -> float | None:
    """The number, None where the figure is absent."""
    return None if isinstance(figure, Absent) else figure


T = TypeVar("T")


def if_known(value: T | Absent, figure: Callable[[T], Figure]) -> Figure:
    """A figure computed from a value; absent for the same reason where the value is absent."""
    return value if isinstance(value, Absent) else figure(value)


def grown(logarithm: float) -> Figure:
    """exp(logarithm) - 1, absent where that is too large for a number."""
    try:
        return math.expm1(logarithm)
    except OverflowError:
        return Absent(TOO_LARGE)


def finite(number: float) -> Figure:
    """The number, absent where it is beyond the largest one."""
    return float(number) if math.isfinite(number) else Absent(TOO_LARGE)


def quotient(above: Figure, below: Figure, if_zero: str) -> Figure:
    """A ratio; absent where a part is absent, where the denominator is zero, or where the ratio overflows."""
    if isinstance(above, Absent):
        return above
    if isinstance(below, Absent):
        return below
    if below == 0.0:
        return Absent(if_zero)
    return finite(float(above) / float(below))


def times(figure: Figure, factor: float) -> Figure:
    """The figure times a factor, absent where that overflows."""
    return figure if isinstance(figure, Absent) else finite(float(figure) * factor)
