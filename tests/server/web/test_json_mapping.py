"""JSON of messages and back: the same as json_format, which is the reference, for messages of every kind."""

import json
import math
from random import Random
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.panel_pb2 import Panel
from google.protobuf import json_format
from google.protobuf.message import Message

from server.web.codecs import PARTS, PLAIN_BYTES, _has_few_parts
from server.web.json_mapping import MANY, _fields, parse, to_value
from server.web.methods import all_methods, descriptor_of
from tests.fuzzing.messages import Maker

KINDS = {
    kind.DESCRIPTOR.full_name: kind for method in all_methods().values() for kind in (method.request, method.answer)
}
NUMBERS = [0.1 * index - 1.0 for index in range(MANY)]


def parsed(how: Any, value: Any, kind: type[Message]) -> bytes | str:
    made = kind()
    try:
        how(value, made)
    except (json_format.ParseError, ValueError, TypeError, OverflowError) as error:
        return str(error)
    encoded: bytes = made.SerializeToString(deterministic=True)
    return encoded


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_messages_of_every_kind(kind: type[Message]) -> None:
    descriptor: Any = kind.DESCRIPTOR
    for seed in range(6):
        made = Maker(Random(seed), edges=0.05 * (seed % 2), presence=0.5).message(descriptor)
        try:
            expected = json_format.MessageToDict(made)
        except (
            json_format.Error,
            ValueError,
            TypeError,
        ):  # a time that is none, or a message of a kind that nobody has
            with pytest.raises((ValueError, TypeError)):
                to_value(made)
            continue
        written = to_value(made)
        assert json.dumps(written, sort_keys=True) == json.dumps(expected, sort_keys=True)
        assert parsed(parse, written, kind) == parsed(json_format.ParseDict, expected, kind)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 1.0])
def test_numbers_of_every_kind(value: float) -> None:
    message = OptimizeRequest(moments={"covariance": [1.5] * MANY + [value], "periods_per_year": value})
    assert json.dumps(to_value(message)) == json.dumps(json_format.MessageToDict(message))


@pytest.mark.parametrize(
    "last", [1, True, None, "2", "NaN", math.nan, math.inf, 10**400, -(2**70), [1.0], {}, "x", 1e308, -0.0]
)
def test_lists_of_numbers_are_read_as_json_format_reads_them(last: Any) -> None:
    value = {"moments": {"symbols": ["A"], "covariance": [*NUMBERS, last], "expected_returns": NUMBERS}}
    given = json.dumps(value)
    expected = parsed(json_format.ParseDict, json.loads(given), OptimizeRequest)
    assert parsed(parse, json.loads(given), OptimizeRequest) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"moments": NUMBERS},
        {"moments": [{"covariance": NUMBERS}]},
        {"moments": {"covariance": {"a": NUMBERS}}},
        {"moments": {"symbols": NUMBERS}},
        {"moments": {"covariance": NUMBERS, "wrong": NUMBERS}},
        {"moments": {"expectedReturns": NUMBERS, "expected_returns": NUMBERS}},
        {"moments": {"covariance": NUMBERS}, "returns": {"symbols": ["A"]}},
        {"label": NUMBERS},
        {"wrong": {"covariance": NUMBERS}},
        {},
    ],
)
def test_lists_of_numbers_in_the_wrong_place(value: Any) -> None:
    given = json.dumps(value)
    expected = parsed(json_format.ParseDict, json.loads(given), OptimizeRequest)
    assert parsed(parse, json.loads(given), OptimizeRequest) == expected


def test_lists_of_numbers_inside_lists_and_messages() -> None:
    value = {"tensor": None, "symbols": ["A"], "columns": [{"values": NUMBERS}, {}, {"values": NUMBERS[::-1]}]}
    known = {name: one for name, one in value.items() if name in Panel.DESCRIPTOR.fields_by_name}
    expected = parsed(json_format.ParseDict, json.loads(json.dumps(known)), Panel)
    assert isinstance(expected, bytes)
    assert parsed(parse, known, Panel) == expected


def test_only_a_text_of_few_parts_is_short() -> None:
    assert _has_few_parts(json.dumps({"covariance": [0.123456789] * 900}).encode())
    assert not _has_few_parts(b" " * (PLAIN_BYTES + 1))
    for sign, most in PARTS.items():
        assert not _has_few_parts(b" " * 4096 + sign * (most + 1))


def test_fields_are_kept() -> None:
    """Protobuf would make one anew for each field of each message, a seventh of the time of a written answer."""
    message = OptimizeRequest(label="l", moments={"symbols": ["A"]})
    kept = _fields(descriptor_of(OptimizeRequest))
    assert all(field is kept[field.number][2] for field, _ in message.ListFields())
