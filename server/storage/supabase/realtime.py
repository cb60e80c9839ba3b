"""Notices of changes by Supabase Realtime, which sends one row for each transaction that wrote changes.

It sends a row at most once, to whoever is connected then, and says nothing of those that it did not send. So a row
wakes whoever reads the log of changes, and so does every new connection; the timer of that reader finds the rest.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Callable

from server.observability import logger
from server.ports.notices import NoticeHealth, NoticeState
from server.storage.supabase.realtime_channel import RealtimeChannel, RealtimeLost, RealtimeTiming

CLOSE_SECONDS = 1.0


class RealtimeNotices:
    """Keeps a connection to Realtime: one that ends, or falls silent, is replaced by a new one."""

    def __init__(self, url: str, token: Callable[[], str], timing: RealtimeTiming | None = None) -> None:
        self._url = url
        self._token = token
        self._timing = timing or RealtimeTiming()
        self._notice: Callable[[], None] = _nobody
        self._running: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._channel: RealtimeChannel | None = None
        self._state = NoticeState.OFF
        self._notices = 0
        self._connections = 0
        self._failures = 0
        self._reason = ""
        self._noticed_at = time.monotonic()
        self._is_doubted = False  # changes were found that it did not announce, and none was announced since

    @property
    def is_reliable(self) -> bool:
        """Whether changes are announced now, as far as is known."""
        return self._state is NoticeState.RECEIVING and not self._is_doubted

    def start(self, notice: Callable[[], None]) -> None:
        """Begins to connect. `notice` is called in this event loop, for each row and each new connection."""
        self._notice = notice
        self._running = asyncio.create_task(self._run())

    def expect(self) -> None:
        """Changes were found without a notice. One that waited for a transaction to end was announced before."""
        channel = self._channel
        if channel is None or not self.is_reliable or time.monotonic() - self._noticed_at < self._timing.steady:
            return
        known = self._notices

        def doubt() -> None:
            if channel is self._channel and self._notices == known:
                self._is_doubted = True
                channel.lose("it does not announce changes")

        asyncio.get_running_loop().call_later(self._timing.expected, doubt)

    def health(self) -> NoticeHealth:
        """How it is doing."""
        return NoticeHealth(
            self._state, self.is_reliable, self._notices, self._connections, self._failures, self._reason
        )

    async def close(self) -> None:
        """Ends the connection."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        self._state = NoticeState.OFF
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._follow()
            except RealtimeLost as lost:
                self._reason = str(lost)
            except Exception:
                self._reason = "it could not be followed"
                logger.exception("Realtime could not be followed")
            if self._state is NoticeState.RECEIVING and time.monotonic() - began >= self._timing.steady:
                self._failures = 0
            self._failures += 1
            self._state = NoticeState.WAITING
            if self._failures == 1:
                logger.warning("Realtime announces no changes: they are looked for", extra={"why": self._reason})
            await asyncio.sleep(self._pause())

    async def _follow(self) -> None:
        """One connection, from its beginning to its end. Raises RealtimeLost."""
        self._state = NoticeState.CONNECTING
        topic = f"absfin-changes-{uuid.uuid4()}"
        channel = RealtimeChannel(self._url, topic, self._token, self._timing, self._on_change)
        try:
            await channel.connect()
            self._state = NoticeState.JOINING
            await channel.join()
            self._channel, self._state = channel, NoticeState.RECEIVING
            self._connections += 1
            logger.info("Realtime announces changes", extra={"connections": self._connections})
            self._notice()  # what changed while nobody was told
            await channel.watch()
        finally:
            self._channel = None
            ending = asyncio.create_task(_ended(channel))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _on_change(self) -> None:
        self._notices += 1
        self._noticed_at = time.monotonic()
        self._failures, self._is_doubted = 0, False
        self._notice()

    def _pause(self) -> float:
        longest = min(self._timing.first_pause * 2.0 ** min(self._failures - 1, 30), self._timing.longest_pause)
        return random.uniform(longest / 2, longest)  # noqa: S311  # no secret: servers shall not come all at once


async def _ended(channel: RealtimeChannel) -> None:
    with contextlib.suppress(Exception):  # it is of no use any more, however it ends
        await channel.close()


def _nobody() -> None:
    """Nobody is told before the start."""
