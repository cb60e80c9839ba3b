"""Converts errors to statuses, with typed details that a program can act on.

| error | details beside ErrorInfo |
|---|---|
| InvalidRequest, InvalidInput, RequestIdReused | BadRequest |
| MissingMarketData, NotFound, AlreadyExists | ResourceInfo |
| whatever has the code FAILED_PRECONDITION | PreconditionFailure |
| InfeasibleProblem | InfeasibilityReport too |
| QuotaExceeded, MemoryLimitExceeded | QuotaFailure |
| service errors with a retry delay | RetryInfo |

Errors of the engine get their code here (`_CODES`), errors of the server have it (`ServiceError.CODE`). Any other error
is INTERNAL, and its text never leaves the server: the caller gets the id under which the log has it.

Details travel in the trailers, which many clients limit to 8 KiB and then drop the whole call. So texts are shortened,
and a list that does not fit ends early; `omitted` in the ErrorInfo says how many entries are missing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from absfinance.v1.optimization_pb2 import InfeasibilityReport
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status

from domain import errors as domain
from server.converters.message import InvalidRequest
from server.ports.errors import (
    AlreadyExists,
    MemoryLimitExceeded,
    NotFound,
    QuotaExceeded,
    RequestIdReused,
    ServiceError,
)

DOMAIN = "absfinance"
TEXT_BYTES = 500
LIST_BYTES = 2_500

_CODES: Mapping[type[domain.DomainError], int] = {
    domain.InvalidInput: code_pb2.INVALID_ARGUMENT,
    domain.MissingMarketData: code_pb2.NOT_FOUND,
    domain.InfeasibleProblem: code_pb2.FAILED_PRECONDITION,
    domain.FormulaMissesConstraint: code_pb2.FAILED_PRECONDITION,
    domain.UnboundedProblem: code_pb2.FAILED_PRECONDITION,
    domain.NoPositiveExcessReturn: code_pb2.FAILED_PRECONDITION,
    domain.NotSupported: code_pb2.UNIMPLEMENTED,
    domain.SolverFailed: code_pb2.FAILED_PRECONDITION,
    domain.SolverTimedOut: code_pb2.DEADLINE_EXCEEDED,
    domain.Cancelled: code_pb2.CANCELLED,
}


def code_of(kind: type[domain.DomainError | ServiceError]) -> str:
    """The name of the code that errors of a class have."""
    if issubclass(kind, ServiceError):
        return kind.CODE
    name: str = code_pb2.Code.Name(next(code for known, code in _CODES.items() if issubclass(kind, known)))
    return name


def status_from_error(error: Exception) -> Status | None:
    """The status of an error, with its details; None for an error that no request should cause."""
    if isinstance(error, InvalidRequest):
        return _bad_request(str(error), [(v.field, v.rule, v.reason) for v in error.violations])
    if isinstance(error, domain.InvalidInput):
        return _bad_request(error.message, [(error.field, error.rule, error.reason)], error.reason)
    if isinstance(error, domain.DomainError):
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), code_pb2.FAILED_PRECONDITION)
        details, omitted = _domain_details(error)
        return _status(code, error.message, error.REASON, {**error.metadata, **omitted}, *details)
    return _service_status(error) if isinstance(error, ServiceError) else None


def method_not_built(method: str) -> Status:
    """The status of a method that has no engine yet."""
    return _status(code_pb2.UNIMPLEMENTED, f"{method} is not built yet", "METHOD_NOT_BUILT", {"method": method})


def internal_error(request_id: str) -> Status:
    """The status of an error that no request should cause: it says where the log has it, and nothing of the error."""
    return _status(code_pb2.INTERNAL, f"internal error, id {request_id}", "INTERNAL", {"request_id": request_id})


def _service_status(error: ServiceError) -> Status:
    if isinstance(error, RequestIdReused):
        return _bad_request(error.message, [(error.field, error.message, error.REASON)], error.REASON)
    code = code_pb2.Code.Value(error.CODE)
    details: list[Message] = []
    if isinstance(error, NotFound | AlreadyExists):
        details.append(ResourceInfo(resource_type=error.kind, resource_name=_short(error.name)))
    if code == code_pb2.FAILED_PRECONDITION:
        details.append(_precondition(error.REASON, error.SUBJECT, error.message))
    if isinstance(error, QuotaExceeded | MemoryLimitExceeded):
        details.append(_quota_failure(error))
    if error.HAS_RETRY_DELAY:
        delay = Duration()
        delay.FromMilliseconds(math.ceil(1e3 * error.retry_after_seconds))
        details.append(RetryInfo(retry_delay=delay))
    return _status(code, error.message, error.REASON, error.metadata, *details)


def _quota_failure(error: QuotaExceeded | MemoryLimitExceeded) -> QuotaFailure:
    violation = QuotaFailure.Violation(
        subject=error.SUBJECT,
        description=_short(error.message),
        quota_id=error.quota,
        quota_value=error.quota_value,
    )
    return QuotaFailure(violations=[violation])


def _precondition(reason: str, subject: str, message: str) -> PreconditionFailure:
    violation = PreconditionFailure.Violation(type=reason, subject=subject, description=_short(message))
    return PreconditionFailure(violations=[violation])


def _bad_request(
    message: str, violations: list[tuple[str, str, str]], reason: str = domain.InvalidInput.REASON
) -> Status:
    detail = BadRequest()
    entries = (
        {"field": _short(field), "description": _short(rule), "reason": rule_reason}
        for field, rule, rule_reason in violations
    )
    omitted = _fill(detail, detail.field_violations, entries, len(violations))
    return _status(code_pb2.INVALID_ARGUMENT, message, reason, {"field": violations[0][0], **omitted}, detail)


def _domain_details(error: domain.DomainError) -> tuple[list[Message], Mapping[str, str]]:
    if isinstance(error, domain.MissingMarketData):
        symbols = _short(error.metadata.get("symbols", ""))
        return [ResourceInfo(resource_type="market data", resource_name=symbols)], {}
    details: list[Message] = []
    omitted: Mapping[str, str] = {}
    if _CODES.get(type(error)) == code_pb2.FAILED_PRECONDITION:
        details.append(_precondition(error.REASON, "request", error.message))
    if isinstance(error, domain.InfeasibleProblem):
        report = InfeasibilityReport()
        entries = (
            {
                "label": label,
                "smallest_relaxation": error.relaxations.get(label),
                "joint_relaxation": error.joint.get(label),
            }
            for label in error.labels
        )
        omitted = _fill(report, report.conflicts, entries, len(error.labels))
        details.append(report)
    return details, omitted


def _status(code: int, message: str, reason: str, metadata: Mapping[str, str], *details: Message) -> Status:
    status = Status(code=code, message=_short(message))
    known = {name: _short(text) for name, text in metadata.items()}
    for detail in (ErrorInfo(reason=reason, domain=DOMAIN, metadata=known), *details):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _short(text: str) -> str:
    """The text, or its beginning where it is longer than a trailer should carry."""
    encoded = text.encode()
    return text if len(encoded) <= TEXT_BYTES else encoded[: TEXT_BYTES - 4].decode(errors="ignore") + " ..."


def _fill(detail: Message, list_of: Any, entries: Iterable[Mapping[str, Any]], count: int) -> Mapping[str, str]:
    """Adds entries to a list of a detail as long as they fit; how many do not, for the ErrorInfo."""
    for entry in entries:
        list_of.add(**entry)
        if detail.ByteSize() > LIST_BYTES:
            del list_of[-1]
            break
    omitted = count - len(list_of)
    return {"omitted": str(omitted)} if omitted else {}
