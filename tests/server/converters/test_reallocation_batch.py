"""Accounts of a batch: what they share, what each has of its own, and the request that Reallocate would get."""

from typing import Any

import pytest
from absfinance.v1 import reallocation_pb2
from absfinance.v1.reallocation_pb2 import Reallocation
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse, ReallocateRequest
from google.protobuf import json_format
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from domain.errors import InvalidInput
from domain.reallocation.batch_account import Consent, SharedTerms
from domain.reallocation.shared_liquidity import SharingRule
from server.converters import reallocation_batch as converters
from server.ports.errors import Refused

LIMITED = {"limits": {"maxParticipation": 0.1}}


def shared(**fields: Any) -> ReallocateBatchRequest.Shared:
    return json_format.ParseDict(fields, ReallocateBatchRequest.Shared())


def account(**fields: Any) -> ReallocateBatchRequest.Account:
    return json_format.ParseDict(fields, ReallocateBatchRequest.Account())


def request_of(part: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The fields of the request of an account, but for `validateOnly`, which it always has."""
    found = json_format.MessageToDict(converters.request_of_account(shared(**part), account(**own)))
    assert found.pop("validateOnly") is True
    return found


def test_accounts_that_share_nothing_are_planned_alone() -> None:
    assert converters.shared_terms_from_proto(shared()) is None
    assert converters.shared_terms_from_proto(shared(limits={"maxTurnover": 0.1})) is None


def test_what_accounts_share() -> None:
    assert converters.shared_terms_from_proto(shared(**LIMITED)) == SharedTerms(0.1, SharingRule.PRO_RATA)
    crossing = converters.shared_terms_from_proto(shared(allowCrossing=False))
    assert crossing == SharedTerms(None, SharingRule.PRO_RATA)


@pytest.mark.parametrize("rule", reallocation_pb2.LiquidityAllocation.values())
def test_rules_have_their_names_on_the_wire(rule: int) -> None:
    name = reallocation_pb2.LiquidityAllocation.Name(rule).removeprefix("LIQUIDITY_ALLOCATION_")
    found = converters.shared_terms_from_proto(shared(**LIMITED, liquidityAllocation=rule))
    assert found == SharedTerms(0.1, SharingRule("PRO_RATA" if name == "UNSPECIFIED" else name))


def test_a_rule_needs_a_volume_to_divide() -> None:
    with pytest.raises(InvalidInput, match="max_participation") as raised:
        converters.shared_terms_from_proto(shared(liquidityAllocation="LIQUIDITY_ALLOCATION_PRIORITY"))
    assert raised.value.field == "shared.liquidity_allocation"


@pytest.mark.parametrize(
    ("of_all", "own", "may_cross"),
    [(None, None, False), (True, None, True), (True, False, False), (False, True, True), (None, True, True)],
)
def test_who_may_cross(of_all: bool | None, own: bool | None, may_cross: bool) -> None:
    part, one = ({} if value is None else {"allowCrossing": value} for value in (of_all, own))
    found = converters.consent_from_proto(shared(**part), account(**one, priority=7), SharedTerms(0.1))
    assert found == Consent(may_cross, 7)


def test_no_account_crosses_where_all_are_planned_alone() -> None:
    assert converters.consent_from_proto(shared(), account(allowCrossing=False), None) == Consent()
    with pytest.raises(InvalidInput, match=r"shared\.allow_crossing") as raised:
        converters.consent_from_proto(shared(), account(allowCrossing=True), None)
    assert raised.value.field == "account.allow_crossing"


DAY = {"year": 2024, "month": 2, "day": 29}
WEIGHTS = {"weights": [{"symbol": "A", "weight": 1.0}]}
OTHER_WEIGHTS = {"weights": [{"symbol": "B", "weight": 0.5}, {"symbol": "A", "weight": 0.5}]}
SHARED_FIELDS = {
    "snapshot": {"assets": [{"symbol": "A", "price": 10.0}]},
    "targetWeights": WEIGHTS,
    "thresholds": {"driftBand": 0.05},
    "limits": {"maxTurnover": 0.2},
    "costs": {"commissionBps": 3.0},
    "horizonDays": 3,
    "asOfDate": DAY,
    "settlementDays": 0,
}
OWN_FIELDS = {
    "portfolioName": "portfolios/p",
    "cashFlow": -5.0,
    "direction": "DIRECTION_SELL_ONLY",
    "disabledConstraints": ["x", "y"],
    "recentTrades": [{"symbol": "A", "quantity": 1.0, "date": DAY}],
    "otherPurchases": [{"symbol": "A", "quantity": 2.0, "date": DAY}],
}


def test_all_that_is_shared_and_all_that_is_of_its_own_reach_the_request() -> None:
    of_a_batch = {"liquidityAllocation": "LIQUIDITY_ALLOCATION_MAX_MIN", "allowCrossing": True}
    found = request_of(
        {**SHARED_FIELDS, **of_a_batch}, {**OWN_FIELDS, "key": "k", "priority": 1, "allowCrossing": True}
    )
    assert found == {**SHARED_FIELDS, **OWN_FIELDS}


def test_every_field_of_a_part_is_one_of_a_request_by_the_same_name_and_type() -> None:
    fields = ReallocateRequest.DESCRIPTOR.fields_by_name
    for part in (ReallocateBatchRequest.Shared, ReallocateBatchRequest.Account):
        for field in part.DESCRIPTOR.fields:
            if field.name not in {"key", "liquidity_allocation", "allow_crossing", "priority"}:
                twin = fields[field.name]
                assert (twin.type, twin.is_repeated) == (field.type, field.is_repeated), field.name
                assert twin.message_type == field.message_type


def test_what_an_account_has_of_its_own_takes_the_place_of_what_is_shared() -> None:
    own = {"targetWeights": OTHER_WEIGHTS, "thresholds": {"maxUtilization": 0.5}, "limits": {"cashFloor": 3.0}}
    found = request_of(SHARED_FIELDS, own)
    assert {name: found[name] for name in own} == own
    optimized = {"targetOptimize": {"objective": {"minRisk": {}}}}
    assert "targetOptimize" not in request_of(optimized, {"targetWeights": WEIGHTS})


def test_the_shared_volume_is_no_limit_of_one_account_but_its_own_share_is() -> None:
    assert request_of({"limits": {"maxParticipation": 0.1, "maxTurnover": 0.2}}, {})["limits"] == {"maxTurnover": 0.2}
    assert request_of(LIMITED, {"limits": {"maxParticipation": 0.3}})["limits"] == {"maxParticipation": 0.3}
    assert "limits" not in request_of({}, {})


def test_parts_are_left_as_they_are() -> None:
    part, own = shared(**SHARED_FIELDS, liquidityAllocation=1), account(**OWN_FIELDS)
    before = (part.SerializeToString(), own.SerializeToString())
    converters.request_of_account(part, own).limits.max_turnover = 0.9
    assert (part.SerializeToString(), own.SerializeToString()) == before


@pytest.mark.parametrize("length", [0, 1, 120, 127, 128, 16_383, 16_384, 3_000_000])
def test_the_answer_of_an_account(length: int) -> None:
    result = Reallocation(request_id="r" * length)
    found = ReallocateBatchResponse.FromString(converters.reallocated_to_bytes("k", result.SerializeToString()))
    assert (found.key, found.WhichOneof("outcome"), found.result) == ("k", "result", result)


REFUSED = Status(code=code_pb2.NOT_FOUND, message="not there")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InvalidInput("cash", "must be finite"), code_pb2.INVALID_ARGUMENT, "cash: must be finite"),
        (Refused(REFUSED.SerializeToString()), code_pb2.NOT_FOUND, "not there"),
    ],
)
def test_why_an_account_has_no_answer(error: Exception, code: int, message: str) -> None:
    found = ReallocateBatchResponse.FromString(converters.not_reallocated_to_bytes("k", error))
    assert (found.key, found.error.code, found.error.message) == ("k", code, message)
