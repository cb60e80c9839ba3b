"""Does what mandates want recomputed: each once, however many servers share the work and whoever dies."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

from domain.errors import DomainError
from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Severity
from domain.records import dataclass
from server.converters.events import message_of, recomputation_to_bytes, signal_message
from server.listeners.change_feed import clock
from server.listeners.event_sink import NO_SINK, EventSink
from server.observability import logger
from server.ports.errors import Refused, ServiceError, StorageFull, StorageUnavailable, WorkerDied
from server.ports.events import (
    EventDraft,
    EventFilter,
    EventLog,
    EventType,
    NotificationDraft,
    Recomputation,
    RecomputationQueue,
)
from server.ports.scope import Scope

LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0

LOOK_SECONDS = 1.0
"""How often recomputations are looked for that the listener of this process does not announce."""

MAX_ATTEMPTS = 5
"""Also of those whose servers died: one that kills them is given up."""

BACKOFF_SECONDS = 1.0
"""Before the second attempt; twice as long before each later one."""


@dataclass(slots=True)
class _Run:
    """A recomputation that is done here."""

    claim: Recomputation
    task: asyncio.Task[None] | None = None


class Recomputations:
    """Does as many recomputations at once as there are slots."""

    def __init__(
        self,
        queue: RecomputationQueue,
        log: EventLog,
        do: Callable[[Recomputation], Awaitable[str]],
        worker: str,
        slots: int,
        *,
        sink: EventSink = NO_SINK,
        now: Callable[[], int] = clock,
        look_seconds: float = LOOK_SECONDS,
        backoff_seconds: float = BACKOFF_SECONDS,
    ) -> None:
        self._queue = queue
        self._log = log
        self._do = do
        self._worker = worker
        self._slots = slots
        self._sink = sink
        self._now = now
        self._look = look_seconds
        self._backoff = backoff_seconds
        self._wake = asyncio.Event()
        self._running: dict[int, _Run] = {}
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to look for recomputations."""
        self._loops = [asyncio.create_task(self._claiming()), asyncio.create_task(self._renewing())]

    def wake(self) -> None:
        """There is a new one. Only of the event loop."""
        self._wake.set()

    async def close(self) -> None:
        """Gives those that run here back; another server, or this one after a restart, does them again."""
        runs = list(self._running.values())
        tasks = [*self._loops, *(run.task for run in runs if run.task is not None)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for run in runs:
            with contextlib.suppress(StorageFull, StorageUnavailable):
                await self._queue.release(self._worker, run.claim, 0.0)

    async def _claiming(self) -> None:
        while True:
            self._wake.clear()
            try:
                while len(self._running) < self._slots:
                    claim = await self._queue.claim(self._worker, LEASE_SECONDS)
                    if claim is None:
                        break
                    run = self._running[claim.key] = _Run(claim)
                    run.task = asyncio.create_task(self._run(claim))
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("recomputations could not be claimed", extra={"why": str(error)})
            except Exception:
                logger.exception("recomputations could not be claimed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await self._wake.wait()

    async def _renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            runs = dict(self._running)
            if not runs:
                continue
            try:
                held = await self._queue.renew(self._worker, [run.claim for run in runs.values()], LEASE_SECONDS)
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("recomputations could not be renewed", extra={"why": str(error)})
                continue
            except Exception:
                logger.exception("recomputations could not be renewed")
                continue
            for key in runs.keys() - held:
                task = runs[key].task
                if task is not None:
                    task.cancel()  # another server does it by now

    async def _run(self, claim: Recomputation) -> None:
        try:
            await self._attempt(claim)
        except (StorageFull, StorageUnavailable) as error:
            logger.warning("a recomputation could not be ended", extra={"key": claim.key, "why": str(error)})
        except Exception:
            logger.exception("a recomputation could not be ended", extra={"key": claim.key})
        finally:
            self._running.pop(claim.key, None)
            self._wake.set()

    async def _attempt(self, claim: Recomputation) -> None:
        """Does it, and ends it with its event, or gives it back for a while."""
        outcome: str | Exception
        log_id = ""
        if claim.attempt > MAX_ATTEMPTS:
            outcome = WorkerDied("the servers that did the recomputation ended each time")
        else:
            try:
                outcome = await self._do(claim)
            except (Refused, DomainError) as error:
                outcome = error
            except ServiceError as error:
                outcome = error
                if error.HAS_RETRY_DELAY and claim.attempt < MAX_ATTEMPTS:
                    await self._queue.release(self._worker, claim, self._delay(claim))
                    return
            except Exception as error:
                log_id = uuid.uuid4().hex
                logger.exception("a recomputation failed", extra={"key": claim.key, "id": log_id})
                outcome = error
                if claim.attempt < MAX_ATTEMPTS:
                    await self._queue.release(self._worker, claim, self._delay(claim))
                    return
        (event,) = self._sink.addressed([await self._event(claim, outcome, log_id)])
        if await self._queue.finish(self._worker, claim, event):
            self._sink.stored([event])

    def _delay(self, claim: Recomputation) -> float:
        delay: float = self._backoff * 2.0 ** (claim.attempt - 1)
        return delay

    async def _event(self, claim: Recomputation, outcome: str | Exception, log_id: str) -> EventDraft:
        kind, symbol, message = await self._cause(claim)
        severity = Severity.INFO
        payload = await asyncio.to_thread(recomputation_to_bytes, claim, outcome, log_id)
        told = message if claim.action is Action.NOTIFY else ""
        if not isinstance(outcome, str):
            severity = Severity.WARNING
            told = f"{claim.action} of the portfolio has failed: {message_of(outcome, log_id)}"
        return EventDraft(
            EventType.RECOMPUTATION,
            claim.owner,
            self._now(),
            kind,
            severity,
            f"recomputation-{claim.key}",
            payload,
            claim.portfolio,
            symbol,
            NotificationDraft(told, deliver=True) if told else None,
        )

    async def _cause(self, claim: Recomputation) -> tuple[EventKind, str, str]:
        """Kind and symbol of the signal that started it, and what a notification says."""
        if claim.signal_sequence:
            scope = Scope(claim.owner)
            page = await self._log.since(scope, claim.signal_sequence - 1, 1, EventFilter())
            for event in page.events:
                if event.sequence == claim.signal_sequence:
                    draft = event.draft
                    return draft.kind, draft.symbol, signal_message(draft.payload)
        return EventKind.PRICES, "", "There are new prices of assets that the portfolio holds."
