"""External cash flows, from their messages."""

from collections.abc import Iterable

from absfinance.v1 import backtest_pb2

from domain.backtest.cash_flows import CashFlow, FlowTiming, RecurringCashFlow
from domain.errors import InvalidInput
from server.converters.dates import days_from_proto
from server.converters.frequency import frequency_from_proto
from server.converters.weights import optional_field


def cash_flows_from_proto(flows: Iterable[backtest_pb2.CashFlow]) -> tuple[CashFlow, ...]:
    """Single flows."""
    return tuple(
        CashFlow(
            days_from_proto(f"cash_flows[{i}].date", flow.date),
            flow.amount,
            FlowTiming.START_OF_DAY if flow.timing == backtest_pb2.FLOW_TIMING_START_OF_DAY else FlowTiming.END_OF_DAY,
        )
        for i, flow in enumerate(flows)
    )


def recurring_from_proto(flows: Iterable[backtest_pb2.RecurringCashFlow]) -> tuple[RecurringCashFlow, ...]:
    """Recurring flows."""
    return tuple(_recurring(f"recurring_cash_flows[{i}]", flow) for i, flow in enumerate(flows))


def _recurring(path: str, flow: backtest_pb2.RecurringCashFlow) -> RecurringCashFlow:
    if flow.HasField("fraction_of_nav") and flow.growth_annual:
        raise InvalidInput(f"{path}.growth_annual", "goes with an amount: a fraction of net asset value grows with it")
    return RecurringCashFlow(
        frequency=frequency_from_proto(flow.frequency),
        amount=optional_field(flow, "amount"),
        fraction_of_nav=optional_field(flow, "fraction_of_nav"),
        growth_annual=flow.growth_annual,
        first_day=days_from_proto(f"{path}.start_date", flow.start_date) if flow.HasField("start_date") else None,
        last_day=days_from_proto(f"{path}.end_date", flow.end_date) if flow.HasField("end_date") else None,
    )
