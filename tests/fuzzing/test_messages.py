"""The generator makes what it says: repeatable requests, messages that keep the rules, and others that break them."""

import math
from random import Random
from typing import Any

import protovalidate
import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.fuzzing.contract import Method, exclusive_pairs, methods, submessages
from tests.fuzzing.messages import Maker
from tests.fuzzing.mutations import HUGE_BYTES, enlarged, garbled, mutated
from tests.fuzzing.requests import KINDS, Requests, documented
from tests.fuzzing.values import INTEGERS, edge

METHODS = {method.name: method for method in methods()}


def made(method: Method, seed: int, **settings: Any) -> Any:
    return Maker(Random(seed), **settings).message(method.request)


def test_a_seed_makes_the_same_requests_again() -> None:
    first, second, other = Requests(3), Requests(3), Requests(4)
    assert [first.request(i) for i in range(50)] == [second.request(i) for i in reversed(range(50))][::-1]
    assert [first.request(i).messages for i in range(50)] != [other.request(i).messages for i in range(50)]


@pytest.mark.parametrize("count", [2000, pytest.param(6000, marks=pytest.mark.long)])
def test_every_method_and_every_way_occurs(count: int) -> None:
    known = Requests(1)
    requests = [known.request(i) for i in range(count)]
    assert {request.method.name for request in requests} == METHODS.keys()
    assert {request.kind for request in requests} == KINDS.keys()
    assert all(len(data) <= 4 << 20 for request in requests for data in request.messages)
    assert any(len(data) > 100_000 for request in requests for data in request.messages)


@pytest.mark.parametrize("name", METHODS)
def test_most_ordinary_messages_keep_the_rules_of_the_contract(name: str) -> None:
    kept = sum(not protovalidate.collect_violations(made(METHODS[name], seed)) for seed in range(40))
    assert kept >= 20


@pytest.mark.parametrize("name", ["OptimizationService/Optimize", "RiskService/AnalyzeRisk"])
def test_panels_are_as_long_as_their_axes_say(name: str) -> None:
    panels = [
        one for seed in range(200) for one in submessages(made(METHODS[name], seed)) if one.DESCRIPTOR.name == "Panel"
    ]
    assert len(panels) > 20
    for panel in panels:
        assert len(panel.values) == len(panel.dates) * len(panel.symbols)
        assert list(panel.dates) == sorted(set(panel.dates))


def test_of_two_fields_that_exclude_each_other_one_is_set() -> None:
    kind = METHODS["RiskService/AnalyzeRisk"].request
    assert exclusive_pairs(kind)
    for seed in range(50):
        message = made(METHODS["RiskService/AnalyzeRisk"], seed)
        for pair in exclusive_pairs(kind):
            assert sum(bool(getattr(message, field.name)) for field in pair) == 1


def test_edges_hold_the_limits_of_every_type() -> None:
    fields = [field for method in METHODS.values() for field in method.request.fields if field.message_type is None]
    for field in fields:
        values = [edge(field, Random(seed)) for seed in range(300)]
        if field.cpp_type in INTEGERS:
            assert set(values) == set(INTEGERS[field.cpp_type])
        if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
            assert any(math.isnan(v) for v in values)
            assert {math.inf, -math.inf, 5e-324, 1.7976931348623157e308} <= set(values)


def test_wild_messages_set_fields_beyond_their_rules() -> None:
    broken = [
        bool(protovalidate.collect_violations(made(METHODS["OptimizationService/Optimize"], seed, edges=1.0)))
        for seed in range(30)
    ]
    assert sum(broken) > 20


def test_a_mutation_changes_a_message() -> None:
    example = next(one for one in documented() if one.method.name == "OptimizationService/Optimize")
    before = example.messages[0].SerializeToString(deterministic=True)
    changed = set()
    for seed in range(30):
        message = type(example.messages[0]).FromString(before)
        mutated(message, Maker(Random(seed)), 2)
        changed.add(message.SerializeToString(deterministic=True))
    assert len(changed - {before}) > 15


def test_a_long_list_stays_below_the_limit_of_a_message() -> None:
    for seed in range(15):
        message = made(METHODS["OptimizationService/Optimize"], seed)
        enlarged(message, Random(seed))
        assert 5_000 < message.ByteSize() < HUGE_BYTES + 100_000


def test_garbled_bytes_differ() -> None:
    assert len({garbled(b"0123456789" * 5, Random(seed)) for seed in range(40)}) > 30


def test_the_pages_give_examples_of_most_services() -> None:
    assert len({one.method.name.split("/")[0] for one in documented()}) >= 5
