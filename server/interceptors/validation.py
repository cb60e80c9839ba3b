"""Holds each request message against the rules that stand beside its fields in the contract."""

# grpc.RpcMethodHandler takes type parameters in its stub only.
from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import protovalidate
from google.protobuf.message import Message

from server.interceptors.surround import Context, Surround, constructor_and_behaviour


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the contract that a field breaks."""

    field: str
    rule: str


class InvalidRequest(Exception):
    """A message breaks rules of the contract."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{v.field}: {v.rule}" if v.field else v.rule for v in violations))
        self.violations = violations


class Validation(Surround):
    """Innermost: a message that reaches a servicer keeps the contract's rules."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Nothing to do around the call: the messages are what is checked."""
        yield

    def covers(self, handler: grpc.RpcMethodHandler[Any, Any]) -> bool:
        """Not a method that is not built yet: its answer is the same whatever is sent."""
        _, behaviour = constructor_and_behaviour(handler)
        return not behaviour.__module__.endswith("_pb2_grpc")

    def check(self, request: Message) -> None:
        """Raises InvalidRequest with every rule that is broken."""
        broken = protovalidate.collect_violations(request)
        if broken:
            raise InvalidRequest(tuple(Violation(_path(violation), violation.proto.message) for violation in broken))


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
