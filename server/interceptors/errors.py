"""The one place where an error becomes a gRPC status, with typed details that a program can act on.

| error | code | details beside ErrorInfo |
|---|---|---|
| InvalidRequest, InvalidInput, RequestIdReused | INVALID_ARGUMENT | BadRequest |
| InfeasibleProblem | FAILED_PRECONDITION | PreconditionFailure, InfeasibilityReport |
| UnboundedProblem, NoPositiveExcessReturn | FAILED_PRECONDITION | PreconditionFailure |
| MissingMarketData, NotFound | NOT_FOUND | ResourceInfo |
| NotSupported, an RPC that is not built yet | UNIMPLEMENTED | |
| SolverTimedOut, JobTimeBudgetExceeded | DEADLINE_EXCEEDED | |
| Cancelled | CANCELLED | |
| AlreadyExists | ALREADY_EXISTS | ResourceInfo |
| EtagMismatch | ABORTED | |
| EpochChanged, StillRunning | FAILED_PRECONDITION | PreconditionFailure |
| EventsCompacted | OUT_OF_RANGE | |
| Overloaded | RESOURCE_EXHAUSTED | RetryInfo |
| StorageFull | RESOURCE_EXHAUSTED | |
| Draining, StorageUnavailable | UNAVAILABLE | RetryInfo |
| SolverFailed, anything else | INTERNAL | |

Text of an unknown exception never leaves the server: the caller gets the id under which the log has it.

Details travel in the trailers, which many clients limit to 8 KiB and then drop the whole call. So texts are shortened,
and a list that does not fit ends early; `omitted` in the ErrorInfo says how many entries are missing.
"""

from collections.abc import AsyncIterator, Mapping, MutableSequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from absfinance.v1.optimization_pb2 import InfeasibilityReport
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from domain import errors as domain
from server.interceptors.surround import Context, Surround
from server.interceptors.validation import InvalidRequest
from server.observability import logger, request_id
from server.ports import (
    AlreadyExists,
    Draining,
    EpochChanged,
    EtagMismatch,
    EventsCompacted,
    JobTimeBudgetExceeded,
    NotFound,
    Overloaded,
    RequestIdReused,
    StillRunning,
    StorageFull,
    StorageUnavailable,
)

DOMAIN = "absfinance"
RETRY_AFTER_SECONDS = 1
DETAILS_KEY = "grpc-status-details-bin"
TEXT_BYTES = 500
LIST_BYTES = 2_500

Code = grpc.StatusCode

_CODES: Mapping[type[domain.DomainError], grpc.StatusCode] = {
    domain.InvalidInput: Code.INVALID_ARGUMENT,
    domain.MissingMarketData: Code.NOT_FOUND,
    domain.InfeasibleProblem: Code.FAILED_PRECONDITION,
    domain.UnboundedProblem: Code.FAILED_PRECONDITION,
    domain.NoPositiveExcessReturn: Code.FAILED_PRECONDITION,
    domain.NotSupported: Code.UNIMPLEMENTED,
    domain.SolverFailed: Code.INTERNAL,
    domain.SolverTimedOut: Code.DEADLINE_EXCEEDED,
    domain.Cancelled: Code.CANCELLED,
}


class Errors(Surround):
    """Turns whatever a handler raises into a status, and aborts the call with it."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Passes aborts and cancellation on; everything else leaves as a status."""
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            code, status = refusal(error, method, built=context.code() is not Code.UNIMPLEMENTED)
            await context.abort(code, status.message, ((DETAILS_KEY, status.SerializeToString()),))


