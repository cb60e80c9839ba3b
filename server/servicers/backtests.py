"""BacktestService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2 import (
    BacktestProgressRequest,
    BacktestProgressResponse,
    CancelBacktestRequest,
    DeleteBacktestRequest,
    DeleteBacktestResponse,
    GetBacktestChartsRequest,
    GetBacktestRequest,
    GetBacktestSeriesRequest,
    GetSweepRequest,
    ListBacktestsRequest,
    ListBacktestsResponse,
    ListSweepTrialsRequest,
)
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceServicer
from absfinance.v1.sweep_pb2 import Sweep as SweepProto

from server.converters.backtests import (
    page_to_proto,
    path_of,
    progress_to_proto,
    record_to_proto,
    series_from_proto,
    state_from_proto,
)
from server.converters.charts import backtest_charts_from_proto
from server.converters.list_filter import list_filter_from_proto
from server.converters.sweeps import page_from_proto, sweep_to_proto
from server.identity.current import owner, scope
from server.servicers.reading import Context, Requests, call_of
from server.services.backtests import Backtests
from server.services.sweeps import Sweeps

DEFAULT_PAGE = 50
DEFAULT_MIN_INTERVAL = 0.1
DEFAULT_HEARTBEAT = 15.0


class BacktestServicer(BacktestServiceServicer):
    """Maps the wire to the backtest service and back."""

    def __init__(self, backtests: Backtests, sweeps: Sweeps, requests: Requests) -> None:
        self._backtests = backtests
        self._sweeps = sweeps
        self._requests = requests

    async def Backtest(self, request: bytes, context: Context) -> BacktestProto | bytes:
        """A job."""
        started = await self._backtests.start(request, call_of(context))
        if isinstance(started, bytes):
            return started
        record, wait_seconds = started
        return await asyncio.to_thread(record_to_proto, await self._backtests.ended(record, wait_seconds))

    async def BacktestProgress(self, request: bytes, context: Context) -> AsyncIterator[BacktestProgressResponse]:
        """What happens to a job, from a snapshot to its end."""
        message = await self._requests.message(BacktestProgressRequest, request, context)
        interval = message.min_interval.ToTimedelta().total_seconds()
        heartbeat = message.heartbeat_interval.ToTimedelta().total_seconds()
        followed = self._backtests.follow(
            owner(),
            path_of(message.backtest),
            message.after_sequence,
            message.epoch,
            interval if message.HasField("min_interval") else DEFAULT_MIN_INTERVAL,
            heartbeat if message.HasField("heartbeat_interval") else DEFAULT_HEARTBEAT,
        )
        async with aclosing(followed):
            async for progress in followed:
                yield progress_to_proto(progress)

    async def GetBacktest(self, request: bytes, context: Context) -> BacktestProto:
        """A job."""
        message = await self._requests.message(GetBacktestRequest, request, context)
        return await asyncio.to_thread(record_to_proto, await self._backtests.get(owner(), path_of(message.name)))

    async def ListBacktests(self, request: bytes, context: Context) -> ListBacktestsResponse:
        """A page of jobs."""
        message = await self._requests.message(ListBacktestsRequest, request, context)
        whose = scope("ListBacktests", everyone=message.all)
        filters = list_filter_from_proto(message, state=state_from_proto(message.state))
        size = message.page_size or DEFAULT_PAGE
        page = await self._backtests.list(whose, message.page_token, size, filters)
        return await asyncio.to_thread(page_to_proto, page, with_owners=whose.everyone)

    async def CancelBacktest(self, request: bytes, context: Context) -> BacktestProto:
        """The job after it was told to stop."""
        message = await self._requests.message(CancelBacktestRequest, request, context)
        return await asyncio.to_thread(record_to_proto, await self._backtests.cancel(owner(), path_of(message.name)))

    async def DeleteBacktest(self, request: bytes, context: Context) -> DeleteBacktestResponse:
        """Deletes a job."""
        message = await self._requests.message(DeleteBacktestRequest, request, context)
        await self._backtests.delete(owner(), path_of(message.name))
        return DeleteBacktestResponse()

    async def Sweep(self, request: bytes, context: Context) -> SweepProto:
        """Many backtests as one job."""
        return await asyncio.to_thread(sweep_to_proto, await self._sweeps.start(request, call_of(context)))

    async def GetSweep(self, request: bytes, context: Context) -> SweepProto:
        """A sweep as it stands."""
        message = await self._requests.message(GetSweepRequest, request, context)
        return await asyncio.to_thread(sweep_to_proto, await self._sweeps.get(owner(), path_of(message.name)))

    async def ListSweepTrials(self, request: bytes, context: Context) -> bytes:
        """A page of the trials of a sweep that are over."""
        message = await self._requests.message(ListSweepTrialsRequest, request, context)
        page = page_from_proto(message, DEFAULT_PAGE)
        return await self._sweeps.trials(path_of(message.name), page, owner())

    async def GetBacktestCharts(self, request: bytes, context: Context) -> bytes:
        """Charts of a job that has succeeded."""
        name, command = await self._requests.read(
            GetBacktestChartsRequest, backtest_charts_from_proto, request, context
        )
        return await self._backtests.charts(path_of(name), command, call_of(context))

    async def GetBacktestSeries(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """A series in pieces."""
        message = await self._requests.message(GetBacktestSeriesRequest, request, context)
        series = series_from_proto(message.series)
        pieces = self._backtests.series(path_of(message.name), series, message.label, call_of(context))
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
