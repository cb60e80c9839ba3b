"""Backtests: check a wish, store it as a job with its data, and let callers ask for it, follow it, stop it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from domain.backtest.flow import prepare, prices_of
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.checks import Matrix
from domain.market_data.missing import complete
from domain.market_data.panel import Days, Panel, PricePanel, ReturnPanel
from server.execution.lanes import Lanes, OnProgress
from server.jobs.codec import parts_from_bytes
from server.jobs.progress import Notice, Progress
from server.jobs.runner import Runner
from server.ports import (
    BacktestStore,
    JobDraft,
    JobInputs,
    JobPage,
    JobRecord,
    JobState,
    ListFilter,
    PriceSelection,
    StillRunning,
)
from server.services.market_data import MarketData, StoredInput

CHUNK_BYTES = 900_000
"""Values in one piece of a series; with dates and framing it stays below 1 MiB."""


@dataclass(frozen=True, slots=True)
class BacktestCommand:
    """What to simulate, and how the job is kept."""

    data: PricePanel | ReturnPanel | PriceSelection
    specification: BacktestSpecification
    request: bytes  # as the converter reads it again, without data
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    wait_seconds: float = 0.0
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class SeriesPieces:
    """A series in pieces of whole rows."""

    symbols: tuple[str, ...]  # of its columns; none for a series of one column
    dates: Days
    pieces: Iterator[tuple[Days, Matrix]]


class Backtests:
    """Starts jobs and answers for them."""

    def __init__(
        self,
        market_data: MarketData,
        store: BacktestStore,
        lanes: Lanes,
        runner: Runner,
        progress: Progress,
        *,
        decode: Callable[[bytes], BacktestSpecification],
        name_panel: Callable[[Panel], str],
    ) -> None:
        self._market_data = market_data
        self._store = store
        self._lanes = lanes
        self._runner = runner
        self._progress = progress
        self._decode = decode
        self._name_panel = name_panel

    async def start(self, command: BacktestCommand, deadline: float | None) -> JobRecord | None:
        """The job, over if it was waited for long enough; None where the command only asked to check it."""
        record = None
        if command.request_id:
            record = await self._store.find(command.request_id, command.body)
        if record is None:
            draft = await self._draft(command, deadline)
            if command.validate_only:
                return None
            record = await self._store.enqueue(draft)
            self._runner.wake()
        if command.wait_seconds > 0.0 and not record.state.is_final:
            return await self._progress.ended(record.id, command.wait_seconds)
        return record

    async def get(self, job_id: str) -> JobRecord:
        """A job."""
        return await self._store.get(job_id)

    async def list(self, token: str, size: int, state: JobState | None) -> JobPage:
        """A page of jobs, newest first."""
        return await self._store.list(token, size, ListFilter(state=state))

    async def cancel(self, job_id: str) -> JobRecord:
        """Stops a job; one that is over stays as it is."""
        return await self._runner.cancel(job_id)

    async def delete(self, job_id: str) -> None:
        """Removes a job that is over."""
        await self._store.delete(job_id)
        await self._progress.refresh(job_id)

    def follow(
        self, job_id: str, after_sequence: int, epoch: str, min_interval: float, heartbeat_interval: float
    ) -> AsyncGenerator[Notice]:
        """What happens to a job."""
        return self._progress.follow(job_id, after_sequence, epoch, min_interval, heartbeat_interval)

    async def series(self, job_id: str, series: Series, label: str) -> SeriesPieces:
        """A series of a job that has succeeded."""
        record = await self._store.get(job_id)
        if not record.state.is_final:
            raise StillRunning(f"backtests/{job_id} is not over; its series are there once it has succeeded")
        _, data = await self._store.series(job_id, label)
        stored = await self._store.panel(record.inputs.data)
        specification = self._decode(record.request)
        values = stored.panel.values
        kind = PricePanel if record.inputs.kind == "prices" else ReturnPanel
        panel = kind(stored.panel.symbols, stored.panel.dates, values)
        return await asyncio.to_thread(_pieces, specification, panel, parts_from_bytes(data)[0][1], series)

    async def _draft(self, command: BacktestCommand, deadline: float | None) -> JobDraft:
        data = await self._market_data.load(command.data)
        others = {b.symbol: await self._benchmark(command, b, i) for i, b in _outside(command.specification, data)}
        groups = await self._market_data.groups(command.specification.missing_groups())
        specification = command.specification.with_groups(groups)
        work = partial(_drafted, command, specification, data, others, self._name_panel)
        draft = await self._lanes.thread(work, deadline)
        return replace(draft, inputs=replace(draft.inputs, groups=groups))

    async def _benchmark(self, command: BacktestCommand, benchmark: BenchmarkSymbol, i: int) -> StoredInput:
        data = command.data
        span = (data.start, data.end) if isinstance(data, PriceSelection) else (None, None)
        return await self._market_data.stored(PriceSelection((benchmark.symbol,), start=span[0], end=span[1]))


def _outside(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel | StoredInput | object
) -> list[tuple[int, BenchmarkSymbol]]:
    symbols: tuple[str, ...] = getattr(data, "symbols", ())
    return [
        (i, b)
        for i, b in enumerate(specification.benchmarks)
        if isinstance(b, BenchmarkSymbol) and b.symbol not in symbols
    ]


def _drafted(
    command: BacktestCommand,
    specification: BacktestSpecification,
    data: object,
    others: dict[str, StoredInput],
    name_panel: Callable[[Panel], str],
    on_progress: OnProgress,
) -> JobDraft:
    """Checks everything that can be known, and names the data by its content."""
    panel = data.open() if isinstance(data, StoredInput) else data
    if not isinstance(panel, PricePanel | ReturnPanel):
        raise TypeError("a backtest runs on prices or returns")
    benchmarks = {symbol: stored.open() for symbol, stored in others.items()}
    prepare(specification, panel, benchmarks)
    on_progress()
    names = {symbol: name_panel(prices) for symbol, prices in benchmarks.items()}
    name = name_panel(panel)
    content = hashlib.sha256(command.body + name.encode())
    for symbol, other in sorted(names.items()):
        content.update(f"{symbol}\0{other}\0".encode())
    kind = "prices" if isinstance(panel, PricePanel) else "returns"
    return JobDraft(
        request=command.request,
        body=command.body,
        label=specification.strategies[0].label,
        fingerprint=content.hexdigest(),
        inputs=JobInputs(name, kind, names),
        panels={name: panel, **{names[symbol]: prices for symbol, prices in benchmarks.items()}},
        request_id=command.request_id,
    )


def _pieces(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel, record: RecordPart, series: Series
) -> SeriesPieces:
    panel = prices_of(complete(data, specification.missing_data))
    start = len(panel.dates) - len(record.wealth)
    dates, prices = panel.dates[start:], panel.values[start:]
    columns = len(panel.symbols) if series.by_asset else 1
    step = max(1, CHUNK_BYTES // (8 * columns))

    def pieces() -> Iterator[tuple[Days, Matrix]]:
        for first in range(0, len(dates), step):
            last = min(first + step, len(dates))
            yield dates[first:last], rows(series, prices, record, first, last)

    return SeriesPieces(panel.symbols if series.by_asset else (), dates, pieces())
