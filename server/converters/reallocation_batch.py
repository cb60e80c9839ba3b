"""Accounts of ReallocateBatch as requests of Reallocate, and their outcomes."""

from absfinance.v1.reallocation_pb2 import Reallocation
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse, ReallocateRequest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from domain.errors import NotSupported
from server.converters.status import status_from_error
from server.ports.errors import Refused


def require_no_shared_volume(shared: ReallocateBatchRequest.Shared) -> None:
    """Raises NotSupported for a limit that counts for all portfolios together."""
    if shared.limits.HasField("max_participation"):
        raise NotSupported(
            "shared.limits.max_participation is not supported yet: traded volume is not divided among portfolios; "
            "give each account limits of its own",
            field="shared.limits.max_participation",
        )


def request_of_account(
    shared: ReallocateBatchRequest.Shared, account: ReallocateBatchRequest.Account
) -> ReallocateRequest:
    """What Reallocate would be asked for this account; nothing is stored."""
    request = ReallocateRequest(validate_only=True)
    _merge(request, shared)
    _merge(request, account)  # what an account has of its own takes the place of what is shared
    return request


def reallocated_to_bytes(key: str, payload: bytes) -> bytes:
    """The answer of an account."""
    encoded: bytes = ReallocateBatchResponse(key=key, result=Reallocation.FromString(payload)).SerializeToString()
    return encoded


def not_reallocated_to_bytes(key: str, error: Exception) -> bytes:
    """Why an account has no answer."""
    status = Status.FromString(error.status) if isinstance(error, Refused) else status_from_error(error)
    encoded: bytes = ReallocateBatchResponse(key=key, error=status).SerializeToString()
    return encoded


def _merge(request: ReallocateRequest, part: Message) -> None:
    """Sets the fields of a part, which has them by the same names; its key is its own."""
    for field, value in part.ListFields():
        if field.name == "key":
            continue
        if field.is_repeated:
            getattr(request, field.name).extend(value)
        elif field.message_type is not None:
            getattr(request, field.name).CopyFrom(value)
        else:
            setattr(request, field.name, value)
