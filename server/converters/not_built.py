"""Fields of the contract that no engine serves yet: a request that sets one is refused by its name, never answered
as if the field were not there.

Whoever builds a field removes its line here. A field that is served for some of its values lists them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from domain.errors import NotSupported

PACKAGE = "absfinance.v1."
NONE: frozenset[object] = frozenset()

NOT_BUILT: Mapping[str, frozenset[object]] = {
    # Message.field -> values that are served all the same; names of enum values, True or False.
}


def refuse_what_is_not_built(request: Message) -> None:
    """Raises NotSupported for the first field that is set and not served."""
    path = next(_found(request, ""), None)
    if path is not None:
        raise NotSupported(f"{path} is not supported yet", field=path.split(" ")[0])


def is_built(field: FieldDescriptor) -> bool:
    """Whether a field is served for some of its values at least."""
    return NOT_BUILT.get(_key(field)) != NONE


def _key(field: FieldDescriptor) -> str:
    """A field as NOT_BUILT names it."""
    return field.full_name.removeprefix(PACKAGE)


def _found(message: Message, prefix: str) -> Iterator[str]:
    for field, served, nested in _watched(message.DESCRIPTOR):
        repeated = field.is_repeated
        value: Any = getattr(message, field.name)
        if not (len(value) if repeated else _is_set(message, field, value)):
            continue
        path = f"{prefix}{field.name}"
        if served is not None and (shown := _not_served(field, value, served)) is not None:
            yield path + shown
        if nested:
            entries = enumerate(value) if repeated else [(None, value)]
            for i, entry in entries:
                yield from _found(entry, f"{path}." if i is None else f"{path}[{i}].")


def _is_set(message: Message, field: FieldDescriptor, value: object) -> bool:
    return message.HasField(field.name) if field.has_presence else bool(value)


def _not_served(field: FieldDescriptor, value: Any, served: frozenset[object]) -> str | None:
    """What follows the path in the message; None for a value that is served."""
    if field.enum_type is not None:
        name = field.enum_type.values_by_number[value].name
        return None if name in served else f" {name}"
    return None if served and value in served else ""


@cache
def _watched(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, frozenset[object] | None, bool], ...]:
    """Fields that are not built, with the values served, and fields whose messages may hold such fields."""
    found = []
    for field in descriptor.fields:
        served = NOT_BUILT.get(_key(field))
        nested = served is None and field.message_type is not None and _leads_to_any(field.message_type)
        if served is not None or nested:
            found.append((field, served, nested))
    return tuple(found)


@cache
def _leads_to_any(descriptor: Descriptor) -> bool:
    """Whether a message of this type can hold a field that is not built, at any depth."""
    pending, seen = [descriptor], {descriptor.full_name}
    while pending:
        current = pending.pop()
        if current.GetOptions().map_entry:
            continue
        for field in current.fields:
            if _key(field) in NOT_BUILT:
                return True
            kind = field.message_type
            if kind is not None and kind.full_name not in seen:
                seen.add(kind.full_name)
                pending.append(kind)
    return False
