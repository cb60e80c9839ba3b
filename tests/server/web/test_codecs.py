"""Conversions in threads, and what becomes of them when callers leave."""

import asyncio
import json
import sys
from types import FrameType

from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from server.web.codecs import Json

LARGE = json.dumps({"moments": {"covariance": [0.25] * 300_000}}).encode()


def converting() -> int:
    """Threads that convert now."""

    def is_in(frame: FrameType | None) -> bool:
        return frame is not None and (frame.f_code.co_name == "_from_json" or is_in(frame.f_back))

    return sum(map(is_in, sys._current_frames().values()))


async def test_conversions_of_callers_that_left_do_not_pile_up() -> None:
    """No thread can be ended, so a call ends after its own: what counts calls and their bytes counts threads too."""
    codec = Json()
    for _ in range(3):
        leaving = [asyncio.create_task(codec.decode(LARGE, OptimizeRequest)) for _ in range(4)]
        async with asyncio.timeout(60):
            while not converting():  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0)
        # One or two of them have a thread now, the others wait for one.
        for task in leaving:
            task.cancel()
        await asyncio.wait(leaving, timeout=60)
        assert all(task.cancelled() for task in leaving)
        assert converting() == 0


async def test_a_conversion_is_seen_while_it_runs() -> None:
    converted = asyncio.create_task(Json().decode(LARGE, OptimizeRequest))
    seen = 0
    while not converted.done():
        seen = max(seen, converting())
        await asyncio.sleep(0.001)
    assert seen == 1
    assert len(OptimizeRequest.FromString(await converted).moments.covariance) == 300_000
