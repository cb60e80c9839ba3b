"""Numbers that no market has, in every numeric field of a reallocation: refused by name, or answered with finite
figures."""

import math
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.conftest import Refusal, Wire, refusal_of
from tests.e2e.message_fields import message_fields, messages_in
from tests.e2e.test_reallocation import REALLOCATE
from tests.e2e.test_reallocation_fields import AVERSE, BOUGHT, DAY, ELSEWHERE, HELD, NOT_WALKED, RATES, RECENT, STOCK

SHARED: dict[str, Any] = {
    "portfolio": {"holdings": [HELD, {"symbol": "B", "quantity": 10}], "cash": 500, "currency": "USD"},
    "snapshot": {
        "assets": [
            {**STOCK, "spreadBps": 5, "lotSize": 1, "currency": "EUR"},
            {"symbol": "B", "price": 20, "averageDailyVolume": 300, "volatilityAnnual": 0.2},
        ],
        "fxRates": [{"currency": "EUR", "rate": 1.1, "previousRate": 1.0}],
    },
    "targetWeights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.4}]},
    "asOfDate": DAY,
    "validateOnly": True,
}
TAXED = {
    **SHARED,
    "portfolio": {**SHARED["portfolio"], "holdings": [HELD]},
    "thresholds": {"maxUtilization": 1.01, "driftBand": 0.01, "relativeBand": 0.01},
    "limits": {
        "maxParticipation": 0.5, "minTradeValue": 1, "cashFloor": 10, "maxTurnover": 0.9, "maxCostBps": 500,
        "tax": {**RATES, "gainBudget": 1e4, "washSaleDays": 20, "longTermAfterDays": 300, "carryForward": 10},
    },
    "costs": {
        "commissionBps": 1, "halfSpreadBps": 2,
        "byAsset": [{"symbol": "A", "costBps": 3}, {"symbol": "B", "tradingCostBps": 3}],
    },
    "horizonDays": 2, "settlementDays": 1, "cashFlow": 20, "tradeOff": {"costAversion": 1},
    "recentTrades": [{**RECENT, "realizedGain": -5, "price": 20}], "otherPurchases": [BOUGHT],
}  # fmt: skip
SQUARE_ROOT = {
    **SHARED,
    "costs": {
        "impact": {"squareRoot": {"coefficient": 1}},
        "liquidity": [{"symbol": "A", "dailyValue": 1e4, "volatilityAnnual": 0.3}],
    },
}
ALMGREN = {
    **SHARED,
    "costs": {
        "impact": {
            "almgren": {
                "gamma": 0.3, "eta": 0.1, "executionDays": 1, "sharesOutstanding": [{"symbol": "A", "quantity": 1e6}],
            }
        }
    },
    "schedule": {"almgrenChriss": {**AVERSE, "volatilities": [0.1, 0.2], "correlation": [1, 0.5, 0.5, 1]}},
    "horizonDays": 2,
}  # fmt: skip
WEIGHED = {
    **SHARED,
    "snapshot": {
        "assets": [{**asset, "volatilityAnnual": 0.2} for asset in SHARED["snapshot"]["assets"]],
        "fxRates": SHARED["snapshot"]["fxRates"],
        "correlation": [1, 0.5, 0.5, 1],
    },
    "costs": {"commissionBps": 5, "commissionPerShare": 0.01, "minCommission": 1, "maxCommission": 9, "fixedFee": 1},
    "tradeOff": {"costAversion": 1, "deviation": "DEVIATION_TRACKING_ERROR"},
}
REQUESTS = {"weighed": WEIGHED, "taxed": TAXED, "square root": SQUARE_ROOT, "almgren": ALMGREN}
FRACTIONS = ("NaN", "Infinity", "-Infinity", 1e308, -1e308, 1e-308, 0.0, -1.0)
COUNTS = (0, 1, 2**31 - 1)


def places(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Every number of a message that is set, once for each field of a kind of message: its path, and Message.field."""
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        for i, one in enumerate(value) if field.is_repeated else ((None, value),):
            place = here if i is None else f"{here}[{i}]"
            if field.message_type is not None:
                yield from places(one, f"{place}.")
            elif isinstance(one, float | int) and not isinstance(one, bool) and field.enum_type is None:
                yield place, f"{message.DESCRIPTOR.name}.{field.name}"


def with_number(request: dict[str, Any], path: str, number: Any) -> dict[str, Any]:
    """A request in JSON with one of its numbers replaced."""
    *steps, last = path.replace("]", "").replace("[", ".").split(".")
    top: Any = json_format.MessageToDict(json_format.ParseDict(request, ReallocateRequest()))
    at = top
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[camel(step)]
    at[int(last) if last.isdigit() else camel(last)] = number
    return dict(top)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def numeric(request: dict[str, Any]) -> list[tuple[str, str]]:
    return list(places(json_format.ParseDict(request, ReallocateRequest())))


CASES = [(name, path) for name, request in REQUESTS.items() for path, _ in numeric(request)]


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return value not in ("NaN", "Infinity", "-Infinity") and (not isinstance(value, float) or math.isfinite(value))


def names(refusal: Refusal, path: str) -> bool:
    """Whether a refusal is of the field, of what it is a part of, or of a field beside it whose rule it breaks."""
    *_, name = path.split(".")
    parents = {path.rsplit(".", depth)[0] for depth in range(1, 5)} | {path.split("[")[0], path.rsplit("[", 1)[0]}
    beside = {field for field in refusal.fields if field.rsplit(".", 1)[0] == path.rsplit(".", 1)[0]}
    late = path.startswith("as_of_date") and all(field.endswith("date") for field in refusal.fields)
    return bool({path, *parents} & {*refusal.fields} or beside) or name in refusal.message or late


@pytest.mark.parametrize(("name", "path"), CASES)
def test_an_extreme_number_is_refused_by_name_or_answered_in_finite_figures(wire: Wire, name: str, path: str) -> None:
    field = dict(numeric(REQUESTS[name]))[path]
    wrong = []
    for number in COUNTS if is_count(field) else FRACTIONS:
        try:
            answer = wire.call(REALLOCATE, with_number(REQUESTS[name], path, number), timeout=20.0)
        except grpc.RpcError as error:
            refusal = refusal_of(error)
            if refusal.code != "INVALID_ARGUMENT" or not names(refusal, path):
                wrong.append((number, refusal.code, refusal.fields, refusal.message[:150]))
        else:
            if not finite(answer):
                wrong.append((number, answer))
    assert not wrong


def is_count(field: str) -> bool:
    kind, name = field.split(".")
    (found,) = [
        one for one in messages_in(ReallocateRequest.DESCRIPTOR) if one.name == kind and name in one.fields_by_name
    ]
    return found.fields_by_name[name].cpp_type not in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def test_every_number_is_tried() -> None:
    tried = {field for request in REQUESTS.values() for _, field in numeric(request)}
    every = set(message_fields(ReallocateRequest.DESCRIPTOR, NOT_WALKED, numbers_only=True))
    assert every - tried <= ELSEWHERE.keys()
