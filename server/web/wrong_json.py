"""Says what is wrong with JSON that is not a message: which field, and which rule it breaks."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from server.web.json_mapping import SPECIAL, fields_by_name

Found = tuple[str, str]
"""The path of a field, as the contract writes it, and the rule that it breaks."""

_KINDS = {
    FieldDescriptor.TYPE_BOOL: "true or false",
    FieldDescriptor.TYPE_STRING: "a text",
    FieldDescriptor.TYPE_BYTES: "a text in base64",
    FieldDescriptor.TYPE_DOUBLE: "a number",
    FieldDescriptor.TYPE_FLOAT: "a number",
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_NO_NUMBERS = (
    FieldDescriptor.TYPE_BOOL,
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_BYTES,
    FieldDescriptor.TYPE_ENUM,
    FieldDescriptor.TYPE_MESSAGE,
    FieldDescriptor.TYPE_GROUP,
)
_TEXTS: Mapping[int, re.Pattern[str]] = {
    **{kind: _NUMBER for kind in range(1, FieldDescriptor.MAX_TYPE + 1) if kind not in _NO_NUMBERS},
    FieldDescriptor.TYPE_BYTES: _BASE64,
}
"""How a text must be written where it stands for a number, or for bytes."""

UNREADABLE = (
    json_format.ParseError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    SystemError,
)
"""What reading a wrong value raises: protobuf itself fails where it looks for a name that is not Unicode."""

MAX_NAME = 64
"""Signs of a wrong name that are told back."""


def what_is_wrong(descriptor: Descriptor, value: Any) -> Found:
    """The first field that cannot be read, of a value that is no message of this kind."""
    if not isinstance(value, dict):
        return "", f"must be a JSON object of the fields of {descriptor.full_name}"
    found = next(_broken_fields(descriptor, value, ""), None)
    return found or ("", f"sets two fields of one oneof of {descriptor.full_name}, or one field twice")


def what_is_guessed(descriptor: Descriptor, value: Any) -> Found | None:
    """The first field of a value that can be read, but only because protobuf takes something else for what it must be.

    It reads true as 1, "1_0" as 10, [] as an object, and base64 without the signs that are none: a mistake would become
    another request.
    """
    return _guessed_fields(descriptor, value, "") if isinstance(value, dict) else what_is_wrong(descriptor, value)


def _guessed_fields(descriptor: Descriptor, value: Mapping[str, Any], above: str) -> Found | None:
    fields = fields_by_name(descriptor)
    found = (_guessed(fields[name], given, f"{above}{fields[name].name}") for name, given in value.items())
    return next(filter(None, found), None)


def _guessed(field: FieldDescriptor, given: Any, path: str) -> Found | None:
    """What is guessed of the value of a field; nothing where it is null, which says that the field is not set."""
    kind = field.message_type
    if given is None or (kind and (kind.GetOptions().map_entry or kind.full_name.startswith(SPECIAL))):
        return None  # maps of requests have texts alone
    if kind is None:
        is_guessed = _is_guessed(field, given if field.is_repeated else (given,))
        return (path, f"must be {_kind(field)}") if is_guessed else None
    if field.is_repeated:
        found = (_guessed_message(field, entry, f"{path}[{index}]") for index, entry in enumerate(given))
        return next(filter(None, found), None)
    return _guessed_message(field, given, path)


def _guessed_message(field: FieldDescriptor, given: Any, path: str) -> Found | None:
    kind = field.message_type
    if kind is None or not isinstance(given, dict):
        return path, f"must be {_kind(field)}"
    return _guessed_fields(kind, given, f"{path}.")


def _is_guessed(field: FieldDescriptor, entries: Iterable[Any]) -> bool:
    written = _TEXTS.get(field.type)
    if written is None:
        return False
    kinds = set(map(type, entries))
    if bool in kinds:
        return True
    return str in kinds and not all(written.fullmatch(entry) for entry in entries if isinstance(entry, str))


def _broken_fields(descriptor: Descriptor, value: dict[str, Any], above: str) -> Iterator[Found]:
    known = fields_by_name(descriptor)
    for name, given in value.items():
        field = known.get(name)
        if field is None:
            yield f"{above}{_shown(name)}", _unknown(name, descriptor)
        elif not _can_be_read(descriptor, {name: given}):
            yield _inside(descriptor, field, given, f"{above}{field.name}")


def _inside(parent: Descriptor, field: FieldDescriptor, value: Any, path: str) -> Found:
    """What is wrong with the value of a field that cannot be read."""
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return path, f"must be an object whose values are {_kind(kind.fields_by_name['value'])}"
    if field.is_repeated:
        if not isinstance(value, list):
            return path, f"must be an array; each entry is {_kind(field)}"
        for index, entry in enumerate(value):
            if not _can_be_read(parent, {field.name: [entry]}):
                return _value(field, entry, f"{path}[{index}]")
    return _value(field, value, path)


def _value(field: FieldDescriptor, value: Any, path: str) -> Found:
    kind = field.message_type
    if kind is None or kind.full_name.startswith(SPECIAL) or not isinstance(value, dict):
        return path, f"must be {_kind(field)}"
    found = next(_broken_fields(kind, value, f"{path}."), None)
    return found or (path, "sets two fields of one oneof, or one field twice")


def _can_be_read(descriptor: Descriptor, value: dict[str, Any]) -> bool:
    try:
        json_format.ParseDict(value, message_factory.GetMessageClass(descriptor)())
    except UNREADABLE:
        return False
    return True


def _shown(name: str) -> str:
    """A name that the caller has made up, as a text that can be sent: JSON allows halves of surrogate pairs."""
    short = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
    return short.encode("utf-8", "backslashreplace").decode()


def _unknown(name: str, descriptor: Descriptor) -> str:
    names = [field.json_name for field in descriptor.fields]
    near = difflib.get_close_matches(name[:MAX_NAME], names, 1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"is no field of {descriptor.full_name}{hint}"


def _kind(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        return f"a {field.message_type.full_name}"
    if field.enum_type is not None:
        return f"a name of {field.enum_type.full_name}"
    return _KINDS.get(field.type, "a whole number within its range")
