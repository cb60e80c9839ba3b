"""Request messages from bytes: the rules beside their fields in the contract hold, and every field set is served."""

import re
from dataclasses import dataclass
from typing import TypeVar

import protovalidate
from google.protobuf.message import DecodeError, Message

from domain.errors import InvalidInput
from server.converters.list_limits import too_long
from server.converters.not_built import refuse_what_is_not_built

M = TypeVar("M", bound=Message)

ALL_VIOLATIONS_BYTES = 2048
"""Up to here every broken rule is named; of a larger message only the first: naming all would cost more than reading
them."""

MAX_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the contract that a field breaks."""

    field: str
    rule: str
    rule_id: str = ""  # as protovalidate names it, such as double.gt

    @property
    def reason(self) -> str:
        """The rule's id in upper snake case, such as DOUBLE_GT; INVALID_INPUT where there is none."""
        return re.sub(r"\W+", "_", self.rule_id).upper() or InvalidInput.REASON


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
        raise InvalidRequest((Violation("", f"the bytes that were sent are no {name}"),)) from None
    small = len(data) <= ALL_VIOLATIONS_BYTES
    if not small and (long := too_long(message)) is not None:
        path, limit = long
        raise InvalidRequest((Violation(path, f"must contain no more than {limit} item(s)", "repeated.max_items"),))
    broken = protovalidate.collect_violations(message, fail_fast=True)
    if broken and small:
        broken = protovalidate.collect_violations(message)[:MAX_VIOLATIONS]
    if broken:
        raise InvalidRequest(tuple(_violation(one) for one in broken))
    refuse_what_is_not_built(message)
    return message


def _violation(violation: protovalidate.Violation) -> Violation:
    return Violation(_path(violation), violation.proto.message, violation.proto.rule_id)


def _path(violation: protovalidate.Violation) -> str:
    """The field as a path such as `constraints[1].weight_bounds.lower`."""
    if violation.proto.field is None:
        return ""
    path = ""
    for element in violation.proto.field.elements:
        path += f".{element.field_name}" if path else element.field_name
        subscript = element.subscript
        if subscript is not None:
            path += f"[{subscript.value}]"
    return path
