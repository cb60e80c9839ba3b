"""Messages to JSON and back, as `google.protobuf.json_format` does it, in a third of its time.

A small call is mostly lists of numbers and short lists of messages, for each of whose entries `json_format` asks anew
what its field is. Here lists of numbers go into the message as a whole, and how a field is written is found once.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import isfinite
from operator import methodcaller
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

SPECIAL = "google.protobuf."
"""Messages that JSON writes in another way than by their fields."""

_TIMES = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})

MANY = 16
"""Numbers of a list from which it is worth setting them apart."""

_TEXTS = {
    FieldDescriptor.CPPTYPE_INT64: str,
    FieldDescriptor.CPPTYPE_UINT64: str,
}
_Path = tuple[str | int, ...]
_Written = Mapping[int, tuple[str, Callable[[Any], Any], FieldDescriptor]]


@cache
def fields_by_name(descriptor: Descriptor) -> Mapping[str, FieldDescriptor]:
    """The fields by each name that JSON may have for them."""
    return {name: field for field in descriptor.fields for name in (field.json_name, field.name)}


def parse(value: Any, message: Message) -> None:
    """Fills an empty message. Empties the lists of numbers in the value; raises as `json_format.ParseDict` does."""
    descriptor: Any = message.DESCRIPTOR
    apart = list(_take_numbers(descriptor, value, ())) if isinstance(value, dict) else []
    json_format.ParseDict(value, message)
    for path, numbers in apart:
        _at(message, path).extend(numbers)


def to_value(message: Message) -> Any:
    """What stands for a message in JSON."""
    descriptor: Any = message.DESCRIPTOR
    return _message_writer(descriptor)(message)


def _take_numbers(descriptor: Descriptor, value: dict[str, Any], above: _Path) -> Iterator[tuple[_Path, list[float]]]:
    """Takes the lists out that need no other look: of finite numbers, for fields of numbers."""
    known = fields_by_name(descriptor)
    for name, given in value.items():
        field = known.get(name)
        if field is None or _other_name(field, name) in value:
            continue
        path = (*above, field.name)
        if field.message_type is None:
            if field.type == FieldDescriptor.TYPE_DOUBLE and _are_numbers(field, given):
                value[name] = []
                yield path, given
        elif not is_map(field) and not field.message_type.full_name.startswith(SPECIAL):
            for place, entry in _entries(field, given):
                yield from _take_numbers(field.message_type, entry, (*path, *place))


def _other_name(field: FieldDescriptor, name: str) -> str | None:
    """The name that JSON may also have for a field."""
    other = field.json_name if name == field.name else field.name
    return other if other != name else None


def _entries(field: FieldDescriptor, given: Any) -> Iterator[tuple[_Path, dict[str, Any]]]:
    """The objects that stand for messages of a field, each with its place in a list."""
    if not field.is_repeated:
        if isinstance(given, dict):
            yield (), given
    elif isinstance(given, list):
        for index, entry in enumerate(given):
            if isinstance(entry, dict):
                yield (index,), entry


def _are_numbers(field: FieldDescriptor, given: Any) -> bool:
    if not field.is_repeated or not isinstance(given, list) or len(given) < MANY:
        return False
    # An integer may be larger than any float, and true is one.
    return set(map(type, given)) == {float} and all(map(isfinite, given))


def _at(message: Message, path: _Path) -> Any:
    found: Any = message
    for step in path:
        found = found[step] if isinstance(step, int) else getattr(found, step)
    return found


@cache
def _message_writer(descriptor: Descriptor) -> Callable[[Any], Any]:
    if descriptor.full_name in _TIMES:
        return methodcaller("ToJsonString")
    if descriptor.full_name.startswith(SPECIAL):
        return json_format.MessageToDict

    def write(message: Message) -> dict[str, Any]:
        fields = _fields(descriptor)  # not before: messages may hold others of their own kind
        found = {}
        for field, value in message.ListFields():
            name, convert, _ = fields[field.number]
            is_as_it_is = convert is _same or (convert is _number and isfinite(value))
            found[name] = value if is_as_it_is else convert(value)
        return found

    return write


@cache
def _fields(descriptor: Descriptor) -> _Written:
    """How each field of a message is written, by its number.

    With the field, which is kept: `ListFields` makes an object for each field of each message where none is in use.
    """
    return {field.number: (field.json_name, _writer(field), field) for field in descriptor.fields}


def _writer(field: FieldDescriptor) -> Callable[[Any], Any]:
    if is_map(field):
        return _map_writer(field)
    if not field.is_repeated:
        return _single_writer(field)
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _numbers
    write = _single_writer(field)
    return lambda values: list(map(write, values))


def _map_writer(field: FieldDescriptor) -> Callable[[Any], Any]:
    kind: Any = field.message_type
    key, write = kind.fields_by_name["key"], _single_writer(kind.fields_by_name["value"])
    text: Callable[[Any], str] = _truth if key.cpp_type == FieldDescriptor.CPPTYPE_BOOL else str
    return lambda values: {text(name): write(values[name]) for name in values}


def _single_writer(field: FieldDescriptor) -> Callable[[Any], Any]:
    if field.message_type is not None:
        return _message_writer(field.message_type)
    if field.enum_type is not None:
        return _enum_writer(field.enum_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _base64
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _number
    if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
        raise TypeError(f"{field.full_name}: the contract has doubles only")
    return _TEXTS.get(field.cpp_type, _same)


def _enum_writer(kind: EnumDescriptor) -> Callable[[Any], Any]:
    names = {value.number: value.name for value in reversed(kind.values)}  # of two names the first
    return lambda number: names.get(number, number)


def _numbers(values: Any) -> list[Any]:
    found = list(values)
    return found if all(map(isfinite, found)) else list(map(_number, found))


def _number(value: float) -> Any:
    if isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # true of NaN alone


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _same(value: Any) -> Any:
    return value


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
