"""Sweeps: check a request and every trial of it, store it as one job with its data, and answer for its trials."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial

from domain.records import dataclass
from server import tracing
from server.commands.call import Call
from server.commands.stored import RequestKey
from server.commands.sweep import TrialsPage
from server.converters.sweep_request import score_of
from server.converters.sweep_trials import (
    INDEX,
    Shown,
    TrialIndex,
    page_of_pieces,
    page_of_trials,
    piece_name,
    pieces_of,
    shown,
)
from server.execution.process_pool import ProcessPool
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.jobs.sweep_state import TrialDone, listed_from_bytes
from server.ports.errors import RequestIdReused
from server.ports.job_stores import JobStores
from server.ports.jobs import SWEEP_REQUESTS, SWEEPS, JobRecord, JobState
from server.services.backtests import with_panels
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import sweep
from server.tasks.backtest import Drafted

KEPT_SWEEPS = 4
"""Sweeps without a result whose trials are kept for the next page: some 15 MB each at most."""


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
        self._archive, self._queue, self._log = stores.archive, stores.queue, stores.log
        self._pool = pool
        self._runner = runner
        self._progress = progress
        self._known: OrderedDict[str, _Standing] = OrderedDict()  # by the epochs of jobs

    async def start(self, request: bytes, call: Call) -> JobRecord:
        """The job, that of an earlier call with the same request id, once it is over or the caller waits no longer."""
        before: JobRecord | None = None

        async def look_up(key: RequestKey) -> None:
            nonlocal before
            with _reusing(key.request_id):
                before = await self._archive.find(call.owner, SWEEP_REQUESTS + key.request_id, key.body)

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
            traceparent=tracing.current_traceparent(),
            id=SWEEPS + (job.id or secrets.token_hex(10)),
            request_id=None if job.request_id is None else SWEEP_REQUESTS + job.request_id,
        )
        with _reusing(job.request_id or ""):
            record = await self._queue.enqueue(call.owner, named)
        self._runner.wake()
        return await self._ended(record, drafted.wait_seconds)

    async def _ended(self, record: JobRecord, seconds: float) -> JobRecord:
        if record.state.is_final or seconds <= 0.0:
            return record
        return await self._progress.ended(record, seconds)

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """A sweep."""
        return await self._archive.get(owner, job_id)

    async def trials(self, job_id: str, page: TrialsPage, owner: str) -> bytes:
        """A page of the trials of a sweep that are over."""
        record = await self._archive.get(owner, job_id)
        if record.state is not JobState.SUCCEEDED:
            listed = await self._standing(record)
            record = await self._archive.get(owner, job_id)
            if record.state is not JobState.SUCCEEDED:  # else its parts may have gone meanwhile
                return await asyncio.to_thread(_page_of_standing, record.request, listed.trials, page)
        _, index = await self._archive.series(owner, job_id, INDEX)
        found = await asyncio.to_thread(_shown, index, page)
        pieces = {
            number: (await self._archive.series(owner, job_id, piece_name(page.order, number)))[1]
            for number in pieces_of(found)
        }
        return await asyncio.to_thread(page_of_pieces, found, pieces)

    async def _standing(self, record: JobRecord) -> "_Standing":
        """The trials of a sweep in its parts, of which only those are read that are new."""
        known = self._known.setdefault(record.epoch, _Standing())
        self._known.move_to_end(record.epoch)
        while len(self._known) > KEPT_SWEEPS:
            self._known.popitem(last=False)
        async with known.reading:
            while parts := await self._log.parts(record.key, known.last):
                await asyncio.to_thread(known.add, parts)
        return known


@dataclass(slots=True)
class _Standing:
    """The trials of a sweep that has no result, as far as its parts have been read; parts are only added."""

    trials: dict[int, TrialDone] = field(default_factory=dict)  # without returns
    last: int = 0  # number of the last part
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def add(self, parts: Sequence[tuple[int, bytes]]) -> None:
        """Takes later parts."""
        added = {one.index: one for _, part in parts for one in listed_from_bytes(part)}
        self.trials = added | self.trials  # as a whole, for others read it meanwhile
        self.last = parts[-1][0]


def _page_of_standing(request: bytes, trials: Mapping[int, TrialDone], page: TrialsPage) -> bytes:
    return page_of_trials(shown(TrialIndex.of(trials.values(), score_of(request)), page), trials)


def _shown(index: bytes, page: TrialsPage) -> Shown:
    return shown(TrialIndex.from_bytes(index), page)
