"""The client for asyncio, with the methods and parameters of `absfin.Client`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.event_service_pb2_grpc import EventServiceStub

from absfin import health, queries
from absfin.channel import DEFAULT_TARGET, OPTIONS
from absfin.choices import EventKind, Severity
from absfin.errors import typed_errors
from absfin.events import Event, EventFollower
from absfin.queries.base import AssembledQuery, PagedQuery, Query, StreamQuery, UnaryQuery
from absfin.query_methods import as_method
from absfin.tokens import Token, asynchronous_interceptors
from absfin.watching import Follower, News, Resuming

P = ParamSpec("P")
A = TypeVar("A")
N = TypeVar("N")


def _sends(query: Callable[P, UnaryQuery[A]]) -> Callable[Concatenate["Client", P], Coroutine[Any, Any, A]]:
    """The method that builds a query and sends it."""

    async def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return await self.send(query(*args, **kwargs))

    return as_method(method, query)


def _streams(query: Callable[P, StreamQuery[A]]) -> Callable[Concatenate["Client", P], AsyncIterator[A]]:
    """The method that builds a query and iterates over its answers."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[A]:
        return self.stream(query(*args, **kwargs))

    return as_method(method, query)


def _collects(query: Callable[P, AssembledQuery[A]]) -> Callable[Concatenate["Client", P], Coroutine[Any, Any, A]]:
    """The method that builds a query and joins the parts of its answer."""

    async def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return await self.collect(query(*args, **kwargs))

    return as_method(method, query)


