"""The methods of the contract and the rules of its fields, read from the descriptors: nothing is named by hand."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import absfinance.v1
from buf.validate import validate_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, OneofDescriptor
from google.protobuf.message import Message

PACKAGE = "absfinance.v1"
ENDS_THE_SERVER = frozenset({"Drain"})
"""Methods that a run must not call, since no call after them is answered."""


@dataclass(frozen=True)
class Method:
    """A method of the contract: its full name such as "/absfinance.v1.RiskService/AnalyzeRisk", and its shape."""

    path: str
    request: Descriptor
    response: Descriptor
    streams_requests: bool
    streams_responses: bool

    @property
    def name(self) -> str:
        """Service and method, such as "RiskService/AnalyzeRisk"."""
        return self.path.removeprefix(f"/{PACKAGE}.")


def methods() -> tuple[Method, ...]:
    """Every method that a run may call, by name."""
    return tuple(method for method in all_methods() if method.path.split("/")[-1] not in ENDS_THE_SERVER)


def all_methods() -> tuple[Method, ...]:
    """Every method, by name."""
    modules = (m.name for m in pkgutil.iter_modules(absfinance.v1.__path__) if m.name.endswith("_pb2"))
    files = [importlib.import_module(f"{PACKAGE}.{name}").DESCRIPTOR for name in modules]
    found = [_method(one) for file in files for service in file.services_by_name.values() for one in service.methods]
    return tuple(sorted(found, key=lambda m: m.path))


def _method(one: MethodDescriptor) -> Method:
    path = f"/{one.containing_service.full_name}/{one.name}"
    return Method(path, one.input_type, one.output_type, one.client_streaming, one.server_streaming)


def new(kind: Descriptor) -> Message:
    """An empty message."""
    return message_factory.GetMessageClass(kind)()


@cache
def rules(field: FieldDescriptor) -> Any:
    """The FieldRules beside a field; empty ones where it has none."""
    return field.GetOptions().Extensions[validate_pb2.field]


@cache
def choices(kind: Descriptor) -> tuple[OneofDescriptor, ...]:
    """The oneofs of a message, without those that `optional` makes."""
    return tuple(one for one in kind.oneofs if not (len(one.fields) == 1 and one.name == f"_{one.fields[0].name}"))


def must_be_set(one: OneofDescriptor) -> bool:
    """Whether a oneof needs a value."""
    required: bool = one.GetOptions().Extensions[validate_pb2.oneof].required
    return required


@cache
def plain_fields(kind: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of a message that belong to none of its oneofs."""
    chosen = {field.name for one in choices(kind) for field in one.fields}
    return tuple(field for field in kind.fields if field.name not in chosen)


@cache
def exclusive_pairs(kind: Descriptor) -> tuple[tuple[FieldDescriptor, ...], ...]:
    """Pairs of fields of which a rule of the message wants exactly one."""
    wanted = []
    for rule in kind.GetOptions().Extensions[validate_pb2.message].cel:
        named = re.findall(r"this\.(\w+)", rule.expression)
        if " != " in rule.expression and len(named) == 2 and ")" in rule.expression:
            wanted.append(tuple(kind.fields_by_name[name] for name in named))
    return tuple(wanted)


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


@cache
def field_count(kind: Descriptor) -> int:
    """How many fields a message and everything inside it have, each kind of message counted once."""
    seen: set[str] = set()
    waiting, count = [kind], 0
    while waiting:
        one = waiting.pop()
        if one.full_name not in seen:
            seen.add(one.full_name)
            count += len(one.fields)
            waiting += [field.message_type for field in one.fields if field.message_type is not None]
    return count


def submessages(message: Message) -> Iterator[Message]:
    """A message and all inside it that are set."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None or is_map(field):
            continue
        for one in value if field.is_repeated else [value]:
            yield from submessages(one)
