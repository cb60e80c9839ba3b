"""Errors of the server itself, grouped by what the caller can do. Those of the engine are in `domain.errors`.

| class | what to do | retry helps |
|---|---|---|
| `RequestIdReused` | send a new id | no |
| `NotFound` | correct the name | no |
| `AlreadyExists` | take another id, or read what is stored | no |
| `EtagMismatch` | read it again, then change it | after reading |
| `StillRunning` | wait for the end of the job, or cancel it | later |
| `EpochChanged`, `EventsCompacted` | follow from sequence 0 | no |
| `StreamIdle` | send the messages of a stream without long pauses | yes |
| `JobTimeBudgetExceeded` | ask for less, or raise the budget | no |
| `TokenMissing`, `TokenInvalid` | send a token or a key that this server accepts | no |
| `TokenExpired` | get a new one | with a new token |
| `AnonymousRefused` | sign in | no |
| `RoleRequired` | ask an admin for the role | no |
| `IdentityUnavailable` | wait | yes |
| `Overloaded` | wait | yes |
| `QuotaExceeded` | wait for what one has begun, or end some of it | later |
| `MemoryLimitExceeded` | a smaller request, or a higher limit | no |
| `StorageFull` | delete what is no longer needed | after deleting |
| `StorageUnavailable` | wait | yes |
| `WorkerDied` | a smaller request, or wait | yes |
| `Draining` | another server, or wait | yes |
| `RemoteUnavailable`, `RemoteCallTimedOut` | wait, or see to the service outside | yes |
| `RemoteCallFailed`, `RemoteAnswerInvalid` | correct the service outside | no |

`LostClaim`, `ClusterLost`, `CursorGone` and `Refused` are no service errors: callers never see the first
three; the last has a status.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from domain.errors import PicklableError


class StatusCode(StrEnum):
    """The canonical codes of google.rpc.Code that errors of the server have."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"


class ServiceError(PicklableError):
    """Base of the errors of the server that a caller can see.

    `REASON` is stable and part of the contract; messages are for people and may change. `RETRY_HELPS` is what
    docs/api.md says about it. `HAS_RETRY_DELAY` is true where the status says how long to wait,
    `retry_after_seconds`. `SUBJECT` is what a failed precondition or a quota is about. `metadata` is sent with the
    reason.
    """

    REASON: ClassVar[str] = "INTERNAL"
    CODE: ClassVar[StatusCode] = StatusCode.INTERNAL
    RETRY_HELPS: ClassVar[str] = "no"
    HAS_RETRY_DELAY: ClassVar[bool] = False
    SUBJECT: ClassVar[str] = "request"
    retry_after_seconds: float = 1.0

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = metadata


class RequestIdReused(ServiceError):
    """An id that belongs to another request; `field` is the path of the id."""

    REASON = "REQUEST_ID_REUSED"
    CODE = StatusCode.INVALID_ARGUMENT

    def __init__(self, field: str, request_id: str) -> None:
        super().__init__(f"{request_id!r} was used before, with another content; send a new id", field=field)
        self.field = field
        self.request_id = request_id


class NotFound(ServiceError):
    """Nothing is stored under that name. `kind` is the type of resource, such as "portfolio"."""

    REASON = "NOT_FOUND"
    CODE = StatusCode.NOT_FOUND

    def __init__(self, kind: str, name: str, text: str = "") -> None:
        super().__init__(text or f"there is no {kind} {name}", name=name)
        self.kind = kind
        self.name = name


class AlreadyExists(ServiceError):
    """Something is stored under that name. `kind` is the type of resource, such as "portfolio"."""

    REASON = "ALREADY_EXISTS"
    CODE = StatusCode.ALREADY_EXISTS

    def __init__(self, kind: str, name: str) -> None:
        message = f"{name} exists already: take another id for this {kind}, or read the one that is there"
        super().__init__(message, name=name)
        self.kind = kind
        self.name = name


class EtagMismatch(ServiceError):
    """A resource changed since it was read; `etag` is that of the stored version."""

    REASON = "ETAG_MISMATCH"
    CODE = StatusCode.ABORTED
    RETRY_HELPS = "after reading"

    def __init__(self, message: str, etag: str) -> None:
        super().__init__(message, etag=etag)
        self.etag = etag


