"""What no answer of a server may be, whatever it was asked: each function names what is wrong, or nothing."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from tests.fuzzing.contract import Method, is_map, new

DETAILS_KEY = "grpc-status-details-bin"
MOST_TRAILER_BYTES = 8 << 10
FAULTS = {grpc.StatusCode.INTERNAL.value[0]: "INTERNAL", grpc.StatusCode.UNKNOWN.value[0]: "UNKNOWN"}
MAY_BE_MISSING = frozenset({"Panel", "GetPricesResponse", "RollingSeries", "EstimateRiskModelResponse"})
"""Messages where the contract says that NaN stands for a price that is missing or a figure that is not defined."""

FOREIGN = re.compile(
    r"Traceback|object at 0x|NoneType|ndarray|<class|LinAlg|dtype|broadcast|unhashable|positional argument|"
    r"not subscriptable|out of bounds|invalid literal|(?-i:\b[A-Z]\w*Error\b)|"
    r"\b(numpy|scipy|sklearn|pandas|numba|clarabel|piqp|daqp|highs|cvxpy|protovalidate|sqlite|asyncio|pickle)\b",
    re.IGNORECASE,
)
"""Words of libraries and of Python, which tell a caller nothing about what to do."""


@dataclass(frozen=True)
class Answer:
    """How a call ended: the messages that came, a code, its text, and the bytes of its trailers."""

    messages: tuple[bytes, ...]
    code: grpc.StatusCode
    text: str = ""
    details: Status | None = None
    trailer_bytes: int = 0


def problems(method: Method, sent: Sequence[bytes], answer: Answer) -> Iterator[str]:
    """Everything that is wrong with an answer."""
    if answer.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
        yield f"{answer.code.name}: {answer.text}"
    if answer.trailer_bytes > MOST_TRAILER_BYTES:
        yield f"{answer.trailer_bytes} bytes of error details"
    if answer.details is not None:
        yield from status_problems(method, sent, answer.details)
    elif answer.code is grpc.StatusCode.INVALID_ARGUMENT:
        yield "INVALID_ARGUMENT without details"
    for data in answer.messages:
        message = new(method.response)
        message.ParseFromString(data)
        yield from (f"{path} is {value}" for path, value in not_finite(message))
        yield from faults_inside(message)


def status_problems(method: Method, sent: Sequence[bytes], status: Status) -> Iterator[str]:
    """What is wrong with an error: no reason, foreign words, or a field that the request does not have."""
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        for kind in (info, bad):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    if not info.reason:
        yield f"no reason: {status.message}"
    for text in [status.message, *(violation.description for violation in bad.field_violations)]:
        if not text.strip():
            yield "an empty text"
        if found := FOREIGN.search(_without_quotes(text)):
            yield f"foreign word {found[0]!r}: {text}"
    messages = [message for data in sent if (message := _parsed(method, data)) is not None]
    unreadable = len(messages) < len(sent)
    if method.streams_requests:
        # A stream may lack a whole message, such as the footer of an import; the field that would hold it is then the
        # one to name, and no message that was sent has it.
        messages.append(new(method.request))
    for violation in bad.field_violations:
        path = violation.field
        if path.endswith(" ..."):  # shortened, since it repeats a long text of the caller
            continue
        if not path and unreadable:  # bytes that are no message have no fields
            continue
        if messages and not any(has_path(message, path) for message in messages):
            yield f"the request has no field {path!r}: {violation.description}"


def has_path(message: Message, path: str) -> bool:
    """Whether a path such as `constraints[1].weight_bounds.lower` names a place of a message.

    Each field on the way is set and each index exists; the last field may be absent, but not a branch of a oneof in
    whose place another was sent. A oneof itself is no field, and neither is the empty path.
    """
    steps = re.findall(r"([a-z0-9_]+)((?:\[[^\]]*\])?)(\.|$)", path)
    if not steps or "".join("".join(step) for step in steps) != path:
        return False
    here: Any = message
    for position, (name, subscript, _) in enumerate(steps):
        last = position == len(steps) - 1
        kind: Descriptor = here.DESCRIPTOR
        field = kind.fields_by_name.get(name)
        if field is None:
            return False
        if field.containing_oneof is not None and here.WhichOneof(field.containing_oneof.name) not in (None, name):
            return False
        found = _step(here, field, subscript, last)
        if found is None:
            return False
        here = found
        if last:
            return True
        if not isinstance(here, Message):
            return False
    return True


def _step(here: Any, field: FieldDescriptor, subscript: str, last: bool) -> Any:
    """The value of a step of a path; None where there is none."""
    value = getattr(here, field.name)
    if is_map(field):
        return value if not subscript and last else value.get(subscript[1:-1].strip('"'))
    if field.is_repeated:
        if not subscript:
            return value if last else None
        index = subscript[1:-1]
        return value[int(index)] if index.isdigit() and int(index) < len(value) else None
    if subscript:
        return None
    return value if last or (field.message_type is not None and here.HasField(field.name)) else None


def not_finite(message: Message, path: str = "", *, nan: bool = False) -> Iterator[tuple[str, float]]:
    """Numbers of a message that are infinite, or NaN where the contract does not give that a meaning (`nan`)."""
    nan = nan or message.DESCRIPTOR.name in MAY_BE_MISSING
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        if is_map(field):
            continue
        listed = value if field.is_repeated else [value]
        if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            yield from ((here, one) for one in listed if math.isinf(one) or (math.isnan(one) and not nan))
        elif field.message_type is not None:
            for one in listed:
                yield from not_finite(one, here, nan=nan)
    yield from ((f"{path}.data", one) for one in _tensor(message) if math.isinf(one) or not nan)


def _tensor(message: Any) -> list[float]:
    """The first number of a tensor that is not finite, if there is one."""
    fields = message.DESCRIPTOR.fields_by_name
    if not {"shape", "dtype", "data"} <= set(fields):
        return []
    kind = fields["dtype"].enum_type.values_by_number[message.dtype].name
    if "FLOAT" not in kind:
        return []
    numbers = np.frombuffer(message.data, "<f8" if kind.endswith("64") else "<f4")
    # Infinity is never meant; NaN may be.
    bad = sorted(numbers[~np.isfinite(numbers)].tolist(), key=math.isnan)
    return bad[:1]


def faults_inside(message: Message, path: str = "") -> Iterator[str]:
    """Errors of the server that an answer carries as values."""
    if isinstance(message, Status):
        if message.code in FAULTS:
            yield f"{FAULTS[message.code]} in {path}: {message.message}"
        return
    for field, value in message.ListFields():
        if field.message_type is None or is_map(field):
            continue
        for one in value if field.is_repeated else [value]:
            yield from faults_inside(one, f"{path}.{field.name}" if path else field.name)


def _without_quotes(text: str) -> str:
    """A text without what it quotes of the request."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)


def _parsed(method: Method, data: bytes) -> Message | None:
    message = new(method.request)
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message
