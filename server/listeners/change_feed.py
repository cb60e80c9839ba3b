"""The loop of the one listener of a store: reads changes in order, watches portfolios, and stores what it notices.

The change log is the truth; a notice only wakes. What was stored twice after a death is dropped by its keys.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from domain.errors import InvalidInput
from domain.monitoring.events import AlarmsTold, TimePassed
from domain.monitoring.timestamps import DAY, SECOND
from domain.records import dataclass
from server.listeners.event_sink import NO_SINK, EventSink
from server.listeners.memory import Memory, memory_from_bytes, memory_to_bytes
from server.listeners.missed import missed_changes
from server.listeners.noticing import Noticed, Reading, notice
from server.listeners.reading import Readings
from server.listeners.told import told_since
from server.observability import logger
from server.ports.changes import Change, ChangeLag, ChangeLog, ChangePage
from server.ports.errors import CursorGone, StorageFull, StorageUnavailable
from server.ports.events import EventLog, ListenerClaim, ListenerState, ListenerStore
from server.ports.notices import ChangeNotices

LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0

LOOK_SECONDS = 1.0
"""How often changes are looked for that no notice announces: those that other servers wrote."""

RARE_LOOK_SECONDS = 10.0
"""The same while a service announces them, and nothing waits that it has announced."""

ANNOUNCED_SECONDS = 30.0
"""For how long after a notice changes are looked for often: an open transaction may keep them back."""

SETTLE_SECONDS = 0.02
"""From a notice to the next look: writes that follow one another are read together."""

PAGE = 1000

STORE_SECONDS = 5.0
STORE_CHANGES = 1000
"""The state is stored when either has passed; what follows it is done again after a death."""

TICK = 60 * SECOND
"""The time is told at whole minutes, so that whoever does it again tells the same times."""

TICK_DELAY = 2 * SECOND
"""A minute is told once changes that were written in it are visible."""

MOST_TICKS = 60
"""Minutes that are told one by one after a pause; of a longer pause, its midnights and its end."""

MOST_DAYS = 400


def clock() -> int:
    """Now, in microseconds since 1970-01-01."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How the listener is doing, as this process sees it."""

    is_listening: bool  # here; another server of the store may be the listener
    has_caught_up: bool  # with what was written before it began to listen, or to watch another one listen
    lag: ChangeLag  # of this process where it listens, and otherwise of what was stored last
    cursor: str
    failures: int  # in a row, to read or to store
    unreadable: int = 0  # portfolios that are not watched since their stored bytes cannot be read; of this process
    unconverted: int = 0  # portfolios that are not watched since they have prices in other currencies; of this process


class LostListener(Exception):
    """Another server listens by now."""


