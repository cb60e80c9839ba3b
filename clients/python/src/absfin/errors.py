"""Exceptions of calls, in families by what the caller can do.

| family | exception | what to do |
|---|---|---|
| `InvalidInput` | | change the fields that `violations` names |
| `ProblemError` | | change the problem: the same one fails again |
| | `InfeasibleProblem` | relax one of the named constraints |
| | `FormulaMissesConstraint` | another objective, or without that constraint |
| | `UnboundedProblem` | add a bound or a budget |
| | `NoPositiveExcessReturn` | another objective, or other forecasts |
| | `NotSupported` | use something else, or a newer server |
| | `SolverFailed` | rescale or simplify the problem, or choose another engine |
| | `WorkerDied` | less data at once: the work may need too much memory |
| | `MemoryLimitExceeded` | less data at once: one request may not have so much memory |
| | `ReallocationFailed` | other holdings, limits or quotes |
| | `RemoteServiceFailed` | correct the service outside that the server asked |
| `ResourceError` | | change what is stored, or what is requested of it |
| | `MissingMarketData` | import the data, or request other symbols or dates |
| | `NotFound` | another name |
| | `AlreadyExists` | another id |
| | `EtagMismatch` | read the resource again, then change it |
| | `BacktestRunning` | wait for its end, or cancel it |
| | `StorageFull` | delete what the message names |
| | `EventsLost` | watch again, without a place |
| `AccessError` | | change who calls |
| | `Unauthenticated` | send a token or a key that the server accepts |
| | `TokenExpired` | get a new token |
| | `PermissionDenied` | ask an admin for the role that `metadata["required"]` names |
| `TransientError` | | send the same call again |
| | `DeadlineExceeded` | with more time, or with less work |
| | `Overloaded`, `Unavailable` | after `retry_after_seconds` if it is given |
| | `QuotaExceeded` | when some of what the caller has begun is over: an `Overloaded` |
| | `Cancelled` | if the cancellation was not meant |
| `InternalError` | | report the id in the message |

`RETRYABLE` of an exception is whether it is a `TransientError`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import grpc
from absfinance.v1.optimization_pb2 import InfeasibilityReport
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DETAILS_KEY = "grpc-status-details-bin"

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Violation:
    """A field, the rule it breaks, and the stable name of that rule."""

    field: str
    rule: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One constraint of a conflict, and the smallest relaxation of it alone that resolves it, if there is one."""

    label: str
    smallest_relaxation: float | None
    joint_relaxation: float | None = None  # where all of the conflict are relaxed together


class AbsFinanceError(Exception):
    """Base of the exceptions of calls."""

    RETRYABLE: ClassVar[bool] = False

    def __init__(self, status: Status) -> None:
        info = _detail(status, ErrorInfo) or ErrorInfo()
        super().__init__(status.message)
        self.message: str = status.message
        self.code = next((c for c in grpc.StatusCode if c.value[0] == status.code), grpc.StatusCode.UNKNOWN)
        self.reason: str = info.reason  # a name of the enum ErrorReason without its prefix, empty if unknown
        self.metadata: Mapping[str, str] = dict(info.metadata)
        retry = _detail(status, RetryInfo)
        self.retry_after_seconds: float | None = retry.retry_delay.ToTimedelta().total_seconds() if retry else None


class InvalidInput(AbsFinanceError):
    """Fields of the request break rules; `violations` names each."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        detail = _detail(status, BadRequest) or BadRequest()
        self.violations = tuple(Violation(v.field, v.description, v.reason) for v in detail.field_violations)


class ProblemError(AbsFinanceError):
    """The request is valid, but its problem has no answer that the server can give: the problem must change."""


class ResourceError(AbsFinanceError):
    """What is stored does not allow the call."""


class AccessError(AbsFinanceError):
    """The server does not know who calls, or their role does not allow the call."""


class TransientError(AbsFinanceError):
    """The same call may succeed later."""

    RETRYABLE = True


class InternalError(AbsFinanceError):
    """An unexpected error of the server, whose log has it under the id in the message."""


class InfeasibleProblem(ProblemError):
    """No weights satisfy all constraints; `conflicts` is a smallest set of constraints that cannot hold together."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        report = _detail(status, InfeasibilityReport) or InfeasibilityReport()
        self.conflicts = tuple(
            Conflict(
                c.label,
                c.smallest_relaxation if c.HasField("smallest_relaxation") else None,
                c.joint_relaxation if c.HasField("joint_relaxation") else None,
            )
            for c in report.conflicts
        )


class FormulaMissesConstraint(ProblemError):
    """The formula of the objective gives weights that violate a constraint; other weights may satisfy it."""


class UnboundedProblem(ProblemError):
    """The problem is unbounded."""


class NoPositiveExcessReturn(ProblemError):
    """No feasible portfolio has a positive expected excess return."""


class NotSupported(ProblemError):
    """The server does not support this method, field or combination; the message names it."""


class SolverFailed(ProblemError):
    """No answer passed verification."""


class WorkerDied(ProblemError):
    """The process that worked on the request died, twice: it may need too much memory."""


class MemoryLimitExceeded(ProblemError):
    """The work needs more memory than one request may have; `metadata["value"]` is that, in bytes."""


class ReallocationFailed(ProblemError):
    """No trade is possible, or sales cannot raise the missing cash."""


