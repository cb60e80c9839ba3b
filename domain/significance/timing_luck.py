"""How far a result depends on the dates of rebalancing that happened to be chosen."""

from collections.abc import Mapping
from statistics import median

import numpy as np

from domain.checks import Matrix
from domain.market_data.panel import Days
from domain.records import dataclass
from domain.risk.figure import Absent, Figure

BAND_DATES = 250
"""Dates of a band at most: as many as a chart can show."""


@dataclass(frozen=True, slots=True)
class LuckBand:
    """What one unit is worth over time with each of the calendars: K dates, the first and the last one among them."""

    days: tuple[int, ...]  # since 1970-01-01
    chosen: tuple[float, ...]  # with the chosen dates of rebalancing
    lowest: tuple[float, ...]  # of all calendars
    median: tuple[float, ...]
    highest: tuple[float, ...]


def luck_band(days: Days, paths: Matrix) -> LuckBand:
    """From unit values, (O, T), of which the first row has the chosen dates."""
    kept = np.unique(np.linspace(0, len(days) - 1, min(BAND_DATES, len(days))).round().astype(np.int64))
    shown = paths[:, kept]
    curves = (shown[0], shown.min(axis=0), np.median(shown, axis=0), shown.max(axis=0))
    return LuckBand(tuple(days[kept].tolist()), *(tuple(curve.tolist()) for curve in curves))


@dataclass(frozen=True, slots=True)
class TimingLuck:
    """Total returns with the chosen dates and with later ones; the median of an even number is the mean of two."""

    outcomes: tuple[tuple[int, float], ...]  # dates by which decisions are later, 0 for the chosen ones; total return
    undefined: Mapping[int, str]  # offsets whose simulation has no total return, with the reason
    band: LuckBand | None = None  # over time, of the calendars with a total return; None where the chosen one has none

    @property
    def lowest(self) -> float:
        """The lowest total return."""
        return min(value for _, value in self.outcomes)

    @property
    def median(self) -> float:
        """The median."""
        return median(value for _, value in self.outcomes)

    @property
    def highest(self) -> float:
        """The highest."""
        return max(value for _, value in self.outcomes)


def timing_luck(returns: Mapping[int, Figure]) -> TimingLuck | Absent:
    """From total returns by offset; absent where none is known."""
    known = tuple((offset, one) for offset, one in returns.items() if not isinstance(one, Absent))
    undefined = {offset: one.reason for offset, one in returns.items() if isinstance(one, Absent)}
    return TimingLuck(known, undefined) if known else Absent(next(iter(undefined.values())))
