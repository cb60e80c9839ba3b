"""TraceFrontier: a stream of portfolios, by one task or by several at once."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from server.commands.call import Call
from server.commands.stored import StoredData
from server.execution.executor import Executor
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import frontier

CHUNKS_AT_ONCE = 8


class Frontier:
    """Traces efficient frontiers; nothing is stored. `shared_out` runs points that are shared out between workers."""

    def __init__(self, market_data: MarketData, pool: ProcessPool, shared_out: Executor | None = None) -> None:
        self._market_data = market_data
        self._pool = pool
        self._shared_out = shared_out or pool

    async def trace(self, request: bytes, call: Call) -> AsyncGenerator[bytes]:
        """Portfolios from the highest return down, as they are found."""
        plan = partial(frontier.plan, request)
        shared, found = await in_rounds(self._pool, plan, call, self._market_data.collect)
        if shared is None:
            traced = self._pool.stream(partial(frontier.whole, request, found), call.deadline, caller=call.caller)
        else:
            traced = self._by_points(request, found, shared, call)
        async with aclosing(traced):
            async for portfolio in traced:
                yield portfolio

    async def _by_points(
        self, request: bytes, found: StoredData, shared: frontier.Ends, call: Call
    ) -> AsyncGenerator[bytes]:
        """The points of a frontier by several workers at once, in their order."""
        yield shared.highest
        returns = shared.returns
        chunks = deque(
            partial(frontier.points, request, found, start + 1, returns[start : start + frontier.CHUNK])
            for start in range(0, len(returns), frontier.CHUNK)
        )
        running: deque[asyncio.Task[list[bytes]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) < CHUNKS_AT_ONCE:
                    work = self._shared_out.run(chunks.popleft(), call.deadline, caller=call.caller)
                    running.append(asyncio.create_task(work))
                for portfolio in await running[0]:
                    yield portfolio
                running.popleft()
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        yield shared.least
