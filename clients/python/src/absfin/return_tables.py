"""Returns of a backtest by calendar, over moving years, and against benchmarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from absfin.data import date_from_proto

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class PeriodReturn:
    """A return after costs, from one date to another."""

    start: date
    end: date
    value: float


@dataclass(frozen=True, slots=True)
class MovingReturns:
    """Annual returns over all spans of some years, each ending on a date of its own."""

    count: int
    latest: float
    lowest: float
    median: float
    highest: float
    positive_fraction: float
    lowest_end: date
    highest_end: date


@dataclass(frozen=True, slots=True)
class ReturnTables:
    """Returns by calendar month and year, the best and worst ones, and over moving years."""

    months: tuple[PeriodReturn, ...]
    years: tuple[PeriodReturn, ...]
    best_periods: tuple[PeriodReturn, ...]  # from one date to the next, the highest first
    worst_periods: tuple[PeriodReturn, ...]
    best_months: tuple[PeriodReturn, ...]
    worst_months: tuple[PeriodReturn, ...]
    best_years: tuple[PeriodReturn, ...]
    worst_years: tuple[PeriodReturn, ...]
    moving: Mapping[int, MovingReturns]  # by length in years: 1, 3 and 5, as far as the dates reach
    gross_total_return: float | None  # had the trades cost nothing; None for a benchmark that is a symbol

    @classmethod
    def from_proto(cls, message: Any) -> "ReturnTables":
        """From the message."""
        names = ("months", "years", *(f"{which}_{what}" for what in _LISTED for which in ("best", "worst")))
        return cls(
            **{name: _periods(getattr(message, name)) for name in names},
            moving={one.years: _moving(one) for one in message.rolling},
            gross_total_return=message.gross_total_return if message.HasField("gross_total_return") else None,
        )

    def by_month(self) -> dict[int, dict[int, float]]:
        """Returns of months by year, then month from 1 to 12."""
        found: dict[int, dict[int, float]] = {}
        for one in self.months:
            found.setdefault(one.end.year, {})[one.end.month] = one.value
        return found


_LISTED = ("periods", "months", "years")


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """A strategy against one benchmark; a figure that is not defined is missing, and `undefined` says why."""

    observations: int  # returns that both have
    figures: Mapping[str, float]  # beta, correlation, capture_up, capture_down, batting_average, ...
    undefined: Mapping[str, str]

    @classmethod
    def from_proto(cls, message: Any) -> "BenchmarkComparison":
        """From the message."""
        figures = {one.name: value for one, value in message.ListFields() if one.type == one.TYPE_DOUBLE}
        return cls(message.observations, figures, dict(message.undefined))


def _periods(message: Any) -> tuple[PeriodReturn, ...]:
    return tuple(
        PeriodReturn(EPOCH + timedelta(start), EPOCH + timedelta(end), value)
        for start, end, value in zip(message.start_dates, message.end_dates, message.returns, strict=True)
    )


def _moving(message: Any) -> MovingReturns:
    return MovingReturns(
        count=message.count,
        latest=message.latest,
        lowest=message.lowest,
        median=message.median,
        highest=message.highest,
        positive_fraction=message.positive_fraction,
        lowest_end=date_from_proto(message.lowest_end_date),
        highest_end=date_from_proto(message.highest_end_date),
    )
