"""Backtests: check a request, store it as a job with its data, and let callers ask for it, follow it, stop it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from domain.backtest.series import Series
from domain.market_data.panel import PricePanel
from server import tracing
from server.commands.call import Call
from server.commands.charts import ChartsCommand
from server.commands.stored import RequestKey, StoredData
from server.execution.process_pool import ProcessPool
from server.jobs.progress import Progress, ProgressMessage
from server.jobs.runner import Runner
from server.ports.errors import StillRunning
from server.ports.job_stores import JobStores
from server.ports.jobs import JobDraft, JobPage, JobRecord
from server.ports.list_filter import ListFilter
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.ports.scope import Scope
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks import backtest, charts


class Backtests:
    """Starts jobs and answers for them."""

    def __init__(
        self,
        market_data: MarketData,
        stores: JobStores,
        pool: ProcessPool,
        runner: Runner,
        progress: Progress,
        *,
        strategy_targets: tuple[str, ...] = (),
    ) -> None:
        self._market_data = market_data
        self._archive, self._queue, self._inputs = stores.archive, stores.queue, stores.inputs
        self._pool = pool
        self._runner = runner
        self._progress = progress
        self._strategy_targets = strategy_targets  # addresses that remote strategies may name

    async def start(self, request: bytes, call: Call) -> tuple[JobRecord, float] | bytes:
        """The job, and the seconds that the caller wants to wait for its end; the answer to a mere check."""
        before: JobRecord | None = None

        async def look_up(key: RequestKey) -> None:
            nonlocal before
            # The task goes on in any case: it knows how long the caller wants to wait.
            before = await self._archive.find(call.owner, key.request_id, key.body)

        drafted: backtest.Drafted | bytes
        drafted, found = await in_rounds(
            self._pool,
            partial(backtest.draft, request, strategy_targets=self._strategy_targets),
            call,
            self._market_data.collect,
            look_up,
        )
        if isinstance(drafted, bytes):
            return drafted
        if before is not None:
            return before, drafted.wait_seconds
        job = await asyncio.to_thread(with_panels, drafted, found)
        record = await self._queue.enqueue(
            call.owner, replace(job, caller=call.caller, traceparent=tracing.current_traceparent())
        )
        self._runner.wake()
        return record, drafted.wait_seconds

    async def ended(self, record: JobRecord, seconds: float) -> JobRecord:
        """A job once it is over, or as it is after some time."""
        if record.state.is_final or seconds <= 0.0:
            return record
        return await self._progress.ended(record, seconds)

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """A job."""
        return await self._archive.get(owner, job_id)

    async def list(self, scope: Scope, token: str, size: int, filters: ListFilter) -> JobPage:
        """A page of jobs, newest first."""
        return await self._archive.list(scope, token, size, filters)

    async def cancel(self, owner: str, job_id: str) -> JobRecord:
        """Stops a job; one that is over stays as it is."""
        return await self._runner.cancel(owner, job_id)

    async def delete(self, owner: str, job_id: str) -> None:
        """Removes a job that is over."""
        record = await self._archive.get(owner, job_id)
        await self._archive.delete(owner, job_id)
        await self._progress.refresh(record.key)

    def follow(
        self,
        owner: str,
        job_id: str,
        after_sequence: int,
        epoch: str,
        min_interval: float,
        heartbeat_interval: float,
    ) -> AsyncGenerator[ProgressMessage]:
        """What happens to a job."""
        return self._progress.follow(owner, job_id, after_sequence, epoch, min_interval, heartbeat_interval)

    async def series(self, job_id: str, series: Series, label: str, call: Call) -> AsyncGenerator[bytes]:
        """A series of a job that has succeeded, in pieces."""
        record = await self._archive.get(call.owner, job_id)
        if not record.state.is_final:
            raise StillRunning(f"backtests/{job_id} is not over; its series are there once it has succeeded")
        _, data = await self._archive.series(call.owner, job_id, label)
        panel = StoredPanelRef.of(await self._inputs.panel(record.inputs.data))
        work = partial(backtest.series, record.request, record.inputs, panel, data, series)
        pieces = self._pool.stream(work, call.deadline, caller=call.caller)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def charts(self, job_id: str, command: ChartsCommand, call: Call) -> bytes:
        """Charts of a job that has succeeded."""
        record = await self._archive.get(call.owner, job_id)
        if not record.state.is_final:
            raise StillRunning(f"{record.name} is not over; its charts are there once it has succeeded")
        await self._archive.series(call.owner, job_id, "")  # says why there is none
        if record.is_sweep:
            return await self._sweep_charts(record, command, call)
        labels = partial(charts.drawn_labels, record.request, command)
        drawn = await self._pool.run(labels, call.deadline, caller=call.caller)
        job = charts.FinishedJob(
            request=record.request,
            inputs=record.inputs,
            result=record.result or b"",
            data=StoredPanelRef.of(await self._inputs.panel(record.inputs.data)),
            benchmarks={
                symbol: StoredPanelRef.of(await self._inputs.panel(name))
                for symbol, name in record.inputs.benchmarks.items()
            },
            records={label: (await self._archive.series(call.owner, job_id, label))[1] for label in drawn},
        )
        work = partial(charts.of_backtest, job, command)
        answer: bytes = await self._pool.run(work, call.deadline, caller=call.caller)
        return answer

    async def _sweep_charts(self, record: JobRecord, command: ChartsCommand, call: Call) -> bytes:
        """Charts of all trials of a sweep."""
        labels = charts.trial_pieces(record.inputs.trial_count)
        pieces = [(await self._archive.series(call.owner, record.id, label))[1] for label in labels]
        work = partial(charts.of_sweep, record.request, pieces, command)
        answer: bytes = await self._pool.run(work, call.deadline, caller=call.caller)
        return answer


def with_panels(drafted: backtest.Drafted, found: StoredData) -> JobDraft:
    """A job with all its data, in memory or over mapped files."""
    stored = {name: _panel(found, selection) for name, selection in drafted.stored.items()}
    return replace(drafted.job, panels={**drafted.job.panels, **stored}, used=found.used)


def _panel(found: StoredData, selection: PriceSelection) -> PricePanel:
    volumes = found.volumes.get(selection)
    return (found.panels[selection] if volumes is None else volumes).prices()
