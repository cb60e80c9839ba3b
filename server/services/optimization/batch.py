"""OptimizeBatch and ReallocateBatch: accounts in, their outcomes out as they are found."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from pathlib import Path

from domain.errors import InvalidInput, SolverTimedOut
from domain.records import dataclass
from server.commands.call import Call
from server.commands.stored import DataRequest, StoredData
from server.execution.executor import Executor
from server.execution.process_pool import ProcessPool
from server.ports.errors import MemoryLimitExceeded, StreamIdle, WorkerDied
from server.services.optimization.shared_batch import TOGETHER, SharedBatch, SharedTasks
from server.services.rounds import in_rounds
from server.tasks import batch, reallocate_batch

LOT = 50
"""Accounts that go to a worker together, which opens what they share once for them."""

LOTS_AT_ONCE = 8

GATHER_SECONDS = 0.002
"""A lot that is not full waits no longer than this for further accounts."""

Put = Callable[[bytes], None]

NewFile = Callable[[], AbstractAsyncContextManager[Path]]
"""An empty file for what the accounts of a call share; it is removed with the call."""


Collect = Callable[[Call, DataRequest, StoredData | None], Awaitable[StoredData]]
"""What is stored for a call: portfolios are those of its owner."""


@dataclass(frozen=True, slots=True)
class BatchTasks:
    """What is done with the messages of a batch; see `server.tasks.batch`."""

    first: str  # field of the first message
    share: Callable[..., DataRequest | bool | None]
    accounts: Callable[..., DataRequest | None]
    failed: Callable[..., bytes]
    together: SharedTasks | None = None  # where accounts depend on each other, as `share` then returns


OPTIMIZE = BatchTasks("universe", batch.share, batch.accounts, batch.failed)
REALLOCATE = BatchTasks("shared", reallocate_batch.share, reallocate_batch.accounts, reallocate_batch.failed, TOGETHER)


class Batch:
    """Answers many accounts that share what their first message says; nothing is stored. `shared_out` runs the lots."""

    def __init__(
        self,
        tasks: BatchTasks,
        collect: Collect,
        pool: ProcessPool,
        new_file: NewFile,
        idle_seconds: float,
        shared_out: Executor | None = None,
    ) -> None:
        self._tasks = tasks
        self._collect = collect
        self._pool = pool
        self._shared_out = shared_out or pool
        self._new_file = new_file
        self._idle_seconds = idle_seconds

    async def run(self, requests: AsyncIterator[bytes], call: Call) -> AsyncGenerator[bytes]:
        """An outcome for each account, in any order. Accounts are read no faster than outcomes are taken."""
        try:
            async with asyncio.timeout(self._idle_seconds):
                first = await anext(aiter(requests), None)
        except TimeoutError:
            raise StreamIdle(self._idle_seconds) from None
        if first is None:
            raise InvalidInput(self._tasks.first, "must be the first message of a batch")
        async with self._new_file() as shared, aclosing(self._outcomes(first, requests, shared, call)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def _outcomes(
        self, universe: bytes, requests: AsyncIterator[bytes], shared: Path, call: Call
    ) -> AsyncGenerator[bytes]:
        share, collect = partial(self._tasks.share, universe, shared), partial(self._collect, call)
        together, _ = await in_rounds(self._pool, share, call, collect)
        if together and self._tasks.together is not None:
            batch = SharedBatch(self._tasks.together, collect, self._pool, self._new_file, shared, call)
            open_accounts = OpenAccounts(self._idle_seconds)
            async with aclosing(batch.outcomes(_lots(requests, open_accounts, None), open_accounts)) as answers:
                async for answer in answers:
                    yield answer
            return
        outcomes: asyncio.Queue[bytes | None] = asyncio.Queue()
        open_accounts = OpenAccounts(self._idle_seconds)
        lots = _lots(requests, open_accounts)
        solving = asyncio.create_task(self._solve_all(shared, lots, outcomes.put_nowait, call))
        solving.add_done_callback(lambda _: outcomes.put_nowait(None))
        try:
            while (outcome := await outcomes.get()) is not None:
                yield outcome
                open_accounts.answered()
            await solving
        finally:
            solving.cancel()
            await asyncio.wait({solving})
            if not solving.cancelled():
                solving.exception()  # a caller who hung up is told nothing, and asyncio would complain

    async def _solve_all(self, shared: Path, lots: AsyncIterator[list[bytes]], put: Put, call: Call) -> None:
        """Solves lots as they come, a few at once."""
        free = asyncio.Semaphore(LOTS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                async for lot in lots:
                    await free.acquire()
                    group.create_task(self._solve(shared, lot, put, call)).add_done_callback(lambda _: free.release())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _solve(self, shared: Path, lot: Sequence[bytes], put: Put, call: Call) -> None:
        """Solves a lot; an account whose task had to be ended is answered with that, and the others go on."""
        found: StoredData | None = None
        while lot:  # every round answers an account at least, or learns the groups that were missing
            done = 0

            def took(outcome: bytes) -> None:
                nonlocal done
                done += 1
                put(outcome)

            work = partial(self._tasks.accounts, shared, lot, found)
            try:
                needs = await self._shared_out.run(work, call.deadline, took, caller=call.caller)
            except (SolverTimedOut, WorkerDied, MemoryLimitExceeded) as error:
                if call.deadline is not None and time.monotonic() >= call.deadline:
                    raise
                if done == len(lot):
                    return
                failed = partial(self._tasks.failed, shared, lot[done], error)
                put(await self._pool.run(failed, call.deadline, caller=call.caller))
                lot = lot[done + 1 :]
                continue
            if needs is None:
                return
            found = await self._collect(call, needs, found)


class OpenAccounts:
    """Accounts that were read and whose outcome is not taken yet, and how long there has been none."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._room = asyncio.Semaphore(LOT * LOTS_AT_ONCE)
        self._open = 0
        self._quiet_since = time.monotonic()

    async def read(self) -> None:
        """One more was read; waits while there are too many."""
        await self._room.acquire()
        self._open += 1

    def answered(self) -> None:
        """The outcome of one was taken."""
        self._room.release()
        self._open -= 1
        self._quiet_since = time.monotonic()

    def idle_in(self) -> float:
        """Seconds until the caller has sent nothing for too long, though nothing is owed to them.

        Raises StreamIdle once they have.
        """
        if self._open:
            return self._idle_seconds
        left = self._quiet_since + self._idle_seconds - time.monotonic()
        if left <= 0.0:
            raise StreamIdle(self._idle_seconds)
        return left


async def _lots(
    requests: AsyncIterator[bytes], accounts: OpenAccounts, gather_seconds: float | None = GATHER_SECONDS
) -> AsyncGenerator[list[bytes]]:
    """Accounts in lots: full ones, or what has come where no more comes for a moment. Raises StreamIdle.

    `gather_seconds` None waits for full lots, as long as the caller is not idle.
    """
    lot: list[bytes] = []
    coming = asyncio.ensure_future(anext(requests))
    try:
        while True:  # ends with the stream
            came, _ = await asyncio.wait(
                {coming}, timeout=gather_seconds if lot and gather_seconds else accounts.idle_in()
            )
            if came:
                try:
                    lot.append(coming.result())
                except StopAsyncIteration:
                    break
                await accounts.read()
                coming = asyncio.ensure_future(anext(requests))
            if len(lot) == LOT or (lot and not came):
                yield lot
                lot = []
        if lot:
            yield lot
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        if not coming.cancelled():
            coming.exception()  # the stream is over either way, and asyncio would complain
