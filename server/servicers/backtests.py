"""BacktestService on the wire."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2 import (
    BacktestProgressRequest,
    BacktestProgressResponse,
    BacktestRequest,
    CancelBacktestRequest,
    DeleteBacktestRequest,
    DeleteBacktestResponse,
    GetBacktestRequest,
    GetBacktestSeriesRequest,
    GetBacktestSeriesResponse,
    ListBacktestsRequest,
    ListBacktestsResponse,
)
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceServicer

from server.converters.backtests import (
    backtest_command_from_proto,
    notice_to_proto,
    page_to_proto,
    path_of,
    record_to_proto,
    series_from_proto,
    series_to_proto,
    state_from_proto,
)
from server.servicers.deadline import Context, deadline_of
from server.services.backtests import Backtests

DEFAULT_PAGE = 50
DEFAULT_MIN_INTERVAL = 0.1
DEFAULT_HEARTBEAT = 15.0


class BacktestServicer(BacktestServiceServicer):
    """Maps the wire to the backtest service and back."""

    def __init__(self, backtests: Backtests) -> None:
        self._backtests = backtests

    async def Backtest(self, request: BacktestRequest, context: Context) -> BacktestProto:
        """A job."""
        record = await self._backtests.start(backtest_command_from_proto(request), deadline_of(context))
        return BacktestProto() if record is None else record_to_proto(record)

    async def BacktestProgress(
        self, request: BacktestProgressRequest, context: Context
    ) -> AsyncIterator[BacktestProgressResponse]:
        """What happens to a job, from a snapshot to its end."""
        interval = request.min_interval.ToTimedelta().total_seconds()
        heartbeat = request.heartbeat_interval.ToTimedelta().total_seconds()
        notices = self._backtests.follow(
            path_of(request.backtest),
            request.after_sequence,
            request.epoch,
            interval if request.HasField("min_interval") else DEFAULT_MIN_INTERVAL,
            heartbeat if request.HasField("heartbeat_interval") else DEFAULT_HEARTBEAT,
        )
        async with aclosing(notices):
            async for notice in notices:
                yield notice_to_proto(notice)

    async def GetBacktest(self, request: GetBacktestRequest, context: Context) -> BacktestProto:
        """A job."""
        return record_to_proto(await self._backtests.get(path_of(request.name)))

    async def ListBacktests(self, request: ListBacktestsRequest, context: Context) -> ListBacktestsResponse:
        """A page of jobs."""
        size, state = request.page_size or DEFAULT_PAGE, state_from_proto(request.state)
        return page_to_proto(await self._backtests.list(request.page_token, size, state))

    async def CancelBacktest(self, request: CancelBacktestRequest, context: Context) -> BacktestProto:
        """The job after it was told to stop."""
        return record_to_proto(await self._backtests.cancel(path_of(request.name)))

    async def DeleteBacktest(self, request: DeleteBacktestRequest, context: Context) -> DeleteBacktestResponse:
        """Nothing is left of a job."""
        await self._backtests.delete(path_of(request.name))
        return DeleteBacktestResponse()

    async def GetBacktestSeries(
        self, request: GetBacktestSeriesRequest, context: Context
    ) -> AsyncIterator[GetBacktestSeriesResponse]:
        """A series in pieces."""
        wanted = series_from_proto(request.series)
        for piece in series_to_proto(await self._backtests.series(path_of(request.name), wanted, request.label)):
            yield piece
