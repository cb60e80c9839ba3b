"""Requests that are mostly invalid: valid ones of every method of the contract, changed at random."""

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import absfinance.v1
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from tests.fuzzing.contract import ENDS_THE_SERVER

SYMBOLS = ["A", "B", "C"]
DATE = {"year": 2020, "month": 1, "day": 2}
RETURNS = {
    "symbols": SYMBOLS,
    "dates": list(range(18_000, 18_008)),
    "values": [((7 * i) % 11 - 5) / 500 for i in range(24)],
}
MOMENTS = {
    "symbols": SYMBOLS,
    "expectedReturns": [0.01, 0.02, 0.015],
    "covariance": [0.04, 0.01, 0.0, 0.01, 0.09, 0.02, 0.0, 0.02, 0.06],
    "periodsPerYear": 12,
}
WEIGHTS = [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]
CAPS = [
    {"label": "caps", "weightBounds": {"upper": 0.6}},
    {"label": "abc", "groupBounds": {"group": "g", "lower": 0.1}},
]
GROUPS = [{"name": "g", "symbols": ["A", "B"]}]
SPECIFICATION = {"objective": {"minRisk": {}}, "constraints": CAPS, "groups": GROUPS}
SNAPSHOT = {"assets": [{"symbol": "A", "price": 10.0}, {"symbol": "B", "price": 20.0}]}

EXPOSURES = {"factors": ["F", "G", "H"], "symbols": SYMBOLS, "values": [1, 0, 0, 0, 1, 0, 0, 0, 1]}
ATTRIBUTION = {
    "groups": ["sector"],
    "assetGroups": [{"name": "sector=x", "symbols": ["A", "B"]}],
    "daily": True,
    "factors": EXPOSURES,
    "regressionFactors": {**RETURNS, "symbols": ["F", "G", "H"]},
}

VALID: Mapping[str, Sequence[dict[str, Any]]] = {
    "Optimize": (
        {"moments": MOMENTS, "currentWeights": WEIGHTS, "solver": {"timeLimit": "0.5s"}, **SPECIFICATION},
        {"returns": RETURNS, "periodsPerYear": 252, "estimation": {"covariance": {"ledoitWolf": {}}}, **SPECIFICATION},
    ),
    "OptimizeBatch": ({"universe": {"moments": MOMENTS, "spec": SPECIFICATION}}, {"account": {"key": "one"}}),
    "TraceFrontier": ({"moments": MOMENTS, "points": 5, "constraints": CAPS, "groups": GROUPS},),
    "AnalyzeRisk": ({"returns": RETURNS, "periodsPerYear": 252, "weights": WEIGHTS},),
    "CompareStrategies": (
        {
            "returns": RETURNS,
            "benchmark": {**RETURNS, "symbols": ["M"], "values": RETURNS["values"][:8]},
            "resamples": 100,
        },
    ),
    "EstimateRiskModel": ({"returns": RETURNS, "periodsPerYear": 252},),
    "Backtest": (
        {"returns": RETURNS, "periodsPerYear": 252, "strategy": {"equalWeight": {}}, "validateOnly": True},
        {
            "returns": RETURNS,
            "periodsPerYear": 252,
            "strategy": {"equalWeight": {}},
            "benchmarks": [{"symbol": "A"}],
            "analysis": {"attribution": ATTRIBUTION},
            "validateOnly": True,
        },
    ),
    "Attribute": (
        {
            **{f"{side}{kind}": RETURNS for side in ("portfolio", "benchmark") for kind in ("Weights", "Returns")},
            "factors": {**EXPOSURES, "returns": {**RETURNS, "symbols": ["F", "G", "H"]}},
            "regressionFactors": {**RETURNS, "symbols": ["F", "G", "H"]},
        },
    ),
    "Reallocate": (
        {
            "portfolio": {"holdings": [{"symbol": "A", "quantity": 5}], "cash": 100, "currency": "USD"},
            "snapshot": SNAPSHOT,
            "targetWeights": {"weights": WEIGHTS},
            "validateOnly": True,
        },
    ),
    "ImportPrices": ({"header": {"importId": "x"}}, {"chunk": RETURNS}, {"footer": {"valueCount": "24"}}),
    "GetPrices": ({"selection": {"symbols": SYMBOLS, "startDate": {"year": 2020, "month": 1, "day": 1}}},),
    "UpsertInstruments": ({"instruments": [{"symbol": "A", "groups": {"sector": "x"}}]},),
    "UpsertCorporateActions": (
        {
            "corporateActions": [
                {"symbol": "A", "exDate": DATE, "split": {"ratio": 2}},
                {"symbol": "A", "exDate": DATE, "cashDividend": {"amount": 1, "payDate": DATE}},
                {"symbol": "B", "exDate": DATE, "delisting": {"return": -0.3}},
            ]
        },
    ),
    "ListCorporateActions": ({"symbols": SYMBOLS, "startDate": DATE, "endDate": DATE, "pageSize": 5},),
    "CreatePortfolio": ({"portfolio": {"currency": "USD", "cash": 5}},),
}