def _pages(query: Callable[P, PagedQuery[A]]) -> Callable[Concatenate["Client", P], AsyncIterator[A]]:
    """The method that builds a query and iterates over the items of all its pages."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[A]:
        return self.all_pages(query(*args, **kwargs))

    return as_method(method, query)


class Client:
    """A connection to one server, for one event loop. Close it, or use it in an `async with` block.

    Every method has the parameters of its query in `absfin.queries`, among them `timeout` in seconds (60 unless said
    otherwise), and raises an exception of `absfin.errors`.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.aio.Channel | None = None,
        timeout: float = 60.0,
        token: Token | None = None,
    ) -> None:
        """Connects to `target`, or uses `channel` (say, with interceptors) in place of `target` and `credentials`.

        `token` is a token or an API key, or a function that returns the current one and is asked at every call; it
        must answer at once. Raises ValueError for a token beside `channel`, which has interceptors of its own.
        """
        if channel is not None and token is not None:
            raise ValueError("a token goes with a target, not with a channel")
        added = asynchronous_interceptors(token)
        if channel is not None:
            self._channel = channel
        elif credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=OPTIONS, interceptors=added)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options=OPTIONS, interceptors=added)
        self._timeout = timeout
        self._stubs = {stub: stub(self._channel) for stub in queries.STUBS}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection."""
        await self._channel.close()

    async def wait_until_ready(self, timeout: float = 10.0) -> None:
        """Returns once the server answers. Raises TimeoutError after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.channel_ready()
        except TimeoutError:
            raise TimeoutError(f"no server answered within {timeout:g} s") from None

    async def check_health(self, *, timeout: float | None = None) -> str:
        """ "serving" where the server can work, "not_serving" where it cannot now. Raises Unavailable without one."""
        with typed_errors():
            check: Any = self._channel.unary_unary(health.METHOD)
            return health.state_of(await check(health.REQUEST, timeout=self._timeout if timeout is None else timeout))

    optimize = _sends(queries.OptimizeQuery)
    optimize_batch = _streams(queries.OptimizeBatchQuery)
    trace_frontier = _streams(queries.TraceFrontierQuery)
    get_optimization = _sends(queries.GetOptimizationQuery)
    list_optimizations = _sends(queries.ListOptimizationsQuery)
    delete_optimization = _sends(queries.DeleteOptimizationQuery)
    optimization_charts = _sends(queries.OptimizationChartsQuery)

    analyze_risk = _sends(queries.AnalyzeRiskQuery)
    compare_strategies = _sends(queries.CompareStrategiesQuery)
    estimate_risk_model = _collects(queries.EstimateRiskModelQuery)
    attribute = _sends(queries.AttributeQuery)
    risk_charts = _sends(queries.RiskChartsQuery)

    backtest = _sends(queries.BacktestQuery)
    get_backtest = _sends(queries.GetBacktestQuery)
    list_backtests = _sends(queries.ListBacktestsQuery)
    cancel_backtest = _sends(queries.CancelBacktestQuery)
    delete_backtest = _sends(queries.DeleteBacktestQuery)
    sweep = _sends(queries.SweepQuery)
    get_sweep = _sends(queries.GetSweepQuery)
    sweep_trials = _pages(queries.SweepTrialsQuery)
    backtest_series = _collects(queries.BacktestSeriesQuery)
    backtest_charts = _sends(queries.BacktestChartsQuery)

    reallocate = _sends(queries.ReallocateQuery)
    reallocate_batch = _streams(queries.ReallocateBatchQuery)
    get_reallocation = _sends(queries.GetReallocationQuery)
    list_reallocations = _sends(queries.ListReallocationsQuery)
    delete_reallocation = _sends(queries.DeleteReallocationQuery)
    reallocation_charts = _sends(queries.ReallocationChartsQuery)
    record_fills = _sends(queries.RecordFillsQuery)

    create_portfolio = _sends(queries.CreatePortfolioQuery)
    get_portfolio = _sends(queries.GetPortfolioQuery)
    update_portfolio = _sends(queries.UpdatePortfolioQuery)
    delete_portfolio = _sends(queries.DeletePortfolioQuery)
    list_portfolios = _pages(queries.ListPortfoliosQuery)

    get_server_info = _sends(queries.GetServerInfoQuery)
    get_quotas = _sends(queries.GetQuotasQuery)
    drain = _sends(queries.DrainQuery)
    create_api_key = _sends(queries.CreateApiKeyQuery)
    list_audit_events = _sends(queries.ListAuditEventsQuery)
    list_api_keys = _pages(queries.ListApiKeysQuery)
    revoke_api_key = _sends(queries.RevokeApiKeyQuery)

    list_notifications = _pages(queries.ListNotificationsQuery)
    acknowledge_notification = _sends(queries.AcknowledgeNotificationQuery)
    redeliver_notification = _sends(queries.RedeliverNotificationQuery)

    import_prices = _sends(queries.ImportPricesQuery)
    publish_market_data = _streams(queries.PublishMarketDataQuery)
    prices = _collects(queries.PricesQuery)
    market_metrics = _sends(queries.MarketMetricsQuery)
    assess_liquidity = _sends(queries.AssessLiquidityQuery)
    upsert_instruments = _sends(queries.UpsertInstrumentsQuery)
    instruments = _pages(queries.InstrumentsQuery)
    upsert_corporate_actions = _sends(queries.UpsertCorporateActionsQuery)
    corporate_actions = _pages(queries.CorporateActionsQuery)

    async def watch(
        self, name: str, *, min_interval: float = 0.1, after: int = 0, epoch: str = "", patience: float = 300.0
    ) -> AsyncIterator[News]:
        """Progress of a job until it ends: every milestone, and the latest tick at most every `min_interval` seconds.

        Resumes by itself when the connection breaks or the server restarts. Raises an exception of `absfin.errors`
        where resuming cannot help, or after `patience` seconds without contact; `EventsLost` where the server no longer
        has what comes after the last event. `after` and `epoch` of a milestone go on after it.
        """
        follower = Follower(name, min_interval, patience, after, epoch)
        watch = Watch(follower, self._stubs[BacktestServiceStub].BacktestProgress)
        try:
            async for news in watch:
                yield news
        finally:
            await watch.aclose()

    async def watch_events(
        self,
        *,
        portfolios: Iterable[str] = (),
        kinds: Iterable[EventKind] = (),
        min_severity: Severity = "info",
        after: int = 0,
        epoch: str = "",
        patience: float = 300.0,
    ) -> AsyncIterator[Event]:
        """Events of the caller's portfolios, of all where none is named: those that are retained, then as they happen.

        `after` and `epoch` of the last event that was received go on after it. Resumes by itself, as `watch` does; it
        ends where it is closed. Raises `EventsLost` where events after the last one are no longer retained: a watch
        without `after` has those that are.
        """
        follower = EventFollower(portfolios, kinds, min_severity, after, epoch, patience)
        watch = Watch(follower, self._stubs[EventServiceStub].WatchEvents)
        try:
            async for news in watch:
                yield news
        finally:
            await watch.aclose()

    async def send(self, query: UnaryQuery[A]) -> A:
        """The answer to a query."""
        with typed_errors():
            return query.answer(await self._call(query, query.request()))

    def stream(self, query: StreamQuery[A]) -> AsyncIterator[A]:
        """The answers to a query, as they arrive."""
        request = query.request()  # at once: a wrong argument is an error of this call, not of the first answer

        async def answers() -> AsyncIterator[A]:
            with typed_errors():
                async for response in self._call(query, request):
                    yield query.answer(response)

        return answers()

    async def collect(self, query: AssembledQuery[A]) -> A:
        """The answer to a query, joined from its parts."""
        assembler = query.assembler()
        with typed_errors():
            async for part in self._call(query, query.request()):
                assembler.add(part)
        return assembler.result()

    async def all_pages(self, query: PagedQuery[A]) -> AsyncIterator[A]:
        """The items of a list; each page is fetched when it is needed."""
        token = ""
        while True:
            with typed_errors():
                page = await self._call(query, query.request(token))
            for item in query.items(page):
                yield item
            token = page.next_page_token
            if not token:
                return

    def _call(self, query: Query, request: Any) -> Any:
        method = getattr(self._stubs[query.RPC.stub], query.RPC.method)
        return method(request, timeout=query.time_limit(self._timeout))


