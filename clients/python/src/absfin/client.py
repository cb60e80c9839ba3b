"""The client for ordinary code. `absfin.aio` is its twin for asyncio."""

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from absfinance.v1 import market_data_service_pb2 as market
from absfinance.v1 import optimization_service_pb2 as optimization
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.channel import DEFAULT_TARGET, OPTIONS, assemble
from absfin.constraints import Constraint
from absfin.data import Instrument, MarketInput, Panel, PriceField, Stored, panel_of
from absfin.errors import typed_errors
from absfin.objectives import Objective
from absfin.requests import Progress, import_requests, optimize_request, risk_request
from absfin.results import ImportReceipt, Optimization, OptimizationPage, RiskReport


class Client:
    """A connection to one server; safe to share between threads. Close it, or use it in a `with` block.

    Every method takes `timeout` in seconds (60 unless said otherwise) and raises an exception of `absfin.errors`.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        channel: grpc.Channel | None = None,
        timeout: float = 60.0,
    ) -> None:
        """Connects to `target`; a `channel` of your own, with your interceptors, takes the place of both others."""
        if channel is not None:
            self._channel = channel
        elif credentials is None:
            self._channel = grpc.insecure_channel(target, options=OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=OPTIONS)
        self._timeout = timeout
        self._optimization = OptimizationServiceStub(self._channel)
        self._risk = RiskServiceStub(self._channel)
        self._market = MarketDataServiceStub(self._channel)

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
        """Returns once the server answers. Raises TimeoutError."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout)
        except grpc.FutureTimeoutError:
            raise TimeoutError(f"no server answered within {timeout:g} s") from None

    def optimize(
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
        return Optimization.from_proto(self._call(self._optimization.Optimize, request, timeout))

    def get_optimization(self, name: str, *, timeout: float | None = None) -> Optimization:
        """A stored result by its name, "optimizations/{id}"."""
        request = optimization.GetOptimizationRequest(name=name)
        return Optimization.from_proto(self._call(self._optimization.GetOptimization, request, timeout).optimization)

    def list_optimizations(
        self, page_size: int = 50, page_token: str = "", *, timeout: float | None = None
    ) -> OptimizationPage:
        """A page of stored results, newest first."""
        request = optimization.ListOptimizationsRequest(page_size=page_size, page_token=page_token)
        answer = self._call(self._optimization.ListOptimizations, request, timeout)
        return OptimizationPage(tuple(answer.optimizations), answer.next_page_token)

    def analyze_risk(
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
        return RiskReport.from_proto(self._call(self._risk.AnalyzeRisk, request, timeout))

    def import_prices(
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
        return ImportReceipt.from_proto(self._call(self._market.ImportPrices, pieces, timeout))

    def prices(self, selection: Stored, *, timeout: float | None = None) -> Panel:
        """Stored prices as one table."""
        request = market.GetPricesRequest(selection=selection.to_proto())
        with typed_errors():
            return assemble(self._market.GetPrices(request, timeout=self._limit(timeout)))

    def upsert_instruments(self, instruments: Iterable[Instrument], *, timeout: float | None = None) -> int:
        """Stores instruments, replacing those with the same symbol; returns how many."""
        request = market.UpsertInstrumentsRequest(instruments=[item.to_proto() for item in instruments])
        return int(self._call(self._market.UpsertInstruments, request, timeout).upserted_count)

    def instruments(self, group: str = "", *, timeout: float | None = None) -> Iterator[Instrument]:
        """All stored instruments by symbol, or those with a label such as "sector=Technology"."""
        token = ""
        while True:
            request = market.ListInstrumentsRequest(page_size=1000, page_token=token, group=group)
            page = self._call(self._market.ListInstruments, request, timeout)
            yield from map(Instrument.from_proto, page.instruments)
            token = page.next_page_token
            if not token:
                return

    def _call(self, method: Any, request: Any, timeout: float | None) -> Any:
        with typed_errors():
            return method(request, timeout=self._limit(timeout))

    def _limit(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else timeout
