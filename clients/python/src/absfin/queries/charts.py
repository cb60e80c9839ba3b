"""Calls that return charts of a result."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from absfinance.v1 import (
    backtest_service_pb2,
    optimization_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
)
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.charts import Chart, chart_fields, charts_of
from absfin.choices import ChartName, ChartTheme
from absfin.queries.base import Rpc, UnaryQuery
from absfin.queries.optimization import TraceFrontierQuery
from absfin.queries.risk import AnalyzeRiskQuery


@dataclass(frozen=True)
class BacktestChartsQuery(UnaryQuery[dict[str, Chart]]):
    """Charts of a job that has succeeded, by their names: all that it has data for where none is named.

    They are of the strategy with a label, or of the first one, beside all others. Raises InvalidArgument, naming the
    chart, where the job has no data for one. A sweep has the chart "sweep_surface", of all its trials, and no label.
    """

    RPC: ClassVar = Rpc(BacktestServiceStub, "GetBacktestCharts")

    name: str
    charts: Sequence[ChartName] = ()
    _: KW_ONLY
    label: str = ""
    theme: ChartTheme = "light"

    def __post_init__(self) -> None:
        chart_fields(self.charts, self.theme)

    def request(self) -> backtest_service_pb2.GetBacktestChartsRequest:
        """The charts."""
        return backtest_service_pb2.GetBacktestChartsRequest(
            name=self.name, label=self.label, **chart_fields(self.charts, self.theme)
        )

    def answer(self, response: backtest_service_pb2.GetBacktestChartsResponse) -> dict[str, Chart]:
        """The specifications."""
        return charts_of(response.charts)


@dataclass(frozen=True)
class OptimizationChartsQuery(UnaryQuery[dict[str, Chart]]):
    """Charts of a stored result, by their names: all that there is data for where none is named.

    `frontier` is the query whose frontier is drawn beside the portfolio, with 30 points if it names none. Raises
    InvalidArgument, naming the chart, where there is no data for one.
    """

    RPC: ClassVar = Rpc(OptimizationServiceStub, "GetOptimizationCharts")

    name: str
    charts: Sequence[ChartName] = ()
    _: KW_ONLY
    frontier: TraceFrontierQuery | None = None
    theme: ChartTheme = "light"

    def __post_init__(self) -> None:
        chart_fields(self.charts, self.theme)

    def request(self) -> optimization_service_pb2.GetOptimizationChartsRequest:
        """The charts."""
        return optimization_service_pb2.GetOptimizationChartsRequest(
            name=self.name,
            frontier=None if self.frontier is None else self.frontier.request(),
            **chart_fields(self.charts, self.theme),
        )

    def answer(self, response: optimization_service_pb2.GetOptimizationChartsResponse) -> dict[str, Chart]:
        """The specifications."""
        return charts_of(response.charts)


@dataclass(frozen=True)
class RiskChartsQuery(UnaryQuery[dict[str, Chart]]):
    """Charts of the risk report that a query asks for, by their names: all that there is data for where none is named.

    Raises InvalidArgument, naming the chart, where there is no data for one.
    """

    RPC: ClassVar = Rpc(RiskServiceStub, "GetRiskCharts")

    analysis: AnalyzeRiskQuery
    charts: Sequence[ChartName] = ()
    _: KW_ONLY
    theme: ChartTheme = "light"

    def __post_init__(self) -> None:
        chart_fields(self.charts, self.theme)

    def request(self) -> risk_service_pb2.GetRiskChartsRequest:
        """The charts."""
        return risk_service_pb2.GetRiskChartsRequest(
            analysis=self.analysis.request(), **chart_fields(self.charts, self.theme)
        )

    def answer(self, response: risk_service_pb2.GetRiskChartsResponse) -> dict[str, Chart]:
        """The specifications."""
        return charts_of(response.charts)


@dataclass(frozen=True)
class ReallocationChartsQuery(UnaryQuery[dict[str, Chart]]):
    """Charts of a stored reallocation, by their names: all that there is data for where none is named.

    Raises InvalidArgument, naming the chart, where there is no data for one.
    """

    RPC: ClassVar = Rpc(ReallocationServiceStub, "GetReallocationCharts")

    name: str
    charts: Sequence[ChartName] = ()
    _: KW_ONLY
    theme: ChartTheme = "light"

    def __post_init__(self) -> None:
        chart_fields(self.charts, self.theme)

    def request(self) -> reallocation_service_pb2.GetReallocationChartsRequest:
        """The charts."""
        return reallocation_service_pb2.GetReallocationChartsRequest(
            name=self.name, **chart_fields(self.charts, self.theme)
        )

    def answer(self, response: reallocation_service_pb2.GetReallocationChartsResponse) -> dict[str, Chart]:
        """The specifications."""
        return charts_of(response.charts)
