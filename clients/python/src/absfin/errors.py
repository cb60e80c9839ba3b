"""Exceptions by the reason the server gives, so that a program can act on them.

| exception | what to do | retry helps |
|---|---|---|
| `InvalidInput` | change the named fields | no |
| `InfeasibleProblem` | relax one of the named constraints | no |
| `FormulaMissesConstraint` | another objective, or no such constraint | no |
| `StorageFull` | delete what its message names | no |
| `UnboundedProblem` | add a bound or a budget | no |
| `NoPositiveExcessReturn` | another objective, or other forecasts | no |
| `MissingMarketData`, `NotFound` | import it, or ask for something else | no |
| `AlreadyExists` | take another id | no |
| `EtagMismatch` | read it again, then change it | after reading |
| `BacktestRunning` | wait for its end, or cancel it | later |
| `NotSupported` | use something else, or a newer server | no |
| `SolverFailed` | rescale or simplify the problem, or name another engine | no |
| `WorkerDied` | less data at once: the work may need too much memory | no |
| `InternalError` | report it with its request id | no |
| `DeadlineExceeded` | more time, or less work | yes |
| `Overloaded`, `Unavailable` | wait and try again | yes |
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
    """One constraint of a conflict, and the smallest change of it alone that resolves it, if there is one."""

    label: str
    smallest_relaxation: float | None
    joint_relaxation: float | None = None  # where all of the conflict are relaxed together


class AbsFinanceError(Exception):
    """Base of everything the server can say no with."""

    RETRYABLE: ClassVar[bool] = False

    def __init__(self, status: Status) -> None:
        info = _detail(status, ErrorInfo) or ErrorInfo()
        super().__init__(status.message)
        self.message: str = status.message
        self.code = next((c for c in grpc.StatusCode if c.value[0] == status.code), grpc.StatusCode.UNKNOWN)
        self.reason: str = info.reason
        self.metadata: Mapping[str, str] = dict(info.metadata)
        retry = _detail(status, RetryInfo)
        self.retry_after_seconds: float | None = retry.retry_delay.ToTimedelta().total_seconds() if retry else None


class InvalidInput(AbsFinanceError):
    """Fields break rules; `violations` names each."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        detail = _detail(status, BadRequest) or BadRequest()
        self.violations = tuple(Violation(v.field, v.description, v.reason) for v in detail.field_violations)


class InfeasibleProblem(AbsFinanceError):
    """No weights satisfy all constraints; `conflicts` is a smallest set that cannot hold together."""

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


class FormulaMissesConstraint(AbsFinanceError):
    """The formula of the objective gives weights that miss a constraint; another objective can keep it."""


class UnboundedProblem(AbsFinanceError):
    """The problem is unbounded."""


class NoPositiveExcessReturn(AbsFinanceError):
    """No feasible portfolio has a positive expected excess return."""


class MissingMarketData(AbsFinanceError):
    """Stored prices do not cover what was asked for."""


class NotFound(AbsFinanceError):
    """Nothing is stored under that name."""


class AlreadyExists(AbsFinanceError):
    """Something is stored under that name."""


class EtagMismatch(AbsFinanceError):
    """Somebody changed it since it was read: read it again."""


class BacktestRunning(AbsFinanceError):
    """The job is not over."""


class NotSupported(AbsFinanceError):
    """The server cannot do this, and says so by name."""


class SolverFailed(AbsFinanceError):
    """No answer passed verification."""


class WorkerDied(AbsFinanceError):
    """The process that worked on the request died, twice: it may need too much memory."""


class InternalError(AbsFinanceError):
    """Something unexpected happened; the server's log has it under the id in the message."""


class DeadlineExceeded(AbsFinanceError):
    """The time ran out."""

    RETRYABLE = True


class StorageFull(AbsFinanceError):
    """The server's storage is full; the message says what to delete."""


class Overloaded(AbsFinanceError):
    """The server is busy."""

    RETRYABLE = True


class Unavailable(AbsFinanceError):
    """The server cannot be reached, or is shutting down."""

    RETRYABLE = True


_BY_REASON: Mapping[str, type[AbsFinanceError]] = {
    "INVALID_INPUT": InvalidInput,
    "REQUEST_ID_REUSED": InvalidInput,
    "PROBLEM_INFEASIBLE": InfeasibleProblem,
    "FORMULA_MISSES_CONSTRAINT": FormulaMissesConstraint,
    "PROBLEM_UNBOUNDED": UnboundedProblem,
    "NO_POSITIVE_EXCESS_RETURN": NoPositiveExcessReturn,
    "MISSING_MARKET_DATA": MissingMarketData,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "ETAG_MISMATCH": EtagMismatch,
    "BACKTEST_RUNNING": BacktestRunning,
    "NOT_SUPPORTED": NotSupported,
    "METHOD_NOT_BUILT": NotSupported,
    "SOLVER_FAILED": SolverFailed,
    "WORKER_DIED": WorkerDied,
    "SOLVER_TIMED_OUT": DeadlineExceeded,
    "STORAGE_FULL": StorageFull,
}

_BY_CODE: Mapping[grpc.StatusCode, type[AbsFinanceError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNIMPLEMENTED: NotSupported,
    grpc.StatusCode.INTERNAL: InternalError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
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
