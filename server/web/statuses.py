"""Statuses of calls in the words of Connect: names of codes, statuses of HTTP, and details that can be read.

Sources: https://connectrpc.com/docs/protocol#error-codes and #error-end-stream.
"""

import base64
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "absfinance"
DETAILS_KEY = "grpc-status-details-bin"

HTTP_STATUS: Mapping[str, int] = {
    "canceled": 499,
    "unknown": 500,
    "invalid_argument": 400,
    "deadline_exceeded": 504,
    "not_found": 404,
    "already_exists": 409,
    "permission_denied": 403,
    "resource_exhausted": 429,
    "failed_precondition": 400,
    "aborted": 409,
    "out_of_range": 400,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
    "data_loss": 500,
    "unauthenticated": 401,
}
"""By the code's name in Connect."""

_OF_THE_CONNECTION = (code_pb2.UNAVAILABLE, code_pb2.INTERNAL, code_pb2.UNKNOWN)


class Refused(Exception):
    """A request that the listener itself refuses, with the status that its caller is told."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def refused(code: int, message: str, reason: str, *details: Message) -> Refused:
    """A refusal with the reason of the contract."""
    status = Status(code=code, message=message)
    for detail in (ErrorInfo(reason=reason, domain=DOMAIN), *details):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return Refused(status)


def invalid(field: str, rule: str) -> Refused:
    """A refusal of a request that breaks a rule; the field may be empty where it is the request as a whole."""
    violation = BadRequest.FieldViolation(field=field, description=rule)
    message = f"{field}: {rule}" if field else rule
    return refused(code_pb2.INVALID_ARGUMENT, message, "INVALID_INPUT", BadRequest(field_violations=[violation]))


def overloaded(message: str) -> Refused:
    """A refusal of a request that may be sent again in a second."""
    wait = RetryInfo(retry_delay=Duration(seconds=1))
    return refused(code_pb2.RESOURCE_EXHAUSTED, message, "OVERLOADED", wait)


def status_of_call(error: grpc.aio.AioRpcError) -> Status:
    """The status of a call that the server, or the channel to it, has ended."""
    code: int = error.code().value[0]
    packed = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    if isinstance(packed, bytes):
        try:
            return Status.FromString(packed)
        except DecodeError:
            pass
    if code in _OF_THE_CONNECTION:
        # What gRPC says of a connection names files of this machine.
        return Status(code=code_pb2.UNAVAILABLE, message="the server cannot be reached; try again")
    return Status(code=code, message=error.details() or "")


def code_name(status: Status) -> str:
    """The name of a status's code in Connect."""
    if status.code == code_pb2.CANCELLED:
        return "canceled"  # the one that is spelled in another way
    name = code_pb2.Code.Name(status.code).lower() if status.code in code_pb2.Code.values() else ""
    return name if name in HTTP_STATUS else "unknown"


def error_json(status: Status) -> dict[str, Any]:
    """The error of Connect: code, message and details, each with its bytes and, to be read, its fields."""
    found: dict[str, Any] = {"code": code_name(status)}
    if status.message:
        found["message"] = status.message
    if status.details:
        found["details"] = [_detail(detail) for detail in status.details]
    return found


def _detail(detail: AnyMessage) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": detail.type_url.rpartition("/")[2],
        "value": base64.b64encode(detail.value).decode().rstrip("="),
    }
    try:
        shown = json_format.MessageToDict(detail)
    except (TypeError, json_format.Error):
        return found  # of a type that the contract does not have
    shown.pop("@type", None)
    return {**found, "debug": shown}
