"""Corporate actions: from their messages and back, their policies, and filters of a list."""

from typing import Any

import pytest
from absfinance.v1 import corporate_action_pb2 as wire
from absfinance.v1.corporate_action_pb2 import CorporateAction as CorporateActionProto
from absfinance.v1.market_data_service_pb2 import ListCorporateActionsRequest, UpsertCorporateActionsRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DelistingPolicy,
    DividendPolicy,
    PriceBasis,
    Split,
)
from server.converters import corporate_action as converters
from server.ports.corporate_actions import ActionFilter, ActionPage

SECOND = {"year": 1970, "month": 1, "day": 2}
THIRD = {"year": 1970, "month": 1, "day": 3}


def converted(*actions: dict[str, Any]) -> tuple[CorporateAction, ...]:
    sent = (json_format.ParseDict({"symbol": "A", "exDate": SECOND} | one, CorporateActionProto()) for one in actions)
    return converters.corporate_actions_from_proto("actions", sent)


EVENTS = [
    ({"split": {"ratio": 2.0}}, Split(2.0)),
    ({"cashDividend": {"amount": 0.5}}, CashDividend(0.5, None)),
    ({"cashDividend": {"amount": 0.5, "payDate": THIRD}}, CashDividend(0.5, 2)),
    ({"delisting": {}}, Delisting(None)),
    ({"delisting": {"return": 0.0}}, Delisting(0.0)),
    ({"delisting": {"return": -0.3}}, Delisting(-0.3)),
]


@pytest.mark.parametrize(("fields", "event"), EVENTS)
def test_actions_go_and_come_back(fields: dict[str, Any], event: Split | CashDividend | Delisting) -> None:
    (action,) = converted(fields)
    assert action == CorporateAction("A", 1, event)
    (again,) = converters.corporate_actions_from_proto("", [converters.corporate_action_to_proto(action)])
    assert again == action


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"exDate": {"year": 1970, "month": 2, "day": 30}}, "ex_date"),
        ({"split": {"ratio": -1.0}}, "split.ratio"),
        ({"cashDividend": {"amount": -1.0}}, "cash_dividend.amount"),
        ({"cashDividend": {"amount": 1.0, "payDate": {"year": 1970, "month": 13}}}, "cash_dividend.pay_date"),
        ({"cashDividend": {"amount": 1.0, "payDate": {"year": 1970, "month": 1, "day": 1}}}, "cash_dividend.pay_date"),
        ({"delisting": {"return": -1.5}}, "delisting.return"),
        ({"symbol": " A"}, "symbol"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted({"split": {"ratio": 2.0}}, {"split": {"ratio": 2.0}} | fields if "exDate" in fields else fields)
    assert raised.value.field == f"actions[1].{named}"


def test_actions_to_store_do_not_contradict() -> None:
    split = {"symbol": "A", "exDate": SECOND, "split": {"ratio": 2.0}}
    request = json_format.ParseDict({"corporateActions": [split]}, UpsertCorporateActionsRequest())
    assert converters.actions_to_store_from_proto(request) == (CorporateAction("A", 1, Split(2.0)),)
    request = json_format.ParseDict({"corporateActions": [split, split]}, UpsertCorporateActionsRequest())
    with pytest.raises(InvalidInput) as raised:
        converters.actions_to_store_from_proto(request)
    assert raised.value.field == "corporate_actions[1]"


@pytest.mark.parametrize("basis", wire.PriceBasis.values())
def test_bases_have_their_names_on_the_wire(basis: wire.PriceBasis) -> None:
    name = wire.PriceBasis.Name(basis).removeprefix("PRICE_BASIS_")
    assert converters.price_basis_from_proto(basis) is PriceBasis("ADJUSTED" if name == "UNSPECIFIED" else name)


@pytest.mark.parametrize("policy", wire.DelistingPolicy.values())
def test_delisting_policies_have_their_names_on_the_wire(policy: wire.DelistingPolicy) -> None:
    name = wire.DelistingPolicy.Name(policy).removeprefix("DELISTING_POLICY_")
    wanted = DelistingPolicy("FAIL" if name == "UNSPECIFIED" else name)
    assert converters.delisting_policy_from_proto(policy) is wanted


def test_dividends_are_cash_unless_they_are_reinvested() -> None:
    found = [converters.dividend_policy_from_proto(policy) for policy in wire.DividendPolicy.values()]
    assert found.count(DividendPolicy.REINVEST) == 1
    assert converters.dividend_policy_from_proto(wire.DIVIDEND_POLICY_REINVEST) is DividendPolicy.REINVEST


def test_filters_of_a_list() -> None:
    request = json_format.ParseDict(
        {"symbols": ["A"], "startDate": SECOND, "endDate": SECOND}, ListCorporateActionsRequest()
    )
    assert converters.action_filter_from_proto(request) == ActionFilter(("A",), 1, 1)
    assert converters.action_filter_from_proto(ListCorporateActionsRequest()) == ActionFilter((), None, None)
    backwards = json_format.ParseDict({"startDate": THIRD, "endDate": SECOND}, ListCorporateActionsRequest())
    with pytest.raises(InvalidInput) as raised:
        converters.action_filter_from_proto(backwards)
    assert raised.value.field == "end_date"


def test_a_page() -> None:
    actions = (CorporateAction("A", 1, Split(2.0)), CorporateAction("B", 2, Delisting()))
    page = converters.actions_to_proto(ActionPage(actions, "next"))
    assert ([action.symbol for action in page.corporate_actions], page.next_page_token) == (["A", "B"], "next")