class Watch(AsyncIterator[N], Generic[N]):
    """Receives a stream in a task of its own, and gives the caller the next event."""

    def __init__(self, follower: Resuming[N], method: Callable[..., Any]) -> None:
        self._follower = follower
        self._method = method
        self._changed = asyncio.Event()
        self._read = asyncio.Event()
        self._ended = False
        self._receiving = asyncio.create_task(self._receive())
        self._receiving.add_done_callback(lambda _: self._changed.set())  # however it ends, the caller is told

    async def __anext__(self) -> N:
        """What comes next."""
        if self._ended:
            raise StopAsyncIteration
        while (news := self._follower.next()) is None:
            if self._follower.error is not None:
                self._ended = True
                raise self._follower.error
            if self._receiving.done():
                self._ended = True
                if not self._receiving.cancelled() and (failure := self._receiving.exception()) is not None:
                    raise failure
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        self._ended = self._follower.is_last(news)
        self._read.set()
        return news

    async def aclose(self) -> None:
        """Ends the stream; what it follows goes on."""
        self._receiving.cancel()
        await asyncio.wait({self._receiving})
        self._changed.set()

    async def _receive(self) -> None:
        while not self._follower.over:
            failure = None
            try:
                async for notice in self._method(self._follower.request()):
                    self._follower.take(notice)
                    self._changed.set()
                    while not self._follower.has_room:
                        self._read.clear()
                        await self._read.wait()
                        self._follower.has_been_read()
            except grpc.RpcError as error:
                failure = error
            if not self._follower.over:
                seconds = self._follower.pause(failure)
                self._changed.set()
                await asyncio.sleep(seconds)
        self._changed.set()
