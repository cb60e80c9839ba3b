"""Rules that every file, method and field of the contract keeps, held against the descriptors."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from absfinance.v1 import (
    admin_service_pb2,
    backtest_service_pb2,
    error_reason_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
    strategy_service_pb2,
)
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message_factory import GetMessageClass

from domain.errors import NotSupported
from server.converters.not_built import NOT_BUILT, PACKAGE, refuse_what_is_not_built

ROOT = Path(__file__).parents[2]
SERVICES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (
        admin_service_pb2,
        backtest_service_pb2,
        event_service_pb2,
        liquidity_service_pb2,
        market_data_service_pb2,
        optimization_service_pb2,
        portfolio_service_pb2,
        reallocation_service_pb2,
        risk_service_pb2,
        strategy_service_pb2,
    )
)
METHODS: tuple[MethodDescriptor, ...] = tuple(
    method for file in SERVICES for service in file.services_by_name.values() for method in service.methods
)


def files() -> dict[str, FileDescriptor]:
    found: dict[str, FileDescriptor] = {}
    pending = list(SERVICES)
    while pending:
        file = pending.pop()
        if file.package == "absfinance.v1" and file.name not in found:
            found[file.name] = file
            pending.extend(file.dependencies)
    return found


def reachable(roots: list[Descriptor], stop: frozenset[str] = frozenset()) -> dict[str, Descriptor]:
    """Message types of ours inside these, not looking into the fields named in `stop`."""
    found: dict[str, Descriptor] = {}
    pending = list(roots)
    while pending:
        message = pending.pop()
        if message.full_name in found or not message.full_name.startswith(PACKAGE):
            continue
        found[message.full_name] = message
        pending.extend(
            field.message_type
            for field in message.fields
            if field.message_type is not None and path_of(field) not in stop
        )
    return found


def path_of(field: FieldDescriptor) -> str:
    return f"{field.containing_type.full_name.removeprefix(PACKAGE)}.{field.name}"


def fields_of_requests() -> Iterator[FieldDescriptor]:
    for message in reachable([method.input_type for method in METHODS]).values():
        if not message.GetOptions().map_entry:
            yield from message.fields


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    return field.GetOptions().Extensions[validate_pb2.field]


def test_every_file_is_looked_at() -> None:
    alone = {error_reason_pb2.DESCRIPTOR.name}  # no message has a field of it
    assert set(files()) | alone == {
        f"absfinance/v1/{path.name}" for path in (ROOT / "protos/absfinance/v1").glob("*.proto")
    }


@pytest.mark.parametrize(
    "file", [*files().values(), error_reason_pb2.DESCRIPTOR], ids=lambda file: Path(file.name).stem
)
def test_every_file_has_the_options_of_every_language(file: FileDescriptor) -> None:
    options = file.GetOptions()
    stem = Path(file.name).stem
    assert options.go_package.endswith("/absfinance/v1;absfinancev1")
    assert options.java_package.endswith(".absfinance.v1")
    assert options.java_multiple_files
    assert options.java_outer_classname == "".join(word.capitalize() for word in stem.split("_")) + "Proto"
    assert options.csharp_namespace == "AbsFinance.V1"
    assert options.objc_class_prefix == "ABF"
    assert options.php_namespace == "AbsFinance\\V1"
    assert options.ruby_package == "AbsFinance::V1"


def test_inputs_have_the_same_fields_in_all_requests() -> None:
    known: dict[str, set[str]] = {}
    where: list[str] = []
    for message in reachable([method.input_type for method in METHODS]).values():
        oneof = message.oneofs_by_name.get("input")
        if oneof is None:
            continue
        where.append(message.name)
        for field in oneof.fields:
            assert field.message_type is not None
            known.setdefault(field.name, set()).add(field.message_type.name)
    assert len(where) >= 6
    assert known == {
        "prices": {"Panel"},
        "returns": {"Panel"},
        "moments": {"Moments"},
        "scenarios": {"Scenarios"},
        "market_data": {"MarketDataSelection"},
    }


def test_every_method_says_whether_it_may_be_repeated() -> None:
    assert {method.full_name for method in METHODS if not method.GetOptions().HasField("idempotency_level")} == set()


def test_every_text_and_list_of_a_request_is_bounded() -> None:
    unbounded = []
    for field in fields_of_requests():
        rules = rules_of(field)
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map:
            bounded = rules.map.HasField("max_pairs")
        elif field.is_repeated:
            bounded = rules.repeated.HasField("max_items")
        else:
            bounded = True
        if field.type == FieldDescriptor.TYPE_STRING:
            text = rules.repeated.items.string if field.is_repeated else rules.string
            bounded = bounded and text.HasField("max_len")
        if not bounded:
            unbounded.append(path_of(field))
    assert unbounded == []


def served_methods() -> list[Descriptor]:
    text = (ROOT / "docs/api.md").read_text()
    works = set(re.findall(r"^\| `(\w+/\w+)` \| [\w ]+ \| works \|$", text, re.M))
    found = [m.input_type for m in METHODS if f"{m.containing_service.name}/{m.name}" in works]
    assert len(found) == len(works) > 15
    return found


def names_in_converters() -> set[str]:
    names: set[str] = set()
    paths = [*(ROOT / "server/converters").glob("*.py"), *(ROOT / "server/servicers").glob("*.py")]
    for path in paths:
        if path.name == "not_built.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                names.add(node.arg)
    return names


NOT_READ = {"TaxLot", "Portfolio"}
"""Messages that are kept and returned whole."""
LAST_CASES = {"scenarios", "account", "shared"}
"""Fields of a oneof that are read where no other one is set, or by the task that tells them apart."""
COPIED = {"ReallocateBatchRequest.Shared", "ReallocateBatchRequest.Account"}
"""Messages whose fields become those of a ReallocateRequest with the same names, which reads or refuses them."""


def test_every_field_of_a_served_request_is_read_or_refused() -> None:
    read = names_in_converters()
    single = "ReallocateRequest."
    copied = {f"{to}.{name.removeprefix(single)}" for to in COPIED for name in NOT_BUILT if name.startswith(single)}
    not_built = frozenset(NOT_BUILT) | copied
    lost = [
        path_of(field)
        for message in reachable(served_methods(), not_built).values()
        for field in message.fields
        if message.name not in NOT_READ and not message.GetOptions().map_entry
        if path_of(field) not in not_built and field.name not in read | LAST_CASES
    ]
    assert lost == []


def holders(descriptor: Descriptor, target: str) -> list[FieldDescriptor] | None:
    """Fields that lead from a message to another type."""
    pending: list[tuple[Descriptor, list[FieldDescriptor]]] = [(descriptor, [])]
    seen = set()
    while pending:
        message, path = pending.pop(0)
        if message.full_name == target:
            return path
        if message.full_name in seen:
            continue
        seen.add(message.full_name)
        pending.extend(
            (field.message_type, [*path, field])
            for field in message.fields
            if field.message_type is not None and path_of(field) not in NOT_BUILT
        )
    return None


def set_to_something(message: object, field: FieldDescriptor) -> None:
    value = getattr(message, field.name)
    if field.is_repeated:
        value.append("x") if field.message_type is None else value.add()
    elif field.message_type is not None:
        value.SetInParent()
    elif field.enum_type is not None:
        served = NOT_BUILT[path_of(field)]
        setattr(
            message, field.name, next(v.number for v in field.enum_type.values if v.number and v.name not in served)
        )
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        setattr(message, field.name, "x")
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        setattr(message, field.name, True not in NOT_BUILT[path_of(field)])
    else:
        setattr(message, field.name, 1)


def test_fields_that_are_not_built_are_refused_by_their_paths() -> None:
    for name in NOT_BUILT:
        check_that_it_is_refused(name)


def check_that_it_is_refused(name: str) -> None:
    holder, field_name = name.rsplit(".", 1)
    for root in served_methods():
        way = holders(root, PACKAGE + holder)
        if way is not None:
            break
    else:
        pytest.fail(f"no served request has {name}")
    request = GetMessageClass(root)()
    message, path = request, ""
    for field in way:
        message = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
        path += field.name + ("[0]." if field.is_repeated else ".")
    refuse_what_is_not_built(request)
    set_to_something(message, message.DESCRIPTOR.fields_by_name[field_name])
    with pytest.raises(NotSupported) as refused:
        refuse_what_is_not_built(request)
    assert refused.value.metadata["field"] == path + field_name
    assert path + field_name in refused.value.message


def test_values_that_are_served_pass() -> None:
    request = reallocation_service_pb2.ReallocateRequest(direction="DIRECTION_BUY_ONLY")
    refuse_what_is_not_built(request)
    other = backtest_service_pb2.BacktestRequest()
    other.analysis.attribution.SetInParent()
    refuse_what_is_not_built(other)


def test_calls_that_are_repeated_are_those_that_may_be() -> None:
    """Methods without effect, idempotent ones, and those whose request id makes them so; no streams of requests."""
    text = (ROOT / "protos/service_config.json").read_text()
    (entry,) = json.loads(text)["methodConfig"]
    named = {(name["service"], name["method"]) for name in entry["name"]}
    may_be = {
        (method.containing_service.full_name, method.name)
        for method in METHODS
        if not method.client_streaming
        if method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
        or "request_id" in method.input_type.fields_by_name
    }
    # Sent again, it would end the server that has taken the place of the one that drains.
    may_be.remove(("absfinance.v1.AdminService", "Drain"))
    assert named == may_be
    assert len(entry["name"]) == len(named)
    assert set(entry["retryPolicy"]["retryableStatusCodes"]) == {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
    assert resources.files("absfinance").joinpath("service_config.json").read_text("utf-8") == text