class RemoteServiceFailed(ProblemError):
    """A service outside that the server asked returned an error, or an answer that cannot be used."""


class MissingMarketData(ResourceError):
    """Stored prices do not cover the requested symbols and dates."""


class NotFound(ResourceError):
    """No resource has this name."""


class AlreadyExists(ResourceError):
    """A resource has this name already."""


class EtagMismatch(ResourceError):
    """The resource changed since it was read; `metadata["etag"]` is its version."""


class BacktestRunning(ResourceError):
    """The job has not ended."""


class StorageFull(ResourceError):
    """The storage of the server is full; the message says what to delete."""


class EventsLost(ResourceError):
    """The server no longer has the events after the last one received, or the log of `metadata["epoch"]` instead."""


class Unauthenticated(AccessError):
    """The call carries no token or key, or one that the server does not accept."""


class TokenExpired(AccessError):
    """The token or key of the call has expired."""


class PermissionDenied(AccessError):
    """The role of the caller does not allow the call."""


class DeadlineExceeded(TransientError):
    """The time limit ended before the answer was found."""


class Overloaded(TransientError):
    """The server has too much work."""


class QuotaExceeded(Overloaded):
    """The caller has as much of something as one caller may, such as jobs that wait; `metadata["limit"]` names it."""


class Unavailable(TransientError):
    """The server, its storage or a service that it asks cannot be reached, or the server is shutting down."""


class Cancelled(TransientError):
    """The call was cancelled."""


_BY_REASON: Mapping[str, type[AbsFinanceError]] = {
    "INVALID_INPUT": InvalidInput,
    "REQUEST_ID_REUSED": InvalidInput,
    "WEIGHTS_LOOK_LIKE_PERCENT": InvalidInput,
    "TRIGGER_LOOP": InvalidInput,
    "PROBLEM_INFEASIBLE": InfeasibleProblem,
    "FORMULA_MISSES_CONSTRAINT": FormulaMissesConstraint,
    "PROBLEM_UNBOUNDED": UnboundedProblem,
    "NO_POSITIVE_EXCESS_RETURN": NoPositiveExcessReturn,
    "NOT_SUPPORTED": NotSupported,
    "METHOD_NOT_BUILT": NotSupported,
    "SOLVER_FAILED": SolverFailed,
    "WORKER_DIED": WorkerDied,
    "MEMORY_LIMIT_EXCEEDED": MemoryLimitExceeded,
    "NOTHING_TRADABLE": ReallocationFailed,
    "CASH_NOT_RAISED": ReallocationFailed,
    "MISSING_MARKET_DATA": MissingMarketData,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "ETAG_MISMATCH": EtagMismatch,
    "BACKTEST_RUNNING": BacktestRunning,
    "STORAGE_FULL": StorageFull,
    "EPOCH_CHANGED": EventsLost,
    "EVENTS_COMPACTED": EventsLost,
    "TOKEN_MISSING": Unauthenticated,
    "TOKEN_INVALID": Unauthenticated,
    "ANONYMOUS_REFUSED": Unauthenticated,
    "TOKEN_EXPIRED": TokenExpired,
    "ROLE_REQUIRED": PermissionDenied,
    "IDENTITY_UNAVAILABLE": Unavailable,
    "SOLVER_TIMED_OUT": DeadlineExceeded,
    "JOB_TIME_BUDGET_EXCEEDED": DeadlineExceeded,
    "REMOTE_CALL_TIMED_OUT": DeadlineExceeded,
    "REMOTE_UNAVAILABLE": Unavailable,
    "REMOTE_CALL_FAILED": RemoteServiceFailed,
    "REMOTE_ANSWER_INVALID": RemoteServiceFailed,
    "STREAM_IDLE": DeadlineExceeded,
    "OVERLOADED": Overloaded,
    "QUOTA_EXCEEDED": QuotaExceeded,
    "DRAINING": Unavailable,
    "STORAGE_UNAVAILABLE": Unavailable,
    "CANCELLED": Cancelled,
    "INTERNAL": InternalError,
}

_BY_CODE: Mapping[grpc.StatusCode, type[AbsFinanceError]] = {
    # For an error without a reason of the server: of gRPC itself, a proxy, or a newer server.
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNIMPLEMENTED: NotSupported,
    grpc.StatusCode.INTERNAL: InternalError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.CANCELLED: Cancelled,
}


def error_from_call(error: grpc.RpcError) -> AbsFinanceError:
    """The typed exception of a failed call."""
    call: Any = error
    code: grpc.StatusCode = call.code()
    status = Status(code=code.value[0], message=call.details() or code.name)
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_KEY:
            status = Status.FromString(value)
    return error_from_status(status)


def error_from_status(status: Status) -> AbsFinanceError:
    """The typed exception of a status, such as that of one account of a batch."""
    info = _detail(status, ErrorInfo)
    kind = _BY_REASON.get(info.reason) if info else None
    code = next((one for one in grpc.StatusCode if one.value[0] == status.code), grpc.StatusCode.UNKNOWN)
    return (kind or _BY_CODE.get(code, AbsFinanceError))(status)


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turns the failure of a call inside the block into its typed exception."""
    try:
        yield
    except grpc.RpcError as error:
        raise error_from_call(error) from None


def _detail(status: Status, kind: type[M]) -> M | None:
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            message = kind()
            packed.Unpack(message)
            return message
    return None
