"""The fields that a request is made of."""

from collections.abc import Collection, Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_NOT_NUMBERS = {
    FieldDescriptor.CPPTYPE_MESSAGE,
    FieldDescriptor.CPPTYPE_STRING,
    FieldDescriptor.CPPTYPE_BOOL,
    FieldDescriptor.CPPTYPE_ENUM,
}


def message_fields(start: Descriptor, not_walked: Collection[str] = (), *, numbers_only: bool = False) -> Iterator[str]:
    """Fields of a message and of those in it, as Message.field; but for those in messages of the names `not_walked`."""
    for kind in messages_in(start, not_walked):
        for field in kind.fields:
            if not (numbers_only and field.cpp_type in _NOT_NUMBERS):
                yield f"{kind.name}.{field.name}"


def messages_in(start: Descriptor, not_walked: Collection[str] = ()) -> Iterator[Descriptor]:
    """A kind of message and those of its fields, each once."""
    pending, seen = [start], set[str]()
    while pending:
        kind = pending.pop()
        if kind.name in seen or kind.name in not_walked:
            continue
        seen.add(kind.name)
        yield kind
        pending += [field.message_type for field in kind.fields if field.message_type is not None]
