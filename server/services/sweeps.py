"""Sweeps: check a request and every trial of it, store it as one job with its data, and answer for its trials."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from server.commands.call import Call
from server.commands.stored import RequestKey
from server.commands.sweep import TrialsPage
from server.execution.process_pool import ProcessPool
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.ports.errors import NotFound, RequestIdReused, StillRunning
from server.ports.job_stores import JobStores
from server.ports.jobs import SWEEPS, JobRecord, JobState
from server.services.backtests import with_panels
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import sweep
from server.tasks.backtest import Drafted


@contextmanager
def _reusing(request_id: str) -> Iterator[None]:
    """Names the id of a request as it was sent: the store has a prefix before it, since backtests have ids too."""
    try:
        yield
    except RequestIdReused:
        raise RequestIdReused("request_id", request_id) from None


class Sweeps:
    """Starts sweeps, and lists their trials; otherwise they are jobs like backtests."""

    def __init__(
        self, market_data: MarketData, stores: JobStores, pool: ProcessPool, runner: Runner, progress: Progress
    ) -> None:
        self._market_data = market_data
        self._archive, self._queue = stores.archive, stores.queue
        self._pool = pool
        self._runner = runner
        self._progress = progress

    async def start(self, request: bytes, call: Call) -> JobRecord:
        """The job, that of an earlier call with the same request id, once it is over or the caller waits no longer."""
        before: JobRecord | None = None

        async def look_up(key: RequestKey) -> None:
            nonlocal before
            with _reusing(key.request_id):
                before = await self._archive.find(call.owner, SWEEPS + key.request_id, key.body)

        drafted: Drafted
        drafted, found = await in_rounds(
            self._pool, partial(sweep.draft, request), call, self._market_data.collect, look_up
        )
        if before is not None:
            return await self._ended(before, drafted.wait_seconds)
        job = await asyncio.to_thread(with_panels, drafted, found)
        named = replace(
            job,
            caller=call.caller,
            id=SWEEPS + (job.id or secrets.token_hex(10)),
            request_id=None if job.request_id is None else SWEEPS + job.request_id,
        )
        with _reusing(job.request_id or ""):
            record = await self._queue.enqueue(call.owner, named)
        self._runner.wake(record.key)
        return await self._ended(record, drafted.wait_seconds)

    async def _ended(self, record: JobRecord, seconds: float) -> JobRecord:
        if record.state.is_final or seconds <= 0.0:
            return record
        return await self._progress.ended(record, seconds)

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """A sweep."""
        return await self._archive.get(owner, job_id)

    async def trials(self, job_id: str, page: TrialsPage, call: Call) -> bytes:
        """A page of the trials of a sweep that has succeeded."""
        record = await self._finished(call.owner, job_id, "its trials are there once it has succeeded")
        numbers = sweep.pieces_of_page(record.inputs.trial_count, page)
        pieces = [(await self._archive.series(call.owner, job_id, str(k)))[1] for k in numbers]
        work = partial(sweep.trials_page, record.request, pieces, numbers.start, page)
        return await self._pool.run(work, call.deadline, caller=call.caller)

    async def _finished(self, owner: str, job_id: str, what: str) -> JobRecord:
        record = await self._archive.get(owner, job_id)
        if not record.state.is_final:
            raise StillRunning(f"{job_id} is not over; {what}")
        if record.state is not JobState.SUCCEEDED:
            text = f"{job_id} has no trials: it ended as {record.state.lower()}, and only a success has them"
            raise NotFound("trials", job_id, text)
        return record
