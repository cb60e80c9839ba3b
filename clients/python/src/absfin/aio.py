"""The client for asyncio, method for method the twin of `absfin.Client`."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

import grpc
from absfinance.v1 import backtest_service_pb2 as backtests
from absfinance.v1 import market_data_service_pb2 as market
from absfinance.v1 import optimization_service_pb2 as optimization
from absfinance.v1 import portfolio_service_pb2 as portfolios
from absfinance.v1 import reallocation_service_pb2 as reallocations
from absfinance.v1.backtest_pb2 import Rebalancing, Strategy
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.estimation_pb2 import Estimation
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from absfinance.v1.risk_service_pb2 import SimulationOptions
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub
from google.protobuf.field_mask_pb2 import FieldMask

from absfin.channel import DEFAULT_TARGET, OPTIONS, PanelAssembler
from absfin.choices import choice
from absfin.constraints import Constraint
from absfin.costs import Costs
from absfin.data import (
    Holdings,
    Instrument,
    MarketInput,
    Panel,
    PriceField,
    Prices,
    Quote,
    Returns,
    Series,
    Stored,
    panel_of,
)
from absfin.errors import AbsFinanceError, typed_errors
from absfin.objectives import Objective
from absfin.requests import (
    Account,
    Progress,
    account_request,
    backtest_request,
    frontier_request,
    import_requests,
    new_request_id,
    optimize_request,
    reallocate_request,
    risk_model_request,
    risk_request,
    universe_request,
)
from absfin.results import (
    Backtest,
    BacktestPage,
    FrontierPoint,
    ImportReceipt,
    Optimization,
    OptimizationPage,
    PortfolioSummary,
    Reallocation,
    RiskReport,
    outcome_of,
)
from absfin.risk import RiskModel, RiskModelAssembler, RiskOptions
from absfin.watching import Finished, Follower, News


class Client:
    """A connection to one server; for one event loop. Close it, or use it in an `async with` block.

    Every method takes `timeout` in seconds (60 unless said otherwise) and raises an exception of `absfin.errors`.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.aio.Channel | None = None,
        timeout: float = 60.0,
    ) -> None:
        """Connects to `target`; a `channel` of your own, with your interceptors, takes the place of both others."""
        if channel is not None:
            self._channel = channel
        elif credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options=OPTIONS)
        self._timeout = timeout
        self._optimization = OptimizationServiceStub(self._channel)
        self._risk = RiskServiceStub(self._channel)
        self._market = MarketDataServiceStub(self._channel)
        self._backtests = BacktestServiceStub(self._channel)
        self._reallocations = ReallocationServiceStub(self._channel)
        self._portfolios = PortfolioServiceStub(self._channel)

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
        """Returns once the server answers. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.channel_ready()
        except TimeoutError:
            raise TimeoutError(f"no server answered within {timeout:g} s") from None

    async def optimize(
        self,
        data: MarketInput,
        objective: Objective,
        *,
        constraints: Iterable[Constraint] = (),
        risk_measure: str = "variance",
        confidence_level: float | None = None,
        current_weights: Mapping[str, float] | None = None,
        ewma_half_life: float | None = None,
        estimation: Estimation | None = None,
        missing_data: str = "fail",
        costs: Costs | None = None,
        diagnose_estimation: bool = False,
        request_id: str = "",
        timeout: float | None = None,
    ) -> Optimization:
        """Verified weights. Raises InvalidInput, InfeasibleProblem and the others of `absfin.errors`."""
        request = optimize_request(
            data,
            objective,
            constraints=constraints,
            risk_measure=risk_measure,
            confidence_level=confidence_level,
            current_weights=current_weights,
            ewma_half_life=ewma_half_life,
            estimation=estimation,
            missing_data=missing_data,
            costs=costs,
            diagnose_estimation=diagnose_estimation,
            request_id=request_id,
        )
        return Optimization.from_proto(await self._call(self._optimization.Optimize, request, timeout))

    async def optimize_batch(
        self,
        data: MarketInput,
        objective: Objective,
        accounts: Iterable[Account],
        *,
        constraints: Iterable[Constraint] = (),
        risk_measure: str = "variance",
        confidence_level: float | None = None,
        estimation: Estimation | None = None,
        missing_data: str = "fail",
        costs: Costs | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[tuple[str, Optimization | AbsFinanceError]]:
        """Each account's key with its answer, or with the exception of it, as they come and in any order."""
        shared = universe_request(
            data,
            objective,
            constraints=constraints,
            risk_measure=risk_measure,
            confidence_level=confidence_level,
            estimation=estimation,
            missing_data=missing_data,
            costs=costs,
        )
        messages = chain([shared], map(account_request, accounts))
        with typed_errors():
            async for one in self._optimization.OptimizeBatch(messages, timeout=self._limit(timeout)):
                yield outcome_of(one)

    async def trace_frontier(
        self,
        data: MarketInput,
        points: int = 0,
        *,
        constraints: Iterable[Constraint] = (),
        risk_measure: str = "variance",
        confidence_level: float | None = None,
        estimation: Estimation | None = None,
        missing_data: str = "fail",
        timeout: float | None = None,
    ) -> AsyncIterator[FrontierPoint]:
        """Portfolios from the highest return to the least risk, as they are found: all corners, or so many points."""
        request = frontier_request(
            data,
            points,
            constraints=constraints,
            risk_measure=risk_measure,
            confidence_level=confidence_level,
            estimation=estimation,
            missing_data=missing_data,
        )
        with typed_errors():
            async for one in self._optimization.TraceFrontier(request, timeout=self._limit(timeout)):
                yield FrontierPoint.from_proto(one)

    async def get_optimization(self, name: str, *, timeout: float | None = None) -> Optimization:
        """A stored result by its name, "optimizations/{id}"."""
        request = optimization.GetOptimizationRequest(name=name)
        return Optimization.from_proto(await self._call(self._optimization.GetOptimization, request, timeout))

    async def list_optimizations(
        self, page_size: int = 50, page_token: str = "", *, timeout: float | None = None
    ) -> OptimizationPage:
        """A page of stored results, newest first."""
        request = optimization.ListOptimizationsRequest(page_size=page_size, page_token=page_token)
        answer = await self._call(self._optimization.ListOptimizations, request, timeout)
        return OptimizationPage(tuple(answer.optimizations), answer.next_page_token)

    async def analyze_risk(
        self,
        data: MarketInput,
        weights: Mapping[str, float] | Holdings,
        *,
        benchmark: Any = None,
        confidence_level: float | None = None,
        risk_free_rate_annual: float | None = None,
        missing_data: str = "fail",
        allow_leverage: bool = False,
        options: RiskOptions | None = None,
        timeout: float | None = None,
    ) -> RiskReport:
        """The risk of constant weights; `options` asks for contributions, stress, rolling figures and more."""
        request = risk_request(
            data,
            weights,
            benchmark=benchmark,
            confidence_level=confidence_level,
            risk_free_rate_annual=risk_free_rate_annual,
            missing_data=missing_data,
            allow_leverage=allow_leverage,
            options=options,
        )
        return RiskReport.from_proto(await self._call(self._risk.AnalyzeRisk, request, timeout))

    async def estimate_risk_model(
        self,
        data: Prices | Returns | Stored,
        *,
        estimation: Estimation | None = None,
        missing_data: str = "fail",
        factors: Any = None,
        simulation: SimulationOptions | None = None,
        timeout: float | None = None,
    ) -> RiskModel:
        """Moments of many assets with their diagnostics, factors and simulated returns."""
        request = risk_model_request(
            data, estimation=estimation, missing_data=missing_data, factors=factors, simulation=simulation
        )
        assembler = RiskModelAssembler()
        with typed_errors():
            async for piece in self._risk.EstimateRiskModel(request, timeout=self._limit(timeout)):
                assembler.add(piece)
        return assembler.model()

    async def backtest(
        self,
        data: Prices | Returns | Stored,
        strategy: Strategy | Sequence[Strategy],
        *,
        rebalancing: Rebalancing | None = None,
        fill: str = "next_close",
        commission_bps: float = 0.0,
        half_spread_bps: float = 0.0,
        initial_capital: float | None = None,
        benchmarks: Iterable[str | Strategy] = (),
        risk_free_rate_annual: float | None = None,
        missing_data: str = "fail",
        request_id: str = "",
        wait_seconds: float = 0.0,
        timeout: float | None = None,
    ) -> Backtest:
        """Starts a job that lives on whatever happens to this call; with `wait_seconds`, its end if that is in time."""
        request = backtest_request(
            data,
            strategy,
            rebalancing=rebalancing,
            fill=fill,
            commission_bps=commission_bps,
            half_spread_bps=half_spread_bps,
            initial_capital=initial_capital,
            benchmarks=benchmarks,
            risk_free_rate_annual=risk_free_rate_annual,
            missing_data=missing_data,
            request_id=request_id,
            wait_seconds=wait_seconds,
        )
        limit = self._limit(timeout) + wait_seconds
        return Backtest.from_proto(await self._call(self._backtests.Backtest, request, limit))

    async def get_backtest(self, name: str, *, timeout: float | None = None) -> Backtest:
        """A job by its name, "backtests/{id}"."""
        request = backtests.GetBacktestRequest(name=name)
        return Backtest.from_proto(await self._call(self._backtests.GetBacktest, request, timeout))

    async def list_backtests(
        self, page_size: int = 50, page_token: str = "", *, timeout: float | None = None
    ) -> BacktestPage:
        """A page of jobs, newest first."""
        request = backtests.ListBacktestsRequest(page_size=page_size, page_token=page_token)
        answer = await self._call(self._backtests.ListBacktests, request, timeout)
        return BacktestPage(tuple(answer.backtests), answer.next_page_token)

    async def cancel_backtest(self, name: str, *, timeout: float | None = None) -> Backtest:
        """Stops a job; one that is over stays as it is."""
        request = backtests.CancelBacktestRequest(name=name)
        return Backtest.from_proto(await self._call(self._backtests.CancelBacktest, request, timeout))

    async def delete_backtest(self, name: str, *, timeout: float | None = None) -> None:
        """Removes a job that is over."""
        await self._call(self._backtests.DeleteBacktest, backtests.DeleteBacktestRequest(name=name), timeout)

    async def backtest_series(
        self, name: str, series: Series, label: str = "", *, timeout: float | None = None
    ) -> Panel:
        """A series of a job that has succeeded: equity, weights, trades or drawdown."""
        wanted = choice(backtests.BacktestSeries, "series", series)
        request = backtests.GetBacktestSeriesRequest(name=name, series=wanted, label=label)
        return await self._assembled(self._backtests.GetBacktestSeries(request, timeout=self._limit(timeout)))

    async def reallocate(
        self,
        portfolio: Holdings | str,
        market: Stored | Iterable[Quote],
        target: Mapping[str, float] | OptimizeSpec | None = None,
        *,
        max_utilization: float | None = None,
        drift_band: float | None = None,
        max_participation: float | None = None,
        min_trade_value: float | None = None,
        cash_floor: float | None = None,
        max_turnover: float | None = None,
        fractional: bool = False,
        commission_bps: float = 0.0,
        half_spread_bps: float = 0.0,
        horizon_days: int = 1,
        request_id: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Reallocation:
        """The trades that take positions, or a stored portfolio by its name, to a target."""
        request = reallocate_request(
            portfolio,
            market,
            target,
            max_utilization=max_utilization,
            drift_band=drift_band,
            max_participation=max_participation,
            min_trade_value=min_trade_value,
            cash_floor=cash_floor,
            max_turnover=max_turnover,
            fractional=fractional,
            commission_bps=commission_bps,
            half_spread_bps=half_spread_bps,
            horizon_days=horizon_days,
            request_id=request_id,
            validate_only=validate_only,
        )
        return Reallocation.from_proto(await self._call(self._reallocations.Reallocate, request, timeout))

    async def get_reallocation(self, name: str, *, timeout: float | None = None) -> Reallocation:
        """A stored reallocation by its name, "reallocations/{id}"."""
        request = reallocations.GetReallocationRequest(name=name)
        return Reallocation.from_proto(await self._call(self._reallocations.GetReallocation, request, timeout))

    async def create_portfolio(
        self, portfolio: Portfolio, portfolio_id: str = "", *, request_id: str = "", timeout: float | None = None
    ) -> Portfolio:
        """Stores a portfolio; the message that comes back has its name and etag."""
        request = portfolios.CreatePortfolioRequest(
            portfolio=portfolio, portfolio_id=portfolio_id, request_id=request_id or new_request_id()
        )
        created: Portfolio = await self._call(self._portfolios.CreatePortfolio, request, timeout)
        return created

    async def get_portfolio(self, name: str, *, timeout: float | None = None) -> Portfolio:
        """A portfolio by its name, "portfolios/{id}"."""
        request = portfolios.GetPortfolioRequest(name=name)
        found: Portfolio = await self._call(self._portfolios.GetPortfolio, request, timeout)
        return found

    async def update_portfolio(
        self, portfolio: Portfolio, fields: Iterable[str] = (), *, timeout: float | None = None
    ) -> Portfolio:
        """Changes some fields, or all; raises EtagMismatch where somebody changed it since it was read."""
        request = portfolios.UpdatePortfolioRequest(portfolio=portfolio, update_mask=FieldMask(paths=fields))
        changed: Portfolio = await self._call(self._portfolios.UpdatePortfolio, request, timeout)
        return changed

    async def delete_portfolio(self, name: str, etag: str = "", *, timeout: float | None = None) -> None:
        """Removes a portfolio."""
        await self._call(
            self._portfolios.DeletePortfolio, portfolios.DeletePortfolioRequest(name=name, etag=etag), timeout
        )

    async def list_portfolios(self, *, timeout: float | None = None) -> AsyncIterator[PortfolioSummary]:
        """All stored portfolios by name, without their positions."""
        token = ""
        while True:
            request = portfolios.ListPortfoliosRequest(page_size=1000, page_token=token)
            page = await self._call(self._portfolios.ListPortfolios, request, timeout)
            for portfolio in page.portfolios:
                yield portfolio
            token = page.next_page_token
            if not token:
                return

    async def watch(self, name: str, *, min_interval: float = 0.1, patience: float = 300.0) -> AsyncIterator[News]:
        """What happens to a job, to its end; goes on by itself when the connection breaks or the server restarts.

        The wire is drained behind the scenes: a slow reader gets the latest tick and every milestone. Raises an
        exception of `absfin.errors` where going on cannot help, or after `patience` seconds without contact.
        """
        watch = Watch(Follower(name, min_interval, patience), self._backtests.BacktestProgress)
        try:
            async for news in watch:
                yield news
        finally:
            await watch.aclose()

    async def import_prices(
        self,
        prices: Any,
        *,
        field: PriceField = "close",
        source: str = "",
        import_id: str = "",
        on_progress: Progress | None = None,
        timeout: float | None = None,
    ) -> ImportReceipt:
        """Stores a Panel or pandas frame of prices, all of it or nothing."""
        pieces = import_requests(
            panel_of(prices), field=field, source=source, import_id=import_id, on_progress=on_progress
        )
        return ImportReceipt.from_proto(await self._call(self._market.ImportPrices, pieces, timeout))

    async def prices(self, selection: Stored, *, timeout: float | None = None) -> Panel:
        """Stored prices as one table."""
        request = market.GetPricesRequest(selection=selection.to_proto())
        return await self._assembled(self._market.GetPrices(request, timeout=self._limit(timeout)))

    async def upsert_instruments(self, instruments: Iterable[Instrument], *, timeout: float | None = None) -> int:
        """Stores instruments, replacing those with the same symbol; returns how many."""
        request = market.UpsertInstrumentsRequest(instruments=[item.to_proto() for item in instruments])
        return int((await self._call(self._market.UpsertInstruments, request, timeout)).upserted_count)

    async def instruments(self, group: str = "", *, timeout: float | None = None) -> AsyncIterator[Instrument]:
        """All stored instruments by symbol, or those with a label such as "sector=Technology"."""
        token = ""
        while True:
            request = market.ListInstrumentsRequest(page_size=1000, page_token=token, group=group)
            page = await self._call(self._market.ListInstruments, request, timeout)
            for item in page.instruments:
                yield Instrument.from_proto(item)
            token = page.next_page_token
            if not token:
                return

    async def _call(self, method: Any, request: Any, timeout: float | None) -> Any:
        with typed_errors():
            return await method(request, timeout=self._limit(timeout))

    async def _assembled(self, pieces: AsyncIterable[Any]) -> Panel:
        assembler = PanelAssembler()
        with typed_errors():
            async for piece in pieces:
                assembler.add(piece)
        return assembler.panel()

    def _limit(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else timeout


class Watch(AsyncIterator[News]):
    """Drains a stream in a task of its own, and gives a reader what is new whenever he asks."""

    def __init__(self, follower: Follower, progress: Callable[..., Any]) -> None:
        self._follower = follower
        self._progress = progress
        self._changed = asyncio.Event()
        self._ended = False
        self._draining = asyncio.create_task(self._drain())

    async def __anext__(self) -> News:
        """The next milestone, the latest tick, or the end."""
        if self._ended:
            raise StopAsyncIteration
        while (news := self._follower.next()) is None:
            if self._follower.error is not None:
                self._ended = True
                raise self._follower.error
            if self._draining.done():
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        self._ended = isinstance(news, Finished)
        return news

    async def aclose(self) -> None:
        """Stops following; the job goes on."""
        self._draining.cancel()
        await asyncio.wait({self._draining})
        self._changed.set()

    async def _drain(self) -> None:
        while not self._follower.over:
            failure = None
            try:
                async for notice in self._progress(self._follower.request()):
                    self._follower.take(notice)
                    self._changed.set()
            except grpc.RpcError as error:
                failure = error
            if not self._follower.over:
                seconds = self._follower.pause(failure)
                self._changed.set()
                await asyncio.sleep(seconds)
        self._changed.set()
