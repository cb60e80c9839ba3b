"""External cash flows: dates as days, the timing, and what a recurring flow cannot have together."""

from typing import Any

import pytest
from absfinance.v1.backtest_pb2 import CashFlow as CashFlowProto
from absfinance.v1.backtest_pb2 import RecurringCashFlow as RecurringProto
from google.protobuf import json_format

from domain.backtest.cash_flows import CashFlow, FlowTiming, RecurringCashFlow
from domain.calendar import Frequency
from domain.errors import InvalidInput
from server.converters.cash_flow import cash_flows_from_proto, recurring_from_proto

SECOND = {"year": 1970, "month": 1, "day": 2}
THIRD = {"year": 1970, "month": 1, "day": 3}


def recurring(*flows: dict[str, Any]) -> tuple[RecurringCashFlow, ...]:
    return recurring_from_proto(json_format.ParseDict(flow, RecurringProto()) for flow in flows)


def test_single_flows_in_their_order() -> None:
    sent = [
        {"date": THIRD, "amount": -5.0, "timing": "FLOW_TIMING_START_OF_DAY"},
        {"date": SECOND, "amount": 7.0, "timing": "FLOW_TIMING_END_OF_DAY"},
        {"date": SECOND, "amount": 1.0},
    ]
    assert cash_flows_from_proto(json_format.ParseDict(flow, CashFlowProto()) for flow in sent) == (
        CashFlow(2, -5.0, FlowTiming.START_OF_DAY),
        CashFlow(1, 7.0, FlowTiming.END_OF_DAY),
        CashFlow(1, 1.0, FlowTiming.END_OF_DAY),
    )


def test_the_date_of_a_flow_is_named() -> None:
    flows = [json_format.ParseDict({"date": date}, CashFlowProto()) for date in (SECOND, {"year": 2020, "month": 13})]
    with pytest.raises(InvalidInput) as raised:
        cash_flows_from_proto(flows)
    assert raised.value.field == "cash_flows[1].date"


def test_a_recurring_flow_with_all_fields() -> None:
    flow = {
        "frequency": "FREQUENCY_QUARTERLY",
        "amount": 3.0,
        "growthAnnual": 0.02,
        "startDate": SECOND,
        "endDate": THIRD,
    }
    assert recurring(flow) == (RecurringCashFlow(Frequency.QUARTERLY, 3.0, None, 0.02, 1, 2),)


def test_a_recurring_flow_with_few_fields() -> None:
    assert recurring({"fractionOfNav": -0.01}) == (RecurringCashFlow(Frequency.MONTHLY, None, -0.01, 0.0, None, None),)


def test_a_fraction_has_no_growth_of_its_own() -> None:
    with pytest.raises(InvalidInput) as raised:
        recurring({"amount": 1.0}, {"fractionOfNav": 0.01, "growthAnnual": 0.02})
    assert raised.value.field == "recurring_cash_flows[1].growth_annual"


@pytest.mark.parametrize(("name", "field"), [("startDate", "start_date"), ("endDate", "end_date")])
def test_a_date_that_does_not_exist(name: str, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        recurring({"amount": 1.0, name: {"year": 2021, "month": 2, "day": 29}})
    assert raised.value.field == f"recurring_cash_flows[0].{field}"
