"""Costs of holding: interest, and the fees of a manager. Borrow fees stand with the costs of an asset, in `model`."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.calendar import Frequency
from domain.checks import Vector, finite_number, non_negative
from domain.errors import InvalidInput
from domain.records import dataclass


class DayCount(StrEnum):
    """How the days of an interest period are counted."""

    ACT_365F = "ACT_365F"
    ACT_360 = "ACT_360"
    BARS = "BARS"  # one period is 1 / periods per year, whatever the calendar says

    def years(self, days: NDArray[np.int32], periods_per_year: float) -> Vector:
        """Length of the period before each of the dates (T,) in years; 0 for the first."""
        steps = np.diff(days.astype(np.float64), prepend=float(days[0]))
        if self is DayCount.BARS:
            return np.where(steps > 0.0, 1.0 / periods_per_year, 0.0)
        return steps / (360.0 if self is DayCount.ACT_360 else 365.0)


class Hurdle(StrEnum):
    """What a hurdle does to a performance fee."""

    HARD = "HARD"  # the fee is on the gain above the hurdle
    SOFT = "SOFT"  # once the hurdle is passed, the fee is on the whole gain


@dataclass(frozen=True, slots=True)
class PerformanceFeeTerms:
    """A fee on the gain above the high-water mark, charged on the last date of each period."""

    rate: float
    hurdle_annual: float = 0.0
    hurdle: Hurdle = Hurdle.HARD
    crystallization: Frequency = Frequency.ANNUAL

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0:
            raise InvalidInput("performance_fee.rate", f"must be above 0 and below 1, is {self.rate:g}")
        non_negative("performance_fee.hurdle_annual", self.hurdle_annual)


@dataclass(frozen=True, slots=True)
class Rate:
    """A yearly rate, constant, or in steps that hold from their dates on; before the first step it is the constant."""

    constant: float = 0.0
    steps: tuple[tuple[int, float], ...] = ()  # day since 1970-01-01, rate

    def check(self, path: str) -> None:
        """Raises InvalidInput for a rate that is not finite, or steps that are not in order of their dates."""
        finite_number(f"{path}_rate_annual", self.constant)
        for i, (day, rate) in enumerate(self.steps):
            finite_number(f"{path}_rates[{i}].rate_annual", rate)
            if i and day <= self.steps[i - 1][0]:
                raise InvalidInput(f"{path}_rates[{i}].date", "must come after the date of the step before")

    def during(self, days: NDArray[np.int32]) -> Vector:
        """Mean over the calendar days after the date before, up to each of the dates (T,), of the rate of each day.

        A day has the rate in force on it: a step holds from its date on, and a period that ends there has one day of
        it. Nothing is earned up to the first date, which has the rate of the day after it.
        """
        if not self.steps or len(days) < 2:
            return np.full(len(days), self.constant)
        first, last = float(days[0]), float(days[-1])
        since = [float(day) - 1.0 for day, _ in self.steps]  # the day of a step is the time from the day before to it
        knots = np.array([first, *(time for time in since if first < time < last), last])
        latest = np.searchsorted(since, knots[:-1], side="right") - 1
        rates = np.array([self.constant, *(rate for _, rate in self.steps)])[latest + 1]
        integral = np.append(0.0, np.cumsum(rates * np.diff(knots)))
        at_dates = np.interp(days, knots, integral)
        result: Vector = np.append(rates[0], np.diff(at_dates) / np.diff(days))
        return result


@dataclass(frozen=True, slots=True)
class HoldingCosts:
    """What holding costs, and what cash earns."""

    cash: Rate = Rate()
    financing: Rate | None = None  # on negative cash; None where the caller says nothing, which costs nothing
    day_count: DayCount = DayCount.ACT_365F
    management_fee_annual: float = 0.0  # of net asset value
    performance_fee: PerformanceFeeTerms | None = None

    def __post_init__(self) -> None:
        self.cash.check("cash")
        if self.financing is not None:
            self.financing.check("financing")
        if not 0.0 <= self.management_fee_annual < 1.0:
            raise InvalidInput(
                "management_fee_annual", f"must be 0 or more and below 1, is {self.management_fee_annual:g}"
            )
