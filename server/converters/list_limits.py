"""Lists that are longer than the contract allows, found by counting alone.

Rules that concern a whole message make protovalidate copy all of it first, which takes longer than reading it did.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message


def too_long(message: Message) -> tuple[str, int] | None:
    """The path of a list that is too long, and how long it may be; None where there is none."""
    if not has_limits(message.DESCRIPTOR):
        return None
    fields = message.ListFields()
    for field, value in fields:  # the lists of this level before what is inside them
        limit = _limit(field)
        if limit is not None and len(value) > limit:
            return field.name, limit
    for field, value in fields:
        if field.message_type is None or not has_limits(field.message_type):
            continue
        for path, inner in _messages(field, value):
            if (found := too_long(inner)) is not None:
                return f"{path}.{found[0]}", found[1]
    return None


def _messages(field: FieldDescriptor, value: Any) -> Iterable[tuple[str, Message]]:
    """The messages of a field with their paths."""
    if field.is_repeated:
        return ((f"{field.name}[{i}]", one) for i, one in enumerate(value))
    return ((field.name, value),)


@cache
def has_limits(kind: Descriptor) -> bool:
    """Whether a message of this kind, or one inside it, has a list with a limit."""
    seen, waiting = {kind.full_name}, [kind]
    while waiting:  # each kind once: messages may hold others of their own kind
        for field in waiting.pop().fields:
            if _limit(field) is not None:
                return True
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
    return False


@cache
def _limit(field: FieldDescriptor) -> int | None:
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]  # type: ignore[index]  # typed for its own kind only
    if not rules.HasField("repeated") or not rules.repeated.HasField("max_items"):
        return None
    limit: int = rules.repeated.max_items
    return limit