class StillRunning(ServiceError):
    """A job is not over, and what was asked for needs its end."""

    REASON = "BACKTEST_RUNNING"
    CODE = StatusCode.FAILED_PRECONDITION
    RETRY_HELPS = "later"
    SUBJECT = "backtest"


class EpochChanged(ServiceError):
    """A sequence belongs to another event log; `epoch` is that of the current log."""

    REASON = "EPOCH_CHANGED"
    CODE = StatusCode.FAILED_PRECONDITION
    SUBJECT = "epoch"

    def __init__(self, message: str, epoch: str) -> None:
        super().__init__(message, epoch=epoch)
        self.epoch = epoch


class EventsCompacted(ServiceError):
    """Events after a resume point are no longer retained."""

    REASON = "EVENTS_COMPACTED"
    CODE = StatusCode.OUT_OF_RANGE

    def __init__(self, oldest_sequence: int) -> None:
        message = f"events before {oldest_sequence} are no longer retained; follow from 0"
        super().__init__(message, oldest_sequence=str(oldest_sequence))
        self.oldest_sequence = oldest_sequence


class StreamIdle(ServiceError):
    """A caller opened a stream and sent nothing for too long."""

    REASON = "STREAM_IDLE"
    CODE = StatusCode.DEADLINE_EXCEEDED
    RETRY_HELPS = "yes"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no message came for {seconds:g} s; open the stream when there is something to send")


class JobTimeBudgetExceeded(ServiceError):
    """A job has run for longer than any job may."""

    REASON = "JOB_TIME_BUDGET_EXCEEDED"
    CODE = StatusCode.DEADLINE_EXCEEDED


class TokenMissing(ServiceError):
    """A call carries nothing that says who makes it."""

    REASON = "TOKEN_MISSING"
    CODE = StatusCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("who calls must be said: send a token or a key as `authorization: Bearer ...`")


class TokenInvalid(ServiceError):
    """What a call carries does not prove who makes it; `cause` says why, and repeats nothing of it."""

    REASON = "TOKEN_INVALID"
    CODE = StatusCode.UNAUTHENTICATED

    def __init__(self, cause: str) -> None:
        super().__init__(f"the token is not accepted: {cause}", cause=cause)


class TokenExpired(ServiceError):
    """A token or a key was valid, and no longer is."""

    REASON = "TOKEN_EXPIRED"
    CODE = StatusCode.UNAUTHENTICATED
    RETRY_HELPS = "with a new token"

    def __init__(self) -> None:
        super().__init__("the token has expired; get a new one")


class AnonymousRefused(ServiceError):
    """A token belongs to somebody who has not signed in by name, and this server wants that."""

    REASON = "ANONYMOUS_REFUSED"
    CODE = StatusCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("anonymous sign-ins are not accepted; sign in")


class RoleRequired(ServiceError):
    """The caller is known, and their role does not allow the method, or a field of its request."""

    REASON = "ROLE_REQUIRED"
    CODE = StatusCode.PERMISSION_DENIED

    def __init__(self, method: str, required: str, role: str, *, field: str = "") -> None:
        what = f"{method} with {field}" if field else method
        metadata = {"method": method, "required": required, "role": role} | ({"field": field} if field else {})
        super().__init__(f"{what} needs the role {required}, the caller has {role}", **metadata)


class IdentityUnavailable(ServiceError):
    """The keys that sign tokens could not be fetched yet."""

    REASON = "IDENTITY_UNAVAILABLE"
    CODE = StatusCode.UNAVAILABLE
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True

    def __init__(self) -> None:
        super().__init__("the keys that tokens are verified with cannot be reached")


class Overloaded(ServiceError):
    """There is more work than can be done in time."""

    REASON = "OVERLOADED"
    CODE = StatusCode.RESOURCE_EXHAUSTED
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True


