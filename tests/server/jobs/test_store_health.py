"""Health follows the store: once when it goes away, once when it is back."""

import asyncio

from server.jobs.store_health import StoreHealth
from server.ports.errors import StorageUnavailable


class Store:
    """A store that is there or not, or does not answer, or answers nonsense."""

    def __init__(self) -> None:
        self.mode = "there"
        self.probes = 0
        self.said: list[bool] = []

    async def probe(self) -> None:
        self.probes += 1
        if self.mode == "away":
            raise StorageUnavailable("away")
        if self.mode == "silent":
            await asyncio.sleep(60)
        if self.mode == "broken":
            raise KeyError("nonsense")

    async def serving(self, yes: bool) -> None:
        self.said.append(yes)

    async def probed(self, times: int) -> None:
        aim = self.probes + times
        async with asyncio.timeout(60):
            while self.probes < aim:  # noqa: ASYNC110  # what is tested knows no events
                await asyncio.sleep(0.005)


async def test_it_says_what_changes_and_only_that() -> None:
    store = Store()
    health = StoreHealth(store.probe, store.serving, every_seconds=0.01, probe_seconds=0.05)
    health.start()
    await store.probed(3)
    assert store.said == []
    for mode in ("away", "silent", "broken"):
        store.said.clear()
        store.mode = mode
        await store.probed(3)
        assert store.said == [False], mode
        store.mode = "there"
        await store.probed(3)
        assert store.said == [False, True], mode
    await health.close()


async def test_after_its_end_it_says_nothing() -> None:
    store = Store()
    health = StoreHealth(store.probe, store.serving, every_seconds=0.01)
    health.start()
    await store.probed(1)
    store.mode = "away"
    await health.close()
    await asyncio.sleep(0.05)
    assert store.said == []
    await StoreHealth(store.probe, store.serving).close()  # one that never began
