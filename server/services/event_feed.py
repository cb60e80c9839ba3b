"""The newest events, read once for all who follow them in this process.

A follower is a place in the log and nothing else. Where its place is among the events held here, it reads them here;
where it is behind them, because it begins or reads slowly, it reads the store. So the log is asked as often for two
hundred followers as for one, and a caller who does not read holds nothing but its place.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager

from server.ports.errors import Draining, EpochChanged
from server.ports.events import EventFilter, EventLog, EventPage, StoredEvent
from server.ports.scope import Scope

POLL_SECONDS = 0.25
"""How often the log is read where no notice comes: what other processes store is known after so long."""

PAGE_EVENTS = 200
KEPT_EVENTS = 2000
KEPT_BYTES = 4 << 20
STEP_EVENTS = 100
"""Events that a follower takes at once."""

EVERYBODY = Scope("", everyone=True)


class EventFeed:
    """Reads the log while somebody follows it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._recent: list[StoredEvent] = []
        self._bytes = 0
        self._begin = self._end = 0  # all events after the first and up to the second are in `_recent`
        self._epoch = ""
        self._followers = 0
        self._reading: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._draining = False
        self._noticed = asyncio.Event()
        self._advanced = asyncio.Event()

    @property
    def end(self) -> int:
        """The sequence up to which all events have been looked at."""
        return self._end

    def notice(self) -> None:
        """Says that this process has stored events: they are read at once."""
        self._noticed.set()

    def drain(self) -> None:
        """Ends all who follow."""
        self._draining = True
        self._wake()

    async def close(self) -> None:
        """Ends the reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
            self._reading = None

    @contextmanager
    def followed(self, position: int, epoch: str) -> Iterator[None]:
        """While somebody follows who has read the store up to a position."""
        if self._reading is None or self._failure is not None:
            self._recent, self._bytes = [], 0
            self._begin = self._end = position
            self._epoch, self._failure = epoch, None
            self._reading = asyncio.create_task(self._read())
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            if self._followers == 0 and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def check(self, epoch: str) -> None:
        """Raises Draining, EpochChanged, or what has ended the reading."""
        if self._draining:
            raise Draining
        if self._failure is not None:
            raise self._failure
        if epoch != self._epoch:
            raise epoch_changed(self._epoch)

    def covers(self, position: int) -> bool:
        """Whether all events after a position are here, or will be."""
        return position >= self._begin

    def after(self, position: int) -> list[StoredEvent]:
        """The next events of everybody, a few at most."""
        first = bisect_right(self._recent, position, key=_sequence)
        return self._recent[first : first + STEP_EVENTS]

    async def advanced(self, seconds: float) -> None:
        """Returns once there is something new, or after so many seconds."""
        waiting = self._advanced
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await waiting.wait()
        except TimeoutError:
            return

    async def _read(self) -> None:
        try:
            while True:  # ends with the last follower
                self._noticed.clear()
                page = await self._log.since(EVERYBODY, self._end, PAGE_EVENTS, EventFilter())
                self._take(page)
                if page.events and page.scanned < page.newest:
                    continue
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._noticed.wait()
                except TimeoutError:
                    continue
        except Exception as error:
            self._failure = error  # those who follow raise it, each to its own caller
            self._wake()

    def _take(self, page: EventPage) -> None:
        if page.epoch != self._epoch:
            self._epoch = page.epoch
            self._recent, self._bytes = [], 0
            self._begin = self._end = page.scanned
            self._wake()
            return
        if page.oldest > self._end + 1:  # what is gone is told by the store
            self._recent, self._bytes = [], 0
            self._begin = page.oldest - 1
        self._recent += page.events
        self._bytes += sum(len(event.draft.payload) for event in page.events)
        self._end = max(self._end, page.scanned)
        while len(self._recent) > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            self._drop_half()
        if page.events:
            self._wake()

    def _drop_half(self) -> None:
        """Half at once, so that dropping costs no more than adding."""
        count = (len(self._recent) + 1) // 2
        self._bytes -= sum(len(event.draft.payload) for event in self._recent[:count])
        self._begin = self._recent[count - 1].sequence
        del self._recent[:count]

    def _wake(self) -> None:
        self._advanced.set()
        self._advanced = asyncio.Event()


def epoch_changed(epoch: str) -> EpochChanged:
    """The refusal of a place in another log."""
    return EpochChanged("the log of events has another epoch; follow from 0 with an empty epoch", epoch)


def _sequence(event: StoredEvent) -> int:
    return event.sequence
