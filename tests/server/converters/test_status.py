"""Every error of the house has its code, its reason and its details, and no text of a stranger leaves."""

import pickle
import time

import pytest
from absfinance.v1.optimization_pb2 import InfeasibilityReport
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
from server.converters.message import InvalidRequest, Violation
from server.converters.status import internal_error, method_not_built, status_from_error
from server.ports import errors as service
from server.ports.errors import (
    AlreadyExists,
    AnonymousRefused,
    Draining,
    EpochChanged,
    EtagMismatch,
    EventsCompacted,
    IdentityUnavailable,
    JobTimeBudgetExceeded,
    MemoryLimitExceeded,
    NotFound,
    Overloaded,
    QuotaExceeded,
    RemoteAnswerInvalid,
    RemoteCallFailed,
    RemoteCallTimedOut,
    RemoteUnavailable,
    RequestIdReused,
    RoleRequired,
    ServiceError,
    StillRunning,
    StorageFull,
    StorageUnavailable,
    StreamIdle,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    WorkerDied,
)

TABLE = [
    (InvalidRequest((Violation("a.b", "is wrong"),)), code_pb2.INVALID_ARGUMENT, "INVALID_INPUT", {BadRequest}),
    (domain.InvalidInput("a", "is wrong"), code_pb2.INVALID_ARGUMENT, "INVALID_INPUT", {BadRequest}),
    (RequestIdReused("request_id", "x"), code_pb2.INVALID_ARGUMENT, "REQUEST_ID_REUSED", {BadRequest}),
    (
        domain.InfeasibleProblem(["a", "b"], {"a": 0.1}),
        code_pb2.FAILED_PRECONDITION,
        "PROBLEM_INFEASIBLE",
        {PreconditionFailure, InfeasibilityReport},
    ),
    (
        domain.FormulaMissesConstraint("equal weight", {"cap": 0.1}, "use another"),
        code_pb2.FAILED_PRECONDITION,
        "FORMULA_MISSES_CONSTRAINT",
        {PreconditionFailure},
    ),
    (domain.UnboundedProblem("for ever"), code_pb2.FAILED_PRECONDITION, "PROBLEM_UNBOUNDED", {PreconditionFailure}),
    (
        domain.NoPositiveExcessReturn("none"),
        code_pb2.FAILED_PRECONDITION,
        "NO_POSITIVE_EXCESS_RETURN",
        {PreconditionFailure},
    ),
    (domain.MissingMarketData("none", symbols="A"), code_pb2.NOT_FOUND, "MISSING_MARKET_DATA", {ResourceInfo}),
    (NotFound("optimization", "x"), code_pb2.NOT_FOUND, "NOT_FOUND", {ResourceInfo}),
    (domain.NotSupported("not this"), code_pb2.UNIMPLEMENTED, "NOT_SUPPORTED", set()),
    (domain.SolverTimedOut("late"), code_pb2.DEADLINE_EXCEEDED, "SOLVER_TIMED_OUT", set()),
    (domain.SolverFailed("no answer"), code_pb2.FAILED_PRECONDITION, "SOLVER_FAILED", {PreconditionFailure}),
    (domain.Cancelled("gone"), code_pb2.CANCELLED, "CANCELLED", set()),
    (Overloaded("busy"), code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", {RetryInfo}),
    (QuotaExceeded("many", "jobs", 7), code_pb2.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED", {QuotaFailure, RetryInfo}),
    (MemoryLimitExceeded(1 << 30), code_pb2.RESOURCE_EXHAUSTED, "MEMORY_LIMIT_EXCEEDED", {QuotaFailure}),
    (AlreadyExists("portfolio", "portfolios/x"), code_pb2.ALREADY_EXISTS, "ALREADY_EXISTS", {ResourceInfo}),
    (EtagMismatch("changed", "e-2"), code_pb2.ABORTED, "ETAG_MISMATCH", set()),
    (EpochChanged("lost", "epoch-2"), code_pb2.FAILED_PRECONDITION, "EPOCH_CHANGED", {PreconditionFailure}),
    (StillRunning("runs"), code_pb2.FAILED_PRECONDITION, "BACKTEST_RUNNING", {PreconditionFailure}),
    (EventsCompacted(5), code_pb2.OUT_OF_RANGE, "EVENTS_COMPACTED", set()),
    (StorageFull("full: delete something"), code_pb2.RESOURCE_EXHAUSTED, "STORAGE_FULL", {RetryInfo}),
    (StorageUnavailable("busy"), code_pb2.UNAVAILABLE, "STORAGE_UNAVAILABLE", {RetryInfo}),
    (JobTimeBudgetExceeded("long"), code_pb2.DEADLINE_EXCEEDED, "JOB_TIME_BUDGET_EXCEEDED", set()),
    (Draining(), code_pb2.UNAVAILABLE, "DRAINING", {RetryInfo}),
    (StreamIdle(60.0), code_pb2.DEADLINE_EXCEEDED, "STREAM_IDLE", set()),
    (WorkerDied(), code_pb2.ABORTED, "WORKER_DIED", {RetryInfo}),
    (TokenMissing(), code_pb2.UNAUTHENTICATED, "TOKEN_MISSING", set()),
    (TokenInvalid("it is no token"), code_pb2.UNAUTHENTICATED, "TOKEN_INVALID", set()),
    (TokenExpired(), code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED", set()),
    (AnonymousRefused(), code_pb2.UNAUTHENTICATED, "ANONYMOUS_REFUSED", set()),
    (RoleRequired("M", "admin", "reader"), code_pb2.PERMISSION_DENIED, "ROLE_REQUIRED", set()),
    (IdentityUnavailable(), code_pb2.UNAVAILABLE, "IDENTITY_UNAVAILABLE", {RetryInfo}),
    (RemoteUnavailable("Desk"), code_pb2.UNAVAILABLE, "REMOTE_UNAVAILABLE", {RetryInfo}),
    (RemoteCallFailed("Desk", "INTERNAL"), code_pb2.FAILED_PRECONDITION, "REMOTE_CALL_FAILED", {PreconditionFailure}),
    (RemoteCallTimedOut("Desk", 1.0), code_pb2.DEADLINE_EXCEEDED, "REMOTE_CALL_TIMED_OUT", set()),
    (
        RemoteAnswerInvalid("Desk", "no score"),
        code_pb2.FAILED_PRECONDITION,
        "REMOTE_ANSWER_INVALID",
        {PreconditionFailure},
    ),
]


def known(error: Exception) -> Status:
    status = status_from_error(error)
    assert status is not None
    return status


def details(status: Status) -> dict[type[Message], Message]:
    found: dict[type[Message], Message] = {}
    kinds = (ErrorInfo, BadRequest, PreconditionFailure, QuotaFailure, ResourceInfo, RetryInfo, InfeasibilityReport)
    for packed in status.details:
        for kind in kinds:
            if packed.Is(kind.DESCRIPTOR):
                message = kind()
                packed.Unpack(message)
                found[kind] = message
    return found


@pytest.mark.parametrize(
    ("error", "code", "reason", "kinds"), TABLE, ids=[row[2] + type(row[0]).__name__ for row in TABLE]
)
def test_code_reason_and_details(error: Exception, code: int, reason: str, kinds: set[type[Message]]) -> None:
    status = known(error)
    assert status.code == code
    found = details(status)
    assert found.keys() == {ErrorInfo, *kinds}
    assert (found[ErrorInfo].reason, found[ErrorInfo].domain) == (reason, "absfinance")


def test_a_quota_is_named_with_its_value_and_a_wait_is_exact() -> None:
    found = details(known(QuotaExceeded("7 jobs wait", "queued_jobs", 7)))[QuotaFailure]
    assert isinstance(found, QuotaFailure)
    [violation] = found.violations
    assert (violation.subject, violation.quota_id, violation.quota_value) == ("caller", "queued_jobs", 7)
    later = Overloaded("too often")
    later.retry_after_seconds = 0.2501
    wait = details(known(later))[RetryInfo]
    assert isinstance(wait, RetryInfo)
    assert wait.retry_delay.ToMilliseconds() == 251


def test_every_error_of_the_domain_is_in_the_table() -> None:
    kinds = {kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, domain.DomainError)}
    assert kinds - {domain.DomainError} == {type(row[0]) for row in TABLE if isinstance(row[0], domain.DomainError)}


def test_every_error_of_the_server_is_in_the_table() -> None:
    kinds = {kind for kind in vars(service).values() if isinstance(kind, type) and issubclass(kind, ServiceError)}
    assert kinds - {ServiceError} == {type(row[0]) for row in TABLE if isinstance(row[0], ServiceError)}


@pytest.mark.parametrize("error", [row[0] for row in TABLE if isinstance(row[0], ServiceError)], ids=repr)
def test_an_error_of_the_server_is_pickled_whole(error: ServiceError) -> None:
    restored = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert status_from_error(restored) == status_from_error(error)


def test_an_unknown_error_keeps_its_text() -> None:
    assert status_from_error(ZeroDivisionError("the password is swordfish")) is None
    status = internal_error("abc")
    assert (status.code, status.message) == (code_pb2.INTERNAL, "internal error, id abc")
    assert details(status)[ErrorInfo].metadata == {"request_id": "abc"}


def test_a_method_that_is_not_built_says_so() -> None:
    status = method_not_built("/absfinance.v1.X/Y")
    assert status.code == code_pb2.UNIMPLEMENTED
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
    status = known(error)
    in_base64 = len(status.SerializeToString()) * 4 / 3
    percent_encoded = sum(1 if c.isascii() else 3 * len(c.encode()) for c in status.message)
    assert in_base64 + percent_encoded < 7900


def test_what_does_not_fit_is_counted() -> None:
    status = known(InvalidRequest(tuple(Violation(f"weights[{i}]", "must be finite") for i in range(1000))))
    found = details(status)
    kept = len(found[BadRequest].field_violations)
    assert kept > 20
    assert found[ErrorInfo].metadata["omitted"] == str(1000 - kept)
    assert found[BadRequest].field_violations[0].field == "weights[0]"


def test_ten_thousand_conflicts_take_no_longer_than_a_hundred() -> None:
    """Entries are added until they no longer fit, never dropped one by one."""
    labels = [f"{i}: a constraint of some length" for i in range(10_000)]
    start = time.process_time()
    status = known(domain.InfeasibleProblem(labels))
    assert time.process_time() - start < 0.2
    assert int(details(status)[ErrorInfo].metadata["omitted"]) > 9_000
