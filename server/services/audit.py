"""The audit log: what ends well is stored before its answer leaves, many calls in one transaction; what fails, soon."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, ContextVar
from dataclasses import replace

from domain.records import dataclass
from server.observability import logger
from server.ports.audit import AuditEvent, AuditFilter, AuditPage, AuditStore
from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.scope import Scope

MOST_AT_ONCE = 500
"""Events of one transaction."""

MOST_KINDS = 1_000
"""Kinds of failures that wait. Those of more are counted without the resource and the key of the call."""

MOST_KINDS_OF_OWNER = 20
"""The same of one owner: nobody shall push the events of others out of the log by failures."""

SOON_SECONDS = 1.0
"""How long failures wait for others that are alike."""

Kind = tuple[str, str, str, str, str, str]


@dataclass(slots=True)
class CallEvent:
    """The event of the call that is being served, for who stores it together with what the call changes."""

    of: Callable[[str], AuditEvent]  # by the name of the resource that was changed
    is_stored: bool = False  # then nobody else has to
    is_being_stored: bool = False  # in another thread, whatever becomes of the call


call_event: ContextVar[CallEvent | None] = ContextVar("call_event", default=None)
"""Set while a call is served that is answered once, and whose answer waits for its event."""


class AuditLog:
    """Writes and reads the audit log."""

    def __init__(self, store: AuditStore, soon_seconds: float = SOON_SECONDS) -> None:
        self._store = store
        self._soon_seconds = soon_seconds
        self._waiting: list[tuple[AuditEvent, asyncio.Future[None]]] = []
        self._failures: dict[Kind, AuditEvent] = {}
        self._kinds: Counter[str] = Counter()  # of failures that wait, by owner
        self._is_due = False  # whether failures have waited for long enough
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def record(self, event: AuditEvent) -> None:
        """Returns when the event is stored. Raises StorageFull, StorageUnavailable."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, stored))
        self._write()
        await stored

    def note(self, event: AuditEvent) -> None:
        """Has an event stored soon, as one with others that are alike."""
        kind = _kind(event)
        are_many = len(self._failures) >= MOST_KINDS or self._kinds[event.owner] >= MOST_KINDS_OF_OWNER
        if kind not in self._failures and are_many:
            event = replace(event, resource="", call_id="", caller=event.owner)
            kind = _kind(event)
        found = self._failures.get(kind)
        self._kinds[event.owner] += found is None
        self._failures[kind] = event if found is None else replace(found, count=found.count + event.count)
        self._write_soon()

    async def list(self, scope: Scope, token: str, limit: int, filters: AuditFilter) -> AuditPage:
        """A page of events, newest first; those of this server that wait are stored before."""
        if self._failures:
            self._write_due()
            await self.settled()
        return await self._store.list(scope, token, limit, filters)

    async def close(self) -> None:
        """Stores what waits. No call may follow."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._write_due()
        await self.settled()

    async def settled(self) -> None:
        """Waits for what is being stored: the answers of calls that are over leave after it."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    def _write_soon(self) -> None:
        if self._timer is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._soon_seconds, self._write_due, context=Context())

    def _write_due(self) -> None:
        """Failures that wait are stored now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_due = bool(self._failures)
        self._write()

    def _write(self) -> None:
        if self._writer is None and (self._waiting or self._is_due):
            # Not in the context of a call: its deadline is not that of others whose events are written with its own.
            self._writer = asyncio.get_running_loop().create_task(self._write_all(), context=Context())

    async def _write_all(self) -> None:
        """Everything that waits, also what comes meanwhile: who waits for a transaction shares the next one."""
        try:
            while self._waiting or self._is_due:  # ends: each round waits for the store, and fails where that does
                waiting, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                failures = self._due_failures()
                try:
                    await self._store.append([*(event for event, _ in waiting), *failures.values()])
                except Exception as error:
                    self._failed(error, waiting, failures)
                    if not self._waiting:
                        break
                else:
                    for _, stored in waiting:
                        if not stored.done():  # its caller may have left
                            stored.set_result(None)
        finally:
            self._writer = None

    def _due_failures(self) -> Mapping[Kind, AuditEvent]:
        """Takes the failures that have waited for long enough."""
        if not self._is_due:
            return {}
        failures, self._failures, self._is_due = self._failures, {}, False
        self._kinds.clear()
        return failures

    def _failed(
        self,
        error: Exception,
        waiting: Sequence[tuple[AuditEvent, asyncio.Future[None]]],
        failures: Mapping[Kind, AuditEvent],
    ) -> None:
        """Tells callers, and keeps the events until the store is back: what they changed stands all the same."""
        if not isinstance(error, StorageFull | StorageUnavailable):
            logger.error("the audit log cannot be written", exc_info=error)
            error = StorageUnavailable("the audit log cannot be written")
        for _, stored in waiting:
            if not stored.done():
                stored.set_exception(error)
        events = (*(event for event, _ in waiting), *failures.values())
        if self._closed:
            lost = sum(event.count for event in events)
            logger.error("events of the audit log are lost", extra={"events": lost, "why": str(error)})
            return
        for event in events:
            self.note(event)


def _kind(event: AuditEvent) -> Kind:
    return event.owner, event.caller, event.method, event.resource, event.code, event.reason
