"""Finds the values of a JSON request whose type is not that of their field, which the parser names without a path."""

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

NUMBERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_DOUBLE,
        FieldDescriptor.CPPTYPE_FLOAT,
    }
)


def wrong_types(content: Mapping[str, Any], kind: Any, path: str = "") -> Iterator[str]:
    """Path and rule of each value that is wrong for a descriptor, such as "constraints[0].label must be a text"."""
    fields = {name: field for field in kind.fields for name in (field.name, field.json_name)}
    for name, value in content.items():
        field = fields.get(name)
        if field is None or value is None:
            continue
        place = f"{path}{name}"
        if _is_map(field):
            if not isinstance(value, dict):
                yield f"{place} must be an object"
        elif not field.is_repeated:
            yield from _of_value(value, field, place)
        elif not isinstance(value, list):
            yield f"{place} must be a list"
        else:
            for i, item in enumerate(value):
                yield from _of_value(item, field, f"{place}[{i}]")


def _of_value(value: Any, field: FieldDescriptor, place: str) -> Iterator[str]:
    if field.message_type is not None:
        if field.message_type.full_name.startswith("google.protobuf."):
            return  # times and durations are texts
        if isinstance(value, dict):
            yield from wrong_types(value, field.message_type, f"{place}.")
        else:
            yield f"{place} must be an object"
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING and not isinstance(value, str):
        yield f"{place} must be a text"
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and not isinstance(value, bool):
        yield f"{place} must be true or false"
    elif field.cpp_type in NUMBERS and isinstance(value, bool | list | dict):
        yield f"{place} must be a number"


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
