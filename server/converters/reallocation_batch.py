"""Accounts of ReallocateBatch as requests of Reallocate, and their outcomes."""

from absfinance.v1 import reallocation_pb2
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse, ReallocateRequest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from domain.errors import InvalidInput
from domain.reallocation.batch_account import Consent, SharedTerms
from domain.reallocation.shared_liquidity import SharingRule
from server.converters.status import status_from_error
from server.ports.errors import Refused

_RULES = {
    reallocation_pb2.LIQUIDITY_ALLOCATION_UNSPECIFIED: SharingRule.PRO_RATA,
    reallocation_pb2.LIQUIDITY_ALLOCATION_PRO_RATA: SharingRule.PRO_RATA,
    reallocation_pb2.LIQUIDITY_ALLOCATION_MAX_MIN: SharingRule.MAX_MIN,
    reallocation_pb2.LIQUIDITY_ALLOCATION_PRIORITY: SharingRule.PRIORITY,
}

_RESULT_TAG = bytes((ReallocateBatchResponse.RESULT_FIELD_NUMBER << 3 | 2,))
"""Before the length and the bytes of a result."""

_OF_A_BATCH = frozenset(("key", "liquidity_allocation", "allow_crossing", "priority"))
"""Fields that a request of one portfolio does not have."""


def shared_terms_from_proto(shared: ReallocateBatchRequest.Shared) -> SharedTerms | None:
    """What the portfolios share beside market and target; None where each is planned alone. Raises InvalidInput."""
    limited = shared.limits.HasField("max_participation")
    if shared.liquidity_allocation and not limited:
        raise InvalidInput("shared.liquidity_allocation", "needs shared.limits.max_participation, a volume to divide")
    if not (limited or shared.HasField("allow_crossing")):
        return None
    return SharedTerms(shared.limits.max_participation if limited else None, _RULES[shared.liquidity_allocation])


def consent_from_proto(
    shared: ReallocateBatchRequest.Shared, account: ReallocateBatchRequest.Account, terms: SharedTerms | None
) -> Consent:
    """What a portfolio says of the others. Raises InvalidInput for one that would cross where none is planned."""
    if terms is None and account.allow_crossing:
        raise InvalidInput(
            "account.allow_crossing", "needs shared.limits.max_participation, or shared.allow_crossing to be set"
        )
    own = account.HasField("allow_crossing")
    return Consent(account.allow_crossing if own else shared.allow_crossing, account.priority)


def request_of_account(
    shared: ReallocateBatchRequest.Shared, account: ReallocateBatchRequest.Account
) -> ReallocateRequest:
    """What Reallocate would be asked for this account; nothing is stored, and a limit on shared volume is left out."""
    request = ReallocateRequest(validate_only=True)
    _merge(request, shared)
    if request.HasField("limits"):
        request.limits.ClearField("max_participation")
    _merge(request, account)  # what an account has of its own takes the place of what is shared
    return request


def reallocated_to_bytes(key: str, payload: bytes) -> bytes:
    """The answer of an account, of the bytes of its reallocation: reading these to write them again takes long."""
    encoded: bytes = ReallocateBatchResponse(key=key).SerializeToString()
    return encoded + _RESULT_TAG + _variable_length(len(payload)) + payload


def _variable_length(number: int) -> bytes:
    """A number as protobuf writes the length of a message: seven bits in each byte, the low ones first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def not_reallocated_to_bytes(key: str, error: Exception) -> bytes:
    """Why an account has no answer."""
    status = Status.FromString(error.status) if isinstance(error, Refused) else status_from_error(error)
    encoded: bytes = ReallocateBatchResponse(key=key, error=status).SerializeToString()
    return encoded


def _merge(request: ReallocateRequest, part: Message) -> None:
    """Sets the fields of a part, which has them by the same names; its key is its own."""
    for field, value in part.ListFields():
        if field.name in _OF_A_BATCH:
            continue
        if field.is_repeated:
            getattr(request, field.name).extend(value)
        elif field.message_type is not None:
            getattr(request, field.name).CopyFrom(value)
        else:
            setattr(request, field.name, value)