NUMBERS = (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, -1.0, 0.0, 1.0, 1e9)
TEXTS = (
    "",
    " ",
    "A",
    "A ",
    "\u200b",
    "default:budget",
    "x" * 300,
    "sector=x",
    "optimizations/x",
    "backtests/x",
    "a\x00b",
)
COUNTS = (1, 2, 50, 3000)


@dataclass(frozen=True)
class Sent:
    """One message for one method."""

    method: str  # "OptimizationService/Optimize"
    data: bytes
    streams: tuple[bool, bool]


def methods() -> list[MethodDescriptor]:
    """Every method of the contract."""
    modules = [
        importlib.import_module(f"absfinance.v1.{one.name}") for one in pkgutil.iter_modules(absfinance.v1.__path__)
    ]
    files = [module.DESCRIPTOR for module in modules if hasattr(module, "DESCRIPTOR")]
    return [method for file in files for service in file.services_by_name.values() for method in service.methods]


def invalid_requests(rng: random.Random) -> Iterator[Sent]:
    """Without end. Every method that does not end the server comes, those with the largest requests more often."""
    known = [method for method in methods() if method.name not in ENDS_THE_SERVER]
    often = [method for method in known if method.name in VALID]
    while True:  # ends with whoever takes them
        method = rng.choice(often if rng.random() < 0.8 else known)
        message = message_factory.GetMessageClass(method.input_type)()
        if method.name in VALID:
            json_format.ParseDict(_known(rng.choice(VALID[method.name]), message), message)
        for _ in range(rng.choice((1, 1, 2, 4))):
            _change(message, rng)
        data = message.SerializeToString()
        if rng.random() < 0.1:
            data = _damaged(data, rng)
        streams = (method.client_streaming, method.server_streaming)
        yield Sent(f"{method.containing_service.name}/{method.name}", data[: 4 << 20], streams)


def _known(example: dict[str, Any], message: Message) -> dict[str, Any]:
    """An example without fields that the message does not have."""
    names = {field.json_name for field in message.DESCRIPTOR.fields}
    return {name: value for name, value in example.items() if name in names}


def _change(message: Message, rng: random.Random) -> None:
    """Changes one field, somewhere."""
    while True:  # goes inward each time
        inner = [one for field, value in message.ListFields() for one in _messages(field, value)]
        if not inner or rng.random() < 0.35:
            break
        message = rng.choice(inner)
    if message.DESCRIPTOR.fields:
        _set(message, rng.choice(message.DESCRIPTOR.fields), rng, depth=2)


def _messages(field: FieldDescriptor, value: Any) -> list[Message]:
    if field.message_type is None or field.message_type.GetOptions().map_entry:
        return []
    return list(value)[:20] if field.is_repeated else [value]


def _set(message: Message, field: FieldDescriptor, rng: random.Random, depth: int) -> None:
    if rng.random() < 0.2 or (field.message_type is not None and field.message_type.GetOptions().map_entry):
        message.ClearField(field.name)
    elif field.message_type is not None and field.is_repeated:
        for _ in range(rng.choice(COUNTS)):
            getattr(message, field.name).add()
        if depth and (inner := getattr(message, field.name)):
            _fill(inner[0], rng, depth)
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        if depth:
            _fill(inner, rng, depth)
    elif field.is_repeated:
        values = getattr(message, field.name)
        if values and rng.random() < 0.5:
            values[rng.randrange(len(values))] = _scalar(field, rng)
        else:
            values.extend([_scalar(field, rng)] * rng.choice(COUNTS))
    else:
        setattr(message, field.name, _scalar(field, rng))


def _fill(message: Message, rng: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.4:
            _set(message, field, rng, depth - 1)


def _scalar(field: FieldDescriptor, rng: random.Random) -> Any:
    kind = FieldDescriptor
    choices: Mapping[int, Callable[[], Any]] = {
        kind.CPPTYPE_DOUBLE: lambda: rng.choice(NUMBERS),
        kind.CPPTYPE_FLOAT: lambda: rng.choice((float("nan"), 0.0, 1.0)),
        kind.CPPTYPE_BOOL: lambda: rng.random() < 0.5,
        kind.CPPTYPE_INT32: lambda: rng.choice((0, 1, -1, 2**31 - 1, -(2**31))),
        kind.CPPTYPE_INT64: lambda: rng.choice((0, 1, -1, 2**63 - 1, -(2**63))),
        kind.CPPTYPE_UINT32: lambda: rng.choice((0, 1, 2**32 - 1)),
        kind.CPPTYPE_UINT64: lambda: rng.choice((0, 1, 2**64 - 1)),
        kind.CPPTYPE_ENUM: lambda: rng.choice((0, 1, 3, 99, -1)),
    }
    if field.cpp_type in choices:
        return choices[field.cpp_type]()
    text = rng.choice(TEXTS)
    return text.encode() if field.type == kind.TYPE_BYTES else text


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes that are cut off, or changed in one place."""
    if not data or rng.random() < 0.3:
        return data + rng.randbytes(20)
    place = rng.randrange(len(data))
    return data[:place] if rng.random() < 0.5 else data[:place] + rng.randbytes(1) + data[place + 1 :]
