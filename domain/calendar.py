"""Trading days: how dates are spaced, and what that says about a year."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInput

DAYS_PER_YEAR: Final = 365.25
"""Of the calendar, for growth a year over a span of dates."""

TRADING_DAYS_PER_YEAR: Final = 252.0
"""Of a market, between a volatility a year and one a day."""

_USUAL: Final = ((1, 1, TRADING_DAYS_PER_YEAR), (7, 7, 52.0), (28, 31, 12.0), (89, 92, 4.0))
"""Shortest and longest median spacing in days, and the periods of a year it stands for."""


def periods_per_year(dates: NDArray[np.int32]) -> float:
    """Periods per year from the median spacing of dates (T,): 252 days, 52 weeks, 12 months, 4 quarters.

    Raises InvalidInput for fewer than two dates or any other spacing: it must then be given.
    """
    if len(dates) < 2:
        raise InvalidInput("periods_per_year", "must be given: one date has no spacing to infer it from")
    spacing = float(np.median(np.diff(dates)))
    for shortest, longest, periods in _USUAL:
        if shortest <= spacing <= longest:
            return periods
    raise InvalidInput(
        "periods_per_year",
        f"must be given: the median spacing of {spacing:g} days is no day, week, month, quarter",
    )
