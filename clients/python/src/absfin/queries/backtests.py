"""Calls of BacktestService."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from absfinance.v1 import backtest_pb2
from absfinance.v1 import backtest_service_pb2 as pb
from absfinance.v1.backtest_pb2 import AnalysisOptions, Benchmark, Execution, Rebalancing, Strategy
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.cost_pb2 import CostModel
from absfinance.v1.panel_pb2 import MissingDataPolicy

from absfin.choices import Fill, MissingData, Series, choice
from absfin.data import Panel, Prices, Returns, Stored, input_fields
from absfin.panel_assembler import PanelAssembler
from absfin.queries.base import AssembledQuery, Rpc, UnaryQuery
from absfin.requests import new_request_id
from absfin.results import Backtest, BacktestPage


@dataclass(frozen=True)
class BacktestQuery(UnaryQuery[Backtest]):
    """Starts a job, which goes on if the call is cut off.

    With `wait_seconds`, the answer is the finished job if it ends within that time.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "Backtest")

    data: Prices | Returns | Stored
    strategy: Strategy | Sequence[Strategy]
    _: KW_ONLY
    rebalancing: Rebalancing | None = None
    fill: Fill = "next_close"
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    initial_capital: float | None = None
    benchmarks: Iterable[str | Strategy] = ()
    risk_free_rate_annual: float | None = None
    missing_data: MissingData = "fail"
    request_id: str = ""  # a new one if empty
    wait_seconds: float = 0.0

    def __post_init__(self) -> None:
        choice(backtest_pb2.Fill, "fill", self.fill)
        choice(MissingDataPolicy, "missing_data", self.missing_data)

    def time_limit(self, default: float) -> float:
        """Seconds that the call may take: those of any call, and the wait for the end of the job."""
        return super().time_limit(default) + self.wait_seconds

    def request(self) -> pb.BacktestRequest:
        """One backtest."""
        request = pb.BacktestRequest(
            **input_fields(self.data),
            strategy=self.strategy if isinstance(self.strategy, Strategy) else None,
            strategies=() if isinstance(self.strategy, Strategy) else self.strategy,
            rebalancing=self.rebalancing,
            execution=Execution(fill=choice(backtest_pb2.Fill, "fill", self.fill)),
            costs=CostModel(commission_bps=self.commission_bps, half_spread_bps=self.half_spread_bps),
            initial_capital=self.initial_capital,
            benchmarks=map(_benchmark, self.benchmarks),
            analysis=AnalysisOptions(risk_free_rate_annual=self.risk_free_rate_annual),
            missing_data=choice(MissingDataPolicy, "missing_data", self.missing_data),
            request_id=self.request_id or new_request_id(),
        )
        request.wait.FromNanoseconds(round(self.wait_seconds * 1e9))
        return request

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)


@dataclass(frozen=True)
class GetBacktestQuery(UnaryQuery[Backtest]):
    """A job by its name, "backtests/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetBacktest")

    name: str

    def request(self) -> pb.GetBacktestRequest:
        """The name."""
        return pb.GetBacktestRequest(name=self.name)

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)


@dataclass(frozen=True)
class ListBacktestsQuery(UnaryQuery[BacktestPage]):
    """A page of jobs, newest first."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "ListBacktests")

    page_size: int = 50
    page_token: str = ""

    def request(self) -> pb.ListBacktestsRequest:
        """The page."""
        return pb.ListBacktestsRequest(page_size=self.page_size, page_token=self.page_token)

    def answer(self, response: pb.ListBacktestsResponse) -> BacktestPage:
        """The summaries of the page."""
        return BacktestPage(tuple(response.backtests), response.next_page_token)


@dataclass(frozen=True)
class CancelBacktestQuery(UnaryQuery[Backtest]):
    """Stops a job; one that has ended is unchanged. Raises NotFound."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "CancelBacktest")

    name: str

    def request(self) -> pb.CancelBacktestRequest:
        """The name."""
        return pb.CancelBacktestRequest(name=self.name)

    def answer(self, response: BacktestProto) -> Backtest:
        """The job."""
        return Backtest.from_proto(response)


@dataclass(frozen=True)
class DeleteBacktestQuery(UnaryQuery[None]):
    """Removes a job that has ended. Raises NotFound and BacktestRunning."""

    RPC: ClassVar = Rpc(BacktestServiceStub, "DeleteBacktest")

    name: str

    def request(self) -> pb.DeleteBacktestRequest:
        """The name."""
        return pb.DeleteBacktestRequest(name=self.name)

    def answer(self, response: pb.DeleteBacktestResponse) -> None:
        """Nothing."""


@dataclass(frozen=True)
class BacktestSeriesQuery(AssembledQuery[Panel]):
    """A series of a job that has succeeded: net asset value, weights, trades or drawdown of a strategy by its label.

    The first strategy without a label.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetBacktestSeries")

    name: str
    series: Series
    label: str = ""

    def __post_init__(self) -> None:
        choice(pb.BacktestSeries, "series", self.series)

    def request(self) -> pb.GetBacktestSeriesRequest:
        """The series."""
        series = choice(pb.BacktestSeries, "series", self.series)
        return pb.GetBacktestSeriesRequest(name=self.name, series=series, label=self.label)

    def assembler(self) -> PanelAssembler:
        """Joins the rows."""
        return PanelAssembler()


def _benchmark(compared: str | Strategy) -> Benchmark:
    return Benchmark(symbol=compared) if isinstance(compared, str) else Benchmark(strategy=compared)
