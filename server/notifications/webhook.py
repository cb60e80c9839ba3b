"""Delivers notifications to a webhook: at least once, again at growing intervals, and given up where none helps."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace

from server.converters.notifications import delivery_body, notification_event
from server.notifications.log import log_attempt
from server.notifications.posting import NotPosted, post
from server.observability import logger
from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.events import NotificationRecord, NotificationState, NotificationStore
from server.webhook_settings import WebhookSettings

MOST_ATTEMPTS = 8
GROWTH = 3.0
"""From one interval to the next: with 15 s from the first attempt to the second, the last is four hours later."""

AT_ONCE = 16
POLL_SECONDS = 1.0
LEASE_MARGIN_SECONDS = 30.0
GONE = 410


class Deliverer:
    """Claims notifications that are due, and posts them. Several servers of a store share them."""

    def __init__(
        self, store: NotificationStore, worker: str, webhook: WebhookSettings, stored: Callable[[], None]
    ) -> None:
        """`stored` is called where an event was stored."""
        self._store = store
        self._worker = worker
        self._webhook = webhook
        self._stored = stored
        self._noticed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins."""
        self._loop = asyncio.create_task(self._run())

    def notice(self) -> None:
        """Says that a notification is due now."""
        self._noticed.set()

    async def close(self) -> None:
        """Ends. What is on its way is delivered again by whoever claims it next."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def _run(self) -> None:
        while True:  # ends with the server
            self._noticed.clear()
            try:
                if await self._deliver_due():
                    continue
            except (StorageFull, StorageUnavailable) as error:
                logger.warning("notifications are put off", extra={"why": str(error)})
            except Exception:
                logger.exception("the delivery of notifications failed")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._noticed.wait()
            except TimeoutError:
                continue

    async def _deliver_due(self) -> bool:
        """Whether there may be more of them."""
        lease = self._webhook.seconds + LEASE_MARGIN_SECONDS
        claimed = await self._store.claim_due(self._worker, _now(), lease, AT_ONCE)
        ends = await asyncio.gather(*(self._deliver(record) for record in claimed), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return len(claimed) == AT_ONCE

    async def _deliver(self, record: NotificationRecord) -> None:
        attempt = record.attempts + 1
        error, may_retry = await self._attempt(record, attempt)
        now = _now()
        state, next_attempt = NotificationState.DELIVERED, None
        if error:
            state = NotificationState.FAILED
            if may_retry and attempt < MOST_ATTEMPTS:
                state, next_attempt = NotificationState.PENDING, now + round(self._delay(attempt) * 1e6)
        after = replace(record, state=state, attempts=attempt, last_error=error, next_attempt=next_attempt)
        event = None if state is NotificationState.PENDING else notification_event(after, now)
        if await self._store.attempted(self._worker, record, error, next_attempt, event):
            log_attempt(after)
            if event is not None:
                self._stored()

    async def _attempt(self, record: NotificationRecord, attempt: int) -> tuple[str, bool]:
        """Why it failed, empty where it did not, and whether another attempt may help."""
        body = await asyncio.to_thread(delivery_body, record, attempt)
        try:
            status = await post(self._webhook, body, int(time.time()))
        except NotPosted as error:
            return str(error), True
        host = self._webhook.parts.hostname
        if 200 <= status < 300:
            return "", False
        if status == GONE:
            return f"{host} answered 410: it takes no more notifications", False
        if 300 <= status < 400:
            return f"{host} answered {status}: redirects are not followed", True
        return f"{host} answered {status}", True

    def _delay(self, attempt: int) -> float:
        """Seconds to the next attempt; drawn, so that many do not come at once."""
        longest = self._webhook.retry_seconds * GROWTH ** (attempt - 1)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # nothing secret


def _now() -> int:
    return time.time_ns() // 1000
