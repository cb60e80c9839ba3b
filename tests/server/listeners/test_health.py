"""What is told of the listener, by what was measured, and that it is told at its end."""

import asyncio

import pytest

from server.listeners.change_feed import FeedHealth
from server.listeners.health import MOST_LAG_SECONDS, ListenerHealth, ListenerReport, report_of
from server.ports.changes import ChangeLag
from server.ports.errors import StorageUnavailable

CAUGHT_UP = FeedHealth(True, True, ChangeLag(0, 0.0), "7", 0)


class Feed:
    """A measure that is there or not, or does not come, or fails."""

    def __init__(self) -> None:
        self.mode = "there"
        self.told: list[ListenerReport] = []

    async def measure(self) -> FeedHealth:
        if self.mode == "away":
            raise StorageUnavailable("away")
        if self.mode == "silent":
            await asyncio.sleep(60)
        if self.mode == "broken":
            raise KeyError("nonsense")
        return CAUGHT_UP

    async def tell(self, report: ListenerReport) -> None:
        self.told.append(report)

    async def until(self, ready: bool) -> None:
        async with asyncio.timeout(60):
            while self.told[-1].is_ready != ready:  # noqa: ASYNC110  # what is tested knows no events
                await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("health", "ready"),
    [
        (CAUGHT_UP, True),
        (FeedHealth(True, False, ChangeLag(0, 0.0), "", 0), False),
        (FeedHealth(True, True, ChangeLag(9, MOST_LAG_SECONDS), "", 0), True),
        (FeedHealth(True, True, ChangeLag(1, MOST_LAG_SECONDS + 0.1), "", 0), False),
        (None, False),
    ],
)
def test_who_is_ready(health: FeedHealth | None, ready: bool) -> None:
    assert report_of(health).is_ready == ready


def test_the_figures() -> None:
    found = report_of(FeedHealth(False, False, ChangeLag(12, 3.45678), "", 2, 1, 4)).figures
    assert found == {
        "listener": "elsewhere",
        "lag_changes": 12,
        "lag_seconds": 3.457,
        "failures": 2,
        "unreadable_portfolios": 1,
        "unconverted_portfolios": 4,
    }
    assert report_of(None).figures == {"listener": "unknown"}


async def test_it_is_told_as_it_changes_and_at_the_end() -> None:
    feed = Feed()
    health = ListenerHealth(feed.measure, feed.tell, every_seconds=0.01, measure_seconds=0.05)
    await health.start()
    assert feed.told == [ListenerReport(False, {"listener": "starting"})]
    await feed.until(ready=True)
    for mode in ("away", "silent", "broken"):
        feed.mode = mode
        await feed.until(ready=False)
        assert feed.told[-1].figures == {"listener": "unknown"}
        feed.mode = "there"
        await feed.until(ready=True)
    await health.close()
    assert feed.told[-1] == ListenerReport(False, {"listener": "closed"})
    await ListenerHealth(feed.measure, feed.tell).close()  # one that never began
