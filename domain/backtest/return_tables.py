"""Tables of a result: returns by month and year, the best and the worst ones, over moving years, and by benchmark."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from domain.backtest.metrics import Curve, MetricSettings, against
from domain.backtest.period_returns import MONTH, YEAR, PeriodReturns, calendar_returns, each_period, moving_years
from domain.checks import ROUNDING
from domain.records import dataclass
from domain.risk.figure import NO_OVERLAP, Absent, Figure, finite
from domain.risk.relative import RelativeRisk

LISTED = 5
"""Best and worst periods of a table."""

HORIZONS = (1, 3, 5)
"""Lengths of moving spans, in years."""


@dataclass(frozen=True, slots=True)
class MovingReturns:
    """Annual returns over all spans of some years, each ending on a date of its own."""

    years: int
    count: int
    latest: float
    lowest: float
    median: float
    highest: float
    positive_fraction: float
    lowest_end: int  # date of the lowest, since 1970-01-01
    highest_end: int

    @classmethod
    def of(cls, curve: Curve, years: int) -> "MovingReturns | None":
        """Of a curve; None where it is not as old."""
        found = moving_years(curve, years)
        if not len(found.values):
            return None
        lowest, highest = int(found.values.argmin()), int(found.values.argmax())
        return cls(
            years=years,
            count=len(found.values),
            latest=float(found.values[-1]),
            lowest=float(found.values[lowest]),
            median=float(np.median(found.values)),
            highest=float(found.values[highest]),
            positive_fraction=float((found.values > 0.0).mean()),
            lowest_end=int(found.ends[lowest]),
            highest_end=int(found.ends[highest]),
        )


@dataclass(frozen=True, slots=True)
class ReturnTables:
    """Returns of a curve by calendar, best and worst first, and over moving years."""

    months: PeriodReturns
    years: PeriodReturns
    periods: PeriodReturns  # the best and worst ones of each date alone
    moving: tuple[MovingReturns, ...]
    gross_total_return: Figure | None = None  # None for a benchmark that is a symbol, which trades nothing


def return_tables(curve: Curve, gross: Curve | None = None) -> ReturnTables:
    """The tables of a curve; `gross` is the same one without the costs of trades."""
    each = each_period(curve)
    extremes = np.union1d(each.best(LISTED), each.worst(LISTED))
    return ReturnTables(
        months=calendar_returns(curve, MONTH),
        years=calendar_returns(curve, YEAR),
        periods=each.at(extremes),
        moving=tuple(one for years in HORIZONS if (one := MovingReturns.of(curve, years)) is not None),
        gross_total_return=None if gross is None else finite(float(gross.nav[-1]) / float(gross.nav[0]) - 1.0),
    )


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """A strategy against one benchmark, on the dates that both have."""

    benchmark: str
    observations: int
    relative: RelativeRisk
    batting_average: Figure  # fraction of the periods in which the strategy's return is the higher one
    excess_return: Figure  # total return less the benchmark's, from the first common date to the last one

    @property
    def figures(self) -> dict[str, Figure]:
        """Its figures, by name."""
        found = {one.name: getattr(self.relative, one.name) for one in fields(self.relative)}
        return {**found, "batting_average": self.batting_average, "excess_return": self.excess_return}


def comparisons(
    curve: Curve, benchmarks: Mapping[str, Curve], settings: MetricSettings
) -> tuple[BenchmarkComparison, ...]:
    """The curve against each benchmark, in their order."""
    return tuple(_comparison(curve, name, benchmark, settings) for name, benchmark in benchmarks.items())


def _comparison(curve: Curve, name: str, benchmark: Curve, settings: MetricSettings) -> BenchmarkComparison:
    relative, ours, theirs = against(curve, benchmark, settings)
    if len(ours) < 2:
        few = Absent(NO_OVERLAP)
        return BenchmarkComparison(name, len(ours), relative, few, few)
    with np.errstate(over="ignore", invalid="ignore"):
        excess = float(np.prod(1.0 + ours) - np.prod(1.0 + theirs))
        above = ours > theirs + 2.0 * ROUNDING * (1.0 + np.abs(theirs))
    return BenchmarkComparison(name, len(ours), relative, float(above.mean()), finite(excess))
