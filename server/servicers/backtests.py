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
    GetBacktestRequest,
    GetBacktestSeriesRequest,
    ListBacktestsRequest,
    ListBacktestsResponse,
)
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceServicer

from server.converters.backtests import (
    notice_to_proto,
    page_to_proto,
    path_of,
    record_to_proto,
    series_from_proto,
    state_from_proto,
)
from server.converters.list_filter import list_filter_from_proto
from server.servicers.reading import Context, Requests, call_of
from server.services.backtests import Backtests

DEFAULT_PAGE = 50
DEFAULT_MIN_INTERVAL = 0.1
DEFAULT_HEARTBEAT = 15.0


class BacktestServicer(BacktestServiceServicer):
    """Maps the wire to the backtest service and back."""

    def __init__(self, backtests: Backtests, requests: Requests) -> None:
        self._backtests = backtests
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
        asked = await self._requests.message(BacktestProgressRequest, request, context)
        interval = asked.min_interval.ToTimedelta().total_seconds()
        heartbeat = asked.heartbeat_interval.ToTimedelta().total_seconds()
        notices = self._backtests.follow(
            path_of(asked.backtest),
            asked.after_sequence,
            asked.epoch,
            interval if asked.HasField("min_interval") else DEFAULT_MIN_INTERVAL,
            heartbeat if asked.HasField("heartbeat_interval") else DEFAULT_HEARTBEAT,
        )
        async with aclosing(notices):
            async for notice in notices:
                yield notice_to_proto(notice)

    async def GetBacktest(self, request: bytes, context: Context) -> BacktestProto:
        """A job."""
        asked = await self._requests.message(GetBacktestRequest, request, context)
        return await asyncio.to_thread(record_to_proto, await self._backtests.get(path_of(asked.name)))

    async def ListBacktests(self, request: bytes, context: Context) -> ListBacktestsResponse:
        """A page of jobs."""
        asked = await self._requests.message(ListBacktestsRequest, request, context)
        filters = list_filter_from_proto(asked, state=state_from_proto(asked.state))
        page = await self._backtests.list(asked.page_token, asked.page_size or DEFAULT_PAGE, filters)
        return await asyncio.to_thread(page_to_proto, page)

    async def CancelBacktest(self, request: bytes, context: Context) -> BacktestProto:
        """The job after it was told to stop."""
        asked = await self._requests.message(CancelBacktestRequest, request, context)
        return await asyncio.to_thread(record_to_proto, await self._backtests.cancel(path_of(asked.name)))

    async def DeleteBacktest(self, request: bytes, context: Context) -> DeleteBacktestResponse:
        """Nothing is left of a job."""
        asked = await self._requests.message(DeleteBacktestRequest, request, context)
        await self._backtests.delete(path_of(asked.name))
        return DeleteBacktestResponse()

    async def GetBacktestSeries(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """A series in pieces."""
        asked = await self._requests.message(GetBacktestSeriesRequest, request, context)
        wanted = series_from_proto(asked.series)
        pieces = self._backtests.series(path_of(asked.name), wanted, asked.label, call_of(context))
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
