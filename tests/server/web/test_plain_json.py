"""Values that are read at once: as json_format reads them, and nothing that it would have to guess."""

import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format
from google.protobuf.message import Message

from server.web.json_mapping import to_value
from server.web.methods import descriptor_of
from server.web.plain_json import MOST_DEPTH, read_plain
from server.web.wrong_json import UNREADABLE, what_is_guessed
from tests.counted_calls import count_calls
from tests.fuzzing.messages import Maker
from tests.server.web.test_json_mapping import KINDS

ODD = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**31,
    2**63,
    2**64,
    10**400,
    1.0,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "1",
    "NaN",
    "RISK_MEASURE_CVAR",
    "\ud800",
    [],
    [None],
    [1],
    [True],
    ["x"],
    ["\ud800"],
    [{}],
    {},
    {"x": 1},
    {"symbols": []},
)


def read(value: Any, kind: type[Message]) -> bytes | None:
    message = kind()
    with suppress(*UNREADABLE):
        if read_plain(value, message):
            encoded: bytes = message.SerializeToString(deterministic=True)
            return encoded
    return None


def by_json_format(value: Any, kind: type[Message]) -> bytes:
    """Raises what json_format raises; fails for what it guesses."""
    encoded: bytes = json_format.ParseDict(value, kind()).SerializeToString(deterministic=True)
    assert what_is_guessed(descriptor_of(kind), value) is None
    return encoded


def altered(value: Any, random: Random) -> Iterator[Any]:
    """Values with one place, of those in it, changed to something odd."""
    text = json.dumps(value)
    for _ in range(12):
        changed = json.loads(text)
        place = changed
        while isinstance(place, dict | list) and place:
            key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or not place[key] or random.random() < 0.3:
                place[key] = random.choice(ODD)
                break
            place = place[key]
        yield changed


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_messages_of_every_kind(kind: type[Message]) -> None:
    for seed in range(4):
        random = Random(seed)
        value = None
        with suppress(ValueError, TypeError):  # a time that is none, or a message of a kind that nobody has
            value = to_value(Maker(random, edges=0.05 * (seed % 2), presence=0.4).message(descriptor_of(kind)))
        for one in (value, *altered(value, random)):
            if (found := read(one, kind)) is not None:
                assert found == by_json_format(one, kind)


@pytest.mark.parametrize(
    "value",
    [
        {"moments": {"symbols": ["A"], "covariance": [1, 0.5], "periodsPerYear": 12}, "objective": {"minRisk": {}}},
        {"risk_measure": "RISK_MEASURE_CVAR", "validateOnly": False, "label": "", "constraints": []},
        {"constraints": [{"weightBounds": {"symbols": ["A"], "upper": 1}}, {}]},
        {},
    ],
)
def test_what_programs_send_is_read_at_once(value: Any) -> None:
    assert read(value, OptimizeRequest) == by_json_format(value, OptimizeRequest)


@pytest.mark.parametrize(
    "value",
    [
        {"label": "a", "unknown": 1},
        {"riskMeasure": "RISK_MEASURE_CVAR", "risk_measure": "RISK_MEASURE_CVAR"},
        {"moments": {}, "returns": {}},
        {"periodsPerYear": "12"},
        {"periodsPerYear": True},
        {"validateOnly": 1},
        {"riskMeasure": 3},
        {"riskMeasure": "NO_MEASURE"},
        {"solver": {"timeLimit": "1s"}},
        {"moments": {"covariance": [1, None]}},
        {"moments": {"symbols": "A"}},
        {"constraints": {"weightBounds": {}}},
        {"label": None},
        [],
        None,
    ],
)
def test_the_rest_is_left_to_others(value: Any) -> None:
    assert read(value, OptimizeRequest) is None


def test_what_is_nested_deeply_is_left_to_others() -> None:
    message = OptimizeRequest()
    assert read_plain({}, message, MOST_DEPTH - 1)
    assert not read_plain({}, message, MOST_DEPTH)


def test_a_small_request_takes_few_calls() -> None:
    """A third of the functions that json_format calls."""
    moments = {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.01], "periodsPerYear": 1}
    value = {"moments": moments, "objective": {"minRisk": {}}, "requestId": "r"}
    plain = count_calls(lambda: read_plain(value, OptimizeRequest()))
    assert plain < count_calls(lambda: json_format.ParseDict(value, OptimizeRequest())) / 3
