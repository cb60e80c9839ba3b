"""Every error of the house has its code, its reason and its details, and no text of a stranger leaves."""

import grpc
import pytest
from absfinance.v1.optimization_pb2 import InfeasibilityReport
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from domain import errors as domain
from server.interceptors.errors import refusal
from server.interceptors.validation import InvalidRequest, Violation
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

Code = grpc.StatusCode

TABLE = [
    (InvalidRequest((Violation("a.b", "is wrong"),)), Code.INVALID_ARGUMENT, "INVALID_INPUT", {BadRequest}),
    (domain.InvalidInput("a", "is wrong"), Code.INVALID_ARGUMENT, "INVALID_INPUT", {BadRequest}),
    (RequestIdReused("request_id", "x"), Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED", {BadRequest}),
    (
        domain.InfeasibleProblem(["a", "b"], {"a": 0.1}),
        Code.FAILED_PRECONDITION,
        "PROBLEM_INFEASIBLE",
        {PreconditionFailure, InfeasibilityReport},
    ),
    (domain.UnboundedProblem("for ever"), Code.FAILED_PRECONDITION, "PROBLEM_UNBOUNDED", {PreconditionFailure}),
    (
        domain.NoPositiveExcessReturn("none"),
        Code.FAILED_PRECONDITION,
        "NO_POSITIVE_EXCESS_RETURN",
        {PreconditionFailure},
    ),
    (domain.MissingMarketData("none", symbols="A"), Code.NOT_FOUND, "MISSING_MARKET_DATA", {ResourceInfo}),
    (NotFound("optimization", "x"), Code.NOT_FOUND, "NOT_FOUND", {ResourceInfo}),
    (domain.NotSupported("not this"), Code.UNIMPLEMENTED, "NOT_SUPPORTED", set()),
    (domain.SolverTimedOut("late"), Code.DEADLINE_EXCEEDED, "SOLVER_TIMED_OUT", set()),
    (domain.SolverFailed("no answer"), Code.INTERNAL, "SOLVER_FAILED", set()),
    (domain.Cancelled("gone"), Code.CANCELLED, "CANCELLED", set()),
    (Overloaded("busy"), Code.RESOURCE_EXHAUSTED, "OVERLOADED", {RetryInfo}),
    (AlreadyExists("portfolio", "portfolios/x"), Code.ALREADY_EXISTS, "ALREADY_EXISTS", {ResourceInfo}),
    (EtagMismatch("changed"), Code.ABORTED, "ETAG_MISMATCH", set()),
    (EpochChanged("lost"), Code.FAILED_PRECONDITION, "EPOCH_CHANGED", {PreconditionFailure}),
    (StillRunning("runs"), Code.FAILED_PRECONDITION, "BACKTEST_RUNNING", {PreconditionFailure}),
    (EventsCompacted(5), Code.OUT_OF_RANGE, "EVENTS_COMPACTED", set()),
    (StorageFull("full: delete something"), Code.RESOURCE_EXHAUSTED, "STORAGE_FULL", set()),
    (StorageUnavailable("busy"), Code.UNAVAILABLE, "STORAGE_UNAVAILABLE", {RetryInfo}),
    (JobTimeBudgetExceeded("long"), Code.DEADLINE_EXCEEDED, "JOB_TIME_BUDGET_EXCEEDED", set()),
    (Draining(), Code.UNAVAILABLE, "DRAINING", {RetryInfo}),
    (ZeroDivisionError("secret"), Code.INTERNAL, "INTERNAL", set()),
]


def details(status: Status) -> dict[type[Message], Message]:
    found: dict[type[Message], Message] = {}
    for packed in status.details:
        for kind in (ErrorInfo, BadRequest, PreconditionFailure, ResourceInfo, RetryInfo, InfeasibilityReport):
            if packed.Is(kind.DESCRIPTOR):
                message = kind()
                packed.Unpack(message)
                found[kind] = message
    return found


@pytest.mark.parametrize(
    ("error", "code", "reason", "kinds"), TABLE, ids=[row[2] + type(row[0]).__name__ for row in TABLE]
)
def test_code_reason_and_details(error: Exception, code: Code, reason: str, kinds: set[type[Message]]) -> None:
    given, status = refusal(error, "/absfinance.v1.X/Y")
    assert given is code
    assert status.code == code.value[0]
    found = details(status)
    assert found.keys() == {ErrorInfo, *kinds}
    assert (found[ErrorInfo].reason, found[ErrorInfo].domain) == (reason, "absfinance")


def test_every_error_of_the_domain_is_in_the_table() -> None:
    kinds = {kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, domain.DomainError)}
    assert kinds - {domain.DomainError} == {type(row[0]) for row in TABLE if isinstance(row[0], domain.DomainError)}


def test_an_unknown_error_keeps_its_text() -> None:
    _, status = refusal(ZeroDivisionError("the password is swordfish"))
    assert b"swordfish" not in status.SerializeToString()


def test_a_method_that_is_not_built_says_so() -> None:
    code, status = refusal(NotImplementedError("Method not implemented!"), "/absfinance.v1.X/Y", built=False)
    assert code is Code.UNIMPLEMENTED
    assert details(status)[ErrorInfo].reason == "METHOD_NOT_BUILT"


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest(tuple(Violation(f"weights[{i}].weight", "must be a finite number") for i in range(1000))),
        InvalidRequest((Violation("ä" * 5000, "ö" * 5000),)),
        domain.InfeasibleProblem([f"{i}: " + "x" * 100 for i in range(500)], {}),
        domain.InvalidInput("f" * 9000, "r" * 9000),
        domain.MissingMarketData("m" * 9000, symbols="S" * 9000),
        NotFound("optimization", "n" * 9000),
    ],
    ids=["many violations", "long violation", "many conflicts", "long field", "many symbols", "long name"],
)
def test_trailers_stay_below_what_clients_accept(error: Exception) -> None:
    _, status = refusal(error)
    in_base64 = len(status.SerializeToString()) * 4 / 3
    percent_encoded = sum(1 if c.isascii() else 3 * len(c.encode()) for c in status.message)
    assert in_base64 + percent_encoded < 7900


def test_what_does_not_fit_is_counted() -> None:
    _, status = refusal(InvalidRequest(tuple(Violation(f"weights[{i}]", "must be finite") for i in range(1000))))
    found = details(status)
    kept = len(found[BadRequest].field_violations)
    assert kept > 20
    assert found[ErrorInfo].metadata["omitted"] == str(1000 - kept)
    assert found[BadRequest].field_violations[0].field == "weights[0]"
