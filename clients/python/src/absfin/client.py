"""The client for ordinary code; `absfin.aio` has the one for asyncio, with the same methods and parameters."""

import threading
from collections.abc import Callable, Iterable, Iterator
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
from absfin.tokens import Token, TokenInterceptor
from absfin.watching import Follower, News, Resuming

P = ParamSpec("P")
A = TypeVar("A")
N = TypeVar("N")


def _sends(query: Callable[P, UnaryQuery[A]]) -> Callable[Concatenate["Client", P], A]:
    """The method that builds a query and sends it."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return self.send(query(*args, **kwargs))

    return as_method(method, query)


def _streams(query: Callable[P, StreamQuery[A]]) -> Callable[Concatenate["Client", P], Iterator[A]]:
    """The method that builds a query and iterates over its answers."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[A]:
        return self.stream(query(*args, **kwargs))

    return as_method(method, query)


def _collects(query: Callable[P, AssembledQuery[A]]) -> Callable[Concatenate["Client", P], A]:
    """The method that builds a query and joins the parts of its answer."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return self.collect(query(*args, **kwargs))

    return as_method(method, query)


def _pages(query: Callable[P, PagedQuery[A]]) -> Callable[Concatenate["Client", P], Iterator[A]]:
    """The method that builds a query and iterates over the items of all its pages."""

    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[A]:
        return self.all_pages(query(*args, **kwargs))

    return as_method(method, query)


class Client:
    """A connection to one server; threads may share it. Close it, or use it in a `with` block.

    Every method has the parameters of its query in `absfin.queries`, among them `timeout` in seconds (60 unless said
    otherwise), and raises an exception of `absfin.errors`.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.Channel | None = None,
        timeout: float = 60.0,
        token: Token | None = None,
    ) -> None:
        """Connects to `target`, or uses `channel` (say, with interceptors) in place of `target` and `credentials`.

        `token` is a token or an API key, or a function that returns the current one and is asked at every call; it
        must answer at once. Raises ValueError for a token beside `channel`, which has interceptors of its own.
        """
        if channel is not None and token is not None:
            raise ValueError("a token goes with a target, not with a channel")
        if channel is not None:
            self._channel = channel
        elif credentials is None:
            self._channel = grpc.insecure_channel(target, options=OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=OPTIONS)
        if token is not None:
            self._channel = grpc.intercept_channel(self._channel, TokenInterceptor(token))
        self._timeout = timeout
        self._stubs = {stub: stub(self._channel) for stub in queries.STUBS}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def wait_until_ready(self, timeout: float = 10.0) -> None:
        """Returns once the server answers. Raises TimeoutError after `timeout` seconds."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout)
        except grpc.FutureTimeoutError:
            raise TimeoutError(f"no server answered within {timeout:g} s") from None

    def check_health(self, *, timeout: float | None = None) -> str:
        """ "serving" where the server can work, "not_serving" where it cannot now. Raises Unavailable without one."""
        with typed_errors():
            check: Any = self._channel.unary_unary(health.METHOD)
            return health.state_of(check(health.REQUEST, timeout=self._timeout if timeout is None else timeout))

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

    def watch(
        self, name: str, *, min_interval: float = 0.1, after: int = 0, epoch: str = "", patience: float = 300.0
    ) -> Iterator[News]:
        """Progress of a job until it ends: every milestone, and the latest tick at most every `min_interval` seconds.

        Resumes by itself when the connection breaks or the server restarts. Raises an exception of `absfin.errors`
        where resuming cannot help, or after `patience` seconds without contact; `EventsLost` where the server no longer
        has what comes after the last event. `after` and `epoch` of a milestone go on after it.
        """
        follower = Follower(name, min_interval, patience, after, epoch)
        watch = Watch(follower, self._stubs[BacktestServiceStub].BacktestProgress)
        try:
            yield from watch
        finally:
            watch.close()

    def watch_events(
        self,
        *,
        portfolios: Iterable[str] = (),
        kinds: Iterable[EventKind] = (),
        min_severity: Severity = "info",
        after: int = 0,
        epoch: str = "",
        patience: float = 300.0,
    ) -> Iterator[Event]:
        """Events of the caller's portfolios, of all where none is named: those that are retained, then as they happen.

        `after` and `epoch` of the last event that was received go on after it. Resumes by itself, as `watch` does; it
        ends where it is closed. Raises `EventsLost` where events after the last one are no longer retained: a watch
        without `after` has those that are.
        """
        follower = EventFollower(portfolios, kinds, min_severity, after, epoch, patience)
        watch = Watch(follower, self._stubs[EventServiceStub].WatchEvents)
        try:
            yield from watch
        finally:
            watch.close()

    def send(self, query: UnaryQuery[A]) -> A:
        """The answer to a query."""
        with typed_errors():
            return query.answer(self._call(query, query.request()))

    def stream(self, query: StreamQuery[A]) -> Iterator[A]:
        """The answers to a query, as they arrive."""
        request = query.request()  # at once: a wrong argument is an error of this call, not of the first answer

        def answers() -> Iterator[A]:
            with typed_errors():
                yield from map(query.answer, self._call(query, request))

        return answers()

    def collect(self, query: AssembledQuery[A]) -> A:
        """The answer to a query, joined from its parts."""
        assembler = query.assembler()
        with typed_errors():
            for part in self._call(query, query.request()):
                assembler.add(part)
        return assembler.result()

    def all_pages(self, query: PagedQuery[A]) -> Iterator[A]:
        """The items of a list; each page is fetched when it is needed."""
        token = ""
        while True:
            with typed_errors():
                page = self._call(query, query.request(token))
            yield from query.items(page)
            token = page.next_page_token
            if not token:
                return

    def _call(self, query: Query, request: Any) -> Any:
        method = getattr(self._stubs[query.RPC.stub], query.RPC.method)
        return method(request, timeout=query.time_limit(self._timeout))


CLOSE_SECONDS = 5.0
"""How long to wait for the thread of a cancelled stream; it ends in milliseconds."""


class Watch(Iterator[N], Generic[N]):
    """Receives a stream in a thread of its own, and gives the caller the next event."""

    def __init__(self, follower: Resuming[N], method: Callable[..., Any]) -> None:
        self._follower = follower
        self._method = method
        self._changed = threading.Condition()
        self._call: Any = None
        self._closed = self._ended = False
        self._failure: Exception | None = None  # what has ended the thread
        self._thread = threading.Thread(target=self._run, name="absfin-watch", daemon=True)
        self._thread.start()

    def __next__(self) -> N:
        """What comes next."""
        if self._ended:
            raise StopIteration
        with self._changed:
            while (news := self._follower.next()) is None:
                if self._follower.error is not None:
                    self._ended = True
                    raise self._follower.error
                if self._failure is not None:
                    self._ended = True
                    raise self._failure
                if self._closed:
                    raise StopIteration
                self._changed.wait()
            self._ended = self._follower.is_last(news)
            self._changed.notify_all()  # there is room for more
        return news

    def close(self) -> None:
        """Ends the stream; what it follows goes on."""
        with self._changed:
            self._closed = True
            if self._call is not None:
                self._call.cancel()
            self._changed.notify_all()
        # A thread that is still inside gRPC when the interpreter ends can keep the process from ending.
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        """Receives until the end; the caller raises what it cannot receive, and does not wait for ever."""
        try:
            self._receive()
        except Exception as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _begin(self) -> bool:
        """Starts a call, and says whether it can: not where the channel was closed under the stream."""
        try:
            self._call = self._method(self._follower.request())
        except ValueError:
            self._closed = True
            self._changed.notify_all()
        return not self._closed

    def _receive(self) -> None:
        while not (self._closed or self._follower.over):
            failure = None
            try:
                with self._changed:
                    if self._closed or not self._begin():
                        return
                for notice in self._call:
                    with self._changed:
                        self._follower.take(notice)
                        self._changed.notify_all()
                        if not self._follower.has_room:
                            self._changed.wait_for(lambda: self._closed or self._follower.has_room)
                            self._follower.has_been_read()
            except grpc.RpcError as error:
                failure = error
            with self._changed:
                if not (self._closed or self._follower.over):
                    seconds = self._follower.pause(failure)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closed, seconds)
                self._changed.notify_all()