class ChangeFeed:
    """Listens while no other server of the store does."""

    def __init__(
        self,
        changes: ChangeLog,
        listener: ListenerStore,
        readings: Readings,
        worker: str,
        *,
        log: EventLog | None = None,
        on_recomputations: Callable[[], None] = lambda: None,
        sink: EventSink = NO_SINK,
        notices: ChangeNotices | None = None,
        now: Callable[[], int] = clock,
        look_seconds: float = LOOK_SECONDS,
        rare_look_seconds: float = RARE_LOOK_SECONDS,
    ) -> None:
        self._changes = changes
        self._listener = listener
        self._readings = readings
        self._worker = worker
        self._log = log
        self._on_recomputations = on_recomputations
        self._sink = sink
        self._now = now
        self._notices = notices
        self._look = look_seconds
        self._rare_look = max(look_seconds, rare_look_seconds)
        self._wake = asyncio.Event()
        self._was_woken = True  # this turn follows a notice, or the one before was not at the end of the log
        self._noticed_at = time.monotonic()
        self._claim: ListenerClaim | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._memory = Memory()
        self._cursor = ""
        self._unstored = 0  # changes since the state was stored
        self._stored_at = 0.0
        self._stored: Memory | None = None
        self._settled: int | None = None  # sequence of the last event that the loaded state knew of; None once settled
        self._failures = 0
        self._started_at = math.inf
        self._is_loaded = self._has_caught_up = False  # since it claimed last

    def start(self) -> None:
        """Begins."""
        self._started_at = time.monotonic()
        self._tasks = [asyncio.create_task(self._claiming()), asyncio.create_task(self._listening())]

    @property
    def is_woken(self) -> bool:
        """Whether it will look at all that is written by now: nobody needs to wake it. Of any thread."""
        return self._wake.is_set()

    def wake(self) -> None:
        """There may be a change. Only of the event loop."""
        self._noticed_at = time.monotonic()
        self._wake.set()

    async def close(self) -> None:
        """Stores where it stands and lets another one listen."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        claim, self._claim = self._claim, None
        if claim is None:
            return
        with contextlib.suppress(StorageFull, StorageUnavailable, LostListener):
            await self._store(claim)
            await self._listener.release(claim)

    async def health(self) -> FeedHealth:
        """How it is doing. Raises StorageUnavailable."""
        is_listening = self._claim is not None
        cursor = self._cursor if self._is_loaded else await self._listener.cursor()
        seconds = time.monotonic() - self._started_at  # before the lag is measured, which may take a while
        lag = await self._changes.lag(cursor)
        # Where another one listens: all that it has not stored yet was written since this process began.
        has_caught_up = self._has_caught_up if is_listening else lag.seconds < seconds
        memory = self._memory if is_listening else Memory()
        unwatched = len(memory.unreadable), len(memory.unconverted)
        return FeedHealth(is_listening, has_caught_up, lag, cursor, self._failures, *unwatched)

    async def _claiming(self) -> None:
        """Claims, and renews the claim while changes are read: reading everything may take longer than a lease."""
        while True:
            try:
                self._claim = await self._listener.claim(self._worker, LEASE_SECONDS)
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("the listener's claim could not be renewed", extra={"why": str(error)})
            except Exception:
                logger.exception("the listener's claim could not be renewed")
            await asyncio.sleep(RENEW_SECONDS if self._claim is not None else self._look)

    async def _listening(self) -> None:
        while True:
            claim = self._claim
            if claim is None:
                await asyncio.sleep(min(0.1, self._look))
                continue
            try:
                await self._load(claim)
                while True:  # ends where the claim is lost
                    await self._turn(claim)
            except LostListener:
                logger.info("another server listens to changes now")
            except (StorageFull, StorageUnavailable) as error:
                self._failures += 1
                logger.warning("changes could not be followed", extra={"why": str(error)})
            except Exception:
                self._failures += 1
                logger.exception("changes could not be followed")
            self._is_loaded = self._has_caught_up = False
            await asyncio.sleep(self._look)

    async def _load(self, claim: ListenerClaim) -> None:
        """Goes on where the last listener stood, or reads everything where nobody did."""
        found = await self._listener.load()
        self._cursor, self._stored, self._unstored = found.cursor, None, 0
        self._stored_at = time.monotonic()
        self._is_loaded = True
        if found.state:
            try:
                self._memory = await asyncio.to_thread(memory_from_bytes, found.state)
            except InvalidInput as error:
                logger.warning("the listener's state cannot be used", extra={"why": error.rule})
            else:
                self._stored = self._memory
                self._settled = self._memory.told
                return
        self._memory = Memory()
        self._settled = 0
        await self._read_everything(claim)

    async def _turn(self, claim: ListenerClaim) -> None:
        """One page of changes; without one, the time, and then it waits for a notice."""
        self._require(claim)
        self._wake.clear()
        before = self._now()
        try:
            page = await self._changes.changes_since(self._cursor, PAGE)
            groups, place = await self._complete(page)
        except CursorGone:
            logger.warning("changes are no longer retained: everything is read anew")
            await self._read_everything(claim)
            return
        if groups and self._notices is not None and not self._was_woken and not self._wake.is_set():
            self._notices.expect()
        for group in groups:
            await self._follow(claim, group)
        self._cursor = place
        if page.is_last:
            await self._pass_time(claim, before - TICK_DELAY)
            await self._settle(claim)
        if self._is_due():
            await self._store(claim)
        self._failures = 0
        self._was_woken = True
        if page.is_last:
            self._has_caught_up = True
            await self._rest()

    async def _settle(self, claim: ListenerClaim) -> None:
        """Once it has caught up: alarms are what was told of them last, also by a listener that died before it stored.

        Not before: what that one started, and when, follows from the changes that are read again.
        """
        if self._settled is None or self._log is None:
            return
        alarms, told = await told_since(self._log, self._settled)
        memory, time = replace(self._memory, told=max(told, self._memory.told)), self._memory.monitor.time
        if alarms and time is not None:
            await self._notice(claim, memory, Reading(time, "", (AlarmsTold(time, alarms),)))
        else:
            self._memory = memory
        self._settled = None

    async def _rest(self) -> None:
        """Until there is a notice, or the time has come to look without one."""
        self._was_woken = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._time_to_look()):
                await self._wake.wait()
                self._was_woken = True
                await asyncio.sleep(SETTLE_SECONDS)

    def _time_to_look(self) -> float:
        is_announced = self._notices is not None and self._notices.is_reliable
        waits_for_nothing = time.monotonic() - self._noticed_at >= ANNOUNCED_SECONDS
        return self._rare_look if is_announced and waits_for_nothing else self._look

    async def _complete(self, page: ChangePage) -> tuple[list[Sequence[Change]], str]:
        """Changes that were written together, none of them divided by the end of a page, and the place after them."""
        changes, place = list(page.changes), page.next_cursor
        while not page.is_last and changes and changes[0].time == changes[-1].time:  # ends with the log
            page = await self._changes.changes_since(place, PAGE)
            changes += page.changes
            place = page.next_cursor
        groups = list(_together(changes))
        if not page.is_last and len(groups) > 1:
            place = groups[-2][-1].cursor
            groups.pop()
        return groups, place

    async def _follow(self, claim: ListenerClaim, group: Sequence[Change]) -> None:
        """What follows from changes that were written together."""
        changes = self._readings.watched(self._memory, group)
        if changes:
            moment = min(changes[0].time, self._now())
            await self._pass_time(claim, moment)
            memory = self._memory.next_revision()
            await self._notice(claim, memory, await self._readings.of_changes(memory, changes))
        self._cursor = group[-1].cursor
        self._unstored += len(group)

    async def _pass_time(self, claim: ListenerClaim, until: int) -> None:
        """Tells the time at whole minutes up to a moment."""
        for moment in _ticks(self._memory.monitor.time, until):
            await self._notice(claim, self._memory, Reading(moment, "", (TimePassed(moment),)))

    async def _notice(self, claim: ListenerClaim, memory: Memory, reading: Reading) -> None:
        """Stores what follows from a reading; only then it is known."""
        self._require(claim)
        told = memory.told
        noticed: Noticed = await asyncio.to_thread(notice, memory, reading)
        if noticed.events or noticed.recomputations:
            events = self._sink.addressed(noticed.events)
            stored = await self._listener.record(claim, events, noticed.recomputations)
            if stored is None:
                raise LostListener
            told = max([told, *(one.sequence for one in stored)])
            new = {one.draft.dedupe_key for one in stored}
            self._sink.stored([event for event in events if event.dedupe_key in new])
            if noticed.recomputations:
                self._on_recomputations()
        self._memory = replace(noticed.memory, told=told) if told != noticed.memory.told else noticed.memory

    async def _read_everything(self, claim: ListenerClaim) -> None:
        """From the place where the log is now; what changes meanwhile is read twice.

        Portfolios come first: one that was deleted is told nothing of the prices that nobody has read.
        """
        place = await self._changes.newest()
        memory = self._memory.next_revision()
        now = self._now()
        missed = missed_changes(memory, place, now)
        await self._notice(claim, memory, await self._readings.of_everything(memory, now))
        if missed:
            memory = self._memory.next_revision()
            await self._notice(claim, memory, await self._readings.of_changes(memory, missed))
        self._cursor = place
        await self._store(claim)

    def _is_due(self) -> bool:
        if self._memory is self._stored and not self._unstored:
            return False
        return self._unstored >= STORE_CHANGES or time.monotonic() - self._stored_at >= STORE_SECONDS

    async def _store(self, claim: ListenerClaim) -> None:
        memory, cursor = self._memory, self._cursor
        state = ListenerState(cursor, await asyncio.to_thread(memory_to_bytes, memory))
        if not await self._listener.store(claim, state):
            raise LostListener
        self._stored, self._unstored, self._stored_at = memory, 0, time.monotonic()

    def _require(self, claim: ListenerClaim) -> None:
        if self._claim != claim:
            raise LostListener


def _together(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Runs of changes of one time: a transaction writes its changes at one."""
    start = 0
    for i in range(1, len(changes) + 1):
        if i == len(changes) or changes[i].time != changes[start].time:
            yield changes[start:i]
            start = i


def _ticks(since: int | None, until: int) -> list[int]:
    """Whole minutes after a time, up to another one."""
    last = until // TICK * TICK
    if since is None or last <= since:
        return []
    first = (since // TICK + 1) * TICK
    if (last - first) // TICK < MOST_TICKS:
        return list(range(first, last + 1, TICK))
    midnight = max((since // DAY + 1) * DAY, (last // DAY - MOST_DAYS) * DAY)
    return [*range(midnight, last, DAY), last]