def refusal(error: Exception, method: str = "", *, built: bool = True) -> tuple[grpc.StatusCode, Status]:
    """The status of an error; `built` is False where the method has no engine yet."""
    if isinstance(error, NotImplementedError) and not built:
        return _status(Code.UNIMPLEMENTED, f"{method} is not built yet", "METHOD_NOT_BUILT", {"method": method})
    if isinstance(error, InvalidRequest):
        return _bad_request(str(error), [(v.field, v.rule) for v in error.violations])
    if isinstance(error, domain.InvalidInput):
        return _bad_request(error.message, [(error.field, error.rule)], error.reason)
    if isinstance(error, RequestIdReused):
        return _bad_request(str(error), [(error.field, str(error))], "REQUEST_ID_REUSED")
    if isinstance(error, domain.DomainError):
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), Code.INTERNAL)
        details, omitted = _domain_details(error)
        return _status(code, error.message, error.REASON, {**error.metadata, **omitted}, *details)
    if isinstance(error, NotFound):
        resource = ResourceInfo(resource_type=error.kind, resource_name=_short(error.name))
        return _status(Code.NOT_FOUND, str(error), "NOT_FOUND", {"name": error.name}, resource)
    if isinstance(error, AlreadyExists):
        resource = ResourceInfo(resource_type=error.kind, resource_name=_short(error.name))
        return _status(Code.ALREADY_EXISTS, str(error), "ALREADY_EXISTS", {"name": error.name}, resource)
    if isinstance(error, EtagMismatch):
        return _status(Code.ABORTED, str(error), "ETAG_MISMATCH", {})
    if isinstance(error, EventsCompacted):
        oldest = {"oldest_sequence": str(error.oldest_sequence)}
        return _status(Code.OUT_OF_RANGE, str(error), "EVENTS_COMPACTED", oldest)
    if isinstance(error, EpochChanged):
        return _precondition("EPOCH_CHANGED", "epoch", error)
    if isinstance(error, StillRunning):
        return _precondition("BACKTEST_RUNNING", "backtest", error)
    if isinstance(error, Overloaded):
        return _status(Code.RESOURCE_EXHAUSTED, str(error), "OVERLOADED", {}, _retry())
    if isinstance(error, JobTimeBudgetExceeded):
        return _status(Code.DEADLINE_EXCEEDED, str(error), "JOB_TIME_BUDGET_EXCEEDED", {})
    if isinstance(error, StorageFull):
        return _status(Code.RESOURCE_EXHAUSTED, str(error), "STORAGE_FULL", {})
    if isinstance(error, StorageUnavailable):
        return _status(Code.UNAVAILABLE, str(error), "STORAGE_UNAVAILABLE", {}, _retry())
    if isinstance(error, Draining):
        return _status(Code.UNAVAILABLE, "the server is shutting down", "DRAINING", {}, _retry())
    return _unknown(error, method)


def _precondition(reason: str, subject: str, error: Exception) -> tuple[grpc.StatusCode, Status]:
    violation = PreconditionFailure.Violation(type=reason, subject=subject, description=_short(str(error)))
    return _status(Code.FAILED_PRECONDITION, str(error), reason, {}, PreconditionFailure(violations=[violation]))


def _bad_request(
    message: str, violations: list[tuple[str, str]], reason: str = domain.InvalidInput.REASON
) -> tuple[grpc.StatusCode, Status]:
    detail = BadRequest()
    for field, rule in violations:
        detail.field_violations.add(field=_short(field), description=_short(rule))
    omitted = _fit(detail, detail.field_violations)
    return _status(Code.INVALID_ARGUMENT, message, reason, {"field": violations[0][0], **omitted}, detail)


def _domain_details(error: domain.DomainError) -> tuple[list[Message], Mapping[str, str]]:
    if isinstance(error, domain.MissingMarketData):
        symbols = _short(error.metadata.get("symbols", ""))
        return [ResourceInfo(resource_type="market data", resource_name=symbols)], {}
    details: list[Message] = []
    omitted: Mapping[str, str] = {}
    if _CODES.get(type(error)) is Code.FAILED_PRECONDITION:
        text = _short(error.message)
        violation = PreconditionFailure.Violation(type=error.REASON, subject="request", description=text)
        details.append(PreconditionFailure(violations=[violation]))
    if isinstance(error, domain.InfeasibleProblem):
        report = InfeasibilityReport()
        for label in error.labels:
            report.conflicts.add(
                label=label,
                smallest_relaxation=error.relaxations.get(label),
                joint_relaxation=error.joint.get(label),
            )
        omitted = _fit(report, report.conflicts)
        details.append(report)
    return details, omitted


def _unknown(error: Exception, method: str) -> tuple[grpc.StatusCode, Status]:
    current = request_id.get()
    logger.error("unexpected error", extra={"method": method}, exc_info=error)
    return _status(Code.INTERNAL, f"internal error, id {current}", "INTERNAL", {"request_id": current})


def _retry() -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER_SECONDS))


def _status(
    code: grpc.StatusCode, message: str, reason: str, metadata: Mapping[str, str], *details: Message
) -> tuple[grpc.StatusCode, Status]:
    status = Status(code=code.value[0], message=_short(message))
    known = {name: _short(text) for name, text in metadata.items()}
    for detail in (ErrorInfo(reason=reason, domain=DOMAIN, metadata=known), *details):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return code, status


def _short(text: str) -> str:
    """The text, or its beginning where it is longer than a trailer should carry."""
    encoded = text.encode()
    return text if len(encoded) <= TEXT_BYTES else encoded[: TEXT_BYTES - 4].decode(errors="ignore") + " ..."


def _fit(detail: Message, entries: MutableSequence[Any]) -> Mapping[str, str]:
    """Drops entries from the end until the detail fits; how many, for the ErrorInfo."""
    omitted = 0
    while detail.ByteSize() > LIST_BYTES:
        del entries[-1]
        omitted += 1
    return {"omitted": str(omitted)} if omitted else {}
