"""Following a job: a cursor on its log, never a queue of its own.

Durable events have numbers 1, 2, 3 ... in the store, and on the wire sequences n * BLOCK. What is not kept takes those
in between, counted by each follower: a sequence says which events its reader has, and none is ever used twice.
"""

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime

from domain.errors import InvalidInput
from domain.records import dataclass
from server.ports.errors import Draining, EpochChanged, EventsCompacted, NotFound
from server.ports.job_stores import JobArchive, JobLog
from server.ports.jobs import EventKind, JobEvent, JobRecord, JobState, JobTick, JobView

BLOCK = 1 << 32
MAX_CURVE_POINTS = 2000
"""Points of a curve that are kept for followers who join late."""

POLL_SECONDS = 0.4
"""How often a job that another process runs is looked at: together with its heartbeats, less than a second."""


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """Where a job stands as a follower joins."""

    state: JobState
    tick: JobTick | None
    oldest_sequence: int


@dataclass(frozen=True, slots=True)
class ProgressTick:
    """How far it is, and the time it will still take, once that can be said."""

    tick: JobTick  # its points are those that this follower does not have
    eta_seconds: float | None


class Heartbeat:
    """Sent where nothing happened for a while."""


@dataclass(frozen=True, slots=True)
class ProgressMessage:
    """One message to a follower. `content` is a JobRecord for the end of a job."""

    sequence: int
    epoch: str
    time: datetime
    content: ProgressSnapshot | ProgressTick | JobEvent | Heartbeat | JobRecord
    of_sweep: bool = False


@dataclass(slots=True)
class Pace:
    """How fast a job advances, seen from here."""

    started: float
    fraction: float

    def eta(self, tick: JobTick) -> float | None:
        """Seconds to the end at the pace so far."""
        done = tick.fraction - self.fraction
        if done <= 0.0:
            return None
        return (time.monotonic() - self.started) * (1.0 - tick.fraction) / done


@dataclass(slots=True)
class Curve:
    """Net asset values of one strategy, in the order of their days; every second one goes where there are too many."""

    tick: JobTick | None = None  # the last one about this strategy
    days: list[int] = field(default_factory=list)
    navs: list[float] = field(default_factory=list)

    def add(self, tick: JobTick, points: Sequence[tuple[int, float]]) -> None:
        """Takes later points; one of a day that is known already says nothing new."""
        self.tick = tick
        last = self.days[-1] if self.days else None
        new = [point for point in points if last is None or point[0] > last]
        self.days += [day for day, _ in new]
        self.navs += [nav for _, nav in new]
        if len(self.days) > MAX_CURVE_POINTS:
            self.days, self.navs = self.days[::-2][::-1], self.navs[::-2][::-1]

    def after(self, day: int | None) -> tuple[tuple[int, float], ...]:
        """The points after a day."""
        first = 0 if day is None else bisect_right(self.days, day)
        return tuple(zip(self.days[first:], self.navs[first:], strict=True))


@dataclass(slots=True)
class Log:
    """What this process knows of a job that somebody follows or that it runs."""

    record: JobRecord
    events: list[JobEvent]
    tick: JobTick | None
    tick_count: int = 0
    curves: dict[int, "Curve"] = field(default_factory=dict)  # by stage
    pace: Pace | None = None
    followers: int = 0
    run_here: bool = False
    deleted: bool = False
    looked: float = 0.0  # when the store was read last
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # something durable
    ticked: asyncio.Event = field(default_factory=asyncio.Event)  # anything

    def advance(self, tick: JobTick) -> None:
        """The job is that far."""
        self.tick = tick
        self.tick_count += 1
        if tick.stage is not None and not self.record.is_sweep:
            curve = self.curves.setdefault(tick.stage.index, Curve())
            curve.add(tick, tick.points or ((tick.day_or_failed_count, tick.nav_or_best_score),))

    def wake(self, *, durable: bool) -> None:
        """Lets those who wait go on."""
        if durable:
            self.changed.set()
            self.changed = asyncio.Event()
        self.ticked.set()
        self.ticked = asyncio.Event()


