"""Spans of what a call does: begun and ended by whoever does it, and made by a tracer where one is installed.

Without a tracer nothing is measured and nothing is kept. A span has names and numbers, never what a caller sent.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, TypeVar

from domain.records import dataclass
from server.observability import trace_id

T = TypeVar("T")

Attributes = Mapping[str, str | int]

WAIT = "wait for a worker"
"""The span of the time in a queue."""


class Kind(StrEnum):
    """What a span is, in the terms of OpenTelemetry."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"  # of a use of the store
    CONSUMER = "CONSUMER"  # of a job
    INTERNAL = "INTERNAL"


class Span(Protocol):
    """Something that takes time."""

    @property
    def traceparent(self) -> str:
        """Its trace and its id, as W3C Trace Context writes them."""
        ...

    def set(self, name: str, value: str | int) -> None:
        """Adds an attribute."""
        ...

    def link(self, traceparent: str) -> None:
        """Says which span caused this one, which is no part of it."""
        ...

    def end(self, error: str = "", end_ns: int | None = None) -> None:
        """Ends it, with the name of an error where it failed."""
        ...


class Tracer(Protocol):
    """Makes spans."""

    def start(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: str = "",
        start_ns: int | None = None,
    ) -> Span:
        """A span that has begun, in the trace of `parent`, or in a new one where that is empty or is none."""
        ...


_installed: list[Tracer] = []
_current: ContextVar[Span | None] = ContextVar("span", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()


def install(tracer: Tracer | None) -> None:
    """From now on spans are made by this tracer; by none where it is None."""
    _installed[:] = [] if tracer is None else [tracer]


def current_traceparent() -> str:
    """Of the span that is open here; empty where there is none."""
    current = _current.get()
    return "" if current is None else current.traceparent


def begin(span: Span) -> Token[Span | None]:
    """Makes a span the one that is open here."""
    trace_id.set(span.traceparent.split("-")[1])
    return _current.set(span)


def child(name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[object]:
    """A span inside the one that is open here; nothing where there is none."""
    if not _installed or (parent := _current.get()) is None:
        return _NOTHING
    return _Open(name, kind, attributes, parent.traceparent)


def root(name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span | None]:
    """A span that begins a trace of its own; nothing where no tracer is installed."""
    return _Open(name, kind, attributes, "") if _installed else _NOTHING


class _Open(AbstractContextManager[Span]):
    def __init__(self, name: str, kind: Kind, attributes: Attributes, parent: str) -> None:
        self._span = _installed[0].start(name, kind, attributes, parent=parent)

    def __enter__(self) -> Span:
        self._token = begin(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        self._span.end("" if kind is None else kind.__name__)


@dataclass(frozen=True, slots=True)
class Worked:
    """The value of work that was carried to another process, and when that did it."""

    value: Any
    start_ns: int
    end_ns: int
    pid: int
    host: str


@dataclass(frozen=True, slots=True)
class Carried:
    """Work with the span that it belongs to, for another process."""

    work: Callable[..., Any]
    traceparent: str

    def __call__(self, **given: Any) -> Worked:
        """Does it; lines that it logs have the id of the trace."""
        trace_id.set(self.traceparent.split("-")[1])
        start = time.time_ns()
        try:
            value = self.work(**given)
        finally:
            trace_id.set("")
        return Worked(value, start, time.time_ns(), os.getpid(), platform.node())


def carried(work: Callable[..., Any]) -> Callable[..., Any]:
    """Work as it is sent to another process: with the span that is open here, if any."""
    parent = current_traceparent() if _installed else ""
    return Carried(work, parent) if parent else work


def arrived(value: T, sent_ns: int | None = None) -> T:
    """The value of work that was carried; its span has the times of the process that did it.

    With `sent_ns`, when it was sent to a queue elsewhere, it has waited from then until that process began.
    """
    if not isinstance(value, Worked):
        return value
    if _installed and (parent := current_traceparent()):
        if sent_ns is not None and sent_ns < value.start_ns:  # clocks of two machines may differ by more than that
            span = _installed[0].start(WAIT, Kind.INTERNAL, {}, parent=parent, start_ns=sent_ns)
            span.end(end_ns=value.start_ns)
        span = _installed[0].start(
            "work",
            Kind.INTERNAL,
            {"process.pid": value.pid, "host.name": value.host},
            parent=parent,
            start_ns=value.start_ns,
        )
        span.end(end_ns=value.end_ns)
    found: T = value.value
    return found


def failed(error: BaseException, start_ns: int) -> None:
    """A span of work in another process that gave no value, by the times of this one."""
    if _installed and (parent := current_traceparent()):
        span = _installed[0].start("work", Kind.INTERNAL, {}, parent=parent, start_ns=start_ns)
        span.end(type(error).__name__)
