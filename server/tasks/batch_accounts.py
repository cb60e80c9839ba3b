"""Messages of the accounts of a batch: what is wrong with one is its outcome, as long as its key can be told."""

from typing import TypeVar

from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest
from google.protobuf.message import DecodeError

from domain.errors import InvalidInput, NotSupported
from domain.records import dataclass
from server.converters.message import InvalidRequest, message_from_bytes
from server.execution.control import Control

MAX_KEY_LENGTH = 128
"""As the contract has it: a longer key is not sent back."""

M = TypeVar("M", OptimizeBatchRequest, ReallocateBatchRequest)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An account that cannot be read."""

    key: str
    error: Exception


def account_message(kind: type[M], request: bytes, first: str) -> M | Refusal:
    """The message of an account. Raises what is wrong with it where it has no key, and where it is the `first` one."""
    try:
        message = message_from_bytes(kind, request)
    except (InvalidRequest, NotSupported) as error:
        key = key_of(kind, request)
        if not key:
            raise
        return Refusal(key, error)
    if message.HasField(first):
        raise InvalidInput(first, "must be sent once, as the first message")
    return message


def key_of(kind: type[M], request: bytes) -> str:
    """The key of an account that breaks a rule; empty where there is none that can be sent back."""
    try:
        message = kind.FromString(request)
    except DecodeError:
        return ""
    key: str = message.account.key
    return "" if len(key) > MAX_KEY_LENGTH else key


def go_on(control: Control) -> None:
    """After an error of one account: raises where whoever asked has left, or the whole batch is out of time."""
    control.unlimited()
    control()