class QuotaExceeded(Overloaded):
    """A caller has as much of something as one caller may; `quota` is its name in GetQuotas."""

    REASON = "QUOTA_EXCEEDED"
    RETRY_HELPS = "later"
    SUBJECT = "caller"

    def __init__(self, message: str, quota: str, limit: int) -> None:
        super().__init__(message, limit=quota, value=str(limit))
        self.quota = quota
        self.quota_value = limit


class MemoryLimitExceeded(ServiceError):
    """The work for a request needs more memory than the work for one request may have; `limit` is in bytes."""

    REASON = "MEMORY_LIMIT_EXCEEDED"
    CODE = StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, limit: int) -> None:
        what = f"more memory than the {limit / 2**20:,.0f} MiB that" if limit else "more memory than the machine"
        has = "one request may have" if limit else "has"
        super().__init__(
            f"the work needs {what} {has}: send fewer assets, dates or scenarios, or raise "
            "ABSFIN_MAX_REQUEST_MEMORY_BYTES",
            limit="request_memory_bytes",
            value=str(limit),
        )
        self.quota = "request_memory_bytes"
        self.quota_value = limit


class StorageFull(ServiceError):
    """There is no room to store more; the message says what to delete."""

    REASON = "STORAGE_FULL"
    CODE = StatusCode.RESOURCE_EXHAUSTED
    RETRY_HELPS = "after deleting"
    HAS_RETRY_DELAY = True


class StorageUnavailable(ServiceError):
    """The store cannot be used now: it is busy, unreadable or damaged."""

    REASON = "STORAGE_UNAVAILABLE"
    CODE = StatusCode.UNAVAILABLE
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True


class WorkerDied(ServiceError):
    """The process of a worker is gone, though the server did not end it."""

    REASON = "WORKER_DIED"
    CODE = StatusCode.ABORTED
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True

    def __init__(self, message: str = "the worker process died; the request may need too much memory") -> None:
        super().__init__(message)


class Draining(ServiceError):
    """The server is about to stop: it takes no new calls, and ends those that are not over in time."""

    REASON = "DRAINING"
    CODE = StatusCode.UNAVAILABLE
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True

    def __init__(self) -> None:
        super().__init__("the server is shutting down")


class RemoteUnavailable(ServiceError):
    """A service outside cannot be reached, or says that it is unavailable, at each of several tries."""

    REASON = "REMOTE_UNAVAILABLE"
    CODE = StatusCode.UNAVAILABLE
    RETRY_HELPS = "yes"
    HAS_RETRY_DELAY = True

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} cannot be reached or is unavailable", service=service)


class RemoteCallFailed(ServiceError):
    """A service outside returned an error; `status` is the name of its code. Its own text is not sent on."""

    REASON = "REMOTE_CALL_FAILED"
    CODE = StatusCode.FAILED_PRECONDITION
    SUBJECT = "service"

    def __init__(self, service: str, status: str) -> None:
        super().__init__(f"{service} returned the status {status}", service=service, status=status)


class RemoteCallTimedOut(ServiceError):
    """A service outside did not answer in time."""

    REASON = "REMOTE_CALL_TIMED_OUT"
    CODE = StatusCode.DEADLINE_EXCEEDED
    RETRY_HELPS = "yes"

    def __init__(self, service: str, seconds: float) -> None:
        super().__init__(f"{service} did not answer within {seconds:.3g} s", service=service)


class RemoteAnswerInvalid(ServiceError):
    """A service outside sent an answer that cannot be used; `rule` says what is wrong with it."""

    REASON = "REMOTE_ANSWER_INVALID"
    CODE = StatusCode.FAILED_PRECONDITION
    SUBJECT = "service"

    def __init__(self, service: str, rule: str) -> None:
        super().__init__(f"{service} sent an answer that cannot be used: {rule}", service=service)


class LostClaim(Exception):
    """A job belongs to another worker by now, or is over: what this worker did no longer counts."""


class ClusterLost(Exception):
    """The cluster that ran a task is out of reach: the task can run again, here or when the cluster is back."""


class CursorGone(Exception):
    """Changes after a place in the log of changes are no longer retained: whoever listens reads everything anew."""


class Refused(Exception):
    """An error that a worker has encoded as a google.rpc.Status already."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status)
        self.status = status
