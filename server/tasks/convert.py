"""Reads a large request in a worker."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from server.converters.message import message_from_bytes
from server.execution.control import Control
from server.tasks.refusing import refusing

M = TypeVar("M", bound=Message)
T = TypeVar("T")


@refusing
def converted(kind: type[M], convert: Callable[[M], T], data: bytes, control: Control) -> T:
    """What a request asks for."""
    return convert(message_from_bytes(kind, data))
