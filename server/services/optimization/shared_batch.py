"""A batch whose accounts depend on each other: all are read and planned before the first is answered."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from domain.errors import InvalidInput, SolverTimedOut
from domain.records import dataclass
from server.commands.call import Call
from server.commands.stored import DataRequest, StoredData
from server.execution.process_pool import ProcessPool
from server.ports.errors import MemoryLimitExceeded, WorkerDied
from server.tasks import shared_volume
from server.tasks.shared_volume import Piece

PIECES_AT_ONCE = 8

MOST_ACCOUNTS = 10_000
"""Of a batch whose accounts depend on each other."""

MOST_ASSETS = 5_000_000
"""Accounts x assets of their markets; what is kept of one until the last account is answered takes some 200 bytes."""

ROUNDS = 5
"""How often plans that cannot cross enough are made again before crosses get no volume."""


@dataclass(frozen=True, slots=True)
class SharedTasks:
    """What is done with accounts that depend on each other; see `server.tasks.shared_volume`."""

    plan_first: Callable[..., DataRequest | None]
    give_up_first: Callable[..., None]
    divide: Callable[..., list[int]]
    plan_again: Callable[..., None]
    settle: Callable[..., list[int]]
    answer: Callable[..., None]


TOGETHER = SharedTasks(
    shared_volume.plan_first,
    shared_volume.give_up_first,
    shared_volume.divide_volume,
    shared_volume.plan_again,
    shared_volume.settle_crosses,
    shared_volume.answer,
)


class Answered(Protocol):
    """Counts the accounts that are read and not planned yet."""

    def answered(self) -> None:
        """One was planned."""
        ...


class SharedBatch:
    """Plans the accounts of one call together; nothing of them is kept in memory here."""

    def __init__(
        self,
        tasks: SharedTasks,
        collect: Callable[[DataRequest, StoredData | None], Awaitable[StoredData]],
        pool: ProcessPool,
        new_file: Callable[[], AbstractAsyncContextManager[Path]],
        shared: Path,
        call: Call,
    ) -> None:
        self._tasks = tasks
        self._collect = collect
        self._pool = pool
        self._new_file = new_file
        self._shared = shared
        self._call = call
        self._pieces: list[Piece] = []
        self._numbered: list[tuple[int, Piece]] = []  # by the place of the first account among all
        self._accounts = 0
        self._assets = 0

    async def outcomes(self, lots: AsyncIterator[list[bytes]], accounts: Answered) -> AsyncGenerator[bytes]:
        """An outcome for each account, after the last was read."""
        async with AsyncExitStack() as files:
            await self._at_once(self._plan_first(*lot, accounts, files) async for lot in self._counted(lots))
            self._pieces = [piece for _, piece in sorted(self._numbered, key=itemgetter(0))]
            await self._run_open(await self._run(partial(self._tasks.divide, self._pieces)))
            for number in range(ROUNDS + 1):
                settle = partial(self._tasks.settle, self._pieces, number == ROUNDS - 1)
                if not (places := await self._run(settle)):
                    break
                await self._run_open(places)
            for piece in self._pieces:
                answers = self._pool.stream(
                    partial(self._tasks.answer, piece), self._call.deadline, caller=self._call.caller
                )
                async for outcome in answers:
                    yield outcome

    async def _counted(self, lots: AsyncIterator[list[bytes]]) -> AsyncGenerator[tuple[int, list[bytes]]]:
        """Lots with the place of their first account."""
        async for lot in lots:
            self._accounts += len(lot)
            if self._accounts > MOST_ACCOUNTS:
                raise InvalidInput(
                    "account", f"at most {MOST_ACCOUNTS} portfolios may share volume or cross in one batch"
                )
            yield self._accounts - len(lot), lot

    async def _plan_first(self, place: int, lot: Sequence[bytes], accounts: Answered, files: AsyncExitStack) -> None:
        """Plans a lot; an account whose task had to be ended has that as its outcome, and the others go on."""
        found: StoredData | None = None
        while lot:
            piece = await self._new_piece(files)
            done = 0

            def planned(assets: int) -> None:
                nonlocal done
                done += 1
                accounts.answered()
                self._count_assets(assets)

            work = partial(self._tasks.plan_first, self._shared, piece, lot, found)
            try:
                needs = await self._run(work, planned)
            except (SolverTimedOut, WorkerDied, MemoryLimitExceeded) as error:
                self._raise_at_deadline(error)
                self._numbered.append((place, replace(piece, count=done)))
                if done == len(lot):
                    return
                await self._give_up_first(place + done, lot[done], error, files)
                accounts.answered()
                lot, place = lot[done + 1 :], place + done + 1
                continue
            if needs is None:
                self._numbered.append((place, replace(piece, count=done)))
                return
            found = await self._collect(needs, found)

    def _count_assets(self, assets: int) -> None:
        self._assets += assets
        if self._assets > MOST_ASSETS:
            raise InvalidInput(
                "account", f"at most {MOST_ASSETS} assets of all portfolios together may share volume or cross"
            )

    async def _give_up_first(self, place: int, request: bytes, error: Exception, files: AsyncExitStack) -> None:
        piece = await self._new_piece(files)
        await self._run(partial(self._tasks.give_up_first, piece, request, error))
        self._numbered.append((place, replace(piece, count=1)))

    async def _new_piece(self, files: AsyncExitStack) -> Piece:
        plans, states, replanned = [await files.enter_async_context(self._new_file()) for _ in range(3)]
        return Piece(plans, states, replanned)

    async def _run_open(self, places: Sequence[int]) -> None:
        """Plans the open accounts of pieces again."""

        async def works() -> AsyncGenerator[Awaitable[None]]:
            for place in places:
                yield self._plan_again(self._pieces[place])

        await self._at_once(works())

    async def _plan_again(self, piece: Piece) -> None:
        errors: dict[int, Exception] = {}
        while True:  # each time one account more is given up
            done = 0

            def planned(_: int) -> None:
                nonlocal done
                done += 1

            try:
                await self._run(partial(self._tasks.plan_again, piece, errors), planned)
            except (SolverTimedOut, WorkerDied, MemoryLimitExceeded) as error:
                self._raise_at_deadline(error)
                if done in errors:
                    raise
                errors[done] = error
            else:
                return

    async def _at_once(self, works: AsyncIterator[Awaitable[None]]) -> None:
        """Awaits work as it comes, a few pieces at once."""
        free = asyncio.Semaphore(PIECES_AT_ONCE)

        async def one(work: Awaitable[None]) -> None:
            try:
                await work
            finally:
                free.release()

        try:
            async with asyncio.TaskGroup() as group:
                async for work in works:
                    await free.acquire()
                    group.create_task(one(work))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _run(self, work: Callable[..., Any], on_report: Callable[[Any], None] | None = None) -> Any:
        return await self._pool.run(work, self._call.deadline, on_report, caller=self._call.caller)

    def _raise_at_deadline(self, error: Exception) -> None:
        """Raises the error where the whole call is out of time."""
        if self._call.deadline is not None and time.monotonic() >= self._call.deadline:
            raise error
