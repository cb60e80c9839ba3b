"""What JSON may say: all that the mapping of protobuf has, and nothing that is only like it."""

import asyncio
import json
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.panel_pb2 import Tensor
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from server.web.codecs import Json
from server.web.methods import all_methods, descriptor_of
from server.web.statuses import Refused


def read(value: Any, kind: type[Message]) -> bytes:
    return asyncio.run(Json().decode(json.dumps(value).encode(), kind))


@pytest.mark.parametrize("upper", [0.5, 1, "0.5", "1e-3", "-2.50E+2", "NaN", "-Infinity", None])
def test_numbers_as_the_mapping_has_them(upper: Any) -> None:
    value = {"constraints": [{"weight_bounds": {"upper": upper}}], "moments": None}
    expected = json_format.ParseDict(value, OptimizeRequest())
    assert read(value, OptimizeRequest) == expected.SerializeToString()


@pytest.mark.parametrize("upper", [10**400, True, "1_0", " 1", "1 ", "infinity", "", "0x1"])
def test_what_is_only_like_a_number(upper: Any) -> None:
    with pytest.raises(Refused, match=r"constraints\[1\]\.weight_bounds\.upper: must be a number"):
        read({"constraints": [{}, {"weightBounds": {"upper": upper}}]}, OptimizeRequest)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], ""),
        ({"moments": []}, "moments"),
        ({"constraints": [[]]}, r"constraints\[0\]"),
        ({"moments": ""}, "moments"),
    ],
)
def test_only_an_object_is_a_message(value: Any, field: str) -> None:
    with pytest.raises(Refused, match=f"^{field}:? ?must be a"):
        read(value, OptimizeRequest)


def test_bytes_are_not_read_without_the_signs_that_are_none() -> None:
    tensor = {"shape": ["1"], "dtype": "DATA_TYPE_FLOAT64", "data": "AAAAAAAA8D8="}
    assert Tensor.FromString(read(tensor, Tensor)).data == b"\0\0\0\0\0\0\xf0?"
    with pytest.raises(Refused, match="data: must be a text in base64"):
        read({**tensor, "data": "AAAA*AAAA8D8="}, Tensor)
    with pytest.raises(Refused, match="shape: must be a whole number"):
        read({**tensor, "shape": ["1_0"]}, Tensor)


def test_every_map_of_a_request_has_texts() -> None:
    """Or what is guessed of other values would have to be looked for in them."""
    maps = [kind for kind in messages_of_requests() if kind.GetOptions().map_entry]
    assert maps
    assert {kind.fields_by_name["value"].type for kind in maps} == {FieldDescriptor.TYPE_STRING}


def messages_of_requests() -> set[Descriptor]:
    """With all that stand in them."""
    found: set[Descriptor] = set()
    waiting = [descriptor_of(method.request) for method in all_methods().values()]
    while waiting:
        descriptor = waiting.pop()
        if descriptor not in found and not descriptor.full_name.startswith("google."):
            found.add(descriptor)
            waiting += [field.message_type for field in descriptor.fields if field.message_type]
    return found