class Progress:
    """Tells followers of jobs what happens to them."""

    def __init__(self, archive: JobArchive, log: JobLog) -> None:
        self._archive = archive
        self._log = log
        self._logs: dict[int, Log] = {}  # by the keys of jobs, which no caller knows
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Ends every follower's stream."""
        self._draining.set()
        for log in self._logs.values():
            log.wake(durable=True)

    def begins(self, record: JobRecord) -> None:
        """A job is run by this process from now on."""
        log = self._logs.get(record.key)
        if log is None:
            self._logs[record.key] = log = Log(record, [], record.tick)
        log.record, log.run_here = record, True
        log.pace = Pace(time.monotonic(), record.tick.fraction if record.tick else 0.0)
        log.wake(durable=True)

    def ticked(self, key: int, tick: JobTick) -> None:
        """A job that runs here is that far."""
        log = self._logs.get(key)
        if log is not None:
            log.advance(tick)
            log.wake(durable=False)

    def ticks(self) -> Mapping[int, JobTick]:
        """How far the jobs are that run here."""
        return {key: log.tick for key, log in self._logs.items() if log.run_here and log.tick}

    def ends(self, key: int) -> None:
        """A job is no longer run by this process."""
        log = self._logs.get(key)
        if log is not None:
            log.run_here = False
            log.wake(durable=True)
            self._forget(log)

    async def refresh(self, key: int) -> None:
        """Reads what was stored of a job since the last look, if anybody follows it."""
        log = self._logs.get(key)
        if log is None:
            return
        log.looked = time.monotonic()
        try:
            view = await self._log.view(key, log.events[-1].number if log.events else 0)
        except NotFound:
            log.deleted = True
            log.wake(durable=True)
            return
        if view.record.last_event < log.record.last_event:
            return  # a slower look that another one has overtaken
        known = log.events[-1].number if log.events else 0
        new = [event for event in view.events if event.number > known]
        log.events.extend(new)
        if view.record.dropped_event > log.record.dropped_event:
            log.events = [event for event in log.events if event.number > view.record.dropped_event]
        moved = view.record.tick is not None and view.record.tick != log.tick and not log.run_here
        if moved and view.record.tick is not None:
            log.advance(view.record.tick)
        changed = bool(new) or view.record.state is not log.record.state
        log.record = view.record
        if changed or moved:
            log.wake(durable=changed)

    async def ended(self, record: JobRecord, seconds: float) -> JobRecord:
        """A job once it is over, or as it is when the time is. Raises NotFound."""
        end = time.monotonic() + seconds
        log = await self._join(record)
        try:
            while not log.record.state.is_final and not self._draining.is_set() and time.monotonic() < end:
                await self._pause(log, log.changed, end - time.monotonic())
        finally:
            self._leave(log)
        return (await self._view(log.record, log.record.last_event)).record

    async def follow(
        self,
        owner: str,
        job_id: str,
        after_sequence: int,
        epoch: str,
        min_interval: float,
        heartbeat_interval: float,
    ) -> AsyncGenerator[ProgressMessage]:
        """A snapshot, what happened since, what happens, and the end.

        Raises NotFound, EpochChanged, EventsCompacted, InvalidInput for a sequence that was never given out, and
        Draining.
        """
        # The store says whose a job is, whatever is known of it here.
        log = await self._join(await self._archive.get(owner, job_id))
        try:
            await self.refresh(log.record.key)
            _resumable(log.record, after_sequence, epoch)
            cursor = Cursor(log, after_sequence)
            yield cursor.snapshot()
            async for message in self._messages(cursor, min_interval, heartbeat_interval):
                yield message
        finally:
            self._leave(log)

    async def _messages(
        self, cursor: "Cursor", min_interval: float, heartbeat_interval: float
    ) -> AsyncGenerator[ProgressMessage]:
        log = cursor.log
        last_sent = time.monotonic()
        tick_due = last_sent  # the first tick may follow the snapshot at once
        while True:
            while log.record.state.is_final and cursor.has_tick and not cursor.at_end:
                yield cursor.tick()  # the rest of the curves comes before the end
            for message in cursor.durable():
                last_sent = time.monotonic()
                yield message
                if isinstance(message.content, JobRecord):
                    return
            if cursor.at_end:
                return  # it had the end before, and asks what followed: nothing
            if self._draining.is_set():
                raise Draining
            if log.deleted:
                raise NotFound(log.record.kind, log.record.name)
            now = time.monotonic()
            if cursor.has_tick and now >= tick_due:
                last_sent, tick_due = now, now + min_interval
                yield cursor.tick()
                continue
            if now - last_sent >= heartbeat_interval:
                last_sent = now
                yield cursor.heartbeat()
                continue
            event = log.changed if cursor.has_tick else log.ticked
            until = last_sent + heartbeat_interval
            await self._pause(log, event, min(until, tick_due) - now if cursor.has_tick else until - now)

    async def _pause(self, log: Log, event: asyncio.Event, seconds: float) -> None:
        """Waits for an event; a job that another process runs, or nobody yet, is looked at now and then."""
        limit = seconds if log.run_here else min(seconds, POLL_SECONDS)
        try:
            async with asyncio.timeout(max(limit, 0.0)):
                await event.wait()
        except TimeoutError:
            # One look serves all who follow.
            if not log.run_here and time.monotonic() - log.looked >= POLL_SECONDS / 2:
                await self.refresh(log.record.key)

    async def _join(self, record: JobRecord) -> Log:
        log = self._logs.get(record.key)
        if log is None:
            view = await self._view(record, 0)
            log = self._logs.get(record.key)
            if log is None:
                log = self._logs[record.key] = Log(view.record, list(view.events), view.record.tick)
        log.followers += 1
        return log

    async def _view(self, record: JobRecord, after: int) -> JobView:
        try:
            return await self._log.view(record.key, after)
        except NotFound:  # deleted meanwhile; its name says more than its key
            raise NotFound(record.kind, record.name) from None

    def _leave(self, log: Log) -> None:
        log.followers -= 1
        self._forget(log)

    def _forget(self, log: Log) -> None:
        if log.followers == 0 and not log.run_here and self._logs.get(log.record.key) is log:
            del self._logs[log.record.key]


