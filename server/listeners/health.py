"""Says how the listener is doing: to those who ask the health service for it, and once a minute to the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from domain.records import dataclass
from server.listeners.change_feed import FeedHealth
from server.observability import logger
from server.ports.errors import StorageUnavailable

EVERY_SECONDS = 1.0
STANDBY_SECONDS = 10.0
"""Where another server listens: what that one has stored can be a large answer of the store."""

MEASURE_SECONDS = 5.0
"""A store that does not answer for so long cannot be used."""

LOG_SECONDS = 60.0

MOST_LAG_SECONDS = 30.0
"""A listener whose oldest change that it has not followed is older is not ready.

Above the lease of one that has died (10 s), and above how old what another one has stored may be (5 s).
"""


@dataclass(frozen=True, slots=True)
class ListenerReport:
    """What is told of the listener."""

    is_ready: bool
    figures: Mapping[str, str | int | float | bool]  # by name, as in the log


class ListenerHealth:
    """Measures how far the listener is behind while the server runs."""

    def __init__(
        self,
        measure: Callable[[], Awaitable[FeedHealth]],
        tell: Callable[[ListenerReport], Awaitable[None]],
        *,
        every_seconds: float = EVERY_SECONDS,
        standby_seconds: float = STANDBY_SECONDS,
        measure_seconds: float = MEASURE_SECONDS,
        log_seconds: float = LOG_SECONDS,
    ) -> None:
        self._measure = measure
        self._tell = tell
        self._every = every_seconds
        self._standby = standby_seconds
        self._limit = measure_seconds
        self._log_every = log_seconds
        self._loop: asyncio.Task[None] | None = None
        self._told: bool | None = None
        self._logged_at = 0.0

    async def start(self) -> None:
        """Begins; before the first measure it is not ready."""
        await self._tell(ListenerReport(False, {"listener": "starting"}))
        self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends: who asks from now on is told that it is not ready."""
        if self._loop is None:
            return
        self._loop.cancel()
        await asyncio.wait({self._loop})
        await self._tell(ListenerReport(False, {"listener": "closed"}))

    async def _run(self) -> None:
        while True:
            found = await self._found()
            report = report_of(found)
            await self._tell(report)
            self._log(report)
            # One that is behind is waited for: it is looked at as often where it stands by.
            waits = found is not None and report.is_ready and not found.is_listening
            await asyncio.sleep(self._standby if waits else self._every)

    async def _found(self) -> FeedHealth | None:
        """None where the store cannot be asked."""
        try:
            async with asyncio.timeout(self._limit):
                return await self._measure()
        except (StorageUnavailable, TimeoutError):
            return None
        except Exception:
            logger.exception("how far the listener is behind could not be measured")
            return None

    def _log(self, report: ListenerReport) -> None:
        """One line a minute, and one whenever it becomes ready or ceases to be."""
        now = time.monotonic()
        if report.is_ready == self._told and now - self._logged_at < self._log_every:
            return
        fell_behind = self._told and not report.is_ready
        write = logger.warning if fell_behind else logger.info
        write("the listener of changes", extra={"ready": report.is_ready, **report.figures})
        self._told, self._logged_at = report.is_ready, now


def report_of(health: FeedHealth | None) -> ListenerReport:
    """What is told of a measure; None is a store that cannot be asked."""
    if health is None:
        return ListenerReport(False, {"listener": "unknown"})
    is_ready = health.has_caught_up and health.lag.seconds <= MOST_LAG_SECONDS
    figures = {
        "listener": "here" if health.is_listening else "elsewhere",
        "lag_changes": health.lag.changes,
        "lag_seconds": round(health.lag.seconds, 3),
        "failures": health.failures,
        "unreadable_portfolios": health.unreadable,
        "unconverted_portfolios": health.unconverted,
    }
    return ListenerReport(is_ready, figures)
