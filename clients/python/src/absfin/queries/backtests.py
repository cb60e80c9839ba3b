"""Calls of BacktestService."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import ClassVar

from absfinance.v1 import backtest_pb2
from absfinance.v1 import backtest_service_pb2 as pb
from absfinance.v1.backtest_pb2 import AnalysisOptions, Benchmark, Execution, Rebalancing, Strategy
from absfinance.v1.backtest_pb2 import Backtest as BacktestProto
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.panel_pb2 import MissingDataPolicy

from absfin.choices import Fill, JobState, MissingData, Series, choice
from absfin.costs import Costs, costs_of
from absfin.data import Panel, Prices, Returns, Stored, input_fields
from absfin.panel_assembler import PanelAssembler
from absfin.queries.base import AssembledQuery, Rpc, UnaryQuery
from absfin.requests import new_request_id, timestamp
from absfin.results import Backtest, BacktestPage
from absfin.strategies import benchmark


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
    lag_periods: int = 0  # further dates between decision and fill
    commission_bps: float = 0.0
    half_spread_bps: float = 0.0
    costs: Costs | None = None  # instead of commission_bps and half_spread_bps
    initial_capital: float | None = None  # money
    benchmarks: Iterable[str | Strategy | Benchmark] = ()
    risk_free_rate_annual: float | None = None
    minimum_acceptable_return_annual: float | None = None
    periods_per_year: float | None = None  # inferred from the dates of prices if None
    seed: int = 0
    validate_only: bool = False  # only check the request: no job is started
    label: str = ""  # for people; lists can be filtered by it
    backtest_id: str = ""  # the {id} of "backtests/{id}"; chosen by the server if empty
    missing_data: MissingData = "fail"
    request_id: str = ""  # a new one if empty
    wait_seconds: float = 0.0

    def __post_init__(self) -> None:
        choice(backtest_pb2.Fill, "fill", self.fill)
        choice(MissingDataPolicy, "missing_data", self.missing_data)
        costs_of(self.costs, self.commission_bps, self.half_spread_bps)

    def time_limit(self, default: float) -> float:
        """Seconds that the call may take: those of any call, and the wait for the end of the job."""
        return super().time_limit(default) + self.wait_seconds

    def request(self) -> pb.BacktestRequest:
        """One backtest."""
        request = pb.BacktestRequest(
            **input_fields(self.data, self.periods_per_year),
            strategy=self.strategy if isinstance(self.strategy, Strategy) else None,
            strategies=() if isinstance(self.strategy, Strategy) else self.strategy,
            rebalancing=self.rebalancing,
            execution=Execution(fill=choice(backtest_pb2.Fill, "fill", self.fill), lag_periods=self.lag_periods),
            costs=costs_of(self.costs, self.commission_bps, self.half_spread_bps),
            initial_capital=self.initial_capital,
            benchmarks=[one if isinstance(one, Benchmark) else benchmark(one) for one in self.benchmarks],
            analysis=AnalysisOptions(
                risk_free_rate_annual=self.risk_free_rate_annual,
                minimum_acceptable_return_annual=self.minimum_acceptable_return_annual,
            ),
            missing_data=choice(MissingDataPolicy, "missing_data", self.missing_data),
            seed=self.seed,
            validate_only=self.validate_only,
            label=self.label,
            backtest_id=self.backtest_id,
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
    _: KW_ONLY
    state: JobState | None = None
    label: str = ""
    start_create_time: datetime | None = None  # in UTC if without a time zone
    end_create_time: datetime | None = None

    def __post_init__(self) -> None:
        self._state()

    def request(self) -> pb.ListBacktestsRequest:
        """The page."""
        return pb.ListBacktestsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            state=self._state(),
            label=self.label,
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
        )

    def _state(self) -> str | None:
        return None if self.state is None else choice(backtest_pb2.BacktestState, "state", self.state)

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
