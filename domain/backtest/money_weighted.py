"""Money-weighted return: the rate at which capital and external cash flows grow to the final net asset value."""

import math

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.risk.figure import Absent, Figure

NO_FLOWS = "there are no external cash flows"
NO_RATE = "no rate of return explains the final net asset value"
BISECTIONS = 200


def money_weighted_return(
    days: NDArray[np.int32], start_nav: float, flow_start: Vector, flow_end: Vector, end_nav: float
) -> Figure:
    """The return r of the whole period, T dates, with start (1 + r) + sum_k flow_k (1 + r)^(rest of the period) = end.

    A flow at the start of a date is invested from the date before. `flow_start` and `flow_end` are (T,), or have no
    entries without flows. Source: Bodie, Kane and Marcus, Investments, on dollar-weighted returns.
    """
    if not (flow_start.any() or flow_end.any()):
        return Absent(NO_FLOWS)
    span = float(days[-1] - days[0])
    rest = (days[-1] - days) / span
    amounts = np.append(flow_end, flow_start[1:])
    rests = np.append(rest, rest[:-1])

    def excess(growth: float) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # flows beyond numbers: no rate is found
            return start_nav * growth + float(amounts @ growth**rests) - end_nav

    low, high = 0.0, 2.0
    while excess(high) < 0.0:
        high *= 2.0
        if high > 1e12:
            return Absent(NO_RATE)
    if excess(low) > 0.0:
        return Absent(NO_RATE)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if excess(middle) < 0.0:
            low = middle
        else:
            high = middle
    return high - 1.0 if math.isfinite(high) else Absent(NO_RATE)
