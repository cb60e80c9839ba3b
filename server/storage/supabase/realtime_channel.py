"""One connection to Realtime: from the handshake to its end, of which supabase-py's client tells only a part.

The client sends heartbeats and does not look for their answers, and its attempts to connect again end for good after a
few. So it gets one attempt here, its channel is asked for answers, and whoever uses it opens another connection.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    ChannelEvents,
    RealtimeAcknowledgementStatus,
    RealtimeChannelOptions,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
    SuccessSystemPayload,
)
from websockets.exceptions import InvalidStatus

from domain.records import dataclass
from server.storage.supabase.access import SCHEMA

TABLE = "change_notices"
"""A row for each transaction that wrote changes. The client takes milliseconds for a message, and its loop is ours."""

CHANGES = "postgres_changes"
"""The extension of Realtime that reads the log of the database."""

ASKED = {"type": "broadcast", "event": "heartbeat", "payload": {}}
"""A message to nobody, which Realtime answers: each connection has a topic of its own."""


@dataclass(frozen=True, slots=True)
class RealtimeTiming:
    """Seconds."""

    answer: float = 10.0  # for a handshake, a join, or the answer to a heartbeat
    heartbeat: float = 15.0  # from one to the next
    first_pause: float = 0.5  # at most, before the second attempt; each later one is twice as long
    longest_pause: float = 30.0
    steady: float = 60.0  # a connection that lasts for so long ends a row of failures
    expected: float = 5.0  # a notice comes within this time of its change, or not at all


class RealtimeLost(Exception):
    """The connection is of no more use; the text says why, and has no key in it."""


class RealtimeChannel:
    """A connection with one channel, private to the service's key."""

    def __init__(
        self, url: str, topic: str, token: Callable[[], str], timing: RealtimeTiming, on_change: Callable[[], None]
    ) -> None:
        self._token = token
        self._sent_token = token()
        self._timing = timing
        self._on_change = on_change
        self._changes = 0
        self._client = AsyncRealtimeClient(url, self._sent_token, auto_reconnect=False)
        self._channel = self._new_channel(topic)
        self._receives = asyncio.Event()
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def _new_channel(self, topic: str) -> AsyncRealtimeChannel:
        options: RealtimeChannelOptions = {
            "config": {
                "broadcast": {"ack": True, "self": False},
                "presence": {"key": "", "enabled": False},
                "private": True,
            }
        }
        inserted = RealtimePostgresChangesListenEvent.Insert
        channel = self._client.channel(topic, options)
        channel.on_postgres_changes(inserted, self._on_insert, table=TABLE, schema=SCHEMA)
        channel.on_system(self._on_system)
        return channel

    async def connect(self) -> None:
        """Makes the handshake. Raises RealtimeLost."""
        try:
            async with asyncio.timeout(self._timing.answer):
                await self._client.connect()
        except Exception as error:
            raise RealtimeLost(_reason(error)) from None

    async def join(self) -> None:
        """Joins the channel, and waits until changes come by it: that is later. Raises RealtimeLost."""
        await self._within("it does not let this server join", self._channel.subscribe(self._on_state))
        if not await self._happens(self._receives, self._timing.answer):
            raise RealtimeLost("it does not say that it follows the table")

    async def watch(self) -> None:
        """Asks for an answer from time to time, until there is none. Raises RealtimeLost."""
        never = asyncio.Event()
        while True:
            await self._happens(never, self._timing.heartbeat)
            await self._renew_token()
            await self._ask()

    def lose(self, reason: str) -> None:
        """Gives it up."""
        if not self._lost.done():
            self._lost.set_result(reason)

    async def close(self) -> None:
        """Ends the connection; of one whose other end is silent that takes 10 s."""
        for channel in self._client.get_channels():
            channel.rejoin_timer.reset()
            channel.join_push.destroy()
        self.lose("it is closed")
        try:
            await self._client.close()
        finally:
            await self._client.close()  # what a first one leaves that was cut short

    async def _renew_token(self) -> None:
        token = self._token()
        if token != self._sent_token:
            self._sent_token = token
            await self._within("it takes no new token", self._client.set_auth(token))

    async def _ask(self) -> None:
        answered = asyncio.Event()
        push = await self._within("it takes no heartbeat", self._channel.push(ChannelEvents.broadcast, ASKED))
        for status in (RealtimeAcknowledgementStatus.Ok, RealtimeAcknowledgementStatus.Error):
            push.receive(status, lambda _: answered.set())
        known, is_answered = self._changes, False
        try:
            while not is_answered:
                is_answered = await self._happens(answered, self._timing.answer)
                if not is_answered and self._changes == known:
                    raise RealtimeLost("it does not answer")
                known = self._changes  # the answer comes after changes that were sent before it
        finally:
            push.destroy()

    async def _within(self, otherwise: str, sending: Any) -> Any:
        """What a coroutine of the client returns. Raises RealtimeLost, also where it takes too long."""
        try:
            async with asyncio.timeout(self._timing.answer):
                return await sending
        except Exception as error:
            why = otherwise if isinstance(error, TimeoutError) else _reason(error)
            raise RealtimeLost(why) from None

    async def _happens(self, event: asyncio.Event, seconds: float) -> bool:
        """Whether it happens in time. Raises RealtimeLost."""
        waiting = asyncio.ensure_future(event.wait())
        either: set[asyncio.Future[Any]] = {waiting, self._lost}
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._lost.done():
            raise RealtimeLost(self._lost.result())
        return event.is_set()

    def _on_state(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            self.lose(f"{state.value}: {error}"[:200] if error else state.value)

    def _on_insert(self, _: object) -> None:
        self._changes += 1
        self._on_change()

    def _on_system(self, message: SuccessSystemPayload) -> None:
        if message.extension == CHANGES:
            self._receives.set()


def _reason(error: Exception) -> str:
    """Why, without the address, which has the key in it."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, InvalidStatus):
        return f"it refuses the connection with status {error.response.status_code}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__
