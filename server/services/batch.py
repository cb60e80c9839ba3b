"""OptimizeBatch: accounts in, their outcomes out as they are found."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial

from domain.errors import InvalidInput, SolverTimedOut
from server.commands.call import Call
from server.commands.stored import Found
from server.execution.process_pool import ProcessPool
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import batch

LOT = 50
"""Accounts that go to a worker together: sending what they share along costs about as much as solving for one."""

LOTS_AT_ONCE = 8

GATHER_SECONDS = 0.002
"""A lot that is not full waits no longer than this for further accounts."""

Put = Callable[[bytes], None]


class Batch:
    """Optimises many accounts over one universe; nothing is stored."""

    def __init__(self, market_data: MarketData, pool: ProcessPool) -> None:
        self._market_data = market_data
        self._pool = pool

    async def run(self, requests: AsyncIterator[bytes], call: Call) -> AsyncGenerator[bytes]:
        """An outcome for each account, in any order. Accounts are read no faster than outcomes are taken."""
        first = await anext(aiter(requests), None)
        if first is None:
            raise InvalidInput("universe", "must be the first message of a batch")
        shared, _ = await in_rounds(self._pool, partial(batch.shared, first), call, self._market_data.collect)
        outcomes: asyncio.Queue[bytes | None] = asyncio.Queue()
        room = asyncio.Semaphore(LOT * LOTS_AT_ONCE)  # accounts that were read and whose outcome is not taken yet
        solving = asyncio.create_task(self._solve_all(shared, _lots(requests, room), outcomes.put_nowait, call))
        solving.add_done_callback(lambda _: outcomes.put_nowait(None))
        try:
            while (outcome := await outcomes.get()) is not None:
                yield outcome
                room.release()
            await solving
        finally:
            solving.cancel()
            await asyncio.wait({solving})

    async def _solve_all(self, shared: bytes, lots: AsyncIterator[list[bytes]], put: Put, call: Call) -> None:
        """Solves lots as they come, a few at once."""
        free = asyncio.Semaphore(LOTS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                async for lot in lots:
                    await free.acquire()
                    group.create_task(self._solve(shared, lot, put, call)).add_done_callback(lambda _: free.release())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _solve(self, shared: bytes, lot: Sequence[bytes], put: Put, call: Call) -> None:
        """Solves a lot; an account whose task had to be ended is answered with that, and the others go on."""
        found: Found | None = None
        while lot:  # every round answers an account at least, or learns the groups that were missing
            done = 0

            def took(outcome: bytes) -> None:
                nonlocal done
                done += 1
                put(outcome)

            work = partial(batch.accounts, shared, lot, found)
            try:
                needs = await self._pool.run(work, call.deadline, took, caller=call.caller)
            except SolverTimedOut as error:
                if call.deadline is not None and time.monotonic() >= call.deadline:
                    raise
                put(await self._pool.run(partial(batch.failed, shared, lot[done], error), call.deadline))
                lot = lot[done + 1 :]
                continue
            if needs is None:
                return
            found = await self._market_data.collect(needs, found)


async def _lots(requests: AsyncIterator[bytes], room: asyncio.Semaphore) -> AsyncGenerator[list[bytes]]:
    """Accounts in lots: full ones, or what has come where no more comes for a moment."""
    lot: list[bytes] = []
    coming = asyncio.ensure_future(anext(requests))
    try:
        while True:  # ends with the stream
            await asyncio.wait({coming}, timeout=GATHER_SECONDS if lot else None)
            if coming.done():
                await room.acquire()
                try:
                    lot.append(coming.result())
                except StopAsyncIteration:
                    break
                coming = asyncio.ensure_future(anext(requests))
            if len(lot) == LOT or not coming.done():
                yield lot
                lot = []
        if lot:
            yield lot
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
            await coming
