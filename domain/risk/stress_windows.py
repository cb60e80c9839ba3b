"""Stretches of history that a portfolio of today would have gone through: known crises, and the worst ones there are.

The portfolio is bought at the start of the stretch and held to its end.
"""

from datetime import date
from typing import Final

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Days, ReturnPanel
from domain.records import dataclass

EPOCH = date(1970, 1, 1)

NEAR = 7
"""Days by which the data's dates may miss those of a window: a monthly return does not measure a crash of days."""


@dataclass(frozen=True, slots=True)
class HistoricalWindow:
    """From the close of one day to the close of another."""

    name: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidInput("end_date", f"must be after start_date, {self.start}, is {self.end}")


KNOWN_WINDOWS: Final = (
    # Closing highs and lows of the S&P 500 around each event.
    HistoricalWindow("black_monday_1987", date(1987, 10, 13), date(1987, 10, 19)),
    HistoricalWindow("gulf_war_1990", date(1990, 7, 16), date(1990, 10, 11)),
    HistoricalWindow("asian_crisis_1997", date(1997, 10, 7), date(1997, 10, 27)),
    HistoricalWindow("russia_ltcm_1998", date(1998, 7, 17), date(1998, 8, 31)),
    HistoricalWindow("dot_com_2000", date(2000, 3, 24), date(2002, 10, 9)),
    HistoricalWindow("september_11_2001", date(2001, 9, 10), date(2001, 9, 21)),
    HistoricalWindow("financial_crisis_2007", date(2007, 10, 9), date(2009, 3, 9)),
    HistoricalWindow("lehman_2008", date(2008, 9, 12), date(2008, 11, 20)),
    HistoricalWindow("flash_crash_2010", date(2010, 4, 23), date(2010, 7, 2)),
    HistoricalWindow("euro_crisis_2011", date(2011, 7, 22), date(2011, 10, 3)),
    HistoricalWindow("china_devaluation_2015", date(2015, 8, 17), date(2015, 8, 25)),
    HistoricalWindow("volatility_spike_2018", date(2018, 1, 26), date(2018, 2, 8)),
    HistoricalWindow("fourth_quarter_2018", date(2018, 9, 20), date(2018, 12, 24)),
    HistoricalWindow("covid_2020", date(2020, 2, 19), date(2020, 3, 23)),
    HistoricalWindow("inflation_2022", date(2022, 1, 3), date(2022, 10, 12)),
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Returns of a panel from one place to another, `last` included, and what N assets made of it."""

    first: int
    last: int
    asset_returns: Vector  # (N,), compounded


def known_window(name: str) -> HistoricalWindow:
    """A window by its name. Raises InvalidInput with the names there are."""
    for window in KNOWN_WINDOWS:
        if window.name == name:
            return window
    names = ", ".join(window.name for window in KNOWN_WINDOWS)
    raise InvalidInput("name", f"{name} is not a known window; use one of {names}")


def stretch_of(
    window: HistoricalWindow, returns: ReturnPanel, start: int | None, dropped: Days | None = None
) -> Stretch | None:
    """The returns that a window consists of, None where the data does not cover all of it.

    `start` is the date before the first return, where it is known; `dropped` are dates whose returns are left out.
    """
    opening = start if start is not None else int(returns.dates[0]) - returns.usual_step
    first_day, last_day = (window.start - EPOCH).days, (window.end - EPOCH).days
    if first_day < opening or last_day > int(returns.dates[-1]):
        return None
    inside = np.flatnonzero((returns.dates > first_day) & (returns.dates <= last_day))
    missed = dropped is not None and bool(((dropped > first_day) & (dropped <= last_day)).any())
    if not len(inside) or missed:
        return None
    first, last = int(inside[0]), int(inside[-1])
    begun = opening if first == 0 else int(returns.dates[first - 1])
    if first_day - begun > NEAR or last_day - int(returns.dates[last]) > NEAR:
        return None
    return Stretch(first, last, _compounded(returns, first, last))


def worst_stretches(returns: ReturnPanel, weights: Vector, periods: int, most: int) -> list[Stretch]:
    """The stretches of so many periods in which the portfolio lost the most, none overlapping, the worst first.

    Raises InvalidInput for more periods than there are returns.
    """
    count = len(returns.dates)
    if not 1 <= periods <= count:
        raise InvalidInput("periods", f"must lie between 1 and the number of returns, {count}, is {periods}")
    held = weights != 0.0
    outcome = _held(returns, held, periods) @ weights[held]
    chosen: list[Stretch] = []
    free = outcome < 0.0
    losses = np.flatnonzero(free)
    for place in losses[np.argsort(outcome[losses], kind="stable")]:
        if len(chosen) == most:
            break
        if free[place]:
            last = int(place) + periods - 1
            chosen.append(Stretch(int(place), last, _compounded(returns, int(place), last)))
            free[max(0, place - periods + 1) : last + 1] = False
    return chosen


def days_of(stretch: Stretch, dates: Days, start: int | None) -> tuple[int | None, int]:
    """The day at whose close a stretch begins, None where that is not known, and the day it ends."""
    before = start if stretch.first == 0 else int(dates[stretch.first - 1])
    return before, int(dates[stretch.last])


def _compounded(returns: ReturnPanel, first: int, last: int) -> Vector:
    result: Vector = np.prod(1.0 + returns.values[first : last + 1], axis=0) - 1.0
    return result


def _held(returns: ReturnPanel, held: Vector, periods: int) -> Vector:
    """Compounded returns of the assets that are held over all stretches, (T - periods + 1, M)."""
    growth = 1.0 + returns.values[:, held]
    if periods == 1:
        return growth - 1.0
    # A lost asset stays lost: its logarithm would be minus infinity, and two of those have no difference.
    lost = np.cumsum(np.vstack([np.zeros(growth.shape[1]), growth <= 0.0]), axis=0)
    level = np.cumsum(np.vstack([np.zeros(growth.shape[1]), np.log(np.where(growth > 0.0, growth, 1.0))]), axis=0)
    gained = np.expm1(level[periods:] - level[:-periods])
    result: Vector = np.where(lost[periods:] > lost[:-periods], -1.0, gained)
    return result
