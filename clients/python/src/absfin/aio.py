"""The client for asyncio, method for method the twin of `absfin.Client`."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from absfinance.v1 import market_data_service_pb2 as market
from absfinance.v1 import optimization_service_pb2 as optimization
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.channel import DEFAULT_TARGET, OPTIONS, PanelAssembler
from absfin.constraints import Constraint
from absfin.data import Instrument, MarketInput, Panel, PriceField, Stored, panel_of
from absfin.errors import typed_errors
from absfin.objectives import Objective
from absfin.requests import Progress, import_requests, optimize_request, risk_request
from absfin.results import ImportReceipt, Optimization, OptimizationPage, RiskReport


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
        missing_data: str = "fail",
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
            missing_data=missing_data,
            request_id=request_id,
        )
        return Optimization.from_proto(await self._call(self._optimization.Optimize, request, timeout))

    async def get_optimization(self, name: str, *, timeout: float | None = None) -> Optimization:
        """A stored result by its name, "optimizations/{id}"."""
        request = optimization.GetOptimizationRequest(name=name)
        return Optimization.from_proto(
            (await self._call(self._optimization.GetOptimization, request, timeout)).optimization
        )

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
        weights: Mapping[str, float],
        *,
        benchmark: Any = None,
        confidence_level: float | None = None,
        risk_free_rate_annual: float | None = None,
        missing_data: str = "fail",
        allow_leverage: bool = False,
        timeout: float | None = None,
    ) -> RiskReport:
        """The risk of constant weights."""
        request = risk_request(
            data,
            weights,
            benchmark=benchmark,
            confidence_level=confidence_level,
            risk_free_rate_annual=risk_free_rate_annual,
            missing_data=missing_data,
            allow_leverage=allow_leverage,
        )
        return RiskReport.from_proto(await self._call(self._risk.AnalyzeRisk, request, timeout))

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
        assembler = PanelAssembler()
        with typed_errors():
            async for piece in self._market.GetPrices(request, timeout=self._limit(timeout)):
                assembler.add(piece)
        return assembler.panel()

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

    def _limit(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else timeout
