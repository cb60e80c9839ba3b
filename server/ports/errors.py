"""Errors of the server itself: of storage, jobs, streams and worker processes."""


class NotFound(Exception):
    """Nothing is stored under that name."""

    def __init__(self, kind: str, name: str, text: str = "") -> None:
        super().__init__(text or f"there is no {kind} {name}")
        self.kind = kind
        self.name = name


class AlreadyExists(Exception):
    """Something is stored under that name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{name} exists already: take another id for this {kind}, or read the one that is there")
        self.kind = kind
        self.name = name


class RequestIdReused(Exception):
    """An id that belongs to another request."""

    def __init__(self, field: str, request_id: str) -> None:
        super().__init__(f"{request_id!r} was used before, with another content")
        self.field = field
        self.request_id = request_id


class EtagMismatch(Exception):
    """What was read is not what is stored now."""

    def __init__(self, message: str, etag: str) -> None:
        super().__init__(message)
        self.etag = etag  # of what is stored now


class EpochChanged(Exception):
    """The event log that a sequence belongs to is not this one."""

    def __init__(self, message: str, epoch: str) -> None:
        super().__init__(message)
        self.epoch = epoch  # of this log


class EventsCompacted(Exception):
    """Events after a resume point are no longer retained."""

    def __init__(self, oldest_sequence: int) -> None:
        super().__init__(f"events before {oldest_sequence} are no longer retained; follow from 0")
        self.oldest_sequence = oldest_sequence


class StillRunning(Exception):
    """A job that is not over cannot be deleted."""


class StreamIdle(Exception):
    """A caller opened a stream and sent nothing for too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no message came for {seconds:g} s; open the stream when there is something to send")


class JobTimeBudgetExceeded(Exception):
    """A job has run for longer than any job may."""


class Overloaded(Exception):
    """There is more work than can be done in time; later it may go."""


class StorageFull(Exception):
    """There is no room to store more; the message says what to delete."""


class StorageUnavailable(Exception):
    """The store cannot be used now: it is busy, unreadable or damaged."""


class WorkerDied(Exception):
    """The process of a worker is gone, though the server did not end it."""

    def __init__(self, message: str = "the worker process died; the request may need too much memory") -> None:
        super().__init__(message)  # told to the worker that answers instead, so it must survive pickling


class Draining(Exception):
    """The server is about to stop: it takes no new calls, and ends those that are not over in time."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down")


class LostClaim(Exception):
    """A job belongs to another worker by now, or is over: what this one did no longer counts."""


class Refused(Exception):
    """An error that a worker has written down as a google.rpc.Status already."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status)
        self.status = status
