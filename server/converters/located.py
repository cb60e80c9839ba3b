"""Maps the field path of an error to its path in the request as it was sent.

The engine names a field as far out as it can see: `dates[3]` of a panel, `views[0].terms[1].symbol` of an estimation,
or `prices.values` of data that the caller named as `market_data`. A caller reads paths from the request.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

from domain.errors import InvalidInput

_DATA = frozenset({"Panel", "Moments", "Scenarios", "MarketDataSelection"})
"""Messages that data comes in; as members of a oneof they are the input of a request."""

_STEP = re.compile(r"([a-z0-9_]+)(?:\[(\d+)\])?")


def located(error: InvalidInput, request: Message) -> InvalidInput:
    """The same complaint, its field seen from the request; for a field that is not in it, the nearest that is."""
    field = path_in_request(error.field, request)
    return error if field == error.field else InvalidInput(field, error.rule, error.reason)


def path_in_request(path: str, request: Message) -> str:
    """The path of the outermost field that ends like this one, or of the innermost that surrounds it.

    The path of the data where there is neither: the field is then a figure that was estimated from the data. "" where
    the request has no data.
    """
    steps = path.split(".")
    for prefix, message in _outside_in(request):
        completed = _completed(message, steps)
        if completed is not None:
            return prefix + completed
    first, _, rest = path.partition(".")
    sent = _sent_instead(first, request)
    if sent is not None:
        return path_in_request(f"{sent}.{rest}" if rest else sent, request)
    shorter = path[:-1].rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
    return path_in_request(shorter, request) if shorter else _data(request)


def _data(request: Message) -> str:
    """The path of what a request gives prices, returns or moments by; "" where it gives none."""
    given = (
        f"{prefix}{field.name}"
        for prefix, message in _outside_in(request)
        for field, _ in message.ListFields()
        if field.containing_oneof is not None and field.message_type is not None and field.message_type.name in _DATA
    )
    return next(given, "")


def _outside_in(request: Message) -> Iterator[tuple[str, Message]]:
    """A message and what is set inside it, level by level, each with the prefix of its fields; lists are left out."""
    level: list[tuple[str, Message]] = [("", request)]
    while level:
        yield from level
        level = [
            (f"{prefix}{field.name}.", value)
            for prefix, message in level
            for field, value in message.ListFields()
            if field.message_type is not None and not field.is_repeated
        ]


def _completed(message: Message, steps: Sequence[str]) -> str | None:
    """The path of a field of a message, through the branches of oneofs that it leaves out; None where it has none.

    Each step on the way is set and each index exists; the last field may be absent.
    """
    found = _STEP.fullmatch(steps[0])
    if found is None:
        return None
    name, index, rest = found[1], found[2], steps[1:]
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        return _through_a_branch(message, steps)
    if (one := field.containing_oneof) is not None and message.WhichOneof(one.name) not in (None, name):
        return None  # another branch was sent
    value: Any = getattr(message, name)
    if index is not None:
        if not field.is_repeated or int(index) >= len(value):
            return None
        value = value[int(index)]
    elif rest and (field.is_repeated or field.message_type is None or not message.HasField(name)):
        return None
    if not rest:
        return steps[0]
    inner = _completed(value, rest) if isinstance(value, Message) else None
    return None if inner is None else f"{steps[0]}.{inner}"


def _through_a_branch(message: Message, steps: Sequence[str]) -> str | None:
    for one in message.DESCRIPTOR.oneofs:
        sent = message.WhichOneof(one.name)
        if sent is not None and isinstance(value := getattr(message, sent), Message):
            inner = _completed(value, steps)
            if inner is not None:
                return f"{sent}.{inner}"
    return None


def _sent_instead(name: str, request: Message) -> str | None:
    """The branch of a oneof that was sent where another one is named."""
    for _, message in _outside_in(request):
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and field.containing_oneof is not None:
            sent: str | None = message.WhichOneof(field.containing_oneof.name)
            return None if sent == name else sent
    return None
