"""External cash flows of a backtest: money that comes in or goes out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from absfinance.v1 import backtest_pb2 as pb
from absfinance.v1.frequency_pb2 import Frequency as FrequencyEnum

from absfin.choices import FlowTiming, Frequency, choice
from absfin.data import date_to_proto


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Money on one date, negative for a withdrawal; on the next date of the prices where they have none."""

    date: date
    amount: float
    timing: FlowTiming = "end_of_day"  # after the return of the period is measured, and before trading

    def __post_init__(self) -> None:
        choice(pb.FlowTiming, "timing", self.timing)

    def to_proto(self) -> pb.CashFlow:
        """The message."""
        timing = choice(pb.FlowTiming, "timing", self.timing)
        return pb.CashFlow(date=date_to_proto(self.date), amount=self.amount, timing=timing)


@dataclass(frozen=True, slots=True)
class RecurringCashFlow:
    """Money at the end of the first date of each period, negative for a withdrawal: an amount, or a fraction of NAV.

    Raises ValueError where both or none are given.
    """

    frequency: Frequency
    amount: float | None = None
    fraction_of_nav: float | None = None
    growth_annual: float | None = None  # of the amount, as a fraction
    start: date | None = None  # the start of the backtest if None
    end: date | None = None  # its end if None

    def __post_init__(self) -> None:
        choice(FrequencyEnum, "frequency", self.frequency)
        if (self.amount is None) == (self.fraction_of_nav is None):
            raise ValueError("recurring cash flow: give amount or fraction_of_nav, one of them")

    def to_proto(self) -> pb.RecurringCashFlow:
        """The message."""
        return pb.RecurringCashFlow(
            amount=self.amount,
            fraction_of_nav=self.fraction_of_nav,
            frequency=choice(FrequencyEnum, "frequency", self.frequency),
            growth_annual=self.growth_annual,
            start_date=date_to_proto(self.start),
            end_date=date_to_proto(self.end),
        )


def flow_fields(flows: Iterable[CashFlow | RecurringCashFlow]) -> dict[str, Any]:
    """The fields of a request that carry flows."""
    listed = list(flows)
    return {
        "cash_flows": [flow.to_proto() for flow in listed if isinstance(flow, CashFlow)],
        "recurring_cash_flows": [flow.to_proto() for flow in listed if isinstance(flow, RecurringCashFlow)],
    }
