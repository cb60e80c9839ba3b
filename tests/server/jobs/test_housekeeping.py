"""Chores are done again and again, and one that fails keeps no other from being done."""

import asyncio

from server.jobs.housekeeping import Housekeeping
from server.ports.errors import StorageUnavailable


async def test_a_failing_chore_stops_no_other() -> None:
    done: list[str] = []

    async def busy() -> None:
        done.append("busy")
        raise StorageUnavailable("busy")

    async def broken() -> None:
        done.append("broken")
        raise ZeroDivisionError

    async def works() -> None:
        done.append("works")

    keeping = Housekeeping({"busy": busy, "broken": broken, "works": works}, every_seconds=0.01)
    await keeping.close()
    keeping.start()
    async with asyncio.timeout(60):
        while len(done) < 9:  # noqa: ASYNC110  # what is waited for is the list
            await asyncio.sleep(0.01)
    await keeping.close()
    count = len(done)
    assert done[:6] == ["busy", "broken", "works"] * 2
    await asyncio.sleep(0.05)
    assert len(done) == count
