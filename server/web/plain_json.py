"""Values of JSON into messages where every value is of the type that its field has, in a third of the time.

That is what programs send. Whatever else JSON may have for a field, such as a number as a text or a time, and whatever
is wrong, is left to `json_mapping.parse` and `wrong_json`: what is read here they read in the same way.
"""

from collections.abc import Callable, Mapping
from functools import cache
from math import isfinite
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from server.web.json_mapping import SPECIAL, fields_by_name, is_map

MOST_DEPTH = 32
"""Messages inside messages; `json_format` knows a limit too, and may say so."""

_Reader = Callable[[Message, Any, int], bool]

_TYPES: Mapping[int, frozenset[type]] = {
    FieldDescriptor.CPPTYPE_DOUBLE: frozenset({float, int}),
    FieldDescriptor.CPPTYPE_INT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_INT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_BOOL: frozenset({bool}),
    FieldDescriptor.CPPTYPE_STRING: frozenset({str}),
}
"""The types of Python that JSON has for a field; true is no int here, since its type is bool."""


def read_plain(value: Any, message: Message, depth: int = 0) -> bool:
    """Fills an empty message, and says whether it could: if not, or where it raises, what it has filled is of no use.

    Raises ValueError, TypeError or OverflowError for what is out of the range of its field.
    """
    if type(value) is not dict or depth == MOST_DEPTH:
        return False
    descriptor: Any = message.DESCRIPTOR
    readers, seen = _readers(descriptor), set()
    for name, given in value.items():
        found = readers.get(name)
        if found is None:
            return False
        place, read = found
        if place in seen or not read(message, given, depth + 1):
            return False
        seen.add(place)
    return True


@cache
def _readers(descriptor: Descriptor) -> Mapping[str, tuple[str, _Reader]]:
    """By each name of a field: its oneof, or itself, which may be set once, and what reads it."""
    return {
        name: (f"oneof {field.containing_oneof.name}" if field.containing_oneof else field.name, _reader(field))
        for name, field in fields_by_name(descriptor).items()
    }


def _reader(field: FieldDescriptor) -> _Reader:
    kind = field.message_type
    if is_map(field) or (kind and kind.full_name.startswith(SPECIAL)) or field.type == FieldDescriptor.TYPE_BYTES:
        return _leave
    if kind is not None:
        return _message_list_reader(field) if field.is_repeated else _message_reader(field)
    if field.enum_type is not None:
        return _leave if field.is_repeated else _enum_reader(field.name, field.enum_type)
    types = _TYPES.get(field.cpp_type)
    if types is None:
        return _leave
    numbers = field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE
    return _list_reader(field, types, numbers) if field.is_repeated else _scalar_reader(field, types, numbers)


def _leave(message: Message, given: Any, depth: int) -> bool:
    return False


def _message_reader(field: FieldDescriptor) -> _Reader:
    name = field.name

    def read(message: Message, given: Any, depth: int) -> bool:
        inner = getattr(message, name)
        inner.SetInParent()  # an empty one is set too
        return read_plain(given, inner, depth)

    return read


def _message_list_reader(field: FieldDescriptor) -> _Reader:
    name = field.name

    def read(message: Message, given: Any, depth: int) -> bool:
        add = getattr(message, name).add
        return type(given) is list and all(read_plain(entry, add(), depth) for entry in given)

    return read


def _enum_reader(name: str, kind: EnumDescriptor) -> _Reader:
    numbers = {value.name: value.number for value in kind.values}

    def read(message: Message, given: Any, depth: int) -> bool:
        number = numbers.get(given) if type(given) is str else None
        if number is None:
            return False
        setattr(message, name, number)
        return True

    return read


def _list_reader(field: FieldDescriptor, types: frozenset[type], numbers: bool) -> _Reader:
    name = field.name

    def read(message: Message, given: Any, depth: int) -> bool:
        if type(given) is not list or not types.issuperset(map(type, given)):
            return False
        if numbers and not all(map(isfinite, given)):
            return False
        getattr(message, name).extend(given)
        return True

    return read


def _scalar_reader(field: FieldDescriptor, types: frozenset[type], numbers: bool) -> _Reader:
    name = field.name

    def read(message: Message, given: Any, depth: int) -> bool:
        if type(given) not in types or (numbers and not isfinite(given)):
            return False
        setattr(message, name, given)
        return True

    return read
