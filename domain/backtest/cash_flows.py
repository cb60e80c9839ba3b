"""External cash flows: single ones and recurring ones, as money by date."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.calendar import DAYS_PER_YEAR, DateIndices, Frequency, first_of_periods
from domain.checks import LARGEST_FIGURE, figure
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.records import dataclass


class FlowTiming(StrEnum):
    """When on its date a flow takes place."""

    END_OF_DAY = "END_OF_DAY"  # after the return of the period is measured, before trading
    START_OF_DAY = "START_OF_DAY"  # before the return of the period


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Money that comes in, or goes out where negative, on a date; on the next date of the panel where it has none."""

    day: int  # since 1970-01-01
    amount: float
    timing: FlowTiming = FlowTiming.END_OF_DAY


@dataclass(frozen=True, slots=True)
class RecurringCashFlow:
    """A flow at the end of the first date of each period, after the start of the backtest."""

    frequency: Frequency
    amount: float | None = None  # money of the first flow
    fraction_of_nav: float | None = None  # of the net asset value before the flow, instead of an amount
    growth_annual: float = 0.0  # of the amount, from the first flow on
    first_day: int | None = None
    last_day: int | None = None


@dataclass(frozen=True, slots=True)
class FlowsByDate:
    """Flows of T dates."""

    start: NDArray[np.float64]  # (T,), money before the return of the period
    end: NDArray[np.float64]  # (T,), money after it
    end_fraction: NDArray[np.float64]  # (T,), fraction of the net asset value, likewise


def flows_by_date(
    flows: Sequence[CashFlow], recurring: Sequence[RecurringCashFlow], days: NDArray[np.int32], start: int
) -> FlowsByDate | None:
    """The flows on dates `days` (T,), or None without any; the account is opened at date number `start`.

    Raises InvalidInput for a flow that is not after the start or lies after the last date.
    """
    if not flows and not recurring:
        return None
    found = FlowsByDate(*(np.zeros(len(days)) for _ in range(3)))
    for i, flow in enumerate(flows):
        figure(f"cash_flows[{i}].amount", flow.amount)
        if flow.amount == 0.0:
            raise InvalidInput(f"cash_flows[{i}].amount", "must not be 0: such a flow has no effect")
        by_timing = found.start if flow.timing is FlowTiming.START_OF_DAY else found.end
        by_timing[_index_of(f"cash_flows[{i}].date", flow.day, days, start)] += flow.amount
    for i, rule in enumerate(recurring):
        _add_recurring(f"recurring_cash_flows[{i}]", rule, days, start, found)
    return found


def _index_of(path: str, day: int, days: NDArray[np.int32], start: int) -> int:
    if day <= days[start]:
        raise InvalidInput(path, f"must be after the start of the backtest, {civil_date(days[start])}")
    if day > days[-1]:
        raise InvalidInput(path, f"is after the last date of the input, {civil_date(days[-1])}")
    return int(np.searchsorted(days, day))


def _add_recurring(path: str, rule: RecurringCashFlow, days: NDArray[np.int32], start: int, found: FlowsByDate) -> None:
    name, size = ("amount", rule.amount) if rule.fraction_of_nav is None else ("fraction_of_nav", rule.fraction_of_nav)
    if not size:
        raise InvalidInput(f"{path}.{name}", "must not be 0: such a flow has no effect")
    indices = _flow_dates(path, rule, days, start)
    if rule.fraction_of_nav is not None:
        found.end_fraction[indices] += rule.fraction_of_nav
        return
    figure(f"{path}.amount", rule.amount or 0.0)
    years = (days[indices] - days[indices[0]]) / DAYS_PER_YEAR
    with np.errstate(over="ignore"):
        amounts = (rule.amount or 0.0) * (1.0 + rule.growth_annual) ** years
    if not np.abs(amounts).max() <= LARGEST_FIGURE:
        raise InvalidInput(f"{path}.growth_annual", f"must leave every flow at most {LARGEST_FIGURE:g} in size")
    found.end[indices] += amounts


def _flow_dates(path: str, rule: RecurringCashFlow, days: NDArray[np.int32], start: int) -> DateIndices:
    """Indices of the dates of the flows. Raises InvalidInput for a range of dates that leaves none."""
    first, last = rule.first_day, rule.last_day
    if first is not None and last is not None and last < first:
        raise InvalidInput(f"{path}.end_date", "must not be before start_date")
    if first is not None and first > days[-1]:
        raise InvalidInput(f"{path}.start_date", f"is after the last date of the input, {civil_date(days[-1])}")
    if last is not None and last <= days[start]:
        raise InvalidInput(f"{path}.end_date", f"must be after the start of the backtest, {civil_date(days[start])}")
    indices = first_of_periods(days, rule.frequency)
    indices = indices[indices > start]
    inside = np.ones(len(indices), np.bool_)
    if first is not None:
        inside &= days[indices] >= first
    if last is not None:
        inside &= days[indices] <= last
    if not len(indices):
        no_flow = f"leaves no flow: no {rule.frequency} period begins after the start of the backtest within the input"
        raise InvalidInput(f"{path}.frequency", no_flow)
    if not inside.any():
        name = "start_date" if last is None else "end_date"
        raise InvalidInput(f"{path}.{name}", f"leaves no flow: no {rule.frequency} period begins within the range")
    found: DateIndices = indices[inside]
    return found


def withdrawal_error(flows: Sequence[CashFlow], days: NDArray[np.int32], t: int) -> InvalidInput:
    """The error of a withdrawal on date number t of some `days` (T,) that takes the whole net asset value."""
    for i, flow in enumerate(flows):
        if flow.amount < 0.0 and int(np.searchsorted(days, flow.day)) == t:
            return InvalidInput(
                f"cash_flows[{i}].amount",
                f"leaves nothing: the withdrawal of {-flow.amount:g} on {civil_date(days[t])} is the whole net "
                "asset value or more",
            )
    return InvalidInput(
        "recurring_cash_flows",
        f"leave nothing: the withdrawal on {civil_date(days[t])} is the whole net asset value",
    )
