"""Request messages from bytes: the rules beside their fields in the contract hold, and every field set is served."""

from typing import TypeVar

import protovalidate
from google.protobuf.message import DecodeError, Message

from server.converters.list_limits import too_long
from server.converters.not_built import refuse_what_is_not_built
from server.converters.rules_across_fields import broken_across_fields
from server.converters.violations import Violation, violation_in_words

M = TypeVar("M", bound=Message)

ALL_VIOLATIONS_BYTES = 2048
"""Up to here every broken rule is named; of a larger message only the first: naming all would cost more than reading
them."""

MAX_VIOLATIONS = 20


class InvalidRequest(Exception):
    """A message breaks rules of the contract."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{v.field}: {v.rule}" if v.field else v.rule for v in violations))
        self.violations = violations


def message_from_bytes(kind: type[M], data: bytes) -> M:
    """A message that keeps the contract's rules. Raises InvalidRequest, NotSupported for a field that is not built."""
    try:
        message = kind.FromString(data)
    except DecodeError:
        name = kind.DESCRIPTOR.name
        raise InvalidRequest((Violation("", f"the bytes sent cannot be parsed as {name}"),)) from None
    return checked_message(message, len(data))


def checked_message(message: M, size: int) -> M:
    """A message of so many bytes that keeps the contract's rules. Raises InvalidRequest or NotSupported."""
    small = size <= ALL_VIOLATIONS_BYTES
    if not small and (long := too_long(message)) is not None:
        path, limit = long
        raise InvalidRequest((Violation(path, f"must contain no more than {limit} item(s)", "repeated.max_items"),))
    broken = protovalidate.collect_violations(message, fail_fast=True)
    if broken and small:
        broken = protovalidate.collect_violations(message)[:MAX_VIOLATIONS]
    violations = (*(violation_in_words(one, message.DESCRIPTOR) for one in broken), *broken_across_fields(message))
    if violations:
        raise InvalidRequest(violations)
    refuse_what_is_not_built(message)
    return message