class Cursor:
    """One follower's place in a log."""

    def __init__(self, log: Log, after_sequence: int) -> None:
        self.log = log
        self._sequence = after_sequence
        self._number = after_sequence // BLOCK
        # Which points a reader has who comes again is not known: every curve is sent from its beginning.
        self._ticks_seen = 0
        self._stage = 0
        self._last_day: int | None = None  # of the points of that stage that were sent

    @property
    def at_end(self) -> bool:
        """Whether the last event of a job that is over was sent, now or before."""
        record = self.log.record
        return record.state.is_final and self._number >= record.last_event

    @property
    def has_tick(self) -> bool:
        """Whether there is a later tick than the last one sent."""
        return self.log.tick_count > self._ticks_seen

    def snapshot(self) -> ProgressMessage:
        """The first message; its sequence is the place it goes on from."""
        record = self.log.record
        oldest = (record.dropped_event + 1) * BLOCK
        return self._message(self._sequence, ProgressSnapshot(record.state, self.log.tick, oldest))

    def durable(self) -> list[ProgressMessage]:
        """Events that were not sent yet."""
        found: list[ProgressMessage] = []
        dropped = self.log.record.dropped_event
        if self._number < dropped and self._number > 0 and self._missed():
            raise EventsCompacted((dropped + 1) * BLOCK)
        for event in self.log.events[self._position() :]:
            self._number, self._sequence = event.number, event.number * BLOCK
            content = self.log.record if event.content.kind is EventKind.FINISHED else event
            found.append(ProgressMessage(self._sequence, self.log.record.epoch, event.time, content))
        return found

    def tick(self) -> ProgressMessage:
        """The latest tick, or the end of the curve of a strategy before it that was not sent yet."""
        tick = self._next()
        self._sequence += 1
        eta = self.log.pace.eta(tick) if self.log.pace else None
        return self._message(self._sequence, ProgressTick(tick, eta))

    def _next(self) -> JobTick:
        latest = self.log.tick
        if latest is None:
            raise ValueError("a tick was counted and is not there")
        if latest.stage is None or self.log.record.is_sweep:
            self._ticks_seen = self.log.tick_count
            return latest
        while True:  # ends at the stage of the latest tick
            curve = self.log.curves.get(self._stage)
            points = () if curve is None else curve.after(self._last_day)
            if self._stage >= latest.stage.index:
                self._ticks_seen = self.log.tick_count
                self._last_day = points[-1][0] if points else self._last_day
                return replace(latest, points=points)
            self._stage, self._last_day = self._stage + 1, None
            if curve is not None and curve.tick is not None and points:
                return replace(curve.tick, points=points)

    def heartbeat(self) -> ProgressMessage:
        """A sign of life."""
        self._sequence += 1
        return self._message(self._sequence, Heartbeat())

    def _missed(self) -> bool:
        """Whether events between this place and the oldest one held here are gone."""
        return not self.log.events or self.log.events[0].number > self._number + 1

    def _position(self) -> int:
        events = self.log.events
        return 0 if not events else min(max(0, self._number + 1 - events[0].number), len(events))

    def _message(self, sequence: int, content: ProgressSnapshot | ProgressTick | Heartbeat) -> ProgressMessage:
        return ProgressMessage(sequence, self.log.record.epoch, datetime.now(UTC), content, self.log.record.is_sweep)


def _resumable(record: JobRecord, after_sequence: int, epoch: str) -> None:
    if epoch and epoch != record.epoch:
        raise EpochChanged(f"the log of {record.name} has another epoch; follow from 0", record.epoch)
    if after_sequence // BLOCK > record.last_event:
        raise InvalidInput(
            "after_sequence", "is above every sequence that was sent; send one of a message you have received, or 0"
        )
    if 0 < after_sequence // BLOCK < record.dropped_event or (0 < after_sequence < BLOCK and record.dropped_event):
        raise EventsCompacted((record.dropped_event + 1) * BLOCK)
